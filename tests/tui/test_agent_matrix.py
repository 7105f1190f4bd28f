"""The agents as they are drawn: by the text of their lines."""

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled, until
from rich.cells import cell_len

from octogram_tui.engine import events as ev
from octogram_tui.projection.row_states import AgentState
from octogram_tui.tui.app import ConsoleApp
from octogram_tui.tui.widgets.agent_line import NAME_CELLS, columns_for
from octogram_tui.tui.widgets.agent_matrix import ON_THE_NAME, AgentMatrix


def matrix_of(app: ConsoleApp) -> AgentMatrix:
    assert app.run_screen is not None
    return app.run_screen.matrix


def line(view: AgentMatrix, index: int, width: int) -> str:
    return "".join(text for text, _ in view.paint(index, width)).rstrip()


def header(view: AgentMatrix, width: int) -> str:
    return "".join(text for text, _ in view.paint_header(width)).rstrip()


def order_of(view: AgentMatrix) -> str:
    return view.agents.order


def with_loads(events: list[ev.Event]) -> list[ev.Event]:
    loads = [
        ev.AgentLoad(seq=9_000 + number, at_s=events[-1].at_s, agent="node-1", cpu=cpu, memory=0.3, processes=2)
        for number, cpu in enumerate((0.0, 0.1, 0.5, 1.0, 1.4))
    ]
    return [*events, *loads]


async def test_a_wide_line_says_state_load_what_is_kept_and_the_last_word() -> None:
    app = console(StillSource(with_loads(fleet_events(6.0))))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("2")
        view = matrix_of(app)
        assert header(view, 120) == "   agent   state         1  2  3  4  5  6  7  8    load          proc svc  now"
        shown = line(view, 1, 120)
        assert shown.startswith(" ✓ node-1  ready         ✓  ✓  ◦  ◦")
        assert "    ▁▄██ 140%    2   1  start node" in shown
        assert line(view, 0, 120).index("start node") == shown.index("start node"), "columns stand below each other"


async def test_a_narrow_line_keeps_name_stages_and_the_last_word() -> None:
    app = console(StillSource(with_loads(fleet_events(6.0))))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("2")
        view = matrix_of(app)
        assert header(view, 54) == "   agent    1  2  3  4  5  6  7  8    now"
        assert line(view, 1, 54).startswith(" ✓ node-1   ✓  ✓  ◦  ◦  ◦  ◦  ◦  ◦    start node")


@pytest.mark.parametrize("width", [1, 10, 24, 40, 80, 200])
@pytest.mark.parametrize("stages", [0, 1, 8, 60])
@pytest.mark.parametrize("first", [0, 5, 99])
def test_columns_fit_and_each_cell_belongs_to_one(width: int, stages: int, first: int) -> None:
    for has in (False, True):
        columns = columns_for(width, 12, stages, first, has_load=has, has_counts=has)
        assert 0 <= columns.stages.start <= columns.stages.stop <= stages
        assert len(columns.stages) >= min(1, stages)
        if width >= 40:
            assert columns.now + 8 <= width, "there is room for the last word"
        order = [columns.at(x)[0] for x in range(width)]
        assert list(dict.fromkeys(order[3:])) == [
            name for name in ("name", "state", "stage", "load", "counts", "now") if name in order[3:]
        ]


async def test_header_clicks_sort_and_a_click_on_a_cell_chooses_agent_and_stage() -> None:
    app = console(StillSource(with_loads(fleet_events(200.0))))
    async with app.run_test(size=(160, 40)) as pilot:
        await settled(pilot)
        await pilot.press("2", "z")
        view = matrix_of(app)
        await until(pilot, lambda: view.size.width == 160)
        top = view.region.y
        await pilot.click(offset=(view.columns(160).now + 1, top))
        assert order_of(view) == "failures"
        assert line(view, 0, 160).startswith(" ✓ node-4")
        await until(pilot, lambda: "by failures" in screen_text(app))
        await pilot.click(offset=(view.columns(160).cells + 24 + 4, top))
        assert order_of(view) == "load"
        assert line(view, 0, 160).startswith(" ✓ node-1 ")
        await pilot.press("o")
        assert order_of(view) == "as they come"
        await pilot.click(offset=(view.columns(160).cells + 4, top + 1 + 4))
        assert view.selected is app.model.board.agents["node-4"]
        assert view.stage is app.model.board.stages[1]


async def test_enter_looks_into_an_agent_and_leads_from_a_cell_to_its_job() -> None:
    app = console(StillSource(fleet_events(200.0)))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("2", "j", "enter")
        assert app.run_screen is not None
        assert app.run_screen.pane == "detail"
        assert "it ran, the latest first" in screen_text(app)
        await pilot.press("escape", "l", "h")
        assert matrix_of(app).column == ON_THE_NAME


async def test_a_stage_that_an_edit_took_away_or_added_keeps_the_numbers_apart() -> None:
    events = fleet_events(200.0)
    plan: list[dict[str, object]] = [
        {"stage": name, "jobs": [{"job": "x"}]} for name in ("deploy binaries", "new one", "activate protocol")
    ]
    events.append(ev.ScenarioReloaded(seq=9_000, at_s=events[-1].at_s, plan=plan))  # type: ignore[arg-type]
    app = console(StillSource(events))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("2")
        view = matrix_of(app)
        shown = header(view, 80).split()
        numbers = [word for word in shown if word.isdecimal()]
        assert numbers == ["1", "2", "3"]
        assert "-" in shown, "what is gone has no number"
        gone = next(at for at, stage in enumerate(app.model.board.stages) if stage.is_gone)
        view.column = gone
        assert "no longer in the scenario" in "".join(text for text, _ in view.title())


async def test_wide_names_are_cut_by_cells() -> None:
    name = "名前" * 20
    events: list[ev.Event] = [
        ev.RunStarted(seq=1, run="r", scenario="s", agents=[{"agent": name}, {"agent": "b"}]),
        ev.AgentReady(seq=2, agent=name),
    ]
    app = console(StillSource(events))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        await pilot.press("2")
        view = matrix_of(app)
        assert view._name_cells == NAME_CELLS
        shown = [line(view, index, 80) for index in range(2)]
        assert sorted(cell_len(text[: text.index("ready" if "ready" in text else "waiting")]) for text in shown) == [
            24,
            24,
        ]


@pytest.mark.fault(98)
async def test_a_thousand_agents_are_groups_that_unfold_and_cost_what_is_seen() -> None:
    events = fleet_events(6.0, agents=1_000)
    lost = ev.AgentLost(seq=9_999_999, at_s=events[-1].at_s, agent="node-7", message="gone")
    app = console(StillSource([*events, lost]))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("2")
        view = matrix_of(app)
        assert len(view.agents.rows) < 10
        await until(pilot, lambda: line(view, 0, 60).startswith(" ⌄ 1 in trouble"))
        assert "gone" in line(view, 1, 60)
        painted, made = view.painted_lines, view.agents.rebuilt
        source = app.source
        assert isinstance(source, StillSource)
        await pilot.press("G", "enter")
        assert view.count() > 100
        assert view.painted_lines - painted < 120
        for number in range(20):
            source.tell(ev.AgentLoad(seq=10_000_000 + number, at_s=lost.at_s, agent="node-9", cpu=number / 10))
        await until(pilot, lambda: app.model.board.seq == 10_000_019)
        assert view.agents.rebuilt - made <= 4, "not once an event"


async def test_a_lost_agent_says_why_in_its_look() -> None:
    events = fleet_events(6.0)
    events.append(ev.AgentFailed(seq=9_000, at_s=6.0, agent="node-2", code="x", message="no route", hint="ping it"))
    app = console(StillSource(events))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        agent = app.model.board.agents["node-2"]
        assert agent.state is AgentState.FAILED
        await pilot.press("2", "j", "j", "enter")
        assert "no route" in screen_text(app)
        assert "› ping it" in screen_text(app)
