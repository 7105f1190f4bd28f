"""What this agent offers to the others: which services are up, on which ports, and why others are down."""

from __future__ import annotations

from octogram_agentd.cuts import beginning
from octogram_agentd.procedures.values import ProcedureFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Optional, Tuple

    from octogram_agentd.procedures.context import Process


MOST_PORTS = 100
MOST_WORD = 256  # characters of a kind, or of a port's name
MOST_NAME = 4096


class _Service:
    __slots__ = ("attempt", "is_up", "key", "kind", "name", "ports", "process", "reason")

    def __init__(
        self, attempt: str, kind: str, name: str, ports: Dict[str, int], process: Optional[Process], key: str
    ) -> None:
        self.attempt = attempt
        self.kind = kind
        self.name = name
        self.ports = ports
        self.process = process
        self.key = key
        self.is_up = True
        self.reason = ""


class AnnouncedServices:
    """All of one agent, by kind and name."""

    def __init__(self, post: Callable[[Dict[str, Any]], None]) -> None:
        self._post = post
        self._services: Dict[Tuple[str, str], _Service] = {}

    def announce(
        self, attempt: str, kind: str, name: str, ports: Dict[str, int], process: Optional[Process], key: str = ""
    ) -> None:
        """Say that a service is up; down already when its process has ended meanwhile.

        Raises ProcedureFailed for what the orchestrator would take for a breach of the protocol.
        """
        if len(kind) > MOST_WORD or len(name) > MOST_NAME:
            raise ProcedureFailed("a service cannot be called " + beginning(kind + " " + name, 80), kind="service")
        if len(ports) > MOST_PORTS or any(len(port) > MOST_WORD for port in ports):
            raise ProcedureFailed("%s: too many ports, or too long names of them" % name, kind="service")
        service = self._services[kind, name] = _Service(attempt, kind, name, ports, process, key)
        self._tell(service)
        if process is not None and not process.is_running:
            self._down(service)

    def ports(self, kind: str, name: str) -> Dict[str, int]:
        """Give a service's ports. Raises ProcedureFailed kind `service`."""
        service = self._services.get((kind, name))
        if service is None:
            there = ", ".join("%s (%s)" % (other.name, other.kind) for other in self._services.values())
            raise ProcedureFailed(
                "this agent has no %s named %s" % (kind, name), kind="service", hint="there are: %s" % (there or "none")
            )
        if not service.is_up:
            raise ProcedureFailed("the %s %s is down: %s" % (kind, name, service.reason), kind="service")
        return dict(service.ports)

    def process_changed(self, process: Any, is_up: bool) -> None:
        """Take note that a process has ended, or was restarted."""
        for service in self._services.values():
            if service.process is process and service.is_up != is_up:
                if is_up:
                    service.is_up = True
                    service.reason = ""
                    self._tell(service)
                else:
                    self._down(service)

    def _down(self, service: _Service) -> None:
        service.is_up = False
        reason = getattr(service.process, "reason", None)
        service.reason = reason() if reason is not None else "its process has ended"
        self._tell(service)

    def _tell(self, service: _Service) -> None:
        self._post(
            {
                "t": "service",
                "id": service.attempt,
                "kind": service.kind,
                "name": service.name,
                "ports": service.ports,
                "state": "up" if service.is_up else "down",
                "reason": service.reason,
                **({"key": service.key} if service.key else {}),
            }
        )
