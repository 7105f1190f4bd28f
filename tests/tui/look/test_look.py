"""What is told of whatever is chosen, by its lines."""

from typing import Any

from console_app import StillSource, console, fleet_events, screen_text, settled, until

from octogram_tui.engine import events as ev
from octogram_tui.model.entries import AgentEntry, StageEntry
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.tui import theme
from octogram_tui.tui.look.describe import describe
from octogram_tui.tui.look.pieces import FOLD_WORDS, FOLDED_LINES, Sight
from octogram_tui.tui.model import Model, Subject
from octogram_tui.tui.widgets.brush import Brush
from octogram_tui.tui.widgets.detail import Detail

KEY = InstanceId("s", "j", "a0")
TEXT = (
    "stages:\n  - name: s\n    jobs:\n      - name: j\n        builtins.shell:\n          script: 'echo {{ vars.x }}'\n"
)
PLAN: list[StageEntry] = [{"stage": "s", "line": 2, "jobs": [{"job": "j", "procedure": "builtins.shell", "line": 4}]}]
FAILURE = Failure(
    "exit",
    "sh ended with exit status 3: boom [3]\x1b",
    "look there",
    {"exit_code": 3, "last_lines": ["one", "boom [3]\x1b"]},
)


def model_of(*events: ev.Event) -> Model:
    model = Model(clock=lambda: 0.0, is_replay=True, read_text=lambda digest, is_first: TEXT)
    agents: list[AgentEntry] = [{"agent": f"a{n}", "address": f"10.0.0.{n}"} for n in range(40)]
    started = ev.RunStarted(run="r", scenario="s.yml", plan=PLAN, agents=agents, digest="d")
    for number, event in enumerate(all_events := [started, *events]):
        event.seq, event.at_s = number + 1, event.at_s or float(number)
    model.apply(all_events)
    return model


def failed(agent: str = "a0", **fields: Any) -> list[ev.Event]:
    key = InstanceId("s", "j", agent)
    return [
        ev.JobStarted(instance=key, arguments={"script": "echo 7", "env": {"A": "b"}}, **fields),
        ev.JobFinished(instance=key, state="failed", failure=FAILURE, duration_s=1.0, **fields),
    ]


def told(model: Model, subject: Subject | None, **how: bool) -> list[str]:
    sight = Sight(model, Brush(theme.palette("dark")), **how)
    return ["".join(text for text, _ in line).rstrip() for line in describe(subject, sight)]


def test_the_cause_is_first_then_the_last_lines_the_arguments_and_the_rest() -> None:
    model = model_of(ev.StageStarted(stage="s", agents=["a0"]), *failed())
    lines = told(model, model.board.instances[KEY])
    assert lines[:6] == ["j @ a0", "✗ failed  1.0s", "", "boom [3]␛", "sh ended with exit status 3", "› look there"]
    order = ["it wrote last", "  │ boom [3]␛", "arguments", "what", "details of the failure"]
    assert sorted(order, key=lines.index) == order
    assert "  script: echo 7   echo {{ vars.x }}" in lines, "beside the value, what it came from"
    assert "    A: b" in lines
    assert "agent      a0  10.0.0.0" in lines


def test_in_little_room_there_are_the_cause_and_what_was_given() -> None:
    model = model_of(ev.StageStarted(stage="s", agents=["a0"]), *failed())
    lines = told(model, model.board.instances[KEY], is_short=True)
    assert lines[2:7] == ["boom [3]␛", "sh ended with exit status 3", "› look there", "arguments", lines[6]]
    assert lines[6].startswith("  script: echo 7")
    assert "it wrote last" not in lines


def test_every_attempt_says_why_it_was_and_how_it_ended() -> None:
    model = model_of(
        ev.StageStarted(stage="s", agents=["a0"]),
        *failed(),
        ev.RunPaused(reason="failure"),
        ev.JobStarted(instance=KEY, attempt=2, why="retry"),
        ev.JobFinished(instance=KEY, attempt=2, state="failed", failure=FAILURE, duration_s=1.0),
        ev.JobStarted(instance=KEY, attempt=3, why="rerun"),
        ev.RunResumed(),
        ev.JobFinished(instance=KEY, attempt=3, result={"ok": 1}, duration_s=2.0),
    )
    lines = told(model, model.board.instances[KEY])
    at = lines.index("attempts")
    assert lines[at + 1 : at + 6] == [
        "   3 ✓ ok  00:07.000  2.0s  run again by you",
        "   2 ✗ failed  00:05.000  1.0s  tried again by itself",
        "       boom [3]␛ (sh ended with exit status 3)",
        "   1 ✗ failed  00:02.000  1.0s",
        "       boom [3]␛ (sh ended with exit status 3)",
    ]
    assert "in all     4.0s of work in 7.0s, 2.0s of them held" in lines, (
        "a job at work is not held, though the gate is shut"
    )
    stage = told(model, model.board.stages[0])
    assert any(line.startswith("in all") and line.endswith("2.0s of them held") for line in stage)


def test_who_failed_alike_is_named_and_a_job_says_each_cause_once() -> None:
    agents = [f"a{number}" for number in range(40)]
    model = model_of(ev.StageStarted(stage="s", agents=agents), *(event for name in agents for event in failed(name)))
    assert "the same on a1 a2 a3 a4 a5 a6 +33" in told(model, model.board.instances[KEY])
    job = told(model, model.board.jobs["s", "j"])
    assert job[3:5] == ["40 times: boom [3]␛ (sh ended with exit status 3)", "  on a0 a1 a2 a3 a4 a5 +34"]
    stage = told(model, model.board.stages[0])
    assert "  j @ a0 a1 a2 a3 a4 a5 +34" in stage
    assert len(stage) < 20, "one cause, however many it struck"


def test_items_of_one_agent_that_fail_alike_are_counted() -> None:
    events: list[ev.Event] = [ev.StageStarted(stage="s", agents=["a0", "a1"])]
    keys = [InstanceId("s", "j", agent, item) for agent, item in (("a0", "1"), ("a0", "2"), ("a1", "1"))]
    for key in keys:
        events.append(ev.JobStarted(instance=key, item=key.item))
        events.append(ev.JobFinished(instance=key, item=key.item, state="failed", failure=FAILURE))
    model = model_of(*events)
    assert "the same on 2 more instances of a0 a1" in told(model, model.board.instances[keys[0]])


def test_what_is_long_is_folded_and_copied_whole() -> None:
    script = "\n".join(f"line {number}" for number in range(50))
    started = ev.JobStarted(instance=KEY, arguments={"script": script})
    model = model_of(ev.StageStarted(stage="s", agents=["a0"]), started)
    row = model.board.instances[KEY]
    lines = told(model, row)
    assert f"  {51 - FOLDED_LINES} more lines: l unfolds them" in lines
    assert "    line 49" not in lines
    assert "    line 49" in told(model, row, is_unfolded=True)


def test_the_last_lines_of_what_runs_are_told_as_they_come() -> None:
    wrote = ev.JobOutput(agent="a0", instance=KEY, lines=[f"{number}" for number in range(30)])
    model = model_of(ev.StageStarted(stage="s", agents=["a0"]), ev.JobStarted(instance=KEY), wrote)
    lines = told(model, model.board.instances[KEY])
    assert lines[lines.index("it wrote last") + 1 :][:8] == [f"  │ {number}" for number in range(22, 30)]


def test_an_agent_says_what_is_wrong_where_it_is_and_what_it_ran() -> None:
    model = model_of(
        ev.AgentReady(agent="a0", home="/tmp/h", python="3.11", pid=7, host="here"),
        ev.StageStarted(stage="s", agents=["a0"]),
        *failed(),
        ev.JobOutput(agent="a0", process="node", lines=["x"]),
        ev.ServiceAnnounced(agent="a0", kind="rpc", name="node", ports={"http": 80}, address="10.0.0.0"),
        ev.AgentLoad(agent="a0", cpu=0.25, memory=0.5, processes=2),
        ev.AgentLoad(agent="a0", cpu=1.5, memory=0.5, processes=2),
        ev.AgentLost(agent="a0", message="no answer for 20 s"),
    )
    lines = told(model, model.board.agents["a0"])
    assert lines[:3] == ["a0", "⊘ lost", "no answer for 20 s"]
    assert "home       /tmp/h" in lines
    assert "  node  rpc  http 10.0.0.0:80" in lines
    assert lines[lines.index("processes") + 1] == "  node"
    busy = lines.index("how busy it is")
    assert lines[busy + 1 : busy + 3] == ["load       150% by CPU  ▂█", "memory     50% in use"]
    assert any(line.startswith("  ✗ j  s  boom") for line in lines)


def test_nothing_is_chosen_yet() -> None:
    assert told(model_of(), None) == ["nothing is chosen yet"]


async def test_what_the_log_beside_it_shows_is_not_said_again() -> None:
    app = console(StillSource(fleet_events(200.0)))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("enter")
        assert app.run_screen is not None
        detail = app.run_screen.panes["detail"]
        assert isinstance(detail, Detail)
        await until(pilot, lambda: detail.has_log)
        assert app.run_screen.panes["log"].has_place
        assert "it wrote last" not in screen_text(app)
        await pilot.press("z")
        await until(pilot, lambda: "it wrote last" in screen_text(app))
        assert "it wrote last" in detail.text_of_selected(), "copied is everything"


async def test_values_unfold_by_key_and_are_copied_unbroken() -> None:
    script = "\n".join(f"{'wide ' * 40}{number}" for number in range(30))
    key = InstanceId("deploy binaries", "copy binaries", "node-0")
    started = ev.JobStarted(seq=9998, at_s=8.0, instance=key, attempt=2, why="rerun", arguments={"script": script})
    app = console(StillSource([*fleet_events(6.0), started]))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        assert app.run_screen is not None
        app.run_screen.plan.select(app.model.board.instances[key])
        await pilot.press("enter")
        detail = app.run_screen.panes["detail"]
        assert isinstance(detail, Detail)
        await until(pilot, lambda: detail.count() > 3)
        short = detail.count()
        await pilot.press("l")
        assert detail.count() > short + 20
        await pilot.press("h")
        assert detail.count() == short
        row = next(at for at in range(short) if any(FOLD_WORDS in text for text, _ in detail.paint(at, 80)))
        detail.scroll_line(row)
        await pilot.pause()
        await pilot.click(offset=(detail.region.x + 6, detail.region.y + row - detail.scroll_offset.y))
        assert detail.count() > short + 20
        assert f"    {'wide ' * 40}29" in detail.text_of_selected().splitlines()
