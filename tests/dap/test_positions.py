"""Columns and lengths are told as the protocol's clients count them, in code units of UTF-16."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from adapter_client import InMemory, in_memory

from octogram_tui.dap.messages import Arguments
from octogram_tui.dap.positions import Positions
from octogram_tui.dap.telling import problem_of, problem_output
from octogram_tui.errors import ScenarioError
from octogram_tui.scenario.load import load_scenario
from tools.debugged_run import SCENARIO

SIGNS = "a \té中\uffff\U00010000😀𝛼\u0301"


def counted(text: str) -> int:
    """Count as JavaScript does."""
    return sum(2 if ord(sign) > 0xFFFF else 1 for sign in text)


@pytest.mark.parametrize("starts_at_1", [True, False])
def test_a_column_comes_back_as_it_went_out_and_is_what_the_client_counts(starts_at_1: bool) -> None:
    rng = random.Random(1)
    positions = Positions(Arguments({"columnsStartAt1": starts_at_1}))
    for _ in range(200):
        line = "".join(rng.choices(SIGNS, k=rng.randrange(12)))
        for index in range(len(line) + 1):
            column = positions.column_out(index + 1, line)
            assert column == counted(line[:index]) + starts_at_1
            assert positions.column_in(column, line) == index + 1
            if index < len(line) and line[index] > "\uffff":  # between its halves
                assert positions.column_in(column + 1, line) == index + 1
        assert positions.column_in(10**9, line) == len(line) + 1
    assert positions.column_in(0, "a") == 1


@pytest.mark.parametrize("first", [1, 0])
async def test_what_completes_a_word_is_put_in_its_place_whatever_is_before_it(first: int) -> None:
    async with in_memory(InMemory()) as client:
        await client.do("initialize", adapterID="x", columnsStartAt1=bool(first), linesStartAt1=bool(first))
        await client.do("launch", program=str(SCENARIO))
        await client.event("initialized")
        await client.do("setExpression", expression='vars["𝛼𝛽"]', value="1")
        for line, typed, after in (
            ("'😀😀' ~ ", "vars.le", " ~ '😀'"),
            ("", "vars.𝛼", ""),
            ("é中 ", "vars.le", "\uffff"),
            ("😀 = ", "vars.𝛼", "x"),
        ):
            text = f"first 😀\n{line}{typed}{after}"
            where = {"line": 1 + first, "column": counted(line + typed) + first}
            [target] = (await client.do("completions", text=text, **where))["targets"]
            units = f"{line}{typed}{after}".encode("utf-16-le")
            begins, length = 2 * (target["start"] - first), 2 * target["length"]
            put = units[:begins] + target["text"].encode("utf-16-le") + units[begins + length :]
            assert put.decode("utf-16-le") == f"{line}vars.{'level' if typed == 'vars.le' else '𝛼𝛽'}{after}"
        await client.do("terminate")


@pytest.mark.parametrize("first", [1, 0])
@pytest.mark.parametrize("content", ["stages: ['😀😀', !x y]\n".encode(), "stages: ['😀😀', ".encode() + b"\xff]\n"])
def test_a_problem_is_told_at_its_column(tmp_path: Path, first: int, content: bytes) -> None:
    scenario = tmp_path / "s.yml"
    scenario.write_bytes(content)
    with pytest.raises(ScenarioError) as refused:
        load_scenario(str(scenario))
    problem = max(refused.value.problems, key=lambda each: each.column)
    assert (problem.line, problem.column) == (1, len("stages: ['😀😀', ") + 1)
    positions = Positions(Arguments({"columnsStartAt1": bool(first), "linesStartAt1": bool(first)}))
    told = problem_output(problem_of({**problem._asdict(), "source": content.decode(errors="replace")}), positions)
    assert told["line"] == first
    assert told["column"] - first == counted(content.decode(errors="replace")[: problem.column - 1])


async def test_a_mark_of_bytes_and_ends_that_no_editor_knows_move_no_line(tmp_path: Path) -> None:
    scenario = tmp_path / "s.yml"
    scenario.write_bytes(b"\xef\xbb\xbf# \xe2\x80\xa8# 1\r\n" + SCENARIO.read_bytes().replace(b"\n", b"\r\n"))
    uri = f"FILE://localhost{str(scenario).replace('s.yml', '%73.yml')}"
    judge = next(number for number, line in enumerate(SCENARIO.read_text().splitlines(), 2) if "name: judge" in line)
    async with in_memory(InMemory(scenario)) as client:
        [set_] = await client.begin(program=str(scenario), lines={judge + 1: {}})
        assert (set_["verified"], set_["line"]) == (True, judge)
        assert "sourceReference" not in set_["source"]
        told = await client.do("setBreakpoints", source={"path": uri}, breakpoints=[{"line": judge + 2}])
        assert (told["breakpoints"][0]["verified"], told["breakpoints"][0]["line"]) == (True, judge)
        there = await client.refused("setBreakpoints", source={"path": "file://elsewhere/s.yml"}, breakpoints=[])
        assert "another machine" in there
        await client.do("terminate")
