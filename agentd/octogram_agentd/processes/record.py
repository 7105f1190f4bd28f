"""What a daemon has started, on disk: for the daemon that comes when this one and its guard were killed together.

It is there before the first program is started, and has a line for each one with its number and start time. A record
that is there when a daemon begins says that nobody has ended what stands in it.
"""

from __future__ import annotations

import os

from octogram_agentd import faults
from octogram_agentd.processes.filenames import RECORD
from octogram_agentd.processes.membership import see, ticks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, List, Optional, Set

    from octogram_agentd.processes.membership import Identity, Seen

FEW_TICKS = 3
_boot_ids: List[str] = []  # the one, once it was read
LONGEST_BYTES = 64 * 1024  # after which it is written anew, without what has ended


def boot_id() -> str:
    """Give what this machine's start is known by: numbers of processes mean nothing beyond it."""
    if not _boot_ids:
        try:
            with open("/proc/sys/kernel/random/boot_id", "rb", 0) as file:
                _boot_ids.append(file.read(64).decode("ascii", "replace").strip())
        except OSError:
            return ""
    return _boot_ids[0]


class Record:
    """The record as its daemon writes it. A disk that takes nothing stops no program: the guard is there as well."""

    def __init__(self, root: str) -> None:
        self._path = os.path.join(root, RECORD)
        self._fd = -1
        self._bytes = 0
        self._live: Dict[int, str] = {}
        self._ended = ""  # what is yet to be written of it
        self._are_ticks_right = False
        self.brands = [0]  # which all of them inherit, and those of earlier daemons; 0: one had none

    def prepare(self) -> None:
        """Have it there: a program is about to be started."""
        if self._fd < 0 or self._bytes > LONGEST_BYTES:
            try:
                faults.hit("agent.record.write")
                self._begin()
            except OSError:
                pass

    def started(self, number: int, pid: int, since: int = -1) -> None:
        """Say which process it is, by our number. since: the tick before it was started.

        Where that is but a moment ago it started in one of the few ticks since, and all of them are put down: to look
        at it takes longer than to start it, and nothing else has had its number meanwhile.
        """
        now = ticks()
        if not self._are_ticks_right or now > since + FEW_TICKS:
            since = now = self._look(pid, since)
        if since >= 0:
            line = "= %d %d %d\n" % (number, pid, since)
            while since < now:
                since += 1
                line += "= %d+ %d %d\n" % (number, pid, since)
            self._live[number] = line
            line, self._ended = self._ended + line, ""
            try:
                faults.hit("agent.record.write")
                if self._fd < 0:
                    self._begin()
                else:
                    self._bytes += os.write(self._fd, line.encode())
            except OSError:
                pass

    def ended(self, number: int) -> None:
        """Say that the process has ended; what it became may still be there.

        It is written together with what comes next: a process that is not there any more can be taken for no other.
        """
        if self._live.pop(number, None) is not None:
            self._ended += "- %d\n" % number

    def _look(self, pid: int, since: int) -> int:
        now = ticks()
        try:
            seen = see(pid)
        except OSError:
            return -1
        if seen is None:
            return -1
        self._are_ticks_right = since <= seen.start <= now  # not so where somebody only pretends to be this kernel
        return seen.start

    def _begin(self) -> None:
        """Write it anew: its first line, and what is alive."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        new = self._path + ".new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(new, flags, 0o600)
        head = "1 %s %d %s\n" % (boot_id(), os.getpid(), " ".join(map(str, self.brands)))
        text = head + "".join(self._live.values())
        try:
            os.write(fd, text.encode())
            os.rename(new, self._path)
        except OSError:
            os.close(fd)
            raise
        self._ended = ""
        self._fd, self._bytes = fd, len(text) // 2  # half of what is alive does not make it long


def leave_word(root: str, seen: List[Seen]) -> None:
    """Add who could not be ended: what a guard does last."""
    try:
        fd = os.open(os.path.join(root, RECORD), os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    with open(fd, "w") as file:
        file.writelines("= left %d %d\n" % one.identity for one in seen)


class Earlier:
    """What an earlier daemon of a directory had started, as far as it could say so."""

    def __init__(self, pid: int, is_of_this_boot: bool, known: Set[Identity], brands: Set[int]) -> None:
        self.pid = pid
        self.brands = brands
        self.is_of_this_boot = is_of_this_boot
        self.known = known


def read_earlier(root: str) -> Optional[Earlier]:
    """Read the record of a directory; None when there is none, so that nothing was started."""
    try:
        with open(os.path.join(root, RECORD), "rb") as file:
            lines = [line.split() for line in file.read(16 * LONGEST_BYTES).decode("ascii", "replace").splitlines()]
    except OSError:
        return None
    known: Dict[str, Identity] = {}
    for words in lines[1:]:
        if len(words) == 4 and words[0] == "=" and words[2].isdigit() and words[3].isdigit():
            name = words[1] if words[1].isdigit() else " ".join(words)
            known[name] = (int(words[2]), int(words[3]))
        elif len(words) == 2 and words[0] == "-":
            known.pop(words[1], None)
    _version, boot, pid, *brands = lines[0] if lines and len(lines[0]) > 3 else ("", boot_id(), "0", "0")
    numbers = {int(word) for word in brands if word.isdigit()}
    return Earlier(int(pid) if pid.isdigit() else 0, boot == boot_id(), set(known.values()), numbers)
