"""Where a shell is to be: what the run's host told, read; and what is told to the far side."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from octogram_tui.dataclass import dataclass
from octogram_tui.model.ids import AgentName
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.resources import agentd_dir
from octogram_tui.transport.base import TerminalKind
from octogram_tui.transport.bundle import CHOOSE, INTERPRETERS, stripped


@dataclass(frozen=True, slots=True)
class ShellPlace:
    """A directory on an agent's machine, with an environment, and the way there.

    is_whole: the environment is all that a program there has; else it comes on top of what the login gives
    """

    spec: AgentSpec
    directory: str
    environment: dict[str, str]
    is_whole: bool = False
    notes: tuple[str, ...] = ()
    ssh_config: str | None = None
    accept_new: bool = False

    @classmethod
    def read(cls, answer: dict[str, Any]) -> ShellPlace:
        """Read what runtime/whereabouts.py told."""
        way = answer["way"]
        spec = AgentSpec(
            AgentName(answer["agent"]),
            address=way["address"],
            user=way["user"],
            port=way["port"],
            identity=way["identity"],
            transport=way["transport"],
            command=tuple(way["command"]),
            python=way["python"],
        )
        return cls(
            spec,
            answer["directory"],
            dict(answer["environment"]),
            bool(answer["is_whole"]),
            tuple(answer["notes"]),
            way["ssh_config"],
            bool(way["accept_new"]),
        )

    def order(self, argv: Sequence[str], terminal: TerminalKind | None) -> bytes:
        """Give the line that far_shell.py takes; it never is a word of a command."""
        told = {
            "directory": self.directory,
            "environment": self.environment,
            "is_whole": self.is_whole,
            "argv": list(argv),
            "terminal": terminal._asdict() if terminal is not None else None,
        }
        return json.dumps(told).encode() + b"\n"

    def argv(self, mark: str) -> list[str]:
        """Give the command that runs far_shell.py there: it says `mark` when it listens."""
        interpreters = [self.spec.python] if self.spec.python else list(INTERPRETERS)
        source = f"{stripped(agentd_dir() / 'far_shell.py')}\nmain({mark!r})"
        program = base64.b64encode(source.encode()).decode()
        text = f'import binascii;exec(binascii.a2b_base64("{program}"))'
        return ["sh", "-c", CHOOSE % mark, text, *interpreters]
