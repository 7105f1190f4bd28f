"""What each place of the language makes of each value: the tables of docs/language.md, held cell by cell.

Every place is asked in a whole scenario, which is loaded and run on agents that live in memory: once with the value
written there, and once with a template that gives it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import Simulation, report

from octogram_agentd.procedures import load_all
from octogram_agentd.procedures.base import REGISTRY, Field, Procedure
from octogram_tui.engine.effects import SendJob
from octogram_tui.engine.events import JobFinished, JobStarted
from octogram_tui.errors import ScenarioError, TemplateError
from octogram_tui.model.variables import Variables
from octogram_tui.scenario.arguments import is_original
from octogram_tui.scenario.field_values import fit
from octogram_tui.scenario.load import load_scenario
from octogram_tui.template.environment import expand
from octogram_tui.template.items import expand_items
from octogram_tui.template.numbers import integer, typed
from octogram_tui.template.scope import make_scope
from octogram_tui.template.text import json_text, text_of


class Places(Procedure):
    """Has a field of every kind, none with limits of its own."""

    procedure = "fake.places"

    text: Field[Any] = Field("str")
    any: Field[Any] = Field("any")
    whole: Field[Any] = Field("int")
    number: Field[Any] = Field("float")
    flag: Field[Any] = Field("bool")
    names: Field[Any] = Field("list", of=Field("str"))
    argv: Field[Any] = Field("str_or_list", of=Field("str"))
    status: Field[Any] = Field("int_or_list", of=Field("int"))
    env: Field[Any] = Field("map", of=Field("str"))


class Refused:
    """What a place makes of what it refuses."""

    def __repr__(self) -> str:
        return "error"


ERROR = Refused()
Outcome = Any


# -- the places -------------------------------------------------------------------------------------------------------


def run(job: dict[str, Any], value: Any, **stage: Any) -> Simulation | Refused:
    """Run one job with the value as the variable `x`; the job before it may set what it likes."""
    document = {
        "agents": [{"name": "a", "transport": "local"}],
        "vars": {"x": value},
        "stages": [{"name": "s", **stage, "jobs": [{"name": "j", **job}]}],
    }
    try:
        loaded = load_scenario("s.json", read_file=lambda path: json.dumps(document))
    except ScenarioError:
        return ERROR
    simulation = Simulation(loaded.scenario, answer(value))
    # A number in `vars` is whole, as in the original: what a template gives comes as it is from elsewhere.
    simulation.engine.core.variables = Variables({"x": value})
    return simulation.begin()


def answer(value: Any) -> Callable[[SendJob], Any]:
    """Let every job end well, with the value as its result."""
    return lambda sent: report(sent.attempt, "ok", {"x": value})


def argument(name: str, procedure: str = "fake.places") -> Callable[[Any, Any], Outcome]:
    """Ask an argument."""

    def ask(written: Any, value: Any) -> Outcome:
        simulation = run({procedure: {name: written}}, value)
        if isinstance(simulation, Refused) or not simulation.sent:
            return ERROR
        return simulation.sent[0].arguments[name]

    return ask


def condition(written: Any, value: Any) -> Outcome:
    """Ask a condition: true when the job runs."""
    simulation = run({"fake.places": {}, "when": written}, value)
    if isinstance(simulation, Refused):
        return ERROR
    end = simulation.of(JobFinished)[0]
    return ERROR if end.state == "failed" else end.state == "ok"


def items(written: Any, value: Any) -> Outcome:
    """Ask `with_items`: its items, when they are one the one."""
    simulation = run({"fake.places": {}, "with_items": written}, value)
    if isinstance(simulation, Refused) or any(end.state == "failed" for end in simulation.of(JobFinished)):
        return ERROR
    return [start.item for start in simulation.of(JobStarted)]


def update(procedure: str) -> Callable[[Any, Any], Outcome]:
    """Ask `vars_updates`: what the variable `x` becomes."""

    def ask(written: Any, value: Any) -> Outcome:
        if isinstance(written, str):
            written = written.replace("vars.x", "res.x")
        simulation = run({procedure: {}, "vars_updates": {"x": written}}, value)
        if isinstance(simulation, Refused) or simulation.of(JobFinished)[0].state == "failed":
            return ERROR
        return simulation.engine.core.variables.get("x", "removed")

    return ask


def with_agents(written: Any, value: Any) -> Outcome:
    """Ask `with_agents`: the expressions, or the one that there is."""
    from octogram_tui.template.selectors import expand_texts

    simulation = run({"fake.places": {}}, value, with_agents=written)
    if isinstance(simulation, Refused):
        return ERROR
    texts = [text.source for text in simulation.engine.core.scenario.stages[0].with_agents]
    try:
        found = expand_texts(texts, make_scope({"x": value}), "with_agents")
    except TemplateError:
        return ERROR
    return found if isinstance(written, list) or isinstance(value, list) else found[0]


def variable(written: Any, value: Any) -> Outcome:
    """Ask `vars`: what the variable is."""
    document = {"vars": {"y": written, "x": value}, "stages": []}
    loaded = load_scenario("s.json", read_file=lambda path: json.dumps(document))
    return loaded.scenario.variables["y"]


PLACES: dict[str, Callable[[Any, Any], Outcome]] = {
    "an argument that is a text": argument("text"),
    "an argument that is any value (`json`)": argument("any"),
    "a whole number": argument("whole"),
    "a number": argument("number"),
    "true or false": argument("flag"),
    "a list (of texts)": argument("names"),
    "a text or a list (`argv`)": argument("argv"),
    "a number or a list (`expect`)": argument("status"),
    "a map (`env`, `headers`, `ready`)": argument("env"),
    "a condition (`when`, `until`, `that`, `expression`)": condition,
    "`with_items`, alone or in a list": items,
    "`vars_updates`": update("fake.places"),
    "`vars_updates` of a job of the original": update("builtins.start_http_server"),
    "`with_agents`": with_agents,
    "`vars`": variable,
}


TEXTS = ("an argument that is a text", "`vars_updates` of a job of the original")


# -- the values, and what the words of the tables mean ----------------------------------------------------------------

WORD = st.text("abcxyz -_/é", min_size=1, max_size=8).filter(lambda text: text.strip() == text)
INTEGER = st.integers(-(10**9), 10**9)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "`abc`": st.one_of(WORD, INTEGER.map(str), st.sampled_from(["true", "false", "0x1f", "1..3", "1.5", "90s"])),
    "`7`": INTEGER,
    "`1.5`": st.integers(-1000, 1000).map(lambda number: number + 0.5),
    "`true`": st.booleans(),
    "null": st.none(),
    "a list": st.lists(WORD, max_size=3),
    "a map": st.dictionaries(st.text("abc", min_size=1, max_size=3), WORD, max_size=3),
}


def values_for(place: str, kind: str) -> st.SearchStrategy[Any]:
    """Give values of a kind, with elements that the place takes."""
    if kind == "a list" and "or a list" in place:  # where one or several are due, none is an error
        return st.lists(INTEGER if "expect" in place else WORD, min_size=1, max_size=3)
    return VALUES[kind]


def read(place: str, text: str) -> Outcome:
    """Read a text as what a place takes."""
    from octogram_tui.scenario.scalars import read_duration_s

    if "with_items" in place:
        found = re.fullmatch(r"(\d+)\.\.(\d+)", text)
        return [typed(text)] if found is None else list(range(int(found[1]), int(found[2]) + 1))
    if place == "true or false":
        return {"true": True, "false": False}.get(text, ERROR)
    try:
        if place == "a number":
            return float(text)
        return integer(text)
    except ValueError:
        seconds = read_duration_s(text) if place == "a number" else None
        return ERROR if seconds is None else seconds


def meaning(word: str, place: str, value: Any) -> Outcome:
    """Give what a cell says of a value."""
    is_items = "with_items" in place
    match word:
        case "as it is":
            return [value] if is_items else value
        case "read":
            return read(place, value)
        case "its text":
            return text_of(value)
        case "JSON":
            return json_text(value)
        case "empty":
            return ""
        case "whole part":
            return [int(value)] if is_items else int(value)
        case "elements":
            return value
        case "removed":
            return "removed"
        case _:
            assert word == "error"
            return ERROR


def rows(number: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Give the rows of one of the tables of the page: the place, and what it makes of each kind of value."""
    page = (Path(__file__).parents[2] / "docs/language.md").read_text()
    table = re.findall(r"(?:^\| place .*\n)(?:^\|.*\n)+", page, re.MULTILINE)[number]
    head, _, *lines = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]
    for place, *cells in lines:
        yield place, dict(zip(head[1:], (cell.removesuffix(" |").strip() for cell in cells), strict=True))


def alike(one: Any, other: Any) -> bool:
    """Whether two values are the same, kinds and all; a number that is whole may be written either way."""
    if isinstance(one, float) and isinstance(other, (int, float)) and not isinstance(other, bool):
        return one == other
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    return bool(one == other)


WRITTEN, WHOLE = dict(rows(0)), dict(rows(1))


def test_the_tables_know_every_place_and_every_kind_of_value() -> None:
    assert list(WRITTEN) == list(WHOLE) == list(PLACES)
    assert all(list(cells) == list(VALUES) for cells in (*WRITTEN.values(), *WHOLE.values()))


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_what_is_written_becomes_what_the_page_says(place: str, kind: str, data: st.DataObject) -> None:
    value = data.draw(values_for(place, kind))
    word = WRITTEN[place][kind]
    if word == "an expression":
        assert PLACES[place](f"{json.dumps(value)} == {json.dumps(value)}", None) is True
        return
    outcome = PLACES[place](value, None)
    assert alike(meaning(word, place, value), outcome), (word, value, outcome)


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_a_whole_template_becomes_what_the_page_says(place: str, kind: str, data: st.DataObject) -> None:
    value = data.draw(values_for(place, kind))
    word = WHOLE[place][kind]
    template = data.draw(st.sampled_from(["{{ vars.x }}", "{{- vars.x -}}", "{{ (vars.x) }}", "{{ vars.x }}\n"]))
    outcome = PLACES[place](template, value)
    expected = template if word == "no template" else meaning(word, place, value)
    if place in TEXTS and template.endswith("\n"):  # of a text the line end is a part, as of any other
        assert outcome.endswith("\n")
        outcome = outcome.removesuffix("\n")
    assert alike(expected, outcome), (word, value, outcome)


# -- every field of every procedure -----------------------------------------------------------------------------------

KINDS = {
    "str": "an argument that is a text",
    "any": "an argument that is any value (`json`)",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list (of texts)",
    "str_or_list": "a text or a list (`argv`)",
    "int_or_list": "a number or a list (`expect`)",
    "map": "a map (`env`, `headers`, `ready`)",
}
SAMPLES = {"`abc`": "abc", "`7`": 7, "`1.5`": 1.5, "`true`": True, "null": None, "a list": ["a"], "a map": {"a": "b"}}


def fields_of_all() -> Iterator[tuple[str, Field[Any]]]:
    """Give every field of every procedure, those inside of others too, with its path."""
    load_all()
    for name in sorted(REGISTRY):
        if not name.startswith(("internals.", "places.")):
            for field in REGISTRY[name].fields.values():
                yield from inside(f"{name}.{field.name}", field)


def inside(path: str, field: Field[Any]) -> Iterator[tuple[str, Field[Any]]]:
    """Give a field, and those that it is made of."""
    yield path, field
    for of in field.of if isinstance(field.of, (list, tuple)) else [field.of] if field.of is not None else []:
        yield from inside(f"{path}[]", of)
    for name, member in field.fields.items():
        yield from inside(f"{path}.{name}", member)


def has_its_own_words(field: Field[Any]) -> bool:
    """Whether a field refuses more than its kind does, of the samples."""
    least = None if field.kind == "int" and field.minimum in (0, 1) else field.minimum
    limits = (field.above, least, field.maximum if least is not None else None, field.max_bytes)
    of = field.of if isinstance(field.of, Field) else None
    return bool(
        field.uri
        or (field.form and field.kind == "str")
        or field.choices
        or field.pattern
        or any(limit is not None for limit in limits)
        or (of is not None and (of.kind not in ("str", "int") or of.uri or of.form not in ("", "word")))
    )


def test_every_field_of_every_procedure_follows_its_kind() -> None:
    seen = set()
    for path, field in fields_of_all():
        if field.kind not in KINDS or has_its_own_words(field) or not field.template:
            continue
        seen.add(field.kind)
        for kind, sample in SAMPLES.items():
            value = [1] if sample == ["a"] and field.kind == "int_or_list" else sample
            word = WHOLE[KINDS[field.kind]][kind]
            if field.kind == "str" and word in ("JSON", "empty"):
                continue  # a text is expanded to a text, before a field sees it
            try:
                outcome = fit(field, expand("{{ vars.x }}", make_scope({"x": value})), path, lambda kind, uri: {})
            except TemplateError:
                outcome = ERROR
            assert alike(meaning(word, KINDS[field.kind], value), outcome), (path, value, outcome)
    assert seen >= {"str", "any", "int", "bool", "list", "map", "str_or_list"}


def test_the_original_takes_any_value_as_it_is_written_and_no_text_for_more() -> None:
    assert is_original("tezos.generate_keys")
    kind = {"default": "{{ vars.x }}"}
    assert argument("kind", "tezos.generate_keys")(kind, [1]) in (ERROR, {"default": "[1]"})


def test_items_are_expanded_alike_wherever_it_is_done() -> None:
    simulation = run({"fake.places": {}, "with_items": ["{{ vars.x }}", "z"]}, ["a", "b"])
    assert isinstance(simulation, Simulation)
    spec = simulation.engine.core.scenario.stages[0].jobs[0].items
    assert spec is not None
    assert [value for _, value, _ in expand_items(spec, make_scope({"x": ["a", "b"]}))] == ["a", "b", "z"]
    assert [start.item for start in simulation.of(JobStarted)] == ["a", "b", "z"]
