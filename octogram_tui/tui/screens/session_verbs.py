"""What is about this console and the run as a whole: what it is attached to, pictures, calls, other runs."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from pathlib import Path

from octogram_tui.errors import OctogramError
from octogram_tui.journal import archive
from octogram_tui.projection.row_states import Phase
from octogram_tui.projection.text import printed, safe
from octogram_tui.runtime.verbs import LogQuery
from octogram_tui.tui.event_feed import AnsweringSource
from octogram_tui.tui.format import plural
from octogram_tui.tui.outcome import ConsoleOutcome
from octogram_tui.tui.screens.dialogs import Answer, Question
from octogram_tui.tui.screens.file_verbs import FileVerbs
from octogram_tui.tui.screens.log_screen import LogScreen
from octogram_tui.tui.widgets.run_list import RunList

MOST_SERVICES = 9
"""One digit each."""
COMMAND_S = 120.0


class SessionVerbs(FileVerbs):
    """The actions of keymap.py that are about neither a row nor the file."""

    # What this is

    def action_about(self) -> None:
        """Say what this console looks at, and how others come to it."""
        self.app.open_dialog(Question(self.app.brush, "About this run", self._facts()))

    def _facts(self) -> list[str]:
        board, app = self.model.board, self.app
        facts = [f"run        {board.run or 'not told yet'}", f"scenario   {app.scenario_path}"]
        run = _run_of(app.run_dir)
        if run is not None:
            facts += [
                f"host       {run.info.host or 'not told'}, process {run.info.pid}",
                f"version    {run.info.version}",
                f"directory  {run.directory}",
                f"journal    {_size(run.journal)}, {plural(board.seq, 'event')}",
            ]
        source = app.source
        if app.model.is_replay:
            facts.append("consoles   a replay: nothing is attached")
        elif isinstance(source, AnsweringSource) and source.is_connected and board.phase is not Phase.FINISHED:
            holds = "this one acts" if not app.is_read_only else "this one watches"
            facts.append(f"consoles   {source.consoles} attached, {holds}")
            facts.append(f"attach     octogram-tui attach {board.run}")
        if board.phase is Phase.FINISHED:
            facts.append(f"again      octogram-tui replay {board.run}")
        calls = {"off": "does not call", "bell": "rings", "osc9": "sends a notification"}[app.notifies]
        facts.append(f"console    keys {app.brush.keys.preset}, theme {app.brush.palette.name}, {calls}")
        return facts

    def action_screenshot(self) -> None:
        """Write what is on the screen to a file, as a picture."""
        from octogram_tui.tui.screens.save_form import SaveForm, file_name

        picture = self.app.export_screenshot(title=self.app.scenario_path)
        form = SaveForm(
            self.app.brush, "Write a picture of the screen (SVG)", picture, file_name("octogram-tui", ".svg")
        )
        self.app.open_dialog(form, self.tell_written)

    def action_toggle_calls(self) -> None:
        """Call no more when somebody is needed, or call again; as long as this console is open."""
        app = self.app
        if app.notifies == "off":
            app.notifies = app.called_by
        else:
            app.called_by, app.notifies = app.notifies, "off"
        words = "does not call any more" if app.notifies == "off" else "calls when somebody is needed"
        app.notify(f"this console {words}", markup=False)

    # Machines

    def action_service_log(self) -> None:
        """Ask which service of the chosen agent, and read the end of what it wrote."""
        board, row = self.model.board, self.row()
        chosen = self.matrix.selected if self.pane == "agents" else None
        agent = chosen.name if chosen is not None else getattr(row, "agent", "")
        found = [key for key in board.services if not agent or key[0] == agent][:MOST_SERVICES]
        if not found:
            self.app.notify(f"{agent or 'no agent'} has no service", markup=False)
            return
        answers = [Answer(str(number), f"{name} on {on}", str(number)) for number, (on, _, name) in enumerate(found, 1)]

        def take(answer: str | None) -> None:
            if answer:
                on, _, name = found[int(answer) - 1]
                self.app.in_turn(self._service_log(on, name))

        self.app.open_dialog(Question(self.app.brush, "Read the log of which service?", [], answers), take)

    async def _service_log(self, agent: str, name: str) -> None:
        answer = await self.answer_of(LogQuery(agent, name))
        if answer is not None:
            title = f"{name} on {agent}: the end of {answer['size_bytes']} bytes  {answer['trouble']}"
            self.app.open_dialog(LogScreen(self.model, self.app.brush, title.rstrip(), answer["lines"]))

    def action_doctor(self) -> None:
        """Look at the machines of the scenario, in a process of its own, and show what it says."""
        self.app.notify("looking at the machines ...", timeout=3, markup=False)
        self.run_worker(self._doctor(), group="doctor", exclusive=True)

    async def _doctor(self) -> None:
        name = os.path.basename(self.app.scenario_path)
        await self._show_said(f"doctor {name}", ["doctor", self.app.scenario_path])

    async def _show_said(self, title: str, words: list[str]) -> None:
        """Show what a command of ours says, in a process of its own."""
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "octogram_tui", *words, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
            )
            try:
                data, _ = await asyncio.wait_for(process.communicate(), COMMAND_S)
            finally:
                if process.returncode is None:
                    process.kill()
        except (OSError, TimeoutError) as error:
            said = getattr(error, "strerror", None) or f"it did not end within {COMMAND_S:g} s"
            self.app.notify(f"{title}: {said}", severity="warning", markup=False)
            return
        lines = [safe(printed(line), limit=len(line)) for line in data.decode("utf-8", "replace").splitlines()]
        said = f"{title}: exit status {process.returncode}"
        self.app.open_dialog(LogScreen(self.model, self.app.brush, said, lines))

    # Runs

    def on_run_list_compared(self, message: RunList.Compared) -> None:
        """Say where another run and this one first differ, and what took longer."""
        message.stop()
        mine, other = self.model.board.run, message.entry.run.id
        self.app.notify(f"comparing with {other} ...", timeout=3, markup=False)
        words = ["compare", "--", other, mine]
        self.run_worker(self._show_said(f"compare {other} {mine}", words), group="compare", exclusive=True)

    def action_replay_run(self) -> None:
        """Look at this run again, from its begin, now that it is over."""
        board = self.model.board
        if board.phase is Phase.FINISHED and not self.model.is_replay:
            self.app.exit(ConsoleOutcome("finished", board.exit_code, board.run))


def _run_of(directory: Path | None) -> archive.KnownRun | None:
    try:
        return archive.load(directory) if directory is not None else None
    except OctogramError:
        return None


def _size(path: Path) -> str:
    try:
        size = path.stat().st_size
    except OSError:
        return "not there"
    return f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{size} bytes"
