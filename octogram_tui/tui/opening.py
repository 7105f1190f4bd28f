"""Opens the console on a run, with what the command line and the settings say of its looks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from octogram_tui.errors import ExitCode, OctogramError
from octogram_tui.journal.runbook import RunBook
from octogram_tui.projection.estimate import PastRun
from octogram_tui.projection.source import ReadText, no_text
from octogram_tui.settings import Settings, prepare_textual
from octogram_tui.tui import theme as themes
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.event_feed import EventSource
from octogram_tui.tui.hints import FILE as HINTS
from octogram_tui.tui.hints import Hints
from octogram_tui.tui.key_file import load_keys
from octogram_tui.tui.outcome import ConsoleOutcome
from octogram_tui.tui.player import Opening
from octogram_tui.tui.terminal import draw_on_terminal, draws_ascii_only
from octogram_tui.tui.time_line import History
from octogram_tui.tui.watches import Watches, place_of


class ConsoleBroken(OctogramError):
    """The console could not be opened, or not be kept open."""

    exit_code = ExitCode.IO


async def run_console(
    source: EventSource,
    settings: Settings,
    *,
    scenario_path: str,
    ascii: bool = False,  # noqa: A002
    theme: str | None = None,
    read_only: bool = False,
    replay: bool = False,
    earlier_signals: Sequence[int] = (),
    parting: str = "",
    past: Sequence[PastRun] = (),
    read_text: ReadText = no_text,
    teaches: bool = False,
    shows_runs: bool = True,
    run_dir: Path | None = None,
    history: History | None = None,
    opening: Opening | None = None,
) -> ConsoleOutcome:
    """Open the console on a run and stay until it is left.

    run_dir: that of the run, where the console may also write down what went wrong in itself; else it does so among
      the program's own files
    earlier_signals: those that came when no console was there yet; parting: what is said when it ends by force
    past: former runs of the scenario, to expect the rest from
    read_text: gives the texts of the scenario that the run kept
    history: the run's events, to go back in; opening: how a replay begins
    teaches: say what to do next, as the demo does; shows_runs: from here one can go to other runs
    ascii, theme: what the command line says, before the settings. Raises SettingsError for a theme that there is not,
    ConsoleBroken when the console ended otherwise than by being left.
    """
    prepare_textual()
    draw_on_terminal()
    palette = themes.WITHOUT_COLOUR if settings.no_color else theme or settings.theme or themes.default()
    ascii_only = ascii or settings.ascii or draws_ascii_only(is_linux_terminal=settings.is_linux_terminal)
    app = ConsoleApp(
        source,
        scenario_path=scenario_path,
        ascii_only=ascii_only,
        palette=palette,
        read_only=read_only,
        replay=replay,
        editor=settings.editor,
        keys=load_keys(settings.config_dir, settings.keys),
        config_dir=settings.config_dir,
        run_dir=run_dir,
        earlier_signals=earlier_signals,
        parting=parting,
        past=past,
        read_text=read_text,
        hints=Hints(settings.state_dir / HINTS) if settings.hints else None,
        teaches=teaches,
        watches=Watches(place_of(settings.state_dir, scenario_path)),
        runs=RunBook(settings.runs_dir) if shows_runs else None,
        history=history,
        opening=opening,
    )
    app.write_faults_to(*([run_dir] if run_dir else []), settings.state_dir)
    app.pager, app.notifies, app.is_in_tmux = settings.pager, settings.notify, settings.is_in_tmux
    app.chosen_keys = settings.keys
    app.has_title = settings.title and not settings.is_linux_terminal  # which would show it as text
    app.call_later(app.listen_to_signals)
    outcome = await app.run_async()
    if outcome is None and app.faults.last is not None:
        raise ConsoleBroken(f"the console ended: {app.faults.last.what}", hint=parting.partition(": ")[2])
    return outcome or ConsoleOutcome("detached", None)
