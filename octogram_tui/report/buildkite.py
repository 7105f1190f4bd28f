"""Buildkite: groups of the log by headers, an annotation of the build by its agent, and values to be redacted."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import TYPE_CHECKING

from octogram_tui.cuts import beginning
from octogram_tui.report.service import Mark, Service, Tell, warn

if TYPE_CHECKING:
    from octogram_tui.report.closing import Closing

AGENT = "buildkite-agent"
AGENT_S = 10.0
ANNOTATION_BYTES = 1024 * 1024
SAID = 300


class Buildkite(Service):
    """A header is a line that begins with `---` (folded) or `+++`; a group goes on to the next one."""

    name = "buildkite"

    def __init__(self, tell: Tell = warn) -> None:
        self._agent = shutil.which(AGENT)
        self._tell = tell
        self._is_unfolded = False

    def begin(self, run: str) -> list[str]:
        """What is not of a stage stands in a group of its own."""
        return [f"--- octogram-tui {run}"]

    def open_group(self, title: str, at_s: float) -> list[str]:
        """Begin a group that is folded."""
        self._is_unfolded = False
        return [f"--- {title}"]

    def unfold_group(self) -> list[str]:
        """Unfold the group that this line stands in, once."""
        if self._is_unfolded:
            return []
        self._is_unfolded = True
        return ["^^^ +++"]

    def before_end(self, title: str, marks: Sequence[Mark], left_out: int) -> list[str]:
        """Show the end unfolded."""
        return [f"+++ {title}"]

    def end(self, closing: Closing) -> list[str]:
        """Annotate the build with what failed, where the agent's program is there to do so."""
        if self._agent is not None and closing.outcome != "ok":
            from octogram_tui.report.markdown import page

            context = f"octogram-tui-{os.environ.get('BUILDKITE_JOB_ID', '')}-{closing.run}"
            text = page(closing, ANNOTATION_BYTES)
            self._ask(["annotate", "--style", "error", "--context", context], text, "the build was not annotated")
        return []

    def mask(self, value: str) -> list[str]:
        """Have the agent redact a text: it reads it from its standard input, so that nothing shows it."""
        if self._agent is not None:
            self._ask(["redactor", "add"], value, "a secret was not given to its redactor")
        return []

    def _ask(self, words: list[str], text: str, unless: str) -> None:
        assert self._agent is not None
        try:
            done = subprocess.run(
                [self._agent, *words],
                input=text.encode("utf-8", "replace"),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=AGENT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            why = (
                f"it says nothing for {AGENT_S:g} s"
                if isinstance(error, TimeoutError | subprocess.TimeoutExpired)
                else str(error)
            )
            self._tell(f"{AGENT}: {unless}: {why}")
            self._agent = None  # or it would be waited for as long again for each other secret
            return
        if done.returncode:
            from octogram_tui.projection.text import safe

            said = " ".join(safe(line) for line in done.stderr.decode("utf-8", "replace").splitlines())
            self._tell(f"{AGENT}: {unless}: {beginning(said, SAID) or f'exit status {done.returncode}'}")
