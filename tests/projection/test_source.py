"""The scenario's text in the run's eyes: versions, lines of rows, values of templates."""

from typing import Any, NamedTuple

import pytest

from octogram_tui.engine import events as ev
from octogram_tui.errors import TemplateError
from octogram_tui.model.entries import StageEntry
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.board import Board
from octogram_tui.projection.moment import Moment
from octogram_tui.projection.source import Source
from octogram_tui.projection.variables import Variables
from octogram_tui.template import bound
from octogram_tui.template.environment import evaluate
from octogram_tui.template.scope import make_scope
from octogram_tui.tui.here import value_here
from octogram_tui.tui.model import Model

TEXT = """\
vars: {proto: alpha}
stages:
  - name: one
    jobs:
      - name: a
        builtins.shell:
          script: |
            echo: "{{ vars.proto }}"
          env:
            SHOP: '{{ re[1] }}'
      - name: b
        builtins.assert:
          that: '{{ vars.proto }}'
  - name: two
"""
PLAN: list[StageEntry] = [
    {
        "stage": "one",
        "line": 3,
        "jobs": [
            {"job": "a", "procedure": "builtins.shell", "line": 5},
            {"job": "b", "procedure": "builtins.assert", "line": 11},
        ],
    },
    {"stage": "two", "line": 14, "jobs": []},
]
KEY = InstanceId("one", "a", "n0")


class Folds(NamedTuple):
    """What a moment is told from."""

    board: Board
    source: Source
    variables: Variables


class Kept:
    """Texts by digest, and what was asked for."""

    def __init__(self, **texts: str) -> None:
        self.texts = texts
        self.asked: list[tuple[str, bool]] = []

    def __call__(self, digest: str, is_first: bool) -> str | None:
        self.asked.append((digest, is_first))
        return self.texts.get(digest)


def source_of(kept: Kept, *events: ev.Event) -> tuple[Board, Source, Variables]:
    board, variables = Board(), Variables()
    source = Source(board, kept)
    started = ev.RunStarted(run="r", scenario="s.yml", plan=PLAN, digest="d1", variables={"proto": "alpha"})
    for event in (started, *events):
        for fold in (board, source, variables):
            fold.apply(event)
    return board, source, variables


def test_the_text_is_read_when_it_is_looked_at_once_a_version() -> None:
    kept = Kept(d1=TEXT, d2="# edited\r\n" + TEXT.replace("\n", "\r\n"))
    _, source, _ = source_of(kept)
    assert kept.asked == []
    assert source.lines[:2] == ["vars: {proto: alpha}", "stages:"]
    assert len(source.lines) == 14
    source.apply(ev.ScenarioReloaded(digest="d2"))
    assert (source.lines[0], len(source.lines)) == ("# edited", 15)
    assert kept.asked == [("d1", True), ("d2", False)]


def test_an_edit_that_is_refused_changes_nothing_and_a_missing_copy_is_no_text() -> None:
    kept = Kept(d1=TEXT)
    _, source, _ = source_of(kept, ev.ScenarioRejected(problems=[{"line": 3, "message": "no"}]))
    assert (source.version, len(source.lines)) == (1, 14)
    source.apply(ev.ScenarioReloaded(digest="d9"))
    assert source.lines == []


def test_lines_belong_to_the_stage_or_job_that_began_last() -> None:
    _, source, _ = source_of(Kept(d1=TEXT))
    found = [source.row_at(line) for line in (1, 3, 4, 5, 10, 11, 14)]
    assert [row and row.full_name for row in found] == [None, "one", "one", "one/a", "one/a", "one/b", "two"]
    assert [group.full_name for group in source.on(5)] == ["one/a"]
    assert (source.end_of(5), source.end_of(14)) == (10, 14)


def test_lines_follow_a_reload_and_what_is_gone_has_none() -> None:
    plan: Any = [{"stage": "two", "line": 1, "jobs": []}]
    started = ev.JobStarted(instance=KEY)
    _, source, _ = source_of(Kept(d1=TEXT), ev.StageStarted(stage="one"), started)
    for event in (ev.ScenarioReloaded(digest="d1", plan=plan),):
        source._board.apply(event)
        source.apply(event)
    assert [(line, group.name) for line, group in source.places] == [(1, "two")]


def test_templates_have_the_values_of_the_chosen_instance_or_of_the_variables() -> None:
    arguments: Any = {"script": "echo alpha", "env": {"SHOP": "7"}}
    board, source, variables = source_of(
        Kept(d1=TEXT), ev.StageStarted(stage="one"), ev.JobStarted(instance=KEY, arguments=arguments)
    )
    row = board.instances[KEY]
    assert source.value_at(10, row, variables) == ("7", True)
    assert source.value_at(10, None, variables) == (None, False), "whose it would be is not known"
    assert source.value_at(8, row, variables) == ("alpha", False), "a plain variable has its value of now"
    assert source.value_at(13, row, variables) == ("alpha", False), "of another job: only what is a variable"
    variables.apply(ev.VariableChanged(name="proto", removed=True))
    assert source.value_at(13, row, variables) == (None, False)
    assert source.templates(row.job) == {("env", "SHOP"): "{{ re[1] }}"}


def test_the_template_of_an_argument_is_found_by_its_name() -> None:
    board, source, _ = source_of(
        Kept(d1=TEXT), ev.StageStarted(stage="one"), ev.JobStarted(instance=InstanceId("one", "b", "n0"))
    )
    assert source.templates(board.jobs["one", "b"]) == {("that",): "{{ vars.proto }}"}
    source.apply(ev.ScenarioReloaded(digest="d9"))
    assert source.templates(board.jobs["one", "b"]) == {}


def test_a_line_that_may_take_long_is_not_evaluated_to_be_shown() -> None:
    key = InstanceId("one", "b", "n0")
    for template, value in (("vars.proto ~ 1", "alpha1"), ("range(10**9) | sum ~ vars.proto", None)):
        text = TEXT.replace("that: '{{ vars.proto }}'", f"that: '{{{{ {template} }}}}'")
        board, source, variables = source_of(
            Kept(d1=text), ev.StageStarted(stage="one"), ev.JobStarted(instance=key, arguments={})
        )
        said = Moment(Folds(board, source, variables)).at(13, board.instances[key])
        assert said is not None
        assert said.is_of_row is (value is not None), "else the variables that are named there are all that is said"
        assert said.values == ((("", value),) if value else (("proto", "alpha"),))
    with pytest.raises(TemplateError, match="not known to be cheap"), bound.glancing():
        evaluate("range(10**9) | sum", make_scope({}))


def test_an_expression_that_keys_wait_for_has_a_quarter_of_a_second() -> None:
    model = Model(is_replay=True)
    assert value_here(model, "'x' * 3", None)["value"] == "xxx"
    assert "0.25 seconds" in value_here(model, "range(10**9) | sum", None)["problem"]
