"""The filter line: what it takes, and what it says of what it cannot read."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from octogram_tui.engine import events as ev
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.board import Board
from octogram_tui.projection.filter import FilterError, parse


@pytest.fixture
def board() -> Board:
    board = Board()
    names = ("node_1", "node_10", "baker_1")
    board.apply(ev.RunStarted(run="r", scenario="s", agents=[{"agent": name} for name in names]))
    board.apply(ev.StageStarted(stage="start", agents=list(names)))
    for name in names:
        board.apply(ev.JobStarted(instance=InstanceId("start", "copy params", name)))
    failure = Failure("net", "connection refused")
    board.apply(ev.JobFinished(instance=InstanceId("start", "copy params", "node_1"), state="failed", failure=failure))
    board.apply(ev.JobFinished(instance=InstanceId("start", "copy params", "node_10"), state="ok"))
    board.apply(ev.JobStarted(instance=InstanceId("measure", "read", "node_1", "a/b"), item="a/b"))
    return board


def taken(board: Board, text: str) -> list[str]:
    chosen = parse(text)
    return [f"{row.job.name[:4]}@{row.agent}" for row in board.instances.values() if chosen.takes(row)]


def test_labels_are_those_of_the_agent_of_a_row(board: Board) -> None:
    labels = {"node_1": ("group=all", "group=web"), "baker_1": ("group=db",)}

    def rows(text: str) -> list[str]:
        chosen = parse(text, lambda agent: labels.get(agent, ()))
        agents = [name for name, agent in board.agents.items() if chosen.takes_agent(agent, lambda: ())]
        assert set(agents) == {row.agent for row in board.instances.values() if chosen.takes(row)}
        return sorted(agents)

    assert rows("label:group=web") == ["node_1"]
    assert rows("label:web,db") == ["baker_1", "node_1"]
    assert rows("!label:group=db") == ["node_1", "node_10"]
    assert rows("label:group=all label:web") == ["node_1"]
    assert rows("label:site") == []


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", ["copy@node_1", "copy@node_10", "copy@baker_1", "read@node_1"]),
        ("agent:node_1", ["copy@node_1", "read@node_1"]),
        ("agent:node_1*", ["copy@node_1", "copy@node_10", "read@node_1"]),
        ("agent:node_10,BAKER", ["copy@node_10", "copy@baker_1"]),
        ("node", ["copy@node_1", "copy@node_10", "read@node_1"]),
        ("copy node_1", ["copy@node_1"]),
        ('job:"copy params" !agent:node_1', ["copy@node_10", "copy@baker_1"]),
        ("state:failed", ["copy@node_1"]),
        ("!state:failed,ok", ["copy@baker_1", "read@node_1"]),
        ("state:ended !refused", ["copy@node_1", "copy@node_10"]),
        ("cause:refused", ["copy@node_1"]),
        ("!cause:refused node_1", ["read@node_1"]),
        ("item:a/b", ["read@node_1"]),
        ('"a/b" stage:measure', ["read@node_1"]),
        ("  nothing-like-it ", []),
    ],
)
def test_all_that_is_written_has_to_hold(board: Board, text: str, rows: list[str]) -> None:
    assert taken(board, text) == rows


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("agnt:x", "did you mean `agent:`?"),
        ("state:faild", "did you mean `failed`?"),
        ("state:", "`state:` says nothing"),
        ("!", "`!` says nothing"),
        ("agent:,", "`agent:` says nothing"),
        ('job:"copy', "a quotation mark is not closed"),
        ('x "', "a quotation mark is not closed"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(text: str, says: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_no_instance_is_there_of_passes_by_its_names(board: Board) -> None:
    stage = board.stages[0]
    assert parse("start").takes_group(stage)
    assert parse("!agent:node_1").takes_group(stage)
    assert not parse("agent:node_1").takes_group(stage)
    assert not parse("measure").takes_group(stage)
    assert parse("state:pending").takes_group(board.stages[1]) is False


def test_an_agent_passes_by_itself_or_by_what_runs_on_it(board: Board) -> None:
    def names(text: str) -> list[str]:
        chosen = parse(text)
        rows = board.instances.values()
        return [
            name
            for name, agent in board.agents.items()
            if chosen.takes_agent(agent, lambda name=name: (row for row in rows if row.agent == name))  # type: ignore[misc]
        ]

    assert names("baker") == ["baker_1"]
    assert names("state:failed") == ["node_1"]
    assert names("job:read") == ["node_1"]
    board.apply(ev.AgentLost(agent="baker_1", message="no answer"))
    assert names("state:lost") == ["baker_1"]
    assert names("cause:answer") == ["baker_1"]


@given(some.text(max_size=30))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    said = ""
    try:
        said = parse(text).text
    except FilterError as error:
        said = str(error)
    assert bool(said) == bool(text.strip())
