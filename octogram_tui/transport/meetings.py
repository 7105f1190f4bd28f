"""Whether machines reach each other where a scenario needs it: really tried, with a listener and connections to it.

What listens says a word that nobody else knows: a name that leads elsewhere, or back to the one who asks, is found out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import NamedTuple

from octogram_agentd.network.endpoint import host_to_bind, why_not_for_others
from octogram_tui.errors import TransportError
from octogram_tui.transport.answer import Answer
from octogram_tui.transport.base import Channel
from octogram_tui.transport.preflight import AT_ONCE, Check, Machine

LISTEN_WITHIN_S = 15.0
CONNECT_S = 5
CONNECT_WITHIN_S = 45.0

# Listens on a port like those that agents get, and says its word to everybody, until its input ends or it is too late.
LISTEN = """
import random, select, socket, sys
mark, bind, word = sys.argv[1:]
def listener():
    error = None
    for attempt in range(60):
        host = "0.0.0.0" if bind == "::" and attempt % 2 else bind
        try:
            sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            if host == "::":
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            sock.bind((host, random.randrange(15000, 32000)))
            sock.listen(128)
            return sock
        except OSError as caught:
            error = caught
    raise error
sock = listener()
print(mark, "port", sock.getsockname()[1], flush=True)
while True:
    ready, _, _ = select.select([sock, sys.stdin], [], [], 120)
    if not ready or sys.stdin in ready:
        break
    peer, _ = sock.accept()
    peer.sendall(word.encode())
    peer.close()
"""

# Connects to each HOST PORT WORD that it is given, a line each, and says what came of it.
CONNECT = """
import socket, sys, threading
mark, limit_s = sys.argv[1], float(sys.argv[2])
turns, lock = threading.Semaphore(32), threading.Lock()
def visit(number, host, port, word):
    with turns:
        try:
            with socket.create_connection((host, int(port)), limit_s) as sock:
                said = sock.makefile("rb").read(len(word)).decode("ascii", "replace")
            found = "ok" if said == word else "something else answers there"
        except socket.gaierror:
            found = "the name is unknown there"
        except socket.timeout:
            found = "no answer within %g s" % limit_s
        except OSError as error:
            found = (error.strerror or str(error)).lower()
    with lock:
        print(mark, "met", number, found, flush=True)
threads = [threading.Thread(target=visit, args=(n, *line.split())) for n, line in enumerate(sys.stdin)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(mark, "end", flush=True)
"""


class Way(NamedTuple):
    """Who is to reach whom, and where; machines by their places, agents for people."""

    user: str
    owner: str
    address: str
    users: tuple[str, ...]
    owners: tuple[str, ...]


def ways_of(crossings: Iterable[tuple[str, str]], machines: Mapping[str, Machine]) -> list[Way]:
    """Bring who uses whom, agent by agent, to the machines: each way between two of them once."""
    found: dict[tuple[str, str, str], tuple[dict[str, None], dict[str, None]]] = {}
    for user, owner in crossings:
        start, end = machines[user], machines[owner]
        address = address_of(end, owner)
        if start.place == end.place and why_not_for_others(address):
            continue  # at home it is fine
        users, owners = found.setdefault((start.place, end.place, address), ({}, {}))
        users[user] = owners[owner] = None
    return [Way(*key, tuple(users), tuple(owners)) for key, (users, owners) in found.items()]


def address_of(machine: Machine, agent: str) -> str:
    """Give where others are told to reach an agent."""
    return machine.data_address[agent] or machine.transport.host or machine.spec.address_for_others


async def try_ways(ways: Sequence[Way], machines: Iterable[Machine]) -> list[Check]:
    """Try them all; rows for the machines that were to reach others, or that nobody reaches."""
    usable = {machine.place: machine for machine in machines if machine.python}
    tried = [way for way in ways if way.user in usable and way.owner in usable]
    failed = {way: why for way in tried if (why := _why_hopeless(way))}
    open_ways = [way for way in tried if way not in failed]
    async with AsyncExitStack() as stack:
        ends = list(dict.fromkeys((way.owner, host_to_bind(way.address)) for way in open_ways))
        limit = asyncio.Semaphore(AT_ONCE)
        ports = dict(
            zip(ends, await asyncio.gather(*(_listen(usable[p], bind, stack, limit) for p, bind in ends)), strict=True)
        )
        by_user: dict[str, list[Way]] = {}
        for way in open_ways:
            by_user.setdefault(way.user, []).append(way)
        for found in await asyncio.gather(*(_visit(usable[p], of, ports, limit) for p, of in by_user.items())):
            failed.update(found)
    return _rows(tried, failed)


def _why_hopeless(way: Way) -> str:
    """Say why a way need not be tried: on another machine, the address means that one."""
    return why_not_for_others(way.address) if way.user != way.owner else ""


class _Listening(NamedTuple):
    port: int
    word: str
    problem: str


async def _listen(machine: Machine, bind: str, stack: AsyncExitStack, limit: asyncio.Semaphore) -> _Listening:
    answer, word = Answer(), Answer().nonce
    async with limit:
        try:
            channel = await machine.transport.open([machine.python, "-c", LISTEN, answer.nonce, bind, word], answer)
        except TransportError as error:
            return _Listening(0, word, error.message)
        stack.push_async_callback(_end, channel, answer)
        port = await answer.first("port", LISTEN_WITHIN_S)
    return _Listening(int(port or 0), word, "" if port else f"nothing can listen there: {answer.said or 'no answer'}")


async def _end(channel: Channel, answer: Answer) -> None:
    channel.write_eof()
    try:
        async with asyncio.timeout(CONNECT_S):
            await answer.ended.wait()
    except TimeoutError:
        channel.abort()


async def _visit(
    machine: Machine, ways: list[Way], ports: Mapping[tuple[str, str], _Listening], limit: asyncio.Semaphore
) -> dict[Way, str]:
    """Let one machine connect to all that it is to reach. Gives what failed, and why."""
    found: dict[Way, str] = {}
    asked: list[Way] = []
    lines = ""
    for way in ways:
        end = ports[way.owner, host_to_bind(way.address)]
        if end.problem:
            found[way] = end.problem
        else:
            asked.append(way)
            lines += f"{way.address} {end.port} {end.word}\n"
    answer = Answer()
    async with limit:
        try:
            channel = await machine.transport.open(
                [machine.python, "-c", CONNECT, answer.nonce, str(CONNECT_S)], answer
            )
            channel.write(lines.encode())
            channel.write_eof()
            try:
                async with asyncio.timeout(CONNECT_WITHIN_S):
                    await answer.ended.wait()
            except TimeoutError:
                channel.abort()
        except TransportError as error:
            return {**found, **dict.fromkeys(asked, error.message)}
    said = dict(fact.split(" ", 1) for fact in answer.facts("met"))
    for number, way in enumerate(asked):
        end = ports[way.owner, host_to_bind(way.address)]
        what = said.get(str(number), f"no answer from there: {answer.said or 'nothing was printed'}")
        if what != "ok":
            found[way] = f"{what} (tried port {end.port})"
    return found


def _rows(tried: Sequence[Way], failed: Mapping[Way, str]) -> list[Check]:
    """Tell by machine: one that reaches nobody as that, else of the one that is not reached, with all who do not."""
    rows: list[Check] = []
    by_user: dict[str, list[Way]] = {}
    for way in tried:
        by_user.setdefault(way.user, []).append(way)
    of_owner: dict[tuple[str, str, str], list[Way]] = {}
    lonely = {user for user, ways in by_user.items() if len(ways) > 1 and all(way in failed for way in ways)}
    reached = {way.owner for way in tried if way not in failed}
    for user, ways in by_user.items():
        agents = _names(name for way in ways for name in way.users)
        met = [way for way in ways if way not in failed]
        if met:
            rows.append(Check(user, agents, "others", "ok", f"reaches {_shown(_names(way.owner for way in met))}"))
        if user in lonely and any(way.owner in reached for way in ways):
            why = "; ".join(dict.fromkeys(failed[way] for way in ways[:3]))
            detail = f"reaches none of {len(ways)} machines whose agents it uses: {why}"
            rows.append(Check(user, agents, "others", "fail", detail, "see what leaves that machine, and its firewall"))
            continue
        for way in ways:
            if way in failed:
                of_owner.setdefault((way.owner, way.address, _kind(failed[way])), []).append(way)
    for (owner, address, _), ways in of_owner.items():
        users = _shown(_names(way.user for way in ways))
        agents = _names(name for way in ways for name in way.owners)
        detail = f"at {address} it is not reached by {users}: {failed[ways[0]]}"
        hint = f"give {_shown(agents)} a `data_address` that others reach, or open the ports of agents between them"
        rows.append(Check(owner, agents, "reached", "fail", detail, hint))
    return rows


def _kind(why: str) -> str:
    """Give a reason without the port, which is another one each time."""
    return why.partition(" (tried port ")[0]


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _shown(names: Sequence[str], most: int = 4) -> str:
    """Name the first few."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
