"""What can run again from a row, what a way back means, and what an edit comes to: counted before it is done."""

from typing import Any

from octogram_tui.engine import events as ev
from octogram_tui.engine import stimuli as st
from octogram_tui.model.entries import JobEntry
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.values import Value
from octogram_tui.projection.again import choices, from_here
from octogram_tui.projection.board import Board
from octogram_tui.projection.consequences import read_consequences
from octogram_tui.projection.turning_back import ABSENT, differences, turned_back
from octogram_tui.projection.variables import Variables

AGENTS = ["n_1", "n_2", "n_3"]


def events() -> list[ev.Event]:
    """Two stages: all of the first ended well but one, which failed; of the second one job with items runs on n_1."""
    jobs: list[JobEntry] = [{"job": "copy"}, {"job": "boot"}]
    more: list[JobEntry] = [{"job": "read", "items": True}]
    found: list[ev.Event] = [
        ev.RunStarted(
            run="r",
            scenario="s",
            plan=[{"stage": "up", "jobs": jobs}, {"stage": "look", "jobs": more}],
            agents=[{"agent": name} for name in AGENTS],
            variables={"a": 1, "b": 2},
        ),
        ev.StageStarted(stage="up", agents=AGENTS),
    ]
    for job in ("copy", "boot"):
        for name in AGENTS:
            about: dict[str, Any] = {"instance": InstanceId("up", job, name)}
            state = "failed" if (job, name) == ("boot", "n_3") else "ok"
            found += [ev.JobStarted(**about), ev.JobFinished(**about, state=state)]
    found += [
        ev.VariableChanged(name="a", value=5, by="operator"),
        ev.StageStarted(stage="look", agents=AGENTS),
        ev.VariableChanged(name="c", value=[], by="look/read@n_1[1]"),
        ev.VariableChanged(name="b", removed=True, by="operator"),
    ]
    found += [ev.JobStarted(instance=InstanceId("look", "read", "n_1", str(item)), item=item) for item in (1, 2)]
    found.append(ev.JobFinished(instance=InstanceId("look", "read", "n_1", "1"), item=1, state="ok"))
    for number, event in enumerate(found, 1):
        event.seq, event.at_s = number, float(number)
    return found


def folded() -> tuple[Board, Variables]:
    board, variables = Board(), Variables()
    for event in events():
        board.apply(event)
        variables.apply(event)
    return board, variables


def test_each_choice_says_how_much_it_runs_and_where() -> None:
    board, _ = folded()
    row = board.instances[InstanceId("up", "boot", "n_3")]
    found = {each.name: (each.instances, each.agents, each.under_way) for each in choices(board, row)}
    assert found == {
        "row": (1, 1, 0),
        "job": (3, 3, 0),
        "agent": (2, 1, 0),
        "stage": (6, 3, 0),
        "failed": (1, 1, 0),
        "from here": (1, 1, 0),
    }
    item = board.instances[InstanceId("look", "read", "n_1", "2")]
    found = {each.name: (each.instances, each.agents, each.under_way) for each in choices(board, item)}
    assert found["item"] == (0, 0, 1), "it runs right now"
    assert found["items"] == (1, 1, 1)
    keys = [each.key for each in choices(board, item)]
    assert len(keys) == len(set(keys))


def test_what_is_asked_is_what_is_said() -> None:
    board, _ = folded()
    row = board.instances[InstanceId("up", "boot", "n_3")]
    asked = {each.name: each.request for each in choices(board, row, "then")}
    assert asked["row"] == st.RerunRequest("up", "boot", "n_3", row.key, inputs="then")
    assert asked["job"] == st.RerunRequest("up", "boot", inputs="then")
    assert asked["agent"] == st.RerunRequest("up", "", "n_3", inputs="then")
    assert asked["failed"] == st.RerunAllRequest("failed", inputs="then")
    assert asked["from here"] == st.RerunRequest("up", "boot", "n_3", row.key, inputs="then", from_here=True)


def test_from_here_on_is_what_came_after_it_on_the_same_agents() -> None:
    board, _ = folded()
    one = from_here(board, board.instances[InstanceId("up", "copy", "n_1")])
    assert (one.instances, one.agents, one.under_way) == (3, 1, 1), "copy, boot, an item; and one that runs"
    stage = from_here(board, board.stages[0])
    assert (stage.instances, stage.agents) == (7, 3)
    assert stage.request == st.RerunRequest("up", from_here=True)


def test_without_a_row_the_whole_run_is_there_and_nothing_that_is_gone() -> None:
    board, _ = folded()
    assert [each.name for each in choices(board, None)] == ["failed"]
    board.apply(ev.ScenarioReloaded(seq=99, at_s=99.0, plan=[{"stage": "look", "jobs": [{"job": "read"}]}]))
    gone = board.stage("up")
    assert gone is not None
    assert gone.is_gone
    assert [each.name for each in choices(board, gone)] == ["failed"]


def test_a_way_back_names_the_variables_and_counts_what_runs_again() -> None:
    board, variables = folded()
    look = turned_back(board, variables, board.stages[1])
    assert look.restored == [("b", ABSENT, 2), ("c", [], ABSENT)]
    assert [str(row.key) for row in look.stale] == ["look/read@n_1[1]"]
    up = turned_back(board, variables, board.stages[0])
    assert up.restored == [("a", 5, 1), ("b", ABSENT, 2), ("c", [], ABSENT)]
    assert len(up.stale) == 6, "what failed does not count: it is not stale"
    assert differences(variables, 1e9) == []


def test_an_answer_is_read_by_job_and_what_is_no_name_is_left_out() -> None:
    names: list[Value] = [f"up/boot@n_{number}" for number in range(1, 12)]
    answer: dict[str, Value] = {
        "stale": dict.fromkeys(map(str, names), "a is 5 now"),
        "fresh": ["up/copy@n_1"],
        "failed": ["look/read@n_1[1]", "nonsense"],
        "new": ["up/more@n_1"],
        "gone": [],
        "untold": {"look/x": "no variable `y`"},
        "changes": ["job up/more added"],
    }
    found = read_consequences(answer)
    assert found.wants_a_word
    assert len(found.stale) == 11
    assert found.failed == (InstanceId("look", "read", "n_1", "1"),)
    assert found.lines() == [
        "stale: up/boot @ n_1 n_2 n_3 n_4 n_5 n_6 +5",
        "new: up/more @ n_1",
        "failed, and would run differently: look/read @ n_1",
        "stale no more: up/copy @ n_1",
        "not known: look/x: no variable `y`",
    ]
    assert found.changes == ("job up/more added",)
    assert not read_consequences({}).wants_a_word
    assert not read_consequences({"failed": names}).wants_a_word, "that is what the edit is for"
