"""What is kept of outputs: beginning and end, whatever comes, and how much is missing between."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from octogram_tui.engine import events as ev
from octogram_tui.export.bounds import ATTEMPT_BYTES, Bounds
from octogram_tui.export.outputs import Outputs
from octogram_tui.export.store import Store
from octogram_tui.model.ids import InstanceId

ROW = InstanceId("s", "j", "a")
BOUNDS = Bounds(lines=20)


def outputs(*batches: tuple[int, list[str]]) -> Outputs:
    """Take lines in; the number is of lines that were left out before them."""
    found = Outputs(Store(), BOUNDS)
    for dropped, lines in batches:
        found.apply(ev.JobOutput(instance=ROW, agent="a", lines=lines, dropped=dropped))
    return found


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 0, 0, 7]), st.lists(st.sampled_from(["x", "y" * 3000, ""]), max_size=30)),
        max_size=8,
    ),
    st.sampled_from(["ok", "failed", "", "ok again"]),
)
def test_every_line_is_there_or_counted(batches: list[tuple[int, list[str]]], state: str) -> None:
    found = outputs(*batches)
    if state:
        found.apply(ev.JobFinished(instance=ROW, state=state.split()[0]))
    if state == "ok again":
        found.apply(ev.JobOutput(instance=ROW, agent="a", lines=["late"]))
    out = found.of((ROW, 1))
    came = sum(dropped + len(lines) for dropped, lines in batches) + (state == "ok again")
    assert len(out.head) + out.left_out + len(out.tail) == came
    assert out.size_bytes < ATTEMPT_BYTES + 2 * 2200
    assert len(out.head) + len(out.tail) <= BOUNDS.lines
    every = [line for _, lines in batches for line in lines]
    if batches and every and not any(dropped for dropped, _ in batches) and state != "ok again":
        assert [line.text[:9] for line in out.head] == [line[:9] for line in every[: len(out.head)]]
        assert [line.text[:9] for line in out.tail] == [line[:9] for line in every[len(every) - len(out.tail) :]]


def test_the_last_line_is_always_there() -> None:
    found = outputs((0, [f"line {number}" for number in range(1000)]), (50, ["the end"]))
    found.apply(ev.JobFinished(instance=ROW, state="failed"))
    out = found.of((ROW, 1))
    assert (out.head[0].text, out.tail[-1].text, out.left_out) == ("line 0", "the end", 1040)


def test_a_process_that_goes_on_is_told_apart() -> None:
    found = Outputs(Store(), BOUNDS)
    found.apply(ev.JobOutput(agent="a", process="node", lines=["up"]))
    assert found.processes == [("a", "node")]
    assert [line.text for line in found.of(("a", "node")).head] == ["up"]
