"""`--metrics-port`: a server for one page, on this machine. Whoever talks to it badly costs the run nothing."""

from __future__ import annotations

from socketserver import ThreadingMixIn
from threading import BoundedSemaphore, Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app

from octogram_agentd.network.endpoint import Endpoint

PATIENCE_S = 10.0
"""A request that has not come by then, and an answer that nobody takes, are given up."""
MOST_CLIENTS = 32
"""So many are answered at once; who comes then is sent away. Each has a thread and a descriptor of the run."""


class MetricsServer(ThreadingMixIn, WSGIServer):
    """Serves the metrics of a registry until it is stopped."""

    daemon_threads = True
    request_queue_size = 2 * MOST_CLIENTS
    block_on_close = False

    def __init__(self, where: Endpoint, registry: CollectorRegistry) -> None:
        """Listen there. Raises OSError when it cannot."""
        self._room = BoundedSemaphore(MOST_CLIENTS)
        super().__init__((where.host, where.port), _Handler)
        self.set_app(make_wsgi_app(registry))
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1}, name="metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the port go."""
        self.shutdown()
        self.server_close()
        self._thread.join()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is room for one more."""
        return self._room.acquire(blocking=False)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer one request."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away or did not speak: standard error is the run's."""


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE_S

    def log_message(self, *_: Any) -> None:
        """Say nothing of requests either."""
