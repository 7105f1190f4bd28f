"""Failures in clusters: each is in one, what is alike is together, and a rerun takes it out again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from struck_fleet import JOB, STAGE, exit_failure, struck_events

from octogram_tui.engine import events as ev
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.board import Board
from octogram_tui.projection.causes import Cause, Names, cause_of, telling_line
from octogram_tui.projection.clusters import Clusters, short_names
from octogram_tui.projection.rows import InstanceRow


def board_of(events: list[ev.Event]) -> Board:
    board = Board()
    for event in events:
        board.apply(event)
    return board


def shown(board: Board) -> list[tuple[str, list[str]]]:
    return [(str(each.first.cause), [row.agent for row in each.struck]) for each in board.clusters.all]


# The line that tells


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], ""),
        (["", "   ", "\x1b[0m"], ""),
        (["starting", "error: `stock` is 0, has to be 1 or more"], "`stock` is 0, has to be 1 or more"),
        (["\x1b[1;31merror:\x1b[0m no \x1b]0;title\x07luck", ""], "no luck"),
        (["Traceback (most recent call last):", '  File "a.py", line 3', "ValueError: no luck"], "ValueError: no luck"),
        (["thread 'main' panicked: no luck", "note: run with `RUST_BACKTRACE=1`"], "thread 'main' panicked: no luck"),
        (["Error: no luck", "    at main (a.js:3:1)", "    at node:internal", "", "Node.js v18.2.0"], "no luck"),
        (["ls: cannot access 'x'", "Try 'ls --help' for more information."], "ls: cannot access 'x'"),
        (["10%\r50%\rdownload failed", "^^^^^^", "---"], "download failed"),
        (["note: only this"], "note: only this"),
        ([3, None], "None"),
    ],
)
def test_the_telling_line_is_the_last_that_says_something(lines: list[Any], told: str) -> None:
    assert telling_line(lines) == told


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        (exit_failure("no luck"), Cause("no luck", "sh ended with exit status 3")),
        (exit_failure(""), Cause("sh ended with exit status 3")),
        (
            Failure("exit", "octez-client: Counter 7 already used", detail={"exit_code": 1, "last_lines": ["Fatal:"]}),
            Cause("octez-client: Counter 7 already used"),
        ),
        (Failure("timeout", "took over 30 s", detail={"last_lines": ["block 7"]}), Cause("took over 30 s")),
        (
            Failure("exit", "sh ended with exit status 137 (signal 9): block 7", detail={"last_lines": ["block 7"]}),
            Cause("sh ended with exit status 137 (signal 9)"),
        ),
        (
            Failure("exit", "sh ended with exit status 137 (signal 9)", detail={"last_lines": ["Killed: no memory"]}),
            Cause("Killed: no memory", "sh ended with exit status 137 (signal 9)"),
        ),
        (
            Failure("exit", "node ended with exit status 2 before it was ready: a", detail={"last_lines": ["taken"]}),
            Cause("taken", "node ended with exit status 2 before it was ready"),
        ),
        (
            Failure("exit", "sh ended with exit status 3", detail={"last_lines": 3}),
            Cause("sh ended with exit status 3"),
        ),
        (Failure("failed", "two\nlines\tof it"), Cause("two lines of it")),
    ],
)
def test_the_cause_comes_before_the_exit_status(failure: Failure, cause: Cause) -> None:
    assert cause_of(failure) == cause


def test_a_very_long_line_is_cut() -> None:
    cause = cause_of(exit_failure("x" * 100_000))
    assert len(cause.text) <= 500


# What is alike


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cannot reach me@10.0.0.7:22: refused", "cannot reach me@paris.example.org:2222: refused"),
        ("cannot reach me@[2001:db8::7]:22: refused", "cannot reach me@[2001:db8::8]:22: refused"),
        ("node_2: no space left", "alice: no space left"),
        ("/run/octogram/alice/data/node_2.log is missing", "/run/octogram/node_2/data/alice.log is missing"),
        ("no answer within 30.5 s", "no answer within 1 min"),
        ("2026-01-05T12:00:00.1Z late", "2026-01-06 13:00:00+01:00 late"),
        ("12:04:31.220 late", "9:04:31 late"),
        ("pid 4711 is gone", "pid 8 is gone"),
        ("shop 2: stock_2 is 0", "shop 17: stock_17 is 0"),
        ("fault at 0x7f2e", "fault at 0xab"),
        ("the file /tmp/tmp.aXbYcZ/x", "the file /tmp/tmp.QwErTy/x"),
        ("BLockGenesisGenesisf79b5d1CoW2 is unknown", "BMdV4NDQ1ExmUNx1TBfNHq5QNJrSkX is unknown"),
        ("the big node is away", "node_2 is away"),
    ],
)
def test_what_differs_from_agent_to_agent_makes_no_other_cause(one: str, other: str) -> None:
    names = Names()
    names.add("node_2", "alice", "paris.example.org", "me@10.0.0.7", "the big node")
    assert names.alike(one) == names.alike(other)


def test_an_item_that_is_a_number_cuts_no_words_that_hold_it() -> None:
    names = Names()
    names.add("n_1", "n_2")
    assert names.alike("the daemon of n_1 is gone", "1") == names.alike("the daemon of n_2 is gone", "1")
    assert names.alike("exit status 1", "1") == names.alike("exit status 1", "2")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GET http://a:1/x answered 404", "GET http://a:1/x answered 500"),
        ("variable `stock` is 0", "variable `price` is 0"),
        ("errno 2", "errno 13"),
        ("std::vector::at failed", "std::string::at failed"),
    ],
)
def test_what_says_another_thing_is_another_cause(one: str, other: str) -> None:
    assert Names().alike(one) != Names().alike(other)


def test_forty_agents_that_fail_in_one_way_are_one_cluster() -> None:
    board = board_of(struck_events(50, range(2, 42)))
    assert len(board.clusters.all) == 1
    cluster = board.clusters.all[0]
    assert (len(cluster), cluster.first.struck.agent) == (40, "node_2")
    assert cluster.first.cause.text == "variable `stock_2` is 0, has to be 1 or more"
    assert short_names([row.agent for row in cluster.struck]) == "node_2 node_3 +38"


def test_the_exit_status_parts_what_says_nothing() -> None:
    board = board_of(struck_events(6, range(1, 7), lambda number: exit_failure("", code=3 + number % 2)))
    assert [agents for _, agents in shown(board)] == [["node_1", "node_3", "node_5"], ["node_2", "node_4", "node_6"]]


def test_own_homes_and_items_are_alike() -> None:
    board = board_of(struck_events(3, (1, 2), lambda n: exit_failure(f"/run/octogram/node_{n}/x: no such file")))
    assert [agents for _, agents in shown(board)] == [["node_1", "node_2"]]
    for agent, item in (("node_1", "alpha"), ("node_1", "beta"), ("node_2", "alpha")):
        key = InstanceId("measure", "read", agent, item)
        board.apply(ev.JobStarted(instance=key, item=item))
        board.apply(ev.JobFinished(instance=key, item=item, state="failed", failure=exit_failure(f"{item} is unknown")))
    assert [agents for _, agents in shown(board)][1:] == [["node_1", "node_1", "node_2"]]


def test_what_is_tried_again_is_no_failure_until_it_stands() -> None:
    events = struck_events(3, (2,))
    key = InstanceId(STAGE, JOB, "node_1")
    board = board_of(events)
    board.apply(ev.JobStarted(instance=key, attempt=2, why="rerun"))
    board.apply(ev.JobFinished(instance=key, attempt=2, state="failed", failure=exit_failure("x"), will_retry=True))
    assert len(board.clusters) == 1
    board.apply(ev.JobStarted(instance=key, attempt=3, why="retry"))
    board.apply(ev.JobFinished(instance=key, attempt=3, state="failed", failure=exit_failure("x")))
    assert [agents for _, agents in shown(board)] == [["node_2"], ["node_1"]]


def test_agents_that_are_not_there_are_clusters_too() -> None:
    board = Board()
    names = [f"node_{number}" for number in range(12)]
    entries: list[Any] = [{"agent": name, "address": f"me@10.0.0.{n}"} for n, name in enumerate(names)]
    board.apply(ev.RunStarted(run="r", scenario="s", agents=entries))
    for number, name in enumerate(names[:8]):
        said = f"agent {name}: cannot reach me@10.0.0.{number}:22: connection refused"
        board.apply(ev.AgentFailed(agent=name, code="net.refused", message=said))
    for name in names[8:]:
        board.apply(ev.AgentLost(agent=name, message=f"the connection to {name} is lost: nothing was heard for 15 s"))
    told = [(len(each), each.first.cause.text) for each in board.agent_clusters.all]
    assert told == [(8, "connection refused"), (4, "the connection to node_8 is lost: nothing was heard for 15 s")]
    board.apply(ev.AgentReady(agent="node_8", home="/h"))
    assert [len(each) for each in board.agent_clusters.all] == [8, 3]


# The fold

STEP = some.tuples(
    some.integers(1, 8), some.sampled_from(["fail", "fail", "fail", "rerun", "skip", "ok"]), some.sampled_from("abc")
)
STEPS = some.lists(STEP, max_size=60)


@given(STEPS)
def test_folded_step_by_step_it_is_what_it_is_from_scratch(steps: list[tuple[int, str, str]]) -> None:
    board = board_of(struck_events(8, ()))
    for number, what, cause in steps:
        key = InstanceId(STAGE, JOB, f"node_{number}")
        attempt = board.instances[key].attempt
        if what == "rerun":
            board.apply(ev.JobStarted(instance=key, attempt=attempt + 1, why="rerun"))
        elif what == "fail":
            failure = exit_failure(f"{cause}: {number} is wrong")
            board.apply(ev.JobFinished(instance=key, attempt=attempt, state="failed", failure=failure))
        else:
            state = "skipped" if what == "skip" else "ok"
            board.apply(ev.JobFinished(instance=key, attempt=attempt, state=state))
        check(board)


def check(board: Board) -> None:
    """Every failure is in one cluster, and the clusters are what folding the failures anew gives."""
    members = [row.key for each in board.clusters.all for row in each.struck]
    assert sorted(members) == sorted(board.failures)
    assert len(board.clusters) == len(board.failures) == sum(len(each) for each in board.clusters.all)
    scratch: Clusters[InstanceRow] = Clusters()
    for key, row in board.failures.items():
        cluster = board.clusters.holding(key)
        assert cluster is not None
        assert row.cause is not None
        scratch.put(row.job.key, key, row, row.cause, cluster.key)
    assert [(each.key, each.struck) for each in scratch.all] == [(each.key, each.struck) for each in board.clusters.all]
    texts = {row.cause.text[:1] for row in board.failures.values() if row.cause is not None}
    assert len(board.clusters.all) == len(texts)


@given(some.lists(some.text(max_size=40), max_size=8))
def test_whatever_is_printed_has_a_cause(lines: list[str]) -> None:
    cause = cause_of(Failure("exit", "sh ended with exit status 1", detail={"last_lines": [*lines]}))
    assert cause.text
    assert "\n" not in cause.text
    assert isinstance(Names().alike(cause.text), str)
