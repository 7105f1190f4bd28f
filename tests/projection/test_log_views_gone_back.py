"""A view of a log that has let lines go, at its front and in all, shows at an earlier moment what was there then."""

from __future__ import annotations

from octogram_tui.engine import events as ev
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.log_view import LogView, Scope
from octogram_tui.projection.logbook import Logbook

KEPT = 40


def test_going_back_step_by_step_shows_nothing_of_later_moments() -> None:
    log = Logbook(bytes_in_all=60_000)
    scope = Scope(agent="a")
    view = LogView(log, scope, kept_lines=KEPT)
    for number in range(600):
        agent = "ab"[number % 2]
        log.apply(ev.JobOutput(seq=number + 1, agent=agent, instance=InstanceId("s", "j", agent), lines=[f"{number}"]))
        view.catch_up()
    assert log.first > view.removed > 0
    for end in range(log.end, log.first, -7):
        then = log.until(end)
        if not view.go_to(then):
            view = LogView(then, scope, kept_lines=KEPT)
        there = [line.text for line in LogView(then, scope).lines]
        shown = [line.text for line in view.lines]
        assert shown == there[len(there) - len(shown) :]
        assert len(shown) >= min(len(there), KEPT // 2)
