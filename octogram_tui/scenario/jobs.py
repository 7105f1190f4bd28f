"""Reads jobs: their own keys, their items and updates, and the one procedure that each of them names."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from octogram_agentd.procedures import find, load_all
from octogram_agentd.procedures.base import REGISTRY, Procedure
from octogram_tui.cuts import beginning
from octogram_tui.errors import TemplateError
from octogram_tui.model.ids import JobKey
from octogram_tui.model.scenario import ItemsSpec, JobSpec, Text, VarUpdate, Where
from octogram_tui.scenario.arguments import NO_ARGUMENTS, JobArguments, is_original, read_arguments, reader_of
from octogram_tui.scenario.confined import CONFINED, check_confined
from octogram_tui.scenario.exposure import warn_of_exposed
from octogram_tui.scenario.fields import FieldReader
from octogram_tui.scenario.findings import kind_of, suggestion
from octogram_tui.scenario.keys import KeyReader
from octogram_tui.scenario.own import OWN_MODULE
from octogram_tui.scenario.shapes import JOB, STAGE, UPDATE
from octogram_tui.scenario.tree import ListNode, MapNode, Place
from octogram_tui.scenario.usage import AFTER_JOB, IN_JOB, Usage
from octogram_tui.template.casting import cast_text
from octogram_tui.template.items import is_plain_item, text_problem
from octogram_tui.template.source import is_template

_SETTINGS = frozenset(("run_items", "timeout", "retry_delay", "retries", "on_failure"))
_UNREAD = object()
_FIELD_OF = {"with_items": "items", "timeout": "timeout_s", "retry_delay": "retry_delay_s"}


def digest_of(value: Any) -> str:
    """Name the content of a part of a document; equal content, equal name."""
    return hashlib.blake2b(repr(value).encode("utf-8", "backslashreplace"), digest_size=12).hexdigest()


class _Shape(NamedTuple):
    """What follows from the keys of a job alone. own: those of its own, each with its field."""

    bodies: list[str]
    own: tuple[tuple[str, str], ...]
    is_original: bool


def _shape(keys: tuple[str, ...]) -> _Shape:
    bodies = [key for key in keys if key not in JOB]
    own = tuple((key, _FIELD_OF.get(key, key)) for key in keys if key in JOB and key != "name")
    return _Shape(bodies, own, any(map(is_original, bodies)))


class JobReader:
    """Reads the jobs of one file."""

    def __init__(
        self, keys: KeyReader, usage: Usage, agents: Mapping[str, Any], own_digests: Mapping[str, str]
    ) -> None:
        self.keys = keys
        self.findings = keys.findings
        self.usage = usage
        self.agents = agents
        self.own_digests = own_digests  # procedures of the scenario's own files -> digest of their text
        self.procedures: dict[str, type[Procedure] | None] = {}
        self.readers: dict[str, FieldReader] = {}
        self.shapes: dict[tuple[str, ...], _Shape] = {}  # by the keys of a job
        self.settings: dict[tuple[str, type, Any], Any] = {}  # own keys that say the same in many jobs

    def read(self, node: MapNode, name: str, key: JobKey) -> JobSpec:
        """Read one job; `key` is its name made unique within its stage."""
        keys = tuple(node)
        shape = self.shapes.get(keys)
        if shape is None:
            shape = self.shapes[keys] = _shape(keys)
        usage = self.usage
        usage.is_original = shape.is_original
        usage.has_seen_item = False
        procedure, arguments = self.body(node, shape.bodies)
        found = self.procedures.get(procedure)
        # Ours say what they give; of another's that says nothing we do not know.
        says = found is not None and (found.result or found.__module__.startswith("octogram_agentd."))
        usage.result = found.result if found is not None and says else None
        # What is not given is left to JobSpec: most jobs give next to nothing.
        given = {field: self.own_key(node, k) for k, field in shape.own}
        if "retries" in given:
            given["says_retries"] = True
        if usage.has_seen_item and "with_items" not in node:
            self.warn_of_item(node, arguments)
        if "until" in node and "retries" not in node:
            self.findings.warning(
                node.key_place("until"), "`until` is asked once only", "add `retries` and `retry_delay`"
            )
        digest = digest_of(node)
        own = self.own_digests.get(procedure)
        if own is not None:
            digest = digest_of([digest, own])
        mark = self.findings.mark(node.mark)
        where = self.where(procedure, arguments)
        return JobSpec(key, name, procedure, arguments, where, digest=digest, mark=mark, **given)

    def where(self, name: str, arguments: JobArguments) -> Where:
        """Say who carries the job out; a wait for an expression needs no agent."""
        procedure = self.procedures.get(name)
        if procedure is None:
            return "agent"
        if procedure.watched and arguments.raw().get(procedure.watched) is not None:
            return "expression"
        return cast("Where", procedure.where)

    def warn_of_item(self, node: MapNode, arguments: JobArguments) -> None:
        """Say that a job without items has no item: it is null, which renders as nothing."""
        braces = arguments.braces
        for text in arguments.templates():
            if self.usage.uses_item(text, braces=braces):
                hint = "add `with_items`, or leave `item` out"
                self.findings.warning(node.place, "this job uses `item` and has no `with_items`", hint)
                return

    def own_key(self, node: MapNode, key: str) -> Any:
        """Read one of the keys that every job may have; what is well and says the same everywhere is read once."""
        value = node[key]
        if key not in _SETTINGS or type(value) not in (int, str):
            return self.read_own_key(node, key)
        spelling = (key, type(value), value)
        found = self.settings.get(spelling, _UNREAD)
        if found is _UNREAD:
            before = len(self.findings.problems)
            found = self.read_own_key(node, key)
            if len(self.findings.problems) == before:
                self.settings[spelling] = found
        return found

    def read_own_key(self, node: MapNode, key: str) -> Any:
        """Read one of the keys that every job may have."""
        keys = self.keys
        match key:
            case "with_items":
                return self.items(node)
            case "run_items":
                return keys.choice(node, key, JOB[key], "sequential")
            case "vars_updates":
                return self.updates(node)
            case "when":
                return keys.expression(node, key, IN_JOB)
            case "until":
                return keys.expression(node, key, AFTER_JOB)
            case "timeout":
                return keys.duration_s(node, key, JOB[key])
            case "retry_delay":
                return keys.duration_s(node, key, JOB[key]) or 0.0
            case "retries":
                return keys.integer(node, key, JOB[key]) or 0
            case "on_failure":
                return keys.choice(node, key, JOB[key], "") or None
            case "register":
                name = keys.word(node, key, may_be_template=True)
                if name is not None:
                    if not name:
                        self.nameless(node.value_place(key))
                    if is_template(name):
                        self.usage.check(name, node.value_place(key), self.findings, AFTER_JOB)
                    self.usage.set_by(name)
                return name
            case _:
                return frozenset(tag for tag, _ in keys.words(node, "tags"))

    # -- the procedure --------------------------------------------------------------------------------------------

    def body(self, node: MapNode, bodies: list[str]) -> tuple[str, JobArguments]:
        """Read the one key that says what the job does."""
        known = [key for key in bodies if self.procedure(key) is not None]
        for key in bodies:
            if key not in known:
                self.unknown(node, key)
        if not known:
            if not bodies:
                hint = "give it one, such as `builtins.shell: 'make test'`"
                self.findings.error(node.place, "this job does nothing: it names no procedure", hint)
            return "", NO_ARGUMENTS
        for key in known[1:]:
            self.findings.error(
                node.key_place(key), f"a job does one thing: `{key}` comes after `{known[0]}`", "make it two jobs"
            )
        name = known[0]
        procedure = self.procedures[name]
        assert procedure is not None
        value = node[name]
        # What is missing in a map of arguments is missing under the procedure's name.
        is_map = value is None or isinstance(value, MapNode)
        arguments = read_arguments(procedure, value, node.marks[name][not is_map], self.reader(procedure))
        if name in CONFINED:
            check_confined(self.findings, name, node, arguments.raw())
        if self.usage.secrets:
            warn_of_exposed(self.findings, name, node, arguments.raw(), self.usage.secrets)
        return name, arguments

    def reader(self, procedure: type[Procedure]) -> FieldReader:
        """Give what reads the arguments of a procedure: one reader for all of its jobs."""
        found = self.readers.get(procedure.procedure)
        if found is None:
            found = reader_of(procedure, self.findings, self.usage, self.agents)
            self.readers[procedure.procedure] = found
        return found

    def procedure(self, name: str) -> type[Procedure] | None:
        """Give the procedure of that name, if there is one in this scenario."""
        if name not in self.procedures:
            try:
                found: type[Procedure] | None = None if name.startswith("internals.") else find(name)
            except KeyError:
                found = None
            # What another scenario's own file defined in this process does not count here.
            if found is not None and found.__module__.startswith(OWN_MODULE) and name not in self.own_digests:
                found = None
            self.procedures[name] = found
        return self.procedures[name]

    def unknown(self, node: MapNode, key: str) -> None:
        """Report a key that is neither a job's own nor a procedure."""
        place = node.key_place(key)
        load_all()
        procedures = [n for n in REGISTRY if self.procedure(n) is not None and not n.startswith("internals.")]
        if "." in key:
            family = key.split(".")[0] + "."
            siblings = [n for n in procedures if n.startswith(family)]
            like = suggestion(key, siblings) or suggestion(key, procedures)
            if siblings:
                hint = f"there are {', '.join(sorted(siblings)[:20])}"
            else:
                hint = f"the families are {', '.join(sorted({name.split('.')[0] for name in procedures}))}"
            self.findings.error(place, f"there is no procedure `{key}`{like}", hint)
            return
        owner = next((n for n in node if (found := self.procedure(n)) is not None and key in found.fields), None)
        if owner is not None:
            message = f"unknown key `{key}` in a job: it is an argument of `{owner}`"
            self.findings.error(place, message, f"write it below `{owner}`, indented")
            return
        if key in STAGE and key != "jobs":
            message = f"unknown key `{key}` in a job: it is one of a stage"
            self.findings.error(place, message, "write it beside the stage's `jobs`")
            return
        from octogram_tui.scenario import elsewhere

        hint = elsewhere.instead_of("a job", key) or f"the keys of a job are {', '.join(JOB)}, and one procedure"
        own = f"builtins.{key}"
        meant = own if own in procedures else elsewhere.key_meant("a job", key)
        like = f"; did you mean `{meant}`?" if meant else suggestion(key, [*JOB, *procedures])
        self.findings.error(place, f"unknown key `{key}` in a job{like}", hint)

    # -- items ----------------------------------------------------------------------------------------------------

    def items(self, node: MapNode) -> ItemsSpec | None:
        """Read `with_items`."""
        value = node["with_items"]
        place = node.value_place("with_items")
        mark = self.findings.mark(place)
        if not isinstance(value, MapNode):
            return ItemsSpec((self.item_list(value, place),), mark=mark)
        if list(value) != ["product"]:
            hint = "write a scalar, a list, or `product:` with a list of lists"
            for key in value:
                if key != "product":
                    message = f"unknown key `{key}` in `with_items`{suggestion(key, ['product'])}"
                    self.findings.error(value.key_place(key), message, hint)
            if not value:
                self.findings.error(place, "`with_items` is a map that says nothing", hint)
            if "product" not in value:
                return None
        lists = value["product"]
        if not self.keys.is_list(lists, value.value_place("product"), "`product`"):
            return None
        return ItemsSpec(tuple(self.item_list(v, p) for v, p in lists.pairs()), True, mark)

    def item_list(self, value: Any, place: Place) -> tuple[str | int | bool | None, ...]:
        """Read one scalar or one list of scalars."""
        if isinstance(value, ListNode):
            return tuple(self.item(v, p) for v, p in value.pairs())
        if isinstance(value, str) and not is_template(value) and not is_plain_item(value):
            from octogram_tui.scenario.elsewhere import items_meant

            if meant := items_meant(value.strip()):
                self.findings.warning(place, f"`{beginning(value, 60)}` is one item, a text", meant)
        return (self.item(value, place),)

    def item(self, value: Any, place: Place) -> str | int | bool | None:
        """Read one scalar: numbers lose their fraction, as in the original."""
        if isinstance(value, str):
            if is_template(value):
                self.usage.check(value, place, self.findings, IN_JOB)
            elif (problem := text_problem(value)) is not None:
                self.findings.error(place, f"an item {problem[0]}", problem[1])
            return value
        if isinstance(value, float):
            return whole(self.keys, value, place)
        if value is None or isinstance(value, (bool, int)):
            self.findings.warn_of_variable(value, place)
            return value
        hint = "items that are lists or maps stand in a variable: `with_items: '{{ vars.nodes }}'`"
        self.findings.error(place, f"an item is a scalar, not {kind_of(value)}", hint)
        return None

    # -- updates --------------------------------------------------------------------------------------------------

    def updates(self, node: MapNode) -> tuple[VarUpdate, ...]:
        """Read `vars_updates`."""
        value = node["vars_updates"]
        if not self.keys.is_given(node, "vars_updates"):
            return ()
        if not self.keys.is_map(value, node.value_place("vars_updates"), "`vars_updates`"):
            return ()
        result = []
        for name, element in value.items():
            place = value.key_place(name)
            if not name:
                self.nameless(place)
            if is_template(name):
                self.usage.check(name, place, self.findings, AFTER_JOB)
            self.usage.set_by(name)
            update = self.update(Text(name, self.findings.mark(place)), element, value.value_place(name))
            if update is not None:
                result.append(update)
        return tuple(result)

    def update(self, name: Text, value: Any, place: Place) -> VarUpdate | None:
        """Read what one variable becomes."""
        if value is None or isinstance(value, (bool, int)):
            if value is not None:
                self.findings.warn_of_variable(value, place)
            return VarUpdate(name, value)
        if isinstance(value, float):
            return VarUpdate(name, whole(self.keys, value, place))
        if isinstance(value, str):
            return VarUpdate(name, self.template(value, place), "string" if self.usage.is_original else "kept")
        if isinstance(value, MapNode) and "value" in value:
            self.keys.check_known(value, UPDATE, "an update")
            cast_to = self.keys.choice(value, "as", UPDATE["as"], "string" if self.usage.is_original else "kept")
            inner = value["value"]
            inner_place = value.value_place("value")
            if isinstance(inner, (bool, int, float)):
                inner = self.keys.word(value, "value")
            if not isinstance(inner, str):
                self.findings.error(inner_place, f"`value` takes a template, not {kind_of(inner)}")
                return None
            if not is_template(inner):
                try:
                    cast_text(inner, cast_to, name.source)
                except TemplateError as error:
                    self.findings.error(inner_place, error.message, error.hint or "")
            return VarUpdate(name, self.template(inner, inner_place), cast("Any", cast_to))
        self.findings.error(
            place,
            f"`{name.source}` takes a scalar or {{value: TEMPLATE, as: TYPE}}, not {kind_of(value)}",
            "write '{{ [1, 2] }}' for a list, and '{{ {\"a\": 1} }}' for a map",
        )
        return None

    def nameless(self, place: Place) -> None:
        """Refuse a variable without a name."""
        self.findings.error(place, "a variable needs a name, and this one is empty")

    def template(self, text: str, place: Place) -> Text:
        """Check the template of an update, which sees the result."""
        if is_template(text):
            self.usage.check(text, place, self.findings, AFTER_JOB)
        return Text(text, self.findings.mark(place))


def whole(keys: KeyReader, value: float, place: Place) -> int:
    """Take a number's whole part, as the original did, with a warning when its text is another then."""
    if not math.isfinite(value):
        keys.findings.error(place, f"{value} is not a number that can be kept", "quote it to have a text")
        return 0
    written = keys.findings.written(place) or str(value)
    if value != int(value) or (str(int(value)) != written and not keys.findings.is_doubted(place)):
        hint = f"write '{written}' in quotes to keep it as it is"
        message = f"{written} becomes {int(value)}: numbers here are whole, as in the original"
        keys.findings.warning(place, message, hint)
    return int(value)
