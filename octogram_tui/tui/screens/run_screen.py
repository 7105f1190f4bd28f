"""The run: the panes of pane_screen.py, with the actions of keymap.py."""

from __future__ import annotations

from octogram_tui.tui.keymap import bindings
from octogram_tui.tui.screens.again_verbs import AgainVerbs
from octogram_tui.tui.screens.edit_verbs import EditVerbs
from octogram_tui.tui.screens.keep_verbs import KeepVerbs
from octogram_tui.tui.screens.look_verbs import LookVerbs
from octogram_tui.tui.screens.prompt_verbs import PromptVerbs
from octogram_tui.tui.screens.run_verbs import RunVerbs
from octogram_tui.tui.screens.session_verbs import SessionVerbs
from octogram_tui.tui.screens.watch_verbs import WatchVerbs


class RunScreen(KeepVerbs, RunVerbs, AgainVerbs, EditVerbs, WatchVerbs, PromptVerbs, SessionVerbs, LookVerbs):
    """One run, live or replayed."""

    BINDINGS = bindings()

    def action_interrupt(self) -> None:
        """Ctrl-C, where the terminal tells it as a key and not as a signal."""
        self.app.interrupt()
