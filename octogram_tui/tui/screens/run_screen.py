"""The run: the panes of pane_screen.py, with the actions of keymap.py."""

from __future__ import annotations

from octogram_tui.tui.keymap import bindings
from octogram_tui.tui.screens.look_verbs import LookVerbs
from octogram_tui.tui.screens.run_verbs import RunVerbs


class RunScreen(RunVerbs, LookVerbs):
    """One run, live or replayed."""

    BINDINGS = bindings()

    def action_interrupt(self) -> None:
        """Ctrl-C: copy what is selected, else ask whether to stop; while it stops already: without grace."""
        if self.get_selected_text():
            self.action_copy()
            self.clear_selection()
        else:
            self.app.interrupt()
