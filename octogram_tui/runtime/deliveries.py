"""What a run has brought to which machine, so that no file goes there twice. Knows no channels.

An agent's home is its own, and so is each file in it: what is known here is only where on its machine a content was
seen last. Whoever is to have it takes it from there, and believes nothing but its SHA-256, which is ours; when it is
no longer there the file is sent, as to any other.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Hashable, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from octogram_agentd.parcels.parcel import Kept, ParcelEntry, to_bytes, to_text

if TYPE_CHECKING:
    from octogram_agentd.parcels.parcel import Identity

LEAST_BYTES = 4 * 1024  # of a file, below which sending it costs no more than saying where it is
LEAST_AWAITED_BYTES = 1 << 20  # of a parcel, below which nobody waits for another's
MOST_FILES = 200_000
STALLED_S = 5.0  # without progress, after which nobody waits for another's any more
SETTLED_NS = 50_000_000  # a file that changed later than that before it was read may change again within the same tick


class Delivery:
    """One parcel under way: who waits for it sees whether it gets on."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.moved_bytes = 0


class Deliveries:
    """All parcels of a run. A machine is whatever the caller takes for one; None is never the same as another."""

    def __init__(self) -> None:
        self._digests: dict[Identity, str] = {}
        self._places: dict[tuple[Hashable, str], str] = {}
        self._unsteady: set[str] = set()  # where something else was found once: nobody is sent there again
        self._done: set[tuple[Hashable, int]] = set()
        self._under_way: dict[tuple[Hashable, int], Delivery] = {}

    @asynccontextmanager
    async def turn(self, machine: Hashable, print_: int, size_bytes: int) -> AsyncIterator[Delivery]:
        """Hold the right to bring something to a machine: while somebody brings the same, that is waited for.

        print_: what differs as soon as anything of it does
        """
        key = machine, print_
        if machine is None or size_bytes < LEAST_AWAITED_BYTES:
            yield Delivery()
            return
        while key not in self._done and (before := self._under_way.get(key)) is not None:
            if not await _gets_on(before):
                yield Delivery()
                return
        delivery = Delivery()
        is_first = key not in self._done
        if is_first:
            self._under_way[key] = delivery
        try:
            yield delivery
            self._done.add(key)
        finally:
            if is_first:
                del self._under_way[key]
                delivery.over.set()

    def kept(self, machine: Hashable, entry: ParcelEntry) -> Kept | None:
        """Say where a machine has a file, as far as is known."""
        sha256 = self._digests.get(entry.identity)
        place = self._places.get((machine, sha256)) if sha256 is not None and machine is not None else None
        return Kept(place, sha256) if place is not None and sha256 is not None else None

    def sha256(self, entry: ParcelEntry) -> str:
        """Give the SHA-256 of a file of ours that was brought somewhere and is the same still; empty when unknown."""
        return self._digests.get(entry.identity, "")

    def forget_sha256(self, identities: Iterable[Identity]) -> None:
        """Note that files are not what they were, although nothing of them tells so."""
        for identity in identities:
            self._digests.pop(identity, None)

    def brought(self, machine: Hashable, at: str, sent: list[tuple[ParcelEntry, str]]) -> None:
        """Note what has arrived below a path."""
        if machine is None or len(self._places) + len(sent) > MOST_FILES:
            return
        for entry, sha256 in sent:
            place = to_text(os.path.join(to_bytes(at), entry.name)) if entry.name else at
            if place not in self._unsteady:
                self._digests[entry.identity] = sha256
                self._places[machine, sha256] = place

    def forget(self, machine: Hashable, kept: Kept) -> None:
        """Note that a place does not hold what it should."""
        self._unsteady.add(kept.at)
        self._places.pop((machine, kept.sha256), None)


def is_settled(entry: ParcelEntry, at_ns: int) -> bool:
    """Whether a change of the file from that time on is sure to give it another identity."""
    return at_ns - max(entry.identity[3:]) > SETTLED_NS


async def _gets_on(delivery: Delivery) -> bool:
    """Wait for the end of somebody's delivery. False when it makes no progress."""
    while True:
        moved_bytes = delivery.moved_bytes
        try:
            await asyncio.wait_for(delivery.over.wait(), STALLED_S)
        except TimeoutError:
            if delivery.moved_bytes == moved_bytes:
                return False
        else:
            return True
