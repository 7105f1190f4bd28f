"""The table of views: each has a pane, a key of its own, and a name in the tabs."""

from console_app import StillSource, console, fleet_events, screen_text, settled, until

from octogram_tui.tui.keymap import ACTIONS
from octogram_tui.tui.views import BY_NAME, VIEWS


def test_each_view_has_a_key_of_its_own() -> None:
    keys = [view.key for view in VIEWS if view.key]
    assert len(keys) == len(set(keys))
    assert [action.keys for action in ACTIONS if action.call.startswith("view(")] == keys
    assert len(BY_NAME) == len(VIEWS)


async def test_each_view_has_a_pane_that_its_key_and_its_tab_show() -> None:
    app = console(StillSource(fleet_events(6.0)))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        screen = app.run_screen
        assert screen is not None
        assert list(screen.panes) == [view.name for view in VIEWS]
        for view in (view for view in VIEWS if view.key):
            await pilot.press(view.key)
            assert screen.pane == view.name
            assert screen.panes[view.name].region.height > 0
            await pilot.press("2" if view.key == "1" else "1")
            y = next(y for y, line in enumerate(screen_text(app).splitlines()) if f"{view.key} {view.tab}" in line)
            x = screen_text(app).splitlines()[y].index(f"{view.key} {view.tab}")
            await pilot.click(offset=(x + 2, y))
            await until(pilot, lambda name=view.name: screen.pane == name)  # type: ignore[misc]
