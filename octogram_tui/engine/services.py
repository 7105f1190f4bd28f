"""What agents offer to each other, and how an `agent://name` becomes an address."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote

from octogram_tui.engine.events import ServiceAnnounced
from octogram_tui.errors import TemplateError

FILE_SERVICE = ("http", "http")
PORT_OF_KIND = {"node": "rpc", "dal_node": "rpc", "rollup_node": "rpc"}
_PATH_SIGNS = "/!$&'()*+,;=:@"  # what a path may hold in a URL besides letters and digits
_AFTER_NAME = re.compile(r"[/?#]")
WORD_OF_KIND = {"node": "Octez node", "dal_node": "DAL node", "rollup_node": "rollup node", "http": "process or server"}


class Service(NamedTuple):
    """One service of one agent."""

    kind: str
    name: str
    ports: dict[str, int]
    is_up: bool
    reason: str


class ServiceTable:
    """All services of a run, by agent."""

    def __init__(self) -> None:
        self._of_agent: dict[str, dict[tuple[str, str], Service]] = {}
        self.addresses: dict[str, str] = {}  # where other agents reach each agent of the run

    def record(self, event: ServiceAnnounced) -> None:
        """Take note of a service that came up or went down."""
        service = Service(event.kind, event.name, event.ports, event.state == "up", event.reason)
        self._of_agent.setdefault(event.agent, {})[event.kind, event.name] = service

    def all(self) -> list[tuple[str, Service]]:
        """Give every service with its agent."""
        return [(agent, s) for agent, services in self._of_agent.items() for s in services.values()]

    def forget(self, agent: str) -> None:
        """An agent is gone, and with it what it offered."""
        self._of_agent.pop(agent, None)

    def resolve(self, kind: str, uri: str, agent: str, addresses: dict[str, str]) -> dict[str, str]:
        """Turn a URI argument of a job on `agent` into {"owned": NAME} or {"remote": URL}.

        The name of a file is a path, whatever is in it, and goes along as "path"; after the name of an HTTP service
        comes the rest of a URL.
        addresses: of every agent of the run. Raises TemplateError when nothing stands behind the URI.
        """
        scheme, separator, name = uri.partition("://")
        if not separator or scheme in ("http", "https"):
            return {"remote": uri}
        owner = agent if scheme == "self" else scheme
        if owner == agent:
            return {"owned": name}
        if owner not in addresses:
            known = ", ".join(sorted(addresses)[:8])
            raise TemplateError(f"{uri}: there is no agent {owner!r}", hint=f"agents of this run: {known}", name=owner)
        if kind == "file":
            port = self._port(owner, *FILE_SERVICE, "http", uri)
            return {"remote": f"http://{url_host(addresses[owner])}:{port}/{_quoted(name.lstrip('/'))}", "path": name}
        if kind == "http":
            service_name = _AFTER_NAME.split(name, maxsplit=1)[0]
            port = self._any_port(owner, service_name, uri)
            return {"remote": f"http://{url_host(addresses[owner])}:{port}{name[len(service_name) :]}"}
        port = self._port(owner, kind, name, PORT_OF_KIND[kind], uri)
        return {"remote": f"http://{url_host(addresses[owner])}:{port}"}

    def _port(self, owner: str, kind: str, name: str, port: str, uri: str) -> int:
        service = self._of_agent.get(owner, {}).get((kind, name))
        if service is None:
            if (kind, name) == FILE_SERVICE:
                raise TemplateError(
                    f"{uri}: agent {owner} serves no files",
                    hint=f"run builtins.start_http_server on {owner} in an earlier job",
                    name=owner,
                )
            what = f"{WORD_OF_KIND[kind]} {name!r} on {owner}"
            raise TemplateError(f"{uri}: nobody started the {what}", hint=self._offers(owner), name=name)
        self._check_up(service, owner, uri)
        return service.ports[port]

    def _any_port(self, owner: str, name: str, uri: str) -> int:
        services = [s for (_, n), s in self._of_agent.get(owner, {}).items() if n == name]
        if not services:
            raise TemplateError(f"{uri}: nobody started {name!r} on {owner}", hint=self._offers(owner), name=name)
        service = services[-1]
        self._check_up(service, owner, uri)
        for port in ("http", "rpc"):
            if port in service.ports:
                return service.ports[port]
        if len(service.ports) != 1:
            names = ", ".join(sorted(service.ports)) or "none"
            raise TemplateError(
                f"{uri}: {name!r} on {owner} has no port named http, and not just one port",
                hint=f"its ports: {names}",
                name=name,
            )
        return next(iter(service.ports.values()))

    def _check_up(self, service: Service, owner: str, uri: str) -> None:
        if not service.is_up:
            raise TemplateError(f"{uri}: {service.name!r} on {owner} is down: {service.reason}", name=service.name)

    def _offers(self, owner: str) -> str:
        offers = [f"{s.kind} {s.name}" for s in self._of_agent.get(owner, {}).values() if s.is_up]
        return f"{owner} offers: {', '.join(offers)}" if offers else f"{owner} offers nothing yet"


def _quoted(path: str) -> str:
    """Write a path as part of a URL. Raises TemplateError for one that no file can have."""
    try:
        return quote(path, safe=_PATH_SIGNS, errors="surrogateescape")
    except UnicodeEncodeError:
        raise TemplateError(f"{path!r} is no path: it holds half a character") from None


def url_host(address: str) -> str:
    """Write an address as a URL wants it: IPv6 in brackets."""
    return f"[{address}]" if ":" in address and not address.startswith("[") else address
