"""Lines that were left out, over the panes: from their beginning, in the parts that the agent gives them in."""

from __future__ import annotations

from console_app import StillSource, console, fleet_events, screen_text, settled, until

from octogram_tui.engine.events import JobOutput
from octogram_tui.projection.logbook import Gap
from octogram_tui.runtime.verbs import LogQuery
from octogram_tui.tui.screens.log_screen import LogScreen, read_more


async def test_all_parts_are_shown_until_the_agent_has_no_more() -> None:
    events = fleet_events(3.0)
    output = next(event for event in events if isinstance(event, JobOutput) and event.instance is not None)
    output.dropped, output.gap = 5, 77
    source = StillSource(events)
    app = console(source)
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        gap = next(line for line in app.model.logbook.lines if isinstance(line, Gap))
        part = {"size_bytes": 0, "trouble": ""}
        source.logs[LogQuery(gap.origin.agent, "", gap=77)] = {
            **part,
            "lines": ["[bold]one", "\x1b[31mtwo"],
            "first": 1,
            "following": 3,
        }
        source.logs[LogQuery(gap.origin.agent, "", gap=77, first=3)] = {
            **part,
            "lines": ["three"],
            "first": 3,
            "following": 0,
        }
        await read_more(app, gap)
        await until(pilot, lambda: "three" in screen_text(app, on_top=True))
        text = screen_text(app, on_top=True)
        assert "lines 2 to 4" in text
        assert "[bold]one" in text
        assert "three" in text
        await pilot.press("escape")
        source.logs.clear()
        await read_more(app, gap)
        await settled(pilot)
        assert not isinstance(app.screen, LogScreen)
