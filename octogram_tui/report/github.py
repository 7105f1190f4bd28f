"""GitHub Actions, and what understands its workflow commands: groups, annotations, masks, outputs, the summary."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from octogram_tui.report.service import Mark, Service, Tell, warn
from octogram_tui.scenario.report import escape_data, escape_property

if TYPE_CHECKING:
    from octogram_tui.report.closing import Closing

SUMMARY_BYTES = 1024 * 1024
"""What GitHub takes of the summary of one step, of all that its commands have appended; of more it takes nothing."""


class GitHub(Service):
    """Its commands are lines that begin with `::`; outputs and the summary are files that are appended to."""

    name = "github"
    prints_masks = True

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        tell: Tell = warn,
        delimiter: Callable[[], str] = lambda: f"octogram-{secrets.token_hex(16)}",
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self._tell = tell
        self._delimiter = delimiter

    def place(self, path: str) -> str:
        """Name a file from the top of the repository, wherever in it the step works."""
        top = self._environ.get("GITHUB_WORKSPACE", "")
        found = os.path.relpath(path, top) if top else ""
        return found if found and not found.startswith("..") else super().place(path)

    def begin(self, run: str) -> list[str]:
        """Give the name of the run to the steps that follow, also when this one is killed."""
        self._output({"run": run})
        return []

    def open_group(self, title: str, at_s: float) -> list[str]:
        """Begin a group: they do not nest."""
        return [f"::group::{escape_data(title)}"]

    def close_group(self, at_s: float) -> list[str]:
        """End it."""
        return ["::endgroup::"]

    def before_end(self, title: str, marks: Sequence[Mark], left_out: int) -> list[str]:
        """Point at the scenario's lines on the pages of GitHub."""
        lines = []
        for number, mark in enumerate(marks):
            more = f" (and {left_out} more failures)" if left_out and not number else ""
            properties = {"file": mark.file, "line": str(mark.line or 1), "title": mark.title}
            shown = ",".join(f"{name}={escape_property(value)}" for name, value in properties.items() if value)
            lines.append(f"::error {shown}::{escape_data(mark.message + more)}")
        return lines

    def end(self, closing: Closing) -> list[str]:
        """Append the summary to that of the step, and give the outcome to the steps that follow."""
        outcome = {"outcome": closing.outcome, "exit-code": closing.exit_code, "failed": str(closing.failed)}
        first = closing.marks[:1]
        self._output({**outcome, "first-failure": first[0].message if first else ""})
        self._summarise(closing)
        return []

    def mask(self, value: str) -> list[str]:
        """Hide a text: the runner also hides each line of it, however short, so that it has to be one."""
        return [f"::add-mask::{escape_data(value)}"]

    def _output(self, values: Mapping[str, str]) -> None:
        path = self._environ.get("GITHUB_OUTPUT")
        if path:
            lines = []
            for name, value in values.items():
                mark = self._delimiter()  # which nobody who makes a value can know
                lines += [f"{name}<<{mark}", value, mark]
            self._append(path, "\n".join(lines) + "\n", "the outputs of the step")

    def _summarise(self, closing: Closing) -> None:
        path = self._environ.get("GITHUB_STEP_SUMMARY")
        if not path:
            return
        from octogram_tui.report.markdown import page

        room = SUMMARY_BYTES - 2
        try:
            room -= os.path.getsize(path)
        except OSError:
            pass  # the first that is appended
        text = page(closing, room)
        if not text:
            self._tell("the summary of this step is full: that of this run is left out")
            return
        self._append(path, f"\n{text}\n", "the summary of the step")

    def _append(self, path: str, text: str, what: str) -> None:
        try:
            # A pipe that nobody reads must not hold the run up: its agents would end.
            fd = os.open(
                path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, 0o666
            )
            with os.fdopen(fd, "wb", buffering=0) as file:
                left = memoryview(text.encode("utf-8", "replace"))
                while left:
                    taken = file.write(left)
                    if taken is None:
                        raise OSError(errno.EAGAIN, "its reader takes too little")
                    left = left[taken:]
        except OSError as error:
            why = "it is a pipe that nobody reads" if error.errno == errno.ENXIO else error.strerror
            self._tell(f"{what} cannot be written: {path}: {why}")
