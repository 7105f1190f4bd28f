"""The orchestrator's end of `copy` and `builtins.fetch`: files over byte channels of their own.

Knows no jobs and no scenario. What goes wrong with files is a ProcedureFailed, what goes wrong with the way to the
agent a TransportError. Reading, writing and hashing happen in threads, so that the event loop stays quick; a slow agent
holds its own copy back and nothing else.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Awaitable, Callable, Generator, Hashable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from octogram_agentd.parcels.landing import Landing
from octogram_agentd.parcels.parcel import (
    MAGIC,
    Kept,
    ParcelEntry,
    failure,
    pack,
    show,
    survey,
    to_text,
)
from octogram_agentd.procedures.base import ProcedureFailed
from octogram_agentd.wire.lines import encode
from octogram_tui.errors import LinkLost, TransportError
from octogram_tui.runtime.deliveries import LEAST_BYTES, Deliveries, is_settled
from octogram_tui.runtime.one_thread import OneThread
from octogram_tui.runtime.parcel_answer import ParcelAnswer, senseless
from octogram_tui.runtime.reading import count, text_of
from octogram_tui.transport.base import Channel, Transport

if TYPE_CHECKING:
    from octogram_agentd.parcels.parcel import Identity
    from octogram_tui.runtime.aside import Aside

ArgvFor = Callable[[str], Sequence[str]]
"""Gives the command that runs a subcommand of the daemon's program (`put`, `get`) on the agent's machine."""
Progress = Callable[[int, int], None]
"""Told how many bytes have been moved, and of how many."""

FETCH_MAX_BYTES = 64 << 30
FETCH_MAX_ENTRIES = 100_000
_SPARE_BYTES = 32 << 20  # of this machine's disk, which a fetch leaves to the run
_CHUNKS_AT_ONCE = 2  # that a thread reads each time: to have it called costs as much as to read a quarter of one
_ANSWER_AFTER_LOSS_S = 5.0  # how long the reason is waited for when the other end stopped taking data


def locate(local_path: str, scenario_directory: str | os.PathLike[str], inside: str | None = None) -> Path:
    """Find what is to be copied: from the working directory, then from the scenario's. Raises ProcedureFailed.

    inside: as for `fetch_from`; links there are the operator's own, and lead where they lead.
    """
    try:
        places = [Path.cwd() / local_path, Path(scenario_directory).absolute() / local_path]
    except FileNotFoundError:
        raise ProcedureFailed(
            f"local_path {local_path!r} cannot be looked for: the working directory was removed", kind="missing"
        ) from None
    if inside is not None:
        bounds = [os.path.normpath(os.path.join(start, inside)) for start in (Path.cwd(), scenario_directory)]
        places = [place for place in places if _is_below(os.path.normpath(place), map(os.path.abspath, bounds))]
        if not places:
            raise _leads_out(os.fsencode(local_path), os.fsencode(bounds[0]))
    for place in places:
        if os.path.lexists(place):
            return place
    tried = " nor ".join(dict.fromkeys(str(place) for place in places))
    raise ProcedureFailed(
        f"local_path {local_path!r} does not exist: neither {tried}"
        if places[0] != places[-1]
        else f"local_path {local_path!r} does not exist: {tried}",
        kind="missing",
        hint="local_path is taken from the working directory, then from the scenario's directory",
    )


async def copy_to(
    transport: Transport,
    argv_for: ArgvFor,
    local_path: str | os.PathLike[str],
    remote_path: str,
    *,
    home: str,
    job: str = "",
    machine: Hashable = None,
    deliveries: Deliveries | None = None,
    on_progress: Progress | None = None,
) -> dict[str, Any]:
    """Copy a file or a directory into an agent's home; gives `{bytes, files, unchanged}`.

    local_path  as `locate` found it
    home        the agent's home directory, from its `welcome`
    job         the instance's name: its rerun puts a directory where its first attempt did, not one level deeper
    machine     what the agents of one machine have in common: a file goes there once in all these deliveries
    Raises ProcedureFailed and TransportError. Cancelled or failed, no file is left half written under its name.
    """
    from octogram_tui.transport.local import LocalTransport

    root = os.path.abspath(os.fsencode(local_path))
    about, print_ = await asyncio.to_thread(_about, root, os.fsencode(local_path))
    request = {"t": "put", "home": home, "path": remote_path, "job": job, **about}
    deliveries = deliveries if deliveries is not None else Deliveries()
    async with deliveries.turn(machine, print_, about["bytes"]) as delivery:

        def moved(done_bytes: int, total_bytes: int) -> None:
            delivery.moved_bytes = done_bytes
            if on_progress is not None:
                on_progress(done_bytes, total_bytes)

        told: dict[str, Kept] = {}

        def kept(entry: ParcelEntry) -> Kept | None:
            if isinstance(transport, LocalTransport):
                return Kept(to_text(entry.path), "")
            found = deliveries.kept(machine, entry)
            if found is not None:
                told[found.at] = found
            return found

        relied_on: set[Identity] = set()

        def known(entry: ParcelEntry) -> str:
            sha256 = deliveries.sha256(entry)
            if sha256:
                relied_on.add(entry.identity)
            return sha256

        try:
            result, sent = await _put(transport, argv_for, request, root, moved, kept, known)
        except ProcedureFailed as error:
            # What we took for granted was not so: once more, with all of the content, read and hashed.
            if error.kind == "stale" and error.hint in told:
                deliveries.forget(machine, told[error.hint])
            elif error.kind not in ("changed", "damaged") or not relied_on:
                raise
            deliveries.forget_sha256(relied_on)
            result, sent = await _put(transport, argv_for, request, root, moved)
        try:
            counts = {name: count(result[name]) for name in ("bytes", "files", "unchanged")}
            at = text_of(result["at"])
        except (KeyError, ValueError) as error:
            raise senseless(error) from None
        deliveries.brought(machine, at, sent)
    return counts


async def _put(
    transport: Transport,
    argv_for: ArgvFor,
    request: dict[str, Any],
    root: bytes,
    on_progress: Progress,
    kept: Callable[[ParcelEntry], Kept | None] = lambda entry: None,
    known: Callable[[ParcelEntry], str] = lambda entry: "",
) -> tuple[dict[str, Any], list[tuple[ParcelEntry, str]]]:
    """Send a parcel; gives the agent's answer, and the files whose content went with it, by their SHA-256."""
    sent: list[tuple[ParcelEntry, str]] = []
    began_ns = time.time_ns()

    def on_sent(entry: ParcelEntry, sha256: str) -> None:
        if entry.size_bytes >= LEAST_BYTES and is_settled(entry, began_ns):
            sent.append((entry, sha256))

    answer = ParcelAnswer(lambda done_bytes: on_progress(min(done_bytes, request["bytes"]), request["bytes"]))
    channel = await transport.open(argv_for("put"), answer, bulk=True)
    answer.channel = channel
    try:
        channel.write(MAGIC + encode(request))
        try:
            parcel = pack(root, kept, on_sent, known, 2 * _CHUNKS_AT_ONCE)
            await _send(channel, parcel, request["bytes"], answer, on_progress)
        except LinkLost:
            # An agent that refuses stops reading: what it said about that explains more than the pipe that broke.
            if not await _settles(answer.wait_line(), _ANSWER_AFTER_LOSS_S):
                raise
        result = await answer.wait_line()
        on_progress(request["bytes"], request["bytes"])
        return result, sent
    finally:
        channel.abort()


async def fetch_from(
    transport: Transport,
    argv_for: ArgvFor,
    remote_path: str,
    local_path: str | os.PathLike[str],
    *,
    home: str,
    inside: str | None = None,
    is_optional: bool = False,
    is_again: bool = False,
    on_place: Callable[[str], None] = lambda place: None,
    on_progress: Progress | None = None,
    max_bytes: int = FETCH_MAX_BYTES,
    max_entries: int = FETCH_MAX_ENTRIES,
) -> dict[str, Any]:
    """Copy a file or a directory of an agent to this machine; gives `{local_path, bytes, files, sha256}`.

    remote_path  from `home`, or absolute
    local_path   where it goes, parents made; an existing directory, or a text that ends in `/` or `.`, is what it goes
                 into under its own name; a link is followed, a device or a pipe gets the content once it is here
    inside       the directory that it may not leave, by links either, when agents had a say in it; None: they had none
    is_optional  when there is nothing at `remote_path`, that is an answer like another: `local_path` is null
    is_again     an earlier attempt has made `local_path` itself, which is then the place, and not what it goes into
    on_place     told where a file or a directory will be, before it is touched; may raise ProcedureFailed
    Nothing that the agent sends lands outside of that. Raises ProcedureFailed and TransportError; what is not complete
    is removed, also on cancellation.
    """
    from octogram_tui.runtime.aside import Aside  # runs without a fetch need none of it

    answer = ParcelAnswer()
    channel = await transport.open(argv_for("get"), answer, bulk=True)
    answer.channel = channel
    landing: Landing | None = None
    aside: Aside | None = None
    writer = OneThread()
    try:
        channel.write(MAGIC + encode({"t": "get", "home": home, "path": remote_path, "optional": is_optional}))
        about = await answer.wait_line()
        if about["t"] == "absent":
            return {"local_path": None, "bytes": 0, "files": 0, "sha256": ""}
        size_bytes, entries = _survey_of(about)
        if size_bytes > max_bytes or entries > max_entries:
            raise ProcedureFailed(
                f"{remote_path} has {entries} entries and {size_bytes} bytes: a fetch takes at most"
                f" {max_entries} and {max_bytes}",
                kind="too_large",
            )
        directory, name = await asyncio.to_thread(_destination, os.fsencode(local_path), remote_path, is_again, inside)
        aside = await asyncio.to_thread(Aside.when_needed, directory, name)
        if aside is None:
            on_place(os.fsdecode(os.path.join(directory, name)))
        place = aside.directory if aside is not None else directory
        room = await asyncio.to_thread(_room, place)
        if size_bytes > room:
            raise ProcedureFailed(
                f"{remote_path} has {size_bytes} bytes, and there is room for {room} here", kind="no_space"
            )
        landing = Landing(
            _open_parent(place), name, max_bytes=min(max_bytes, room), max_entries=max_entries, below=place
        )
        while not landing.is_complete:
            await writer.call(landing.feed, await answer.take())
            if on_progress is not None:
                on_progress(landing.size_bytes, size_bytes)
        if aside is not None:
            await writer.call(aside.pass_on)
    finally:
        channel.abort()
        if landing is not None:
            await writer.last(landing.close)
        if aside is not None:
            await writer.last(aside.remove)
    assert landing.result is not None
    return {"local_path": os.fsdecode(os.path.join(directory, name)), **landing.result}


async def _send(
    channel: Channel,
    chunks: Generator[bytes | memoryview, None, None],
    total_bytes: int,
    answer: ParcelAnswer,
    on_progress: Progress,
) -> None:
    """Write a parcel; the next chunks are read and hashed while the last ones are under way."""
    reader = OneThread()
    upcoming = asyncio.create_task(reader.call(_some, chunks))
    sent_bytes = 0
    try:
        while (some := await upcoming) and not answer.is_over:
            upcoming = asyncio.create_task(reader.call(_some, chunks))
            for chunk in some:
                channel.write(chunk)
                await channel.drain()
                sent_bytes = min(sent_bytes + len(chunk), total_bytes)
                on_progress(sent_bytes, total_bytes)
        channel.write_eof()
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)
        await reader.last(chunks.close)


def _some(chunks: Iterator[bytes | memoryview]) -> list[bytes | memoryview]:
    return list(itertools.islice(chunks, _CHUNKS_AT_ONCE))


def _survey_of(about: dict[str, Any]) -> tuple[int, int]:
    """Give how many bytes and entries an agent says are to come. Raises ProcedureFailed."""
    try:
        return count(about["bytes"]), count(about["entries"])
    except (KeyError, ValueError) as error:
        raise senseless(error) from None


async def _settles(answer: Awaitable[object], within_s: float) -> bool:
    """Wait a while for an answer; an answer that is an error is raised. False when there was none in time."""
    try:
        await asyncio.wait_for(answer, within_s)
    except (TimeoutError, TransportError):
        return False
    return True


def _about(root: bytes, asked: bytes) -> tuple[dict[str, Any], int]:
    """Say of what is to be copied what the agent has to know before it comes; and its print, see `survey`."""
    _, size_bytes, print_ = survey(root)
    return {"name": to_text(_own_name(asked)), "dir": os.path.isdir(root), "bytes": size_bytes}, print_


def _own_name(root: bytes) -> bytes:
    """Give the name under which a file or a directory lands in another."""
    name = os.path.basename(root.rstrip(b"/"))
    if name in (b"", b".", b".."):
        name = os.path.basename(os.path.realpath(root))
    if not name:
        raise ProcedureFailed("the root directory has no name to be copied under", kind="path")
    return name


def _destination(local_path: bytes, remote_path: str, is_again: bool, inside: str | None) -> tuple[bytes, bytes]:
    """Give the directory, made when missing, and the name in it that a fetched file or directory gets."""
    path = os.path.abspath(local_path)
    if local_path.endswith((b"/", b"/.")) or local_path == b"." or (os.path.isdir(path) and not is_again):
        directory, name = path, os.path.basename(os.path.normpath(os.fsencode(remote_path)))
        if name in (b"", b".", b".."):
            name = b"home"  # all of the agent's home directory
    else:
        directory, name = os.path.split(path)
    if os.path.islink(os.path.join(directory, name)):
        followed = os.path.realpath(os.path.join(directory, name))
        if os.path.isfile(followed) or not os.path.exists(followed):  # what else it leads to is no file to replace
            directory, name = os.path.split(followed)
    if inside is not None:
        bound = os.path.realpath(inside)
        if not _is_below(os.fsdecode(os.path.realpath(os.path.join(directory, name))), [bound]):
            raise _leads_out(local_path, os.fsencode(bound))
    try:
        os.makedirs(directory, exist_ok=True)
    except OSError as error:
        raise failure("make the directory", directory, error) from None
    return directory, name


def _is_below(path: str, directories: Iterable[str]) -> bool:
    return any(path.startswith(os.path.join(directory, "")) for directory in directories)


def _leads_out(asked: bytes, directory: bytes) -> ProcedureFailed:
    return ProcedureFailed(
        f"local_path: {show(asked)} leads out of {show(directory)}, and it was made of values that agents may have set",
        kind="path",
        hint="write the directory itself in front of the first {{, or take it from a variable that no job sets",
    )


def _room(directory: bytes) -> int:
    """Say how many bytes an agent may send: what the run itself needs stays free."""
    status = os.statvfs(directory)
    return max(0, status.f_bavail * status.f_frsize - _SPARE_BYTES)


def _open_parent(directory: bytes) -> int:
    try:
        return os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise failure("open the directory", directory, error) from None
