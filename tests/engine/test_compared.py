"""An attempt beside the one that it is best held against: what differs, the first difference first."""

from __future__ import annotations

from explained import Explained
from hypothesis import given
from hypothesis import strategies as st
from simulation import job, report, scenario, stage

from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.stimuli import AttemptReport, RerunRequest, SetVariableRequest
from octogram_tui.model.scenario import ItemsSpec
from octogram_tui.projection.compare import Comparison, compare, compare_lines, partners
from octogram_tui.projection.side_by_side import align, marked

FAILURE = {"kind": "exit", "message": "exit 1: no route to 10.0.0.9"}


def bad_on_c(sent: SendJob) -> AttemptReport:
    is_bad = sent.attempt.agent == "c"
    return report(sent.attempt, "failed" if is_bad else "ok", {"out": "fine"}, FAILURE if is_bad else None)


def best(run: Explained, name: str, **how: object) -> Comparison:
    row, known = run.folds.row(name), run.folds.known
    found = partners(row, known)
    left = found[0]._replace(row=row, attempt=row.last or found[0].attempt, why="")
    return compare(left, found[0], known, **how)  # type: ignore[arg-type]


def test_a_failure_is_held_against_an_agent_where_it_went_well_with_most_in_common() -> None:
    routes = {"a": "other", "b": "same", "c": "same"}
    argv = {"argv": "{{ vars.route[agent.name] }} {{ agent.name }}", "mode": "{{ vars.mode }}", "fixed": 1}
    given_ = scenario(stage("s", job("j", argv)), agents="a b c", variables={"route": routes, "mode": "m"})
    run = Explained(given_, bad_on_c).begin()
    comparison = best(run, "s/j@c")
    assert comparison.right.name == "s/j@b#1"
    assert comparison.right.why == "the same on b, where it ended well"
    assert [entry.title for entry in comparison.different] == ["how they ended"]
    lines = compare_lines(comparison)
    assert lines[:3] == [
        "< s/j@c#1",
        "> s/j@b#1  (the same on b, where it ended well)",
        "they first differ in how they ended",
    ]
    assert "how they ended: < failed: exit 1: no route to 10.0.0.9  > ok" in lines
    assert "argument argv: < same c  > same b" in lines, "told, but no news: agents have other names"
    assert lines[-1].startswith(
        "the same: text argv, text mode, variable mode, variable route, argument mode, argument f"
    )


def test_an_attempt_is_held_against_the_earlier_one_that_ended_well_and_what_was_changed_is_first() -> None:
    def answer(sent: SendJob) -> AttemptReport:
        is_bad = sent.arguments["argv"] == "7"
        return report(sent.attempt, "failed" if is_bad else "ok", {}, FAILURE if is_bad else None)

    run = Explained(scenario(stage("s", job("j", {"argv": "{{ vars.x }}"})), variables={"x": 1}), answer).begin()
    run.go(SetVariableRequest("x", 7))
    run.go(RerunRequest("s", "j", "a"))
    comparison = best(run, "s/j@a")
    assert (comparison.left.name, comparison.right.name) == ("s/j@a#2", "s/j@a#1")
    assert [entry.title for entry in comparison.different][:2] == ["variable x", "argument argv"]
    assert "they first differ in variable x" in compare_lines(comparison)


def test_items_and_other_attempts_are_offered_too_and_none_where_there_is_none() -> None:
    items = ItemsSpec((("u", "v"),))
    run = Explained(scenario(stage("s", job("j", {"argv": "{{ item }}"}, items=items)), agents="a b")).begin()
    names = [side.name for side in partners(run.folds.row("s/j@a[u]"), run.folds.known)]
    assert names == ["s/j@b[u]#1", "s/j@a[v]#1", "s/j@b[v]#1"]
    alone = Explained(scenario(stage("s", job("j"))), lambda _: None).begin()
    assert partners(alone.folds.row("s/j@a"), alone.folds.known) == []


def test_what_was_written_is_compared_line_by_line_and_only_what_differs_is_shown() -> None:
    run = Explained(scenario(stage("s", job("j")), agents="a b")).begin()
    wrote = {"a": [f"{n}" for n in range(100)], "b": [f"{n}" if n != 50 else "fifty" for n in range(100)]}
    comparison = best(run, "s/j@a", read_output=lambda row, attempt: wrote[row.agent])
    assert [entry.title for entry in comparison.different] == ["output"]
    lines = compare_lines(comparison)
    at = lines.index("output:")
    assert lines[at + 1 : at + 9] == [
        "    (48 lines more)", "    48", "    49", "  < 50", "  > fifty", "    51", "    52", "    (47 lines more)"
    ]  # fmt: skip


def test_within_a_line_only_what_differs_is_marked() -> None:
    assert marked("height is 12, fine", "height is 7, fine") == (
        (("height is ", False), ("12", True), (", fine", False)),
        (("height is ", False), ("7", True), (", fine", False)),
    )
    far = "x" * 5000
    left, _ = marked(f"{far}1", f"{far}2")
    assert left[-1] == ("1", True)
    assert sum(len(text) for text, _ in left) < 100


@given(
    st.lists(st.sampled_from(["a", "b", "ab", "abc", ""]), max_size=40),
    st.lists(st.sampled_from(["a", "b", "ab", "abc", ""]), max_size=40),
)
def test_nothing_of_two_texts_is_lost_between_them(left: list[str], right: list[str]) -> None:
    pairs = align(left, right, most=1000)
    for side, lines in ((0, left), (1, right)):
        spans = [pair.right if side else pair.left for pair in pairs]
        assert sum(pair.skipped for pair in pairs) + sum(each is not None for each in spans) == len(lines)
        shown = ["".join(text for text, _ in each) for each in spans if each is not None]
        rest = iter(lines)
        assert all(line in rest for line in shown), "in their order"
    assert (left == right) == all(pair.is_same for pair in pairs)


def test_however_much_differs_what_is_shown_is_bounded() -> None:
    assert len(align([str(n) for n in range(20_000)], [str(-n) for n in range(20_000)])) == 61
