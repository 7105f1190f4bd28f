"""What Prometheus is to read: a fold of announced services into targets. Does nothing; the driver sends the result."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from octogram_tui.engine.events import AgentLost, AgentStopped, Event, ServiceAnnounced

START_PROCEDURE = "internals.start_prometheus"
TARGETS_PROCEDURE = "internals.prometheus_targets"
METRICS = "metrics"


class Targets:
    """The services that offer metrics now. Feed it events; `document` is what TARGETS_PROCEDURE takes."""

    def __init__(self) -> None:
        self._addresses: dict[tuple[str, str, str], str] = {}

    def feed(self, event: Event) -> bool:
        """Take an event; tells whether the targets changed."""
        if isinstance(event, ServiceAnnounced):
            return self._announced(event)
        if isinstance(event, AgentLost | AgentStopped):
            gone = [key for key in self._addresses if key[0] == event.agent]
            for key in gone:
                del self._addresses[key]
            return bool(gone)
        return False

    def feed_all(self, events: Iterable[Event]) -> bool:
        """Take several events; tells whether any of them changed the targets."""
        changed = False
        for event in events:
            changed |= self.feed(event)
        return changed

    def _announced(self, event: ServiceAnnounced) -> bool:
        key = (event.agent, event.kind, event.name)
        port = event.ports.get(METRICS)
        address = None
        if event.state == "up" and port is not None:
            address = f"{_host(event.address)}:{port}"
        if self._addresses.get(key) == address:
            return False
        if address is None:
            del self._addresses[key]
        else:
            self._addresses[key] = address
        return True

    def document(self) -> list[dict[str, Any]]:
        """Give the targets in the form of Prometheus's file-based discovery, in a stable order.

        The label `job` names the source as the original does: AGENT://NAME.
        """
        return [
            {
                "targets": [address],
                "labels": {"agent": agent, "node": name, "kind": kind, "job": f"{agent}://{name}"},
            }
            for (agent, kind, name), address in sorted(self._addresses.items())
        ]

    def arguments(self) -> dict[str, Any]:
        """Give the arguments of TARGETS_PROCEDURE."""
        return {"targets": self.document()}


def _host(address: str) -> str:
    """Write an address so that a port can follow it: IPv6 needs brackets."""
    host = address or "127.0.0.1"
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
