"""One argument of a procedure: a value as written, checked against its declaration, ready to be expanded.

A field becomes either a plain value (nothing in it can change) or a function that makes it when the job starts.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from octogram_agentd.procedures.base import Field, Procedure
from octogram_tui.scenario.field_values import (
    ANY_TEXT,
    EMPTY_LIST,
    Resolve,
    expanded,
    finished_text,
    fit,
    is_constant,
    refuse_flaw,
    single_of,
)
from octogram_tui.scenario.findings import Findings, kind_of, suggestion
from octogram_tui.scenario.forms import flaw_of, words
from octogram_tui.scenario.limits import WANTED, coerce, refuse, takes_any_text
from octogram_tui.scenario.shapes import JOB
from octogram_tui.scenario.tree import NOWHERE, ListNode, MapNode, Mark, texts_in
from octogram_tui.scenario.uris import literal_owner, owner_problem, uri_problem
from octogram_tui.scenario.usage import Usage
from octogram_tui.template.environment import expand, render
from octogram_tui.template.source import is_template, whole_expression
from octogram_tui.template.text import text_of

Make = Callable[[Mapping[str, Any], Resolve], Any]


class Value(NamedTuple):
    """What a field became: `make` expands it when the job starts; without one `raw` is the value itself."""

    raw: Any
    make: Make | None = None


NOTHING = Value(None)


class Plan(NamedTuple):
    """How arguments are read of which the same names are given: only their values can be wrong.

    base  every argument in the order of its declaration, with its default, or None where one is to be read
    """

    base: dict[str, Any]
    given: tuple[tuple[str, Field[Any]], ...]


class FieldReader:
    """Reads the fields of one job. Problems go to the findings; what cannot be read becomes NOTHING."""

    def __init__(
        self,
        findings: Findings,
        usage: Usage,
        names: frozenset[str],
        agents: Mapping[str, Any],
        *,
        braces: bool,
    ) -> None:
        self.findings = findings
        self.usage = usage
        self.names = names
        self.agents = None if usage.lacks_agents else agents
        self.braces = braces
        self.literals: set[tuple[Field[Any], str]] = set()  # texts that were found to be well, each in its field
        self.plans: dict[tuple[str, ...], Plan | None] = {}  # by the names that are given

    def read(self, field: Field[Any], value: Any, place: Mark, path: str) -> Value:
        """Read a value of a field. `path` names it in messages: `slot_info.payload`."""
        kind = field.kind
        if kind == "str":
            return self.text(field, value, place, path)
        if type(value) is str and self.is_whole(field, value):
            if not self.usage.check(value, place, self.findings, self.names, braces=self.braces):
                return NOTHING
            return Value(value, value_maker(field, value, path, self.braces))
        if kind == "any":
            return self.anything(field, value, place, path)
        if value is None:
            self.findings.error(place, f"`{path}` is null", self.findings.null_hint(place, _NO_NULL))
            return NOTHING
        if kind in ("int", "float", "bool"):
            return self.scalar(field, value, place, path)
        if kind == "expression":
            return self.expression(value, place, path)
        if kind.endswith("_or_list"):
            if not isinstance(value, list):
                return self.read(single_of(field, kind), value, place, path)
            if not value and field.form != "command":
                self.findings.error(place, f"`{path}` {EMPTY_LIST[0]}", EMPTY_LIST[1])
                return NOTHING
            found = self.sequence(field.of or single_of(field, kind), value, place, path)
            return self.command(found, place, path) if field.form == "command" else found
        if kind == "list":
            return self.sequence(field.of or ANY_TEXT, value, place, path)
        if kind == "tuple":
            return self.fixed(field, value, place, path)
        if kind == "map":
            return self.mapping(field, value, place, path)
        return self.record(field, value, place, path)

    def is_whole(self, field: Field[Any], text: str) -> bool:
        """Tell whether a text is a template that stands for a value of this field, whatever kind it is of.

        Where the original takes any value, a text is a text.
        """
        if field.kind.startswith("expression") or not field.template or (field.kind == "any" and self.braces):
            return False
        return whole_expression(text) is not None

    # -- scalars --------------------------------------------------------------------------------------------------

    def text(self, field: Field[Any], value: Any, place: Mark, path: str) -> Value:
        """Read a string; numbers and booleans are taken as their text."""
        if type(value) is not str:
            if not isinstance(value, (bool, int, float)):
                return self.wrong(place, path, "a text", value)
            number, value = value, self.findings.text_of(value, place)
            written = self.findings.written(place)
            if written and refuse(field, value) is not None and refuse(field, written) is None:
                hint = f"write '{written}' in quotes: without them it is {kind_of(number)}"
                self.findings.error(place, f"`{path}` {refuse(field, value)}", hint)
                return NOTHING
        elif (field, value) in self.literals:
            return Value(value)
        if field.template and is_template(value, braces=self.braces):
            if not self.usage.check(value, place, self.findings, self.names, braces=self.braces):
                return NOTHING
            if field.uri:
                owner = literal_owner(value)
                problem = None if owner is None else owner_problem(owner, self.agents)
                if problem is not None:
                    self.findings.error(place, *problem)
            return Value(value, text_maker(field, value, path, self.braces))
        refusal = refuse(field, value)
        if refusal is not None:
            self.findings.error(place, f"`{path}` {refusal}")
            return NOTHING
        flaw = flaw_of(field.form, value)
        if flaw is not None:
            self.findings.error(place, f"`{path}` {flaw.what}", flaw.instead)
            return NOTHING
        if not field.uri:
            self.literals.add((field, value))
            return Value(value)
        problem = uri_problem(value, field.uri, self.agents)
        if problem is not None:
            self.findings.error(place, f"`{path}`: {problem[0]}", problem[1])
            return NOTHING
        kind = field.uri
        return Value(value, lambda scope, resolve: resolve(kind, value))

    def scalar(self, field: Field[Any], value: Any, place: Mark, path: str) -> Value:
        """Read a number or a boolean, or a template that gives one."""
        if isinstance(value, str) and is_template(value, braces=self.braces):
            if not self.usage.check(value, place, self.findings, self.names, braces=self.braces):
                return NOTHING
            return Value(value, value_maker(field, value, path, self.braces))
        if isinstance(value, (list, dict)):
            return self.wrong(place, path, WANTED[field.kind], value)
        try:
            return Value(coerce(field, value))
        except ValueError as error:
            self.findings.error(place, f"`{path}` {error}")
            return NOTHING

    def expression(self, value: Any, place: Mark, path: str) -> Value:
        """Read a condition: it stays an expression, and whoever runs the job evaluates it."""
        if isinstance(value, bool):
            return Value(text_of(value))
        if not isinstance(value, str):
            return self.wrong(place, path, "an expression that is true or false", value)
        self.usage.check_condition(value, place, self.findings, self.names)
        return Value(value)

    def anything(self, field: Field[Any], value: Any, place: Mark, path: str) -> Value:
        """Read any value; the strings in it are templates."""
        if isinstance(value, str):
            return self.text(ANY_TEXT if field.template else _LITERAL_TEXT, value, place, path)
        if isinstance(value, ListNode):
            return self.sequence(field, value, place, path)
        if isinstance(value, MapNode):
            return self.mapping(Field("map", of=field), value, place, path)
        if isinstance(value, float):
            self.findings.warn_of_text(value, place)
        return Value(value)

    # -- values made of values ------------------------------------------------------------------------------------

    def sequence(self, of: Field[Any], value: Any, place: Mark, path: str) -> Value:
        """Read a list whose elements are alike."""
        if not isinstance(value, list):
            return self.wrong(place, path, "a list", value)
        read = self.text if of.kind == "str" else self.read
        marks = _marks(value, place)
        return _list_value([read(of, v, p, f"{path}[{i}]") for i, (v, p) in enumerate(zip(value, marks, strict=False))])

    def command(self, found: Value, place: Mark, path: str) -> Value:
        """Check a command that is a list as far as it can be told, and what comes of it when the job starts."""
        make = found.make
        if found.raw is not None and (not found.raw or not found.raw[0]):
            flaw = words(found.raw)
            assert flaw is not None
            self.findings.error(place, f"`{path}` {flaw.what}", flaw.instead)
        if make is None:
            return found

        def checked(scope: Mapping[str, Any], resolve: Resolve) -> Any:
            result = make(scope, resolve)
            refuse_flaw(words(result), path)
            return result

        return Value(found.raw, checked)

    def fixed(self, field: Field[Any], value: Any, place: Mark, path: str) -> Value:
        """Read a list of a fixed number of elements, each of its own kind."""
        if not isinstance(value, list):
            return self.wrong(place, path, "a list", value)
        if len(value) != len(field.of):
            self.findings.error(place, f"`{path}` takes {len(field.of)} elements, not {len(value)}")
            return NOTHING
        return _list_value(
            [
                self.read(f, v, p, f"{path}[{i}]")
                for i, (f, v, p) in enumerate(zip(field.of, value, _marks(value, place), strict=False))
            ]
        )

    def mapping(self, field: Field[Any], value: Any, place: Mark, path: str) -> Value:
        """Read a map of free names."""
        if not isinstance(value, dict):
            return self.wrong(place, path, "a map", value)
        of = field.of or ANY_TEXT
        for key in value if field.form else ():
            flaw = flaw_of(field.form, key)
            if flaw is not None:
                where = value.marks[key][0] if isinstance(value, MapNode) else place
                self.findings.error(where, f"`{path}` {flaw.what}", flaw.instead)
        return _map_value({key: self.member(of, value, key, place, f"{path}.") for key in value})

    def record(self, field: Field[Any], value: Any, place: Mark, path: str) -> Value:
        """Read a map of known names."""
        if not isinstance(value, dict):
            return self.wrong(place, path, "a map", value)
        return _map_value(self.members(field.fields, field.exactly_one, value, place, path))

    def plan(self, procedure: type[Procedure], names: tuple[str, ...]) -> Plan | None:
        """Give the plan for arguments of these names; None where something is to be said of the names themselves."""
        found = self.plans.get(names)
        if found is None and names not in self.plans:
            found = self.plans[names] = self._plan(procedure, names)
        return found

    def _plan(self, procedure: type[Procedure], names: tuple[str, ...]) -> Plan | None:
        fields = procedure.fields
        if not all(name in fields for name in names):
            return None
        if procedure.exactly_one and sum(name in procedure.exactly_one for name in names) != 1:
            return None
        base: dict[str, Any] = {}
        for name, field in fields.items():
            if name in names:
                base[name] = None
            elif field.required:
                return None
            elif field.default is not None:
                found = self._default_of(field, name)
                if found is None:
                    return None
                base[name] = found.raw
        return Plan(base, tuple((name, fields[name]) for name in base if name in names))

    def _default_of(self, field: Field[Any], name: str) -> Value | None:
        """Give a default that is the same for every job; None for one that is not, or that is refused."""
        if is_constant(field):
            return Value(field.default)
        if any(is_template(text, braces=self.braces) for text in texts_in(field.default)):
            return None
        before = len(self.findings.problems)
        found = self.read(field, field.default, NOWHERE, name)
        is_well = found.make is None and len(self.findings.problems) == before
        del self.findings.problems[before:]  # said again where a job has it
        return found if is_well else None

    def members(
        self,
        fields: Mapping[str, Field[Any]],
        exactly_one: tuple[str, ...],
        value: dict[str, Any],
        place: Mark,
        path: str,
    ) -> dict[str, Value]:
        """Read the members of a record or the arguments of a procedure, in the order of their declaration."""
        prefix = f"{path}." if path else ""
        written = self.written_names(fields, value, place, prefix)
        given = [name for name in exactly_one if name in written]
        if exactly_one and len(given) != 1:
            names = ", ".join(f"`{name}`" for name in exactly_one)
            what = "none is given" if not given else "not " + " and ".join(f"`{written[name]}`" for name in given)
            self.findings.error(place, f"{f'`{path}` takes ' if path else ''}exactly one of {names}: {what}")
        result: dict[str, Value] = {}
        for name, field in fields.items():
            if name in written:
                result[name] = self.member(field, value, written[name], place, prefix)
            elif field.required:
                if not self._is_meant(name, fields, value):
                    self.findings.error(place, f"`{prefix}{name}` is missing", field.doc)
            elif field.default is not None:
                default = field.default
                if is_constant(field):
                    result[name] = Value(default)
                else:
                    result[name] = self.read(field, default, place, prefix + name)
        return result

    def _is_meant(self, name: str, fields: Mapping[str, Field[Any]], value: dict[str, Any]) -> bool:
        """Tell whether a member stands there by the name that another tool has for it, which is reported."""
        from octogram_tui.scenario.elsewhere import argument_meant

        return any(argument_meant(key, fields) == name for key in value if key not in fields)

    def written_names(
        self, fields: Mapping[str, Field[Any]], value: dict[str, Any], place: Mark, prefix: str
    ) -> dict[str, str]:
        """Give the names of the members that are given, each with the one that is written: it may be a former one."""
        written = {key: key for key in value if key in fields}
        if len(written) == len(value):
            return written
        for key in value:
            if key in fields:
                continue
            where = value.marks[key][0] if isinstance(value, MapNode) else place
            name = next((name for name, field in fields.items() if key in field.formerly), None)
            if name is None and not prefix and key in JOB:
                message = f"unknown key `{key}`: it is one of the job, not of its procedure"
                self.findings.error(where, message, "write it beside the procedure's name, not below it")
            elif name is None:
                from octogram_tui.scenario.elsewhere import argument_meant

                meant = argument_meant(key, fields)
                like = f"; did you mean `{prefix}{meant}`?" if meant else suggestion(key, fields)
                message = f"unknown key `{prefix}{key}`{like}"
                self.findings.error(where, message, f"the keys are {', '.join(fields) or 'none'}")
            elif name in written:
                message = f"`{prefix}{key}` means `{prefix}{name}`, and `{prefix}{written[name]}` is given already"
                self.findings.error(where, message, "keep one of them")
            else:
                written[name] = key
                self.findings.warning(
                    where, f"`{prefix}{key}` is now called `{prefix}{name}`", f"write `{name}`; it means the same"
                )
        return written

    def member(self, field: Field[Any], value: dict[str, Any], name: str, place: Mark, prefix: str) -> Value:
        """Read one member of a map; texts in which nothing can be wrong, most of a scenario, take no further step."""
        member = value[name]
        if type(member) is str and "{" not in member and "\\" not in member and takes_any_text(field):
            return Value(member)
        return self.read(field, member, _value_mark(value, name, place), prefix + name)

    def wrong(self, place: Mark, path: str, wanted: str, value: Any) -> Value:
        """Report a value of the wrong kind."""
        if value is None:
            self.findings.error(place, f"`{path}` is null", self.findings.null_hint(place, _NO_NULL))
        else:
            hint = "a template that stands alone must be quoted: '{{ … }}'" if isinstance(value, dict) else ""
            if isinstance(value, str) and "{{" in value:
                hint = "a template that gives more than a text stands alone: '{{ … }}'"
            self.findings.error(place, f"`{path}` takes {wanted}, not {kind_of(value)}", hint)
        return NOTHING


_LITERAL_TEXT: Field[Any] = Field("str", template=False)
_NO_NULL = "leave the key out to have its default, or write '' for an empty text"


def _value_mark(value: dict[str, Any], key: str, place: Mark) -> Mark:
    return value.marks[key][1] if isinstance(value, MapNode) else place


def _marks(value: list[Any], place: Mark) -> Iterable[Mark]:
    """Give where the elements of a list stand; those of a default have no places of their own."""
    return value.marks if isinstance(value, ListNode) else itertools.repeat(place)


def _list_value(values: list[Value]) -> Value:
    raw = [value[0] for value in values]
    makers = [value[1] for value in values]
    if not any(makers):
        return Value(raw)

    def make(scope: Mapping[str, Any], resolve: Resolve) -> list[Any]:
        return [value.raw if value.make is None else value.make(scope, resolve) for value in values]

    return Value(raw, make)


def _map_value(values: dict[str, Value]) -> Value:
    raw = {name: value[0] for name, value in values.items()}
    makers = [value[1] for value in values.values()]
    if not any(makers):
        return Value(raw)

    def make(scope: Mapping[str, Any], resolve: Resolve) -> dict[str, Any]:
        return {n: value.raw if value.make is None else value.make(scope, resolve) for n, value in values.items()}

    return Value(raw, make)


def text_maker(field: Field[Any], text: str, path: str, braces: bool) -> Make:
    """Give what expands a template of a text."""

    def make(scope: Mapping[str, Any], resolve: Resolve) -> Any:
        return finished_text(field, expanded(render, text, path, scope, braces), path, resolve)

    return make


def value_maker(field: Field[Any], text: str, path: str, braces: bool) -> Make:
    """Give what expands a template that is a whole value."""

    def make(scope: Mapping[str, Any], resolve: Resolve) -> Any:
        return fit(field, expanded(expand, text, path, scope, braces), path, resolve)

    return make
