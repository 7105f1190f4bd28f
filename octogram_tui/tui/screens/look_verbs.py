"""What the operator looks at: going about between the panes, finding, copying."""

from __future__ import annotations

from octogram_tui.projection.text import safe
from octogram_tui.tui.layout import PAIR_COLUMNS
from octogram_tui.tui.lending import shows_colours
from octogram_tui.tui.model import most_telling, title_of
from octogram_tui.tui.screens.failure_verbs import FailureVerbs
from octogram_tui.tui.views import tabs_for
from octogram_tui.tui.widgets.detail import Page


class LookVerbs(FailureVerbs):
    """The actions of keymap.py that ask nothing of the run."""

    def action_view(self, view: str) -> None:
        """Go to a pane."""
        self.show(view)

    def action_focus_view(self, view: str) -> None:
        """Give the keys to a pane that is seen."""
        self.focus_pane(view)

    def action_next_pane(self, by: int) -> None:
        """Go to the next pane; where only one is seen, to the next view."""
        if self.layout_name in ("single", "tabs"):
            order = [view.name for view in tabs_for(self.view)]
            self.show(order[(order.index(self.view) + by) % len(order)])
        else:
            seen = self.grid.seen.views
            here = seen.index(self.pane) if self.pane in seen else 0
            self.focus_pane(seen[(here + by) % len(seen)])

    def action_open(self) -> None:
        """Unfold, or look into."""
        pane = self.panes[self.pane]
        if pane.open():
            return
        if pane is self.matrix and self._go_to_job():
            return
        if pane is not self.plan and pane.selected is not None:
            self.is_pinned = True
            self.look_at(pane.selected, but=pane)
        self.show("detail")

    def _go_to_job(self) -> bool:
        """Go from a cell of the matrix to what the agent did in that stage; False when that is nothing."""
        agent, stage = self.matrix.selected, self.matrix.stage
        if agent is None or stage is None or not self.matrix.is_on_agent:
            return False
        found = most_telling(stage, agent.name)
        if found is None:
            return False
        self.show("plan")
        self.plan.select(found)
        return True

    def action_back(self) -> None:
        """Undo the latest of: search, zoom, inspector, filter, chosen row."""
        if self.log_pane.clear_search():
            return
        if self.grid.is_zoomed:
            self.action_zoom()
        elif self.pane == "detail" and self.detail.page != "look":
            self.detail.turn_to("look")
            self.show(self.before_detail)
        elif self.pane == "detail":
            self.show(self.before_detail)
        elif self.model.outline.is_narrowed:
            self.show_all()
        elif self.banner.close():
            pass
        else:
            self._follow()
        self.sync()

    def action_follow(self) -> None:
        """Follow the run again, whatever was chosen."""
        self._follow()
        self.sync()

    def _follow(self) -> None:
        self.plan.is_following = True
        self.is_pinned = False
        self.log_pane.follow()

    def action_explain(self) -> None:
        """Say why what is chosen is as it is; again for what is known of it."""
        self._turn_to("explain")

    def action_compare(self) -> None:
        """Put what is chosen beside where it went well; again for the next to compare with."""
        self._turn_to("compare")
        if self.detail.page == "compare" and self.app.size.width >= PAIR_COLUMNS and not self.grid.is_zoomed:
            self.action_zoom()

    def _turn_to(self, page: Page) -> None:
        """Show a page of the inspector, about what the pane that has the keys is about."""
        subject = self.panes[self.pane].selected
        if self.pane != "detail" and subject is not None and subject is not self.detail.subject:
            self.is_pinned = True
            self.look_at(subject, but=self.panes[self.pane])
        if self.pane != "detail" and self.detail.page == page:
            self.detail.turn_to("look")  # it is turned to, and not away from
        self.detail.turn_to(page)
        self.show("detail")

    def action_zoom(self) -> None:
        """Give the pane the whole screen, or take it back."""
        self.grid.go_to(self.pane)
        self.grid.is_zoomed = not self.grid.is_zoomed
        self.lay_out()

    def action_copy(self) -> None:
        """Copy what is selected, else what the pane is about."""
        selected = self.get_selected_text()
        if selected:
            text = selected
        else:
            text = self.panes[self.pane].text_of_selected()
        self.app.copy_out(text)

    def action_copy_all(self) -> None:
        """Copy the whole log."""
        self.app.copy_out(self.log_pane.text_of_all())

    def action_write_log(self) -> None:
        """Write the log that is shown to a file."""
        from octogram_tui.tui.screens.save_form import SaveForm, file_name

        log = self.log_pane
        title = title_of(log.subject)
        form = SaveForm(self.app.brush, f"Write the log of {safe(title)}", log.text_of_all(), file_name(title))

        def tell(path: str | None) -> None:
            if path:
                self.app.notify(f"written to {safe(path)}", markup=False)

        self.app.open_dialog(form, tell)

    def action_page_log(self) -> None:
        """Read the log that is shown in the user's pager."""
        has_colours = shows_colours(self.app.pager) and not self.app.no_color
        self.app.show_in_pager(self.log_pane.text_of_all(has_colours=has_colours) + "\n", "log")

    def action_pin_log(self) -> None:
        """Keep the log that is shown while others are chosen, or let go of it."""
        self.log_pane.action_pin()

    def action_next_log(self, by: int) -> None:
        """Show another of the pinned logs."""
        self.log_pane.action_next_log(by)

    def action_find(self) -> None:
        """Ask what to look for, below the panes."""
        from octogram_tui.tui.widgets.find_line import FindLine

        for line in self.query(FindLine):  # asked for twice, by the palette: the one that is there
            self.set_focus(line)
            return
        self.app.open_line(FindLine(in_log=self.pane == "log"))

    def find(self, needle: str, *, in_log: bool) -> bool:
        """Look for a row, or a text in the log; False when it is nowhere."""
        if in_log:
            return self.log_pane.search(needle)
        found = self.model.outline.find(needle, self.plan.selected)
        if found is not None:
            self.plan.select(found)
        return found is not None

    def action_more_of_log(self) -> None:
        """Read what was left out in the log, where it was written."""
        from octogram_tui.tui.screens.log_screen import read_more

        self.app.in_turn(read_more(self.app, self.log_pane.left_out()))

    def action_skip_lesson(self) -> None:
        """Be taught no further."""
        lesson = self.model.lesson
        if lesson is None:
            self.app.notify("there is no lesson here: `octogram-tui demo` has one", markup=False)
        else:
            lesson.is_skipped = True
            self.sync()

    def action_help(self) -> None:
        """Show the keys."""
        from octogram_tui.tui.screens.help_screen import HelpScreen

        self.app.open_dialog(HelpScreen(self.model, self.app.brush, self.pane))

    def action_command_palette(self) -> None:
        """Every verb by name."""
        self.app.action_command_palette()
