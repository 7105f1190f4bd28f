"""Slurm's programs, run on this machine or on a login node, and what they say.

What they answer is text from outside: it is cut, and nothing in it is trusted to be printable.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from octogram_tui.cuts import beginning
from octogram_tui.errors import BootstrapFailed, ConnectFailed, LinkLost, TransportError
from octogram_tui.transport.answer import Answer
from octogram_tui.transport.base import Channel, Receiver, Transport
from octogram_tui.transport.local import ProcessChannel, end_processes, start_process
from octogram_tui.transport.slurm.terms import MISSING, refused

ANSWER_S = 30.0
SAID = 300
_TALKERS = "SLURM|SBATCH|SALLOC|SRUN|SQUEUE|SINFO|SCANCEL|SCONTROL"
_TALKS = re.compile(rf"(?:{_TALKERS})_")
_KEPT = ("SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT")
_ELSEWHERE = (
    f"for name in $(env | grep -oE '^({_TALKERS})_[A-Za-z0-9_]*='); do "
    f'case "$name" in {"|".join(f"{name}=" for name in _KEPT)}) ;; *) unset "${{name%=}}" ;; esac; done; exec "$@"'
)
"""The same on a login node, whose environment we do not know."""
_BARE = (*_KEPT, "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "KRB5CCNAME", "TZ")
_UNKNOWN = re.compile(r"timed out|Zero Bytes|reset by peer|not connected|communication", re.IGNORECASE)
_BEFORE = re.compile(
    r"^(?:s(?:batch|run|cancel|control|queue|info): )?(?:error: )?(?:slurm_[a-z_]+ error: |allocation failure: )?"
)


class Said(NamedTuple):
    """What a program printed, and how it ended."""

    status: int | None
    text: str
    error: str

    @property
    def lines(self) -> list[str]:
        """What it printed, line by line, without those that are empty."""
        return [line for line in map(str.strip, self.text.splitlines()) if line]

    @property
    def why(self) -> str:
        """What it complained of, the last line of it, as people are told."""
        lines = [line for line in map(str.strip, self.error.splitlines()) if line and not line.startswith("Try ")]
        if lines:
            return clean(_BEFORE.sub("", lines[-1]))
        return "it was killed" if self.status is None else f"it ended with exit status {self.status}"

    @property
    def is_unknown(self) -> bool:
        """Whether the controller may have done what it was asked all the same."""
        return self.status is None or self.status > 128 or bool(_UNKNOWN.search(self.error))


class Commands:
    """Runs them. way: to the login node; None: this machine. hides: variables of the environment that stay here."""

    def __init__(self, way: Transport | None, hides: Sequence[str] = ()) -> None:
        self._way = way
        self._hides = hides
        self._channels: set[ProcessChannel] = set()

    @property
    def where(self) -> str:
        """Where they are run, for messages."""
        return "this machine" if self._way is None else self._way.description

    @property
    def is_here(self) -> bool:
        """Whether they are run on this machine."""
        return self._way is None

    def argv(self, words: Sequence[str]) -> list[str]:
        """Give a command as it is started: without what an allocation around us, or the user's habits, would add.

        Slurm's controller keeps the environment of sbatch, for a script that needs none of it.
        """
        if self._way is not None:
            return anywhere(words)
        if words[0] == "sbatch":
            ours = [name for name in os.environ if name not in _BARE]
        else:
            ours = [name for name in os.environ if _TALKS.match(name) and name not in _KEPT]
        hidden = [name for name in (*ours, *self._hides) if "=" not in name]
        return ["env", *(word for name in hidden for word in ("-u", name)), *words]

    async def open(self, words: Sequence[str], receiver: Receiver, *, bulk: bool = False) -> Channel:
        """Start one as a channel. Dropped, it is killed: what it would do before would end its step. May raise."""
        if self._way is not None:
            return await self._way.open(self.argv(words), receiver, bulk=bulk)
        try:
            return start_process(self.argv(words), receiver, self._channels, bulk=bulk, grace_s=0.0)
        except OSError as error:
            text = error.strerror or type(error).__name__
            raise BootstrapFailed(f"cannot start `{words[0]}`: {text}", code="slurm.command") from error

    async def run(self, *words: str, within_s: float = 0.0) -> Said:
        """Run one to its end. Raises TransportError when it cannot be run, or does not answer."""
        within_s = within_s or ANSWER_S
        answer = Answer()
        channel = await self.open(words, answer)
        channel.write_eof()
        try:
            async with asyncio.timeout(within_s):
                await answer.ended.wait()
                status = await channel.wait_closed()
        except TimeoutError:
            channel.abort()
            raise LinkLost(f"slurm: `{words[0]}` on {self.where} gives no answer within {within_s:g} s") from None
        except BaseException:
            channel.abort()
            raise
        if answer.error is not None:
            raise answer.error
        said = Said(status, answer.data.decode("utf-8", "replace"), answer.stderr.decode("utf-8", "replace"))
        if status == 127:
            raise no_program(words[0], self.where)
        return said

    async def close(self) -> None:
        """Drop what is open. Bounded; never raises."""
        try:
            await end_processes(self._channels)
            if self._way is not None:
                await self._way.close()
        except TransportError:
            pass


def anywhere(words: Sequence[str]) -> list[str]:
    """Give a command as it is started where we do not know the environment."""
    return ["sh", "-c", _ELSEWHERE, "sh", *words]


def no_program(program: str, where: str) -> ConnectFailed:
    """Make the error of a program that is not there."""
    return refused(
        f"slurm: there is no program `{program}` on {where}",
        "install Slurm's own programs there (on Debian: slurm-client), or name the machine that has them: `login` of "
        "`slurm`",
        MISSING,
    )


def clean(text: str) -> str:
    """Give a text of Slurm's as it can stand in a line of ours."""
    return beginning("".join(letter if letter.isprintable() else " " for letter in text), SAID).strip()
