"""Every row says why it is as it is: what it was given and what of, why it ran, was skipped, is stale or waits."""

from __future__ import annotations

from dataclasses import replace

from explained import Explained, everything
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from simulation import job, named, report, scenario, stage

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import (
    AgentHeld,
    ArgumentsSet,
    BreakpointMet,
    BreakpointSet,
    CourseMovedBack,
    Event,
    JobHeld,
    JobStarted,
)
from octogram_tui.engine.stimuli import (
    AgentLossReport,
    AgentSilentReport,
    AttemptReport,
    BackRequest,
    BreakRequest,
    EditReport,
    GoRequest,
    PauseRequest,
    RerunAllRequest,
    RerunRequest,
    SetArgumentsRequest,
    SetVariableRequest,
    SkipRequest,
    StepRequest,
)
from octogram_tui.model.scenario import ItemsSpec, JobSpec, Mark, Scenario, Text, VarUpdate
from octogram_tui.projection.explain import Subject, explain, explain_lines
from octogram_tui.projection.tree import Node

MEASURES = job("measure", {"argv": "{{ agent.name }}"}, vars_updates=(VarUpdate(Text("level"), Text("{{ res.out }}")),))
FAILURE = {"kind": "exit", "message": "no route"}


def fails_once(sent: SendJob) -> AttemptReport:
    is_bad = str(sent.attempt).endswith("#1") and sent.attempt.instance.job in ("flaky", "bad")  # type: ignore[union-attr]
    return report(sent.attempt, "failed" if is_bad else "ok", {"out": "5"}, FAILURE if is_bad else None)


def run_of(*jobs: JobSpec, **more: object) -> Explained:
    given = scenario(stage("s", *jobs), variables={"level": "0", "who": "me"}, **more)  # type: ignore[arg-type]
    return Explained(given, fails_once)


def test_an_argument_leads_back_to_the_result_that_its_value_came_of() -> None:
    run = run_of(MEASURES, job("uses", {"argv": "{{ vars.level }} {{ vars.who }}"})).begin()
    lines = run.folds.lines("s/uses@a", depth=6)
    at = lines.index("argv: 5 me  <- {{ vars.level }} {{ vars.who }}")
    assert lines[at + 1 : at + 5] == [
        'level: "5"  set by s/measure@a at 0:00',
        "vars_updates.level  <- {{ res.out }}",
        'its result: {"out": "5"}',
        'its result: {"out": "5"}',
    ]
    assert "s/measure@a#1  ended well at 0:00 after 0.0s" in lines
    assert "argv: a  <- {{ agent.name }}" in lines
    assert 'before that: "0"  from the scenario' in lines
    assert "who: me  from the scenario" in lines


def test_a_value_is_the_one_that_was_seen_then_and_says_that_it_is_another_now() -> None:
    run = run_of(job("uses", {"argv": "{{ vars.level }}"})).begin()
    run.go(SetVariableRequest("level", "7"))
    assert 'level: "0"  from the scenario, another value now' in run.folds.lines("s/uses@a")
    run.go(RerunRequest("s", "uses", "a"))
    lines = run.folds.lines("s/uses@a")
    assert 'level: "7"  set by you at 0:00' in lines
    assert "ran at 0:00: you had it run again" in lines
    run.go(RerunRequest("s", "uses", "a", inputs="then"))
    run.go(SetVariableRequest("level", "8"))
    run.go(RerunRequest("s", "uses", "a", inputs="then"))
    lines = run.folds.lines("s/uses@a")
    assert "ran at 0:00: you had it run again, with the variables as they were" in lines
    assert 'level: "7"  set by you at 0:00, another value now' in lines


def test_a_variable_of_the_command_line_says_so() -> None:
    given = scenario(stage("s", job("uses", {"argv": "{{ vars.x }}"})), variables={"x": 1})
    object.__setattr__(given, "origins", {"x": "command line"})
    run = Explained(given).begin()
    assert "x: 1  from the command line" in run.folds.lines("s/uses@a")


def test_a_retry_says_after_what_it_ran_and_until_when_it_waits() -> None:
    run = run_of(job("flaky", {"argv": "x"}, retries=2, retry_delay_s=5.0)).begin()
    assert run.folds.lines("s/flaky@a")[0] == "waits 5.0s before it is tried again, retry 1 of 2: until 0:05, in 5.0s"
    run.fire(next(iter(run.timers)))
    assert "ran at 0:05: tried again by itself, because attempt 1 failed at 0:00: no route" in run.folds.lines(
        "s/flaky@a"
    )


def test_what_when_passed_over_shows_the_values_that_it_read() -> None:
    run = run_of(MEASURES, job("never", {"argv": "x"}, when="vars.level == '7'")).begin()
    assert run.folds.lines("s/never@a") == [
        "skipped: `when: vars.level == '7'` does not hold",
        'level: "5"  set by s/measure@a at 0:00',
    ]


def test_a_failure_stands_until_somebody_acts_and_the_rest_says_what_it_waits_for() -> None:
    run = run_of(job("bad", {"argv": "x"}), job("later", {"argv": "{{ vars.level }}"})).begin()
    assert run.folds.lines("s/bad@a")[0] == "failed at 0:00: no route; its lane waits until you run it again or skip it"
    assert run.folds.lines("s/later@a")[0] == "waits for bad on a, which failed"
    run.go(RerunAllRequest("failed", go=True))
    assert "ran at 0:00: you had all that failed run again at 0:00" in run.folds.lines("s/bad@a")
    run.go(SkipRequest(named("s/bad@a")))  # it has ended well: refused
    assert run.folds.lines("s/later@a")[0].startswith("ended well")


def test_what_the_operator_skipped_says_so() -> None:
    run = run_of(job("bad", {"argv": "x"})).begin()
    run.go(SkipRequest(named("s/bad@a")))
    assert run.folds.lines("s/bad@a")[0] == "skipped by the operator"


def test_what_is_stale_says_which_variable_was_what_and_is_what_now() -> None:
    run = run_of(job("uses", {"argv": "{{ vars.level }}"})).begin()
    run.go(SetVariableRequest("level", "7"))
    assert run.folds.lines("s/uses@a")[:3] == [
        "stale: variable level was changed",
        'level was: "0"',
        'level is now: "7"  set by you at 0:00',
    ]


def test_what_is_stale_by_an_edit_shows_the_lines_that_were_edited() -> None:
    texts = {
        "d1": "stages:\n  - name: s\n    jobs:\n      - name: j\n        argv: a\n\n      - name: k\n",
        "d2": "stages:\n  - name: s\n    jobs:\n      - name: j\n        argv: b\n        more: c\n      - name: k\n",
    }

    def version(digest: str, argv: str) -> Scenario:
        first = replace(job("j", {"argv": argv}), mark=Mark("s.yml", 4))
        second = replace(job("k", {"argv": "x"}), mark=Mark("s.yml", 7))
        return replace(scenario(replace(stage("s", first, second), mark=Mark("s.yml", 2))), digest=digest)

    run = Explained(version("d1", "a"), read=lambda digest, is_first: texts.get(digest)).begin()
    run.go(EditReport(version("d2", "b")))
    assert run.folds.lines("s/j@a")[:5] == [
        "stale: its text was edited",
        "its text was edited",
        "-        argv: a",
        "+        argv: b",
        "+        more: c",
    ]
    assert [line for line in run.folds.lines("s/k@a") if "edited" in line] == []


def test_without_a_copy_of_the_text_the_templates_that_were_edited_are_shown() -> None:
    run = Explained(scenario(stage("s", job("j", {"argv": "{{ agent.name }}"})))).begin()
    run.go(EditReport(scenario(stage("s", job("j", {"argv": "x{{ agent.name }}"})))))
    assert "argv  {{ agent.name }} -> x{{ agent.name }}" in run.folds.lines("s/j@a")


def test_what_is_held_says_by_whom_where_it_stands_and_what_it_will_see() -> None:
    run = Explained(
        scenario(stage("s", job("j", {"argv": "{{ vars.x }}"})), agents="a b", variables={"x": 1}), start_paused=True
    ).begin()
    assert run.folds.lines("s/j@b") == [
        "held before its attempt: the run has not been let go yet",
        "1 before it in line",
        "argv  <- {{ vars.x }}",
        "x: 1  from the scenario",
    ]
    run.go(SetVariableRequest("x", 2))
    assert "it is next: a step takes it" in run.folds.lines("s/j@a")
    assert "x: 2  set by you at 0:00" in run.folds.lines("s/j@a")
    run.go(StepRequest())
    assert "ran at 0:00: for the first time, as its turn came, let through by your step" in run.folds.lines("s/j@a")


def test_what_a_breakpoint_holds_says_which_one_and_why() -> None:
    run = Explained(scenario(stage("s", job("j", {"argv": "x"}))), lambda sent: None).begin()
    key = named("s/j@a")
    for number, event in enumerate(
        [
            BreakpointSet(number=2, pattern="s/*", condition="level > 5", hits="3"),
            BreakpointMet(number=2, instance=key, message="level > 5, and level is 6", count=3),
            JobHeld(instance=key, reason="breakpoint", breakpoint=2),
            ArgumentsSet(instance=key, arguments={"argv": "mine"}),
        ]
    ):
        event.seq = 1000 + number
        run.folds.apply(event)
    assert run.folds.lines("s/j@a")[:4] == [
        "held before its attempt: breakpoint 2: level > 5, and level is 6",
        "it is next: a step takes it",
        "breakpoint 2: before s/*, if level > 5, hits 3; met 3 times",
        "argv: mine  given by you, for its next attempt",
    ]
    run.folds.apply(JobStarted(seq=1010, instance=key, attempt=2, arguments={"argv": "mine"}, edited=["argv"]))
    assert "argv: mine  given by you, for this attempt" in run.folds.lines("s/j@a")


def test_what_stops_the_engine_is_told_as_it_was_set() -> None:
    given = scenario(stage("s", job("j", {"argv": "{{ vars.x }}"}), job("k")), agents="a b", variables={"x": 3})
    run = Explained(given, start_paused=True).begin()
    run.go(BreakRequest("s/k@a", condition="vars.x > 2"))
    run.go(BreakRequest("s/j@b", when="after"))
    run.go(SetArgumentsRequest(named("s/j@a"), {"argv": "mine"}))
    assert run.folds.lines("s/j@a")[1:] == [
        "it is next: a step takes it",
        "argv: mine  given by you, for its next attempt",
    ]
    run.go(GoRequest())
    assert "argv: mine  given by you, for this attempt" in run.folds.lines("s/j@a")
    assert run.folds.lines("s/k@a")[0] == "held before its attempt: breakpoint 2: before, vars.x > 2 (vars.x = 3)"
    assert run.folds.lines("s/j@b")[:2] == [
        "held after its attempt, before what follows it: breakpoint 3: after",
        "ended well at 0:00 after 0.0s",
    ]
    assert run.folds.lines("s/k@b")[0] == "waits for j on b, which is held"


def test_what_runs_again_after_going_back_says_so() -> None:
    run = Explained(scenario(stage("s", job("j", {"argv": "x"})))).begin()
    key = named("s/j@a")
    events: list[Event] = [CourseMovedBack(stage="s"), JobStarted(instance=key, attempt=2, why="rerun")]
    for number, event in enumerate(events):
        event.seq = 1000 + number
        event.at_s = 9.0
        run.folds.apply(event)
    assert "ran at 0:09: you went back to the beginning of stage s at 0:09" in run.folds.lines("s/j@a")


def test_an_agent_that_is_held_alone_not_heard_of_or_lost_is_named() -> None:
    run = Explained(
        scenario(stage("s", job("j", {"argv": "x"}), job("k", {"argv": "x"})), agents="a b"), lambda _: None
    )
    run.begin()
    run.go(AgentSilentReport("a", "no answer for 9 s"))
    assert "agent a is not heard of: no answer for 9 s" in run.folds.lines("s/k@a")
    run.go(AgentLossReport("a", "no answer for 30 s"))
    assert "agent a is lost: no answer for 30 s" in run.folds.lines("s/j@a")
    held = AgentHeld(seq=999, agent="b", reason="operator")
    run.folds.apply(held)
    run.folds.apply(JobHeld(seq=1000, instance=named("s/k@b")))
    assert run.folds.lines("s/k@b")[0] == "held before its attempt: you hold this agent"


def test_what_waits_for_room_or_for_its_stage_says_so() -> None:
    busy = Explained(
        scenario(stage("s", job("j", {"argv": "x"}), max_concurrency=1), stage("t", job("k")), agents="a b"),
        lambda _: None,
    ).begin()
    assert busy.folds.lines("s/j@b")[:2] == ["waits for its turn: max_concurrency is 1, and 1 run", "s/j@a  runs"]
    assert explain_lines(busy.folds.board.jobs["t", "k"], busy.folds.known) == ["nothing of it has begun yet"]
    items = ItemsSpec((("1", "2"),))
    run = Explained(scenario(stage("s", job("j", items=items)), agents="a"), lambda _: None).begin()
    assert run.folds.lines("s/j@a[1]")[:3] == [
        "runs since 0:00",
        "ran at 0:00: for the first time, as its turn came",
        "item: 1",
    ]


def test_a_variable_has_a_history_and_a_job_its_rows() -> None:
    run = run_of(MEASURES, job("bad", {"argv": "x"})).begin()
    run.go(SetVariableRequest("level", "7"))
    known = run.folds.known
    assert explain_lines(known.variables.by_name["level"], known) == [
        'level is: "7"  set by you at 0:00',
        'before that: "5"  set by s/measure@a at 0:00',
        'before that: "0"  from the scenario',
    ]
    assert explain_lines(known.board.stages[0], known)[0].startswith("s/bad@a  failed at 0:00: no route")


def test_values_that_are_not_kept_any_more_are_not_made_up() -> None:
    run = run_of(job("uses", {"argv": "{{ vars.level }}"})).begin()
    for number in range(60):
        run.go(SetVariableRequest("level", number))
    assert "level  changed so often since that this value is not kept" in run.folds.lines("s/uses@a")


def test_a_computed_name_is_explained_by_what_was_read() -> None:
    given = scenario(stage("s", job("j", {"argv": "{{ var('x_' ~ agent.name) }}"})), variables={"x_a": 4, "x_b": 5})
    lines = Explained(given).begin().folds.lines("s/j@a")
    assert "x_a: 4  from the scenario" in lines
    assert "x_b: 5  from the scenario" not in lines


# Whatever happens


def make(variant: int) -> Scenario:
    """A scenario, or an edit of it."""
    items = ItemsSpec((("1", "2", "{{ vars.x }}"),))
    sets_y = (VarUpdate(Text("y"), Text("{{ vars.x }}{{ agent.name }}")),)
    return scenario(
        stage(
            "one",
            job("j", {"argv": "{{ vars.x }}", "other": "{{ vars.y }}"}, vars_updates=sets_y, retries=1),
            job("k", {"argv": "{{ vars.y }}"}, items=items, register="r_{{ agent.name }}", vars_updates=sets_y),
            job("w", {"argv": "{{ var('x') }}"}, when="vars.x != 3"),
        ),
        stage(
            "two",
            job("m", {"argv": "{{ vars.x }}" if variant else "{{ vars.y }}"}, vars_updates=sets_y),
            job("a", {"that": ["vars.x != 4"]}, procedure="assert", where="assertion"),
            max_concurrency=1,
        ),
        agents="a b",
        variables={"x": variant, "y": "u"},
    )


class AnyRun(RuleBasedStateMachine):
    """Agents answer, operators act, files are edited: every prefix of the events can be explained, and truly."""

    @initialize(is_paused=st.booleans())
    def begin(self, is_paused: bool) -> None:
        self.run = Explained(make(0), lambda _: None, start_paused=is_paused).begin()

    @precondition(lambda self: self.run.pending)
    @rule(data=st.data(), state=st.sampled_from(["ok", "ok", "failed"]))
    def agent_answers(self, data: st.DataObject, state: str) -> None:
        attempt = data.draw(st.sampled_from(sorted(self.run.pending)))
        del self.run.pending[attempt]
        self.run.go(report(attempt, state, {"n": len(self.run.events)}, FAILURE if state == "failed" else None))

    @precondition(lambda self: self.run.timers)
    @rule()
    def timer_fires(self) -> None:
        self.run.fire(sorted(self.run.timers, key=repr)[0])

    @rule(
        ask=st.sampled_from(
            [
                PauseRequest(),
                GoRequest(),
                StepRequest(),
                RerunAllRequest("failed", go=True),
                RerunAllRequest("stale"),
                RerunRequest("one", "j"),
                RerunRequest("one"),
                RerunRequest("one", "j", "a", inputs="then"),
                RerunRequest("one", "k", from_here=True),
                BackRequest("one"),
                StepRequest("over", "one/k"),
                BreakRequest("one/k", condition="vars.x == 3"),
                BreakRequest("two", when="after"),
                SetArgumentsRequest(named("one/k@a[1]"), {"argv": "mine"}),
                SkipRequest(named("one/j@a")),
                AgentSilentReport("b", "hm"),
            ]
        )
    )
    def operator_asks(self, ask: object) -> None:
        self.run.go(ask)  # type: ignore[arg-type]

    @rule(name=st.sampled_from(["x", "y", "z"]), value=st.integers(0, 5), remove=st.booleans())
    def variable_is_set(self, name: str, value: int, remove: bool) -> None:
        self.run.go(SetVariableRequest(name, value, remove=remove and name == "z"))

    @precondition(lambda self: len(self.run.events) > 40)
    @rule(agent=st.sampled_from(["a", "b"]))
    def agent_is_lost(self, agent: str) -> None:
        for attempt in [name for name, sent in self.run.pending.items() if sent.agent == agent]:
            del self.run.pending[attempt]
        self.run.go(AgentLossReport(agent, "gone"))

    @rule(variant=st.integers(0, 1))
    def file_is_edited(self, variant: int) -> None:
        self.run.go(EditReport(make(variant)))

    @invariant()
    def everything_is_explained_and_true(self) -> None:
        folds = self.run.folds
        known = folds.known
        for job_row in list(folds.board.jobs.values()):
            folds.board.reveal(job_row)
        for row in list(folds.board.instances.values()):
            for node in everything(explain(row, known), 300):
                assert node.line or node.can_unfold
                self._is_true(node)
        subjects: list[Subject] = [*folds.board.stages, *folds.board.agents.values(), *known.variables.by_name.values()]
        for subject in subjects:
            assert explain_lines(subject, known, depth=4)

    def _is_true(self, node: Node) -> None:
        """Hold what is said of a variable against what the engine put into the argument."""
        for name in ("x", "y"):
            is_plain = (
                node.kind == "argument"
                and node.has_value
                and node.words
                in (
                    f"{{{{ vars.{name} }}}}",
                    f"{{{{ var('{name}') }}}}",
                )
            )
            if is_plain:
                named_ = [child for child in node.children if child.kind == "variable" and child.label == name]
                assert [str(child.value) for child in named_] == [str(node.value)]


TestAnyRun = AnyRun.TestCase
TestAnyRun.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)
