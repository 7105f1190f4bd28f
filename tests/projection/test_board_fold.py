"""The board: counts, states and order, folded from events."""

from typing import Any

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.model.entries import AgentEntry, StageEntry
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.board import KEPT_DETAILS, Board
from octogram_tui.projection.row_states import AgentState, Phase, State
from octogram_tui.projection.rows import AgentRow, Group, InstanceRow, Kind, Row
from tools.pretended_run import PretendedRun


def started(**changes: Any) -> ev.RunStarted:
    plan: list[StageEntry] = [
        {"stage": "one", "jobs": [{"job": "a", "procedure": "copy", "items": False}], "line": 3},
        {"stage": "two", "jobs": [{"job": "b", "procedure": "x", "items": True}], "line": 9},
    ]
    agents: list[AgentEntry] = [{"agent": name, "address": "", "transport": "local"} for name in ("n0", "n1", "n2")]
    return ev.RunStarted(run="r", scenario="s.yml", plan=plan, agents=agents, **changes)


def job(kind: type, agent: str, *, stage: str = "one", name: str = "a", item: Any = None, **fields: Any) -> Any:
    instance = InstanceId(stage, name, agent, None if item is None else str(item))
    if kind is ev.JobOutput:
        fields["agent"] = agent
    return kind(instance=instance, item=item, **fields)


def board_of(*events: ev.Event) -> Board:
    board = Board()
    for at, event in enumerate(events):
        event.seq, event.at_s = at + 1, float(at)
        board.apply(event)
    return board


def check_counts(board: Board) -> None:
    """Every count is what counting again gives."""
    for stage in board.stages:
        for group in [stage, *(child for child in stage.children if isinstance(child, Group))]:
            below = [i for i in board.instances.values() if i.state is not State.PENDING and group in (i.job, i.stage)]
            assert group.tally == [sum(i.state is state for i in below) for state in State], group.key
    assert sum(board.tally) == sum(i.state is not State.PENDING for i in board.instances.values())
    failed = {i.key for i in board.instances.values() if i.state in (State.FAILED, State.LOST)}
    assert set(board.failures) == failed
    for agent in board.agents.values():
        mine = [i for i in board.instances.values() if i.agent == agent.name]
        assert agent.running == sum(i.state in (State.RUNNING, State.RETRYING) for i in mine)


def test_plan_is_there_before_anything_ran() -> None:
    board = board_of(started())
    assert [stage.name for stage in board.stages] == ["one", "two"]
    assert board.stages[0].state is State.PENDING
    assert board.phase is Phase.STARTING
    assert board.agents["n1"].state is AgentState.WAITING


def test_states_rise_from_instances_to_stages() -> None:
    board = board_of(
        started(),
        ev.StageStarted(stage="one", agents=["n0", "n1", "n2"]),
        job(ev.JobStarted, "n2"),
        job(ev.JobStarted, "n0"),
        job(ev.JobFinished, "n2", state="ok", duration_s=1.0),
    )
    stage = board.stages[0]
    assert (stage.state, stage.done, stage.total) == (State.RUNNING, 1, 3)
    assert [row.label for row in stage.children[0].children] == ["n0", "n2"], "in the order of the agents"
    assert board.agents["n2"].cell_state(stage) is State.OK
    assert board.agents["n1"].cell_state(stage) is State.PENDING
    check_counts(board)


def test_pending_rows_appear_when_looked_at_and_counts_stay() -> None:
    board = board_of(started(), ev.StageStarted(stage="one", agents=["n0", "n1"]), job(ev.JobStarted, "n1"))
    job_row = board.jobs["one", "a"]
    assert len(job_row.children) == 1
    board.reveal(job_row)
    assert [row.state for row in job_row.children] == [State.PENDING, State.RUNNING]
    assert (job_row.done, job_row.total) == (0, 2)
    check_counts(board)


def test_items_are_grouped_by_agent_and_may_still_grow() -> None:
    board = board_of(
        started(),
        ev.StageStarted(stage="two", agents=["n0"]),
        job(ev.JobStarted, "n0", stage="two", name="b", item="x/y"),
        job(ev.JobFinished, "n0", stage="two", name="b", item="x/y"),
        job(ev.JobStarted, "n0", stage="two", name="b", item=7),
    )
    group = board.jobs["two", "b"].children[0]
    assert group.kind is Kind.AGENT
    assert [row.label for row in group.children] == ["x/y", "7"]
    assert board.jobs["two", "b"].is_open_ended
    board.apply(ev.StageFinished(stage="two", state="ok"))
    assert not board.jobs["two", "b"].is_open_ended


def test_retry_rerun_and_failures_in_order() -> None:
    error = {"kind": "exit", "message": "exit 1", "hint": "look"}
    board = board_of(
        started(),
        ev.StageStarted(stage="one", agents=["n0", "n1"]),
        job(ev.JobStarted, "n1"),
        job(ev.JobFinished, "n1", state="failed", failure=Failure.from_json(error), will_retry=True),
    )
    instance = board.instances[InstanceId.parse("one/a@n1")]
    assert instance.state is State.RETRYING
    for event in (
        job(ev.JobStarted, "n1", attempt=2, why="retry"),
        job(ev.JobFinished, "n1", attempt=2, state="failed", failure=Failure.from_json(error)),
        job(ev.JobStarted, "n0"),
        job(ev.JobFinished, "n0", state="failed", failure=Failure.from_json(error)),
    ):
        board.apply(event)
    assert (instance.state, instance.attempt, instance.message) == (State.FAILED, 2, "exit 1")
    assert [str(id_) for id_ in board.failures] == ["one/a@n1", "one/a@n0"]
    assert board.first_failure is instance
    board.apply(job(ev.JobStarted, "n1", attempt=3, why="rerun"))
    board.apply(job(ev.JobFinished, "n1", attempt=3))
    assert [str(id_) for id_ in board.failures] == ["one/a@n0"]
    assert [attempt.state for attempt in instance.earlier] == [State.FAILED, State.FAILED]
    assert board.retry_count == 1
    check_counts(board)


def test_failure_before_dispatch_keeps_its_error() -> None:
    board = board_of(
        started(),
        ev.StageStarted(stage="one", agents=["n0"]),
        job(
            ev.JobFinished,
            "n0",
            state="failed",
            failure=Failure.from_json({"kind": "template", "message": "no variable x"}),
        ),
    )
    assert board.instances[InstanceId.parse("one/a@n0")].message == "no variable x"


def test_tolerated_failure_is_no_failure() -> None:
    board = board_of(
        started(),
        ev.StageStarted(stage="one", agents=["n0"]),
        job(ev.JobStarted, "n0"),
        job(ev.JobFinished, "n0", state="failed", failure=Failure.from_json({"message": "no"}), is_tolerated=True),
        ev.StageFinished(stage="one", state="ok"),
    )
    assert board.instances[InstanceId.parse("one/a@n0")].state is State.TOLERATED
    assert not board.failures
    assert board.stages[0].state is State.OK


def test_pause_step_go_and_the_end() -> None:
    board = board_of(started(), ev.RunPaused(reason="start"))
    assert (board.is_paused, board.phase, board.reason) == (True, Phase.STARTING, "start")
    board.apply(ev.RunResumed(mode="step"))
    assert (board.is_paused, board.reason) == (True, "step")
    board.apply(ev.RunResumed())
    assert not board.is_paused
    board.apply(ev.ConfirmationAsked(stage="two"))
    assert list(board.confirmations) == ["two"]
    board.apply(ev.StageFinished(stage="two", state="skipped", reason="not confirmed"))
    assert not board.confirmations
    assert board.stages[1].message == "not confirmed"
    board.apply(ev.StagesDone(exit_code=1))
    assert (board.phase, board.done_exit_code) == (Phase.DONE, 1)
    board.apply(ev.StopRequested(by="operator"))
    board.apply(ev.RunFinished(exit_code=1))
    assert (board.phase, board.exit_code) == (Phase.FINISHED, 1)


def test_reload_keeps_what_ran_and_marks_what_is_gone() -> None:
    board = board_of(started(), ev.StageStarted(stage="one", agents=["n0"]), job(ev.JobStarted, "n0"))
    plan: list[StageEntry] = [{"stage": "new", "jobs": []}, {"stage": "one", "jobs": [{"job": "c"}], "line": 4}]
    board.apply(ev.ScenarioReloaded(seq=9, changes=["stage two removed"], plan=plan))
    assert [stage.name for stage in board.stages] == ["new", "one"]
    assert [(row.label, row.message) for row in board.stages[1].children] == [
        ("c", ""),
        ("a", "no longer in the scenario"),
    ]
    assert board.row(("two",)) is None
    board.apply(ev.JobStale(stage="one", job="a", reason="its text changed"))
    assert board.instances[InstanceId.parse("one/a@n0")].state is State.RUNNING
    board.apply(job(ev.JobFinished, "n0"))
    board.apply(ev.JobStale(stage="one", job="a", reason="a variable was edited"))
    assert board.instances[InstanceId.parse("one/a@n0")].state is State.STALE
    assert board.instances[InstanceId.parse("one/a@n0")].message == "a variable was edited"
    assert set(board.agents) == {"n0", "n1", "n2"}
    board.apply(ev.ScenarioRejected(seq=10, problems=[{"message": "bad"}]))
    assert board.reload_seq == 10
    check_counts(board)


def plan_of(**stages: list[str]) -> list[StageEntry]:
    return [{"stage": stage, "jobs": [{"job": name} for name in jobs]} for stage, jobs in stages.items()]


def reloaded(**stages: list[str]) -> ev.ScenarioReloaded:
    return ev.ScenarioReloaded(changes=["edited"], plan=plan_of(**stages), cause="EditReport")


def test_what_an_edit_takes_away_and_brings_back_before_it_ran_begins_anew() -> None:
    board = board_of(started(), ev.StageStarted(stage="one", agents=["n0"]))
    board.reveal(board.jobs["one", "a"])
    board.apply(reloaded(one=["c"]))
    assert not board.instances
    board.apply(reloaded(one=["c", "a"], two=["b"]))
    board.apply(job(ev.JobStarted, "n0"))
    assert board.jobs["one", "a"].tally[State.RUNNING] == 1
    assert board.instances[InstanceId("one", "a", "n0")] in board.jobs["one", "a"].children
    board.apply(reloaded(one=["a"]))
    assert ("two", "b") not in board.jobs
    check_counts(board)


def test_a_stage_that_runs_counts_the_jobs_of_its_new_text() -> None:
    board = board_of(
        started(),
        ev.StageStarted(stage="one", agents=["n0", "n1"]),
        *(job(ev.JobStarted, name) for name in ("n0", "n1")),
    )
    board.apply(reloaded(one=["a", "more"], two=["b"]))
    stage = board.stages[0]
    assert (stage.total, board.jobs["one", "more"].total) == (4, 2)
    for name in ("n0", "n1"):
        board.apply(job(ev.JobFinished, name))
    board.apply(job(ev.JobStarted, "n1", name="more"))
    board.apply(job(ev.JobFinished, "n1", name="more"))
    board.apply(ev.StageFinished(stage="one", state="ok"))  # n0 was through with its jobs when the edit came
    assert (stage.done, stage.total, board.jobs["one", "more"].total) == (3, 3, 1)


def test_what_a_reload_made_stale_is_counted() -> None:
    board = board_of(started(), ev.StageStarted(stage="one", agents=["n0"]), job(ev.JobStarted, "n0"))
    board.apply(job(ev.JobFinished, "n0"))
    board.apply(reloaded(one=["a"], two=["b"]))
    assert board.reload_stale == 0
    board.apply(ev.JobStale(stage="one", job="a", reason="its text was edited", cause="EditReport"))
    assert board.reload_stale == 1
    board.apply(reloaded(one=["a"], two=["b"]))
    assert board.reload_stale == 0


def test_only_the_rows_that_are_named_are_stale_and_get_back_what_they_were() -> None:
    board = board_of(
        started(variables={"x": 0}),
        ev.StageStarted(stage="one", agents=["n0", "n1", "n2"]),
        *(job(ev.JobStarted, agent) for agent in ("n0", "n1")),
        job(ev.JobFinished, "n0", state="failed", is_tolerated=True),
        job(ev.JobFinished, "n1"),
        job(ev.JobFinished, "n2", state="skipped", reason="when: vars.x"),
    )
    rows = [board.instances[InstanceId("one", "a", agent)] for agent in ("n0", "n1", "n2")]
    names = [str(row.key) for row in rows]
    board.apply(ev.VariableChanged(name="x", value="a value that is much too long", by="operator", stale=2, failed=0))
    board.apply(ev.JobStale(stage="one", job="a", reason="variable x was changed", instances=[names[0], names[2]]))
    assert [row.state for row in rows] == [State.STALE, State.OK, State.STALE]
    board.apply(ev.JobStale(stage="one", job="a", reason="its text was edited", instances=[names[2]]))
    assert [row.message for row in rows] == ["variable x was changed", "", "its text was edited"]
    check_counts(board)
    board.apply(ev.JobFresh(stage="one", job="a", instances=names))
    assert [row.state for row in rows] == [State.TOLERATED, State.OK, State.SKIPPED]
    assert rows[2].message == "when: vars.x"
    check_counts(board)
    assert [notice.text for notice in board.notices] == ['x 0 -> "a value that is much...: 2 instances stale']


def test_what_a_set_variable_came_to_is_said_also_when_it_is_nothing() -> None:
    board = board_of(started(variables={"x": [1]}))
    board.apply(ev.VariableChanged(name="x", removed=True, by="operator", stale=0, fresh=0, failed=0))
    board.apply(ev.VariableChanged(name="x", value=1, by="operator", stale=1, fresh=2, failed=3))
    board.apply(ev.VariableChanged(name="x", value=2, by="one/a@n0"))  # a job's: nobody asked
    assert [notice.text for notice in board.notices] == [
        "x [1] -> removed: nothing is stale by it",
        "x 1: 1 instance stale, 2 not stale any more, 3 that failed would run differently",
    ]


def test_unknown_events_and_unannounced_rows_are_taken() -> None:
    class Later(ev.Event):
        TYPE = "later"

    board = board_of(Later(), job(ev.JobStarted, "ghost", stage="nowhere", name="z"))
    assert board.stages[0].children[0].label == "z"
    assert "ghost" in board.agents


def test_agents_services_and_notices() -> None:
    board = board_of(
        started(),
        ev.AgentStarting(agent="n0"),
        ev.AgentFailed(agent="n0", code="net.failed", message="refused", hint="is it up?"),
        ev.AgentReady(agent="n1", home="/h"),
        ev.AgentStopped(agent="n1", is_clean=False, message="2 left"),
        ev.ServiceAnnounced(agent="n2", kind="process", name="web", state="down", reason="exit 3"),
        ev.WarningGiven(message="matches no agent"),
    )
    assert (board.agents["n0"].state, board.agents["n0"].hint) == (AgentState.FAILED, "is it up?")
    assert board.agents["n1"].state is AgentState.UNCLEAN
    assert [notice.level for notice in board.notices] == ["error", "warning", "warning"]


def test_where_ssh_goes_and_what_others_are_told_are_two_things() -> None:
    run = started()
    run.agents = [{"agent": "n0", "address": "lab", "transport": "ssh"}]
    board = board_of(run, ev.AgentReady(agent="n0", address="10.0.0.7"))
    assert (board.agents["n0"].login, board.agents["n0"].address) == ("lab", "10.0.0.7")


def test_versions_grow_of_those_rows_only_that_changed() -> None:
    board = board_of(started(), ev.StageStarted(stage="one", agents=["n0", "n1"]), job(ev.JobStarted, "n0"))
    board.apply(job(ev.JobStarted, "n1"))

    def versions() -> dict[Row | AgentRow, int]:
        rows: list[Row | AgentRow] = [*board.instances.values(), *board.stages, *board.agents.values()]
        return {row: row.version for row in rows}

    before = versions()
    board.apply(job(ev.JobProgress, "n0", text="half"))
    changed = [row for row, version in versions().items() if version != before[row]]
    assert changed == [board.instances[InstanceId("one", "a", "n0")], board.agents["n0"]]


def test_old_details_are_let_go() -> None:
    board = board_of(started(), ev.StageStarted(stage="two", agents=["n0"]))
    for item in range(KEPT_DETAILS + 1):
        board.apply(job(ev.JobStarted, "n0", stage="two", name="b", item=item, arguments={"x": item}))
        board.apply(job(ev.JobFinished, "n0", stage="two", name="b", item=item, result=item))
    first, last = (
        board.instances[InstanceId.parse("two/b@n0[0]")].last,
        board.instances[InstanceId.parse(f"two/b@n0[{KEPT_DETAILS}]")].last,
    )
    assert first is not None
    assert last is not None
    assert first.arguments is None
    assert last.arguments == {"x": KEPT_DETAILS}


def test_a_whole_run_counts_up() -> None:
    run = PretendedRun(9, seed=3)
    run.begin()
    board = Board()

    def fold() -> None:
        for event in run.advance(float("inf")):
            board.apply(event)
        check_counts(board)

    fold()
    failure = board.first_failure
    assert isinstance(failure, InstanceRow)
    assert board.is_paused
    run.take(st.RerunRequest(failure.stage.name, instance=failure.key))
    run.take(st.GoRequest())
    fold()
    run.take(st.GoRequest())
    fold()
    assert list(board.confirmations) == ["measure"]
    run.take(st.ConfirmRequest("measure", True))
    fold()
    assert board.phase is Phase.DONE
    assert not board.failures
    assert {stage.state for stage in board.stages} == {State.OK}
    assert board.done == board.total == len(board.instances)
