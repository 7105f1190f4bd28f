"""What agents offer to each other, and how an `agent://name` becomes an address."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote

from octogram_agentd.network.endpoint import Endpoint, as_url, is_loopback, why_not_for_others
from octogram_agentd.network.tickets import with_ticket
from octogram_tui.engine.core import Core
from octogram_tui.engine.events import ServiceAnnounced, WarningGiven
from octogram_tui.errors import TemplateError
from octogram_tui.model.values import Value

FILE_SERVICE = ("http", "http")
BEHIND_URI = {
    "node": ("node", "rpc"),
    "dal_node": ("dal_node", "rpc"),
    "rollup_node": ("rollup_node", "rpc"),
    "node_peer": ("node", "net"),
    "dal_peer": ("dal_node", "net"),
}
"""Which kind of service a URI of a kind names, and which of its ports is meant; a peer is no URL, but HOST:PORT."""
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
    key: str = ""


Tickets = dict[str, str]
"""URLs as events and people see them, each with the one that its job gets: a file server wants a ticket in it."""


class ServiceTable:
    """All services of a run, by agent."""

    def __init__(self) -> None:
        self._of_agent: dict[str, dict[tuple[str, str], Service]] = {}
        self.addresses: dict[str, str] = {}  # where other agents reach each agent of the run
        self._warned: set[str] = set()
        self._serving: dict[int, dict[str, None]] = {}  # the agents whose file server has had a port

    def record(self, event: ServiceAnnounced, key: str = "") -> None:
        """Take note of a service that came up or went down; the key of a file server is no part of the event."""
        service = Service(event.kind, event.name, event.ports, event.state == "up", event.reason, key)
        if key:
            for port in event.ports.values():
                self._serving.setdefault(port, {})[event.agent] = None
        self._of_agent.setdefault(event.agent, {})[event.kind, event.name] = service

    def all(self) -> list[tuple[str, Service]]:
        """Give every service with its agent."""
        return [(agent, s) for agent, services in self._of_agent.items() for s in services.values()]

    def of(self, agent: str) -> Iterable[Service]:
        """Give those of an agent."""
        return self._of_agent.get(agent, {}).values()

    def has_any(self, agent: str) -> bool:
        """Whether an agent offers, or offered, anything."""
        return bool(self._of_agent.get(agent))

    def forget(self, agent: str) -> None:
        """An agent is gone, and with it what it offered."""
        self._of_agent.pop(agent, None)

    def warn_of_address(self, core: Core, owner: str, agent: str) -> None:
        """Say, once, that an agent is told an address of another one that means nothing there."""
        if owner in self._warned or owner not in self.addresses or agent not in self.addresses:
            return
        address = self.addresses[owner]
        why = why_not_for_others(address)
        if why and not why_not_for_others(self.addresses[agent]):
            self._warned.add(owner)
            message = f"{agent} is told to reach {owner} at {address}, which {why}: give {owner} a `data_address`"
            core.emit(WarningGiven(message=message, agent=owner))

    def resolve(self, kind: str, uri: str, agent: str, tickets: Tickets | None = None) -> dict[str, str]:
        """Turn a URI argument of a job on `agent` into {"owned": NAME} or {"remote": URL}.

        The name of a file is a path, whatever is in it, and goes along as "path"; after the name of an HTTP service
        comes the rest of a URL. tickets: gets what `stamped` needs.
        Raises TemplateError when nothing stands behind the URI.
        """
        found = self._behind(kind, uri, agent)
        if tickets is not None and self._serving and kind in ("file", "http") and "remote" in found:
            url = as_url(found["remote"])
            key = self._key_for(url, agent)
            if key:
                tickets[found["remote"]] = with_ticket(url, key)
        return found

    def _key_for(self, url: str, agent: str) -> str:
        """Give the key of the file server of this run that a URL leads to, however it was written; empty for none."""
        scheme, _, rest = url.partition("://")
        try:
            where = Endpoint.parse(re.split("[/?#]", rest, maxsplit=1)[0], 80)
        except ValueError:
            return ""
        if scheme != "http":
            return ""
        for owner in self._serving.get(where.port, ()):
            address = Endpoint(self.addresses.get(owner, "").replace("%", "%25"), where.port)
            if where == address or (owner == agent and is_loopback(where.host)):
                service = self._of_agent.get(owner, {}).get(FILE_SERVICE)
                if service is not None and where.port in service.ports.values():
                    return service.key
        return ""

    def _behind(self, kind: str, uri: str, agent: str) -> dict[str, str]:
        scheme, separator, name = uri.partition("://")
        if not separator or scheme in ("http", "https"):
            return {"remote": uri}
        owner = agent if scheme == "self" else scheme
        if owner == agent:
            return {"owned": name}
        if owner not in self.addresses:
            known = ", ".join(sorted(self.addresses)[:8])
            raise TemplateError(f"{uri}: there is no agent {owner!r}", hint=f"agents of this run: {known}", name=owner)
        if kind == "file":
            port = self._port(owner, *FILE_SERVICE, "http", uri)
            return {"remote": f"{Endpoint(self.addresses[owner], port).url}/{_quoted(name.lstrip('/'))}", "path": name}
        if kind == "http":
            service_name = _AFTER_NAME.split(name, maxsplit=1)[0]
            port = self._any_port(owner, service_name, uri)
            return {"remote": Endpoint(self.addresses[owner], port).url + name[len(service_name) :]}
        where = Endpoint(self.addresses[owner], self._port(owner, BEHIND_URI[kind][0], name, BEHIND_URI[kind][1], uri))
        return {"remote": str(where) if kind.endswith("_peer") else where.url}

    def _port(self, owner: str, kind: str, name: str, port: str, uri: str) -> int:
        service = self._of_agent.get(owner, {}).get((kind, name))
        if service is None:
            if (kind, name) == FILE_SERVICE:
                raise TemplateError(
                    f"{uri}: agent {owner} serves no files",
                    hint=f"run builtins.start_http_server on {owner} in an earlier job",
                    name=owner,
                    owner=owner,
                )
            what = f"{WORD_OF_KIND[kind]} {name!r} on {owner}"
            raise TemplateError(f"{uri}: nobody started the {what}", hint=self._offers(owner), name=name, owner=owner)
        self._check_up(service, owner, uri)
        return service.ports[port]

    def _any_port(self, owner: str, name: str, uri: str) -> int:
        services = [s for (_, n), s in self._of_agent.get(owner, {}).items() if n == name]
        if not services:
            raise TemplateError(
                f"{uri}: nobody started {name!r} on {owner}", hint=self._offers(owner), name=name, owner=owner
            )
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
            message = f"{uri}: {service.name!r} on {owner} is down: {service.reason}"
            raise TemplateError(message, name=service.name, owner=owner)

    def _offers(self, owner: str) -> str:
        offers = [f"{s.kind} {s.name}" for s in self._of_agent.get(owner, {}).values() if s.is_up]
        return f"{owner} offers: {', '.join(offers)}" if offers else f"{owner} offers nothing yet"


def stamped(arguments: dict[str, Value], tickets: Tickets) -> dict[str, Value]:
    """Give the arguments as the agent gets them: with a ticket in each URL that needs one."""

    def stamp(value: Value) -> Value:
        if isinstance(value, list):
            return [stamp(one) for one in value]
        if isinstance(value, dict):
            url = value.get("remote")
            if isinstance(url, str) and url in tickets and value.keys() <= {"remote", "path"}:
                return {**value, "remote": tickets[url]}
            return {name: stamp(one) for name, one in value.items()}
        return value

    return {name: stamp(value) for name, value in arguments.items()} if tickets else arguments


def _quoted(path: str) -> str:
    """Write a path as part of a URL. Raises TemplateError for one that no file can have."""
    try:
        return quote(path, safe=_PATH_SIGNS, errors="surrogateescape")
    except UnicodeEncodeError:
        raise TemplateError(f"{path!r} is no path: it holds half a character") from None
