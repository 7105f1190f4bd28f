"""What an attempt has read is told: by the plan where texts name it, by the attempt where names are computed or old."""

from __future__ import annotations

from simulation import Simulation, job, report, scenario, stage

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import JobFinished, JobStarted, RunStarted, VariableChanged
from octogram_tui.engine.stimuli import AttemptReport, RerunRequest, SetVariableRequest
from octogram_tui.model.scenario import ItemsSpec, Text, VarUpdate

SETS_X = (VarUpdate(Text("x"), Text("{{ agent.name }}")),)


def keep(sent: SendJob) -> AttemptReport | None:
    return None


def test_the_plan_has_the_texts_of_each_job_by_where_they_stand() -> None:
    items = ItemsSpec((("u", "{{ vars.more }}"),))
    args = {"argv": ["echo", "{{ vars.x }}"], "env": {"A": "{{ agent.name }}"}, "plain": "no template"}
    first = job("j", args, items=items, when="vars.on", until=Text("res.ok"), register="r", vars_updates=SETS_X)
    second = job("k", {"that": ["vars.x > 0"], "message": "{{ vars.m }}"}, procedure="assert", where="assertion")
    third = job("l", {"expression": "vars.y == 1"}, procedure="wait", where="expression")
    run = Simulation(scenario(stage("s", first, second, third), variables={})).begin()
    plan = run.of(RunStarted)[0].plan[0]["jobs"]
    assert [entry["texts"] for entry in plan] == [
        {
            "when": "vars.on",
            "with_items[1]": "{{ vars.more }}",
            "arguments.argv[1]": "{{ vars.x }}",
            "arguments.env.A": "{{ agent.name }}",
            "until": "res.ok",
            "register": "r",
            "vars_updates.x": "{{ agent.name }}",
        },
        {"assert[0]": "vars.x > 0", "arguments.message": "{{ vars.m }}"},
        {"wait": "vars.y == 1"},
    ]


def test_an_attempt_that_sees_what_was_before_says_up_to_which_event() -> None:
    jobs = [job("j", {"argv": "{{ vars.x }} {{ item }}"}, items=ItemsSpec((("1", "2"),)), vars_updates=SETS_X)]
    run = Simulation(scenario(stage("s", *jobs), agents="a b", variables={"x": 0, "y": 0})).begin()
    values = run.of(RunStarted)[0].variables
    seen = {}
    for event in run.events:
        if isinstance(event, VariableChanged):
            values[event.name] = event.value
        if isinstance(event, JobStarted):
            seen[str(event.instance)] = (event.seen > 0, str(event.arguments["argv"])[0])
            assert not event.reads
    assert seen == {
        "s/j@a[1]": (False, "0"),
        "s/j@b[1]": (False, "0"),
        "s/j@a[2]": (True, "0"),
        "s/j@b[2]": (True, "0"),
    }


def test_what_was_changed_and_is_not_read_is_not_told() -> None:
    spec = job("j", {"argv": "{{ vars.x }}"}, items=ItemsSpec((("1", "2"),)))
    run = Simulation(scenario(stage("s", spec), variables={"x": 0}), keep).begin()
    run.go(SetVariableRequest("y", 1))
    run.go(report("s/j@a[1]#1"))
    assert [event.seen for event in run.of(JobStarted)] == [0, 0]


def test_computed_names_are_told_with_the_attempt() -> None:
    run = Simulation(scenario(stage("s", job("j", {"argv": "{{ var('x_' ~ agent.name) }}"})), variables={"x_a": 1}))
    assert [event.reads for event in run.begin().of(JobStarted)] == [["x_a"]]


def test_what_is_passed_over_or_cannot_be_expanded_tells_what_it_read() -> None:
    jobs = [
        job("w", {}, items=ItemsSpec((("1", "2"),)), vars_updates=SETS_X, run_items="concurrent"),
        job("j", {}, when="var('' ~ 'x') == 7"),
        job("k", {"argv": "{{ var('' ~ 'nope') }}"}),
    ]
    run = Simulation(scenario(stage("s", *jobs), variables={"x": 0}), on_failure="pause").begin()
    ended = {event.job: event for event in run.of(JobFinished)}
    assert ended["j"].state == "skipped"
    assert (ended["j"].reads, ended["j"].seen) == (["x"], 0)
    assert (ended["k"].state, ended["k"].reads) == (
        "failed",
        ["nope", "x"],
    )


def test_what_runs_again_in_place_sees_what_is_now() -> None:
    def fails_once(sent: SendJob) -> AttemptReport:
        is_first = str(sent.attempt).endswith("#1")
        return report(sent.attempt, "failed" if is_first else "ok", {}, {"kind": "exit"} if is_first else None)

    run = Simulation(
        scenario(stage("s", job("j", {"argv": "{{ vars.x }}"})), variables={"x": 0}), fails_once, on_failure="pause"
    ).begin()
    run.go(SetVariableRequest("x", 1))
    run.go(RerunRequest("s", "j", "a"))
    assert [(event.arguments, event.seen) for event in run.of(JobStarted)] == [({"argv": "0"}, 0), ({"argv": "1"}, 0)]
