"""Reads the keys of a map as shapes.py declares them. What is wrong becomes a finding, and the key its default."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from octogram_tui.cuts import beginning
from octogram_tui.model.scenario import Text
from octogram_tui.scenario.findings import Findings, kind_of, suggestion
from octogram_tui.scenario.forms import shown
from octogram_tui.scenario.scalars import read_duration_s
from octogram_tui.scenario.shapes import JOB, KeySpec
from octogram_tui.scenario.tree import ListNode, MapNode, Mark
from octogram_tui.scenario.usage import Usage
from octogram_tui.template.numbers import integer
from octogram_tui.template.text import text_of

# Names of the scope, as nobody would write them for another program.
_MEANT = re.compile(r"\{\{[^{}]*\b(?:vars\.|vars\[|var\(|agent\.|item\b|re\[|res\.)")

Shape = Mapping[str, KeySpec]
_NAMED = ("an agent", "a stage", "a job")


class KeyReader:
    """Reads maps of one file."""

    def __init__(self, findings: Findings, usage: Usage) -> None:
        self.findings = findings
        self.usage = usage

    def is_map(self, value: Any, place: Mark, what: str) -> bool:
        """Tell whether a value is a map, and report it when it is not."""
        if isinstance(value, MapNode):
            return True
        hint = "write `name: value`, without a dash" if isinstance(value, ListNode) else ""
        if isinstance(value, str) and value.isprintable() and what in _NAMED:
            hint = f"write `name: {beginning(value, 40)}`, and its other keys below"
        self.findings.error(place, f"{what} must be a map of keys, not {kind_of(value)}", hint)
        return False

    def is_list(self, value: Any, place: Mark, what: str) -> bool:
        """Tell whether a value is a list, and report it when it is not."""
        if isinstance(value, ListNode):
            return True
        self.findings.error(place, f"{what} must be a list, not {kind_of(value)}", "begin each element with `- `")
        return False

    def check_known(self, node: MapNode, shape: Shape, what: str) -> None:
        """Report keys that do not exist, and required ones that are missing."""
        meant = {self.unknown(node, key, shape, what) for key in node if key not in shape}
        self.check_required(node, shape, what, meant)

    def unknown(self, node: MapNode, key: str, shape: Shape, what: str) -> str:
        """Report a key that does not exist; gives the one that another tool calls so, or nothing."""
        from octogram_tui.scenario import elsewhere

        hint = elsewhere.instead_of(what, key) or f"the keys of {what} are {', '.join(shape)}"
        meant = elsewhere.key_meant(what, key)
        if what == "a stage" and key in JOB and not meant:
            message = f"unknown key `{shown(key)}` in a stage: it is one of a job"
            self.findings.error(node.key_place(key), message, "write it in those jobs of the stage that it is for")
            return ""
        like = f"; did you mean `{meant}`?" if meant else suggestion(key, shape)
        self.findings.error(node.key_place(key), f"unknown key `{shown(key)}` in {what}{like}", hint)
        return meant

    def check_required(self, node: MapNode, shape: Shape, what: str, meant: Collection[str] = ()) -> None:
        """Report required keys that are missing. meant: those that are there under another tool's name."""
        for key, declared in shape.items():
            if declared.required and key not in node and key not in meant:
                self.findings.error(node.place, f"`{key}` is missing in {what}", declared.doc)

    def is_given(self, node: MapNode, key: str) -> bool:
        """Tell whether a key is there and not null; a null is reported."""
        value = node.get(key, ...)
        if value is ...:
            return False
        if value is None:
            place = node.value_place(key)
            hint = self.findings.null_hint(place, "leave the key out to have its default")
            self.findings.error(place, f"`{key}` is null", hint)
            return False
        return True

    def word(self, node: MapNode, key: str, *, may_be_template: bool = False) -> str | None:
        """Read a string; numbers and booleans are taken as their text."""
        value = node.get(key)
        if type(value) is str:
            if not may_be_template and "{{" in value:
                self.keep_literal(value, node.marks[key][1], key)
            return value
        if not self.is_given(node, key):
            return None
        if isinstance(value, (bool, int, float)):
            return self.findings.text_of(value, node.value_place(key))
        self.wrong(node, key, "a text")
        return None

    def keep_literal(self, value: Any, place: Mark, key: str) -> None:
        """Warn of what looks like a template where none is expanded."""
        if isinstance(value, str):
            if "{{" in value and _MEANT.search(value):
                self.findings.warning(place, f"`{key}` is no template: the braces in it stay as they are")
        elif isinstance(value, ListNode):
            for element, where in value.pairs():
                self.keep_literal(element, where, key)
        elif isinstance(value, MapNode):
            for name, element in value.items():
                self.keep_literal(element, value.value_place(name), f"{key}.{name}")

    def integer(self, node: MapNode, key: str, declared: KeySpec) -> int | None:
        """Read a whole number; one in quotes is one too."""
        if not self.is_given(node, key):
            return None
        value = node[key]
        number: int | None = None
        if isinstance(value, str):
            try:
                number = integer(value)
            except ValueError:
                number = None
        elif isinstance(value, (int, float)) and not isinstance(value, bool) and value == value // 1:
            number = int(value)
        if number is None:
            self.wrong(node, key, "a whole number")
        elif self.is_refused(node, key, declared, number):
            return None
        return number

    def boolean(self, node: MapNode, key: str) -> bool:
        """Read a boolean; absent is false."""
        if not self.is_given(node, key):
            return False
        value = node[key]
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return bool(value == "true")
        self.wrong(node, key, "true or false")
        return False

    def choice(self, node: MapNode, key: str, declared: KeySpec, default: str) -> str:
        """Read one of some words."""
        value = node.get(key, default)
        if type(value) is str and value in declared.choices:
            return value
        if self.is_given(node, key):
            names = " or ".join(f"`{choice}`" for choice in declared.choices)
            like = ""
            if isinstance(value, str):
                from octogram_tui.scenario import elsewhere

                meant = elsewhere.word_meant(value, declared.choices)
                like = f"; did you mean `{meant}`?" if meant else suggestion(value, declared.choices)
            self.findings.error(node.value_place(key), f"`{key}` must be {names}, not {kind_of(value)}{like}")
        return default

    def duration_s(self, node: MapNode, key: str, declared: KeySpec) -> float | None:
        """Read a duration, in seconds."""
        if not self.is_given(node, key):
            return None
        seconds = read_duration_s(node[key])
        if seconds is None:
            self.wrong(node, key, "a duration (30, 30s, 5m, 1h)")
        elif self.is_refused(node, key, declared, seconds):
            return None
        return seconds

    def is_refused(self, node: MapNode, key: str, declared: KeySpec, number: float) -> bool:
        """Tell whether a number is outside of what its key allows, and report it then."""
        if declared.above is not None and number <= declared.above:
            bound = f"more than {declared.above}"
        elif declared.minimum is not None and number < declared.minimum:
            bound = f"at least {declared.minimum}"
        elif declared.maximum is not None and number > declared.maximum:
            bound = f"at most {declared.maximum}"
        else:
            return False
        hint = f"leave it out to have {declared.absent}" if declared.absent else ""
        self.findings.error(node.value_place(key), f"`{key}` must be {bound}, not {kind_of(node[key])}", hint)
        return True

    def expression(self, node: MapNode, key: str, names: frozenset[str]) -> Text | None:
        """Read a condition: an expression, or a boolean."""
        if not self.is_given(node, key):
            return None
        value = node[key]
        place = node.value_place(key)
        if isinstance(value, bool):
            value = text_of(value)
        if not isinstance(value, str):
            self.wrong(node, key, "an expression that is true or false")
            return None
        self.usage.check_condition(value, place, self.findings, names)
        return Text(value, self.findings.mark(place))

    def words(self, node: MapNode, key: str, *, are_templates: bool = False) -> list[tuple[str, Mark]]:
        """Read a string or a list of strings, each with its place."""
        if not self.is_given(node, key):
            return []
        value = node[key]
        is_list = isinstance(value, ListNode)
        elements, marks = (value, value.marks) if is_list else ((value,), (node.marks[key][1],))
        result = []
        for element, mark in zip(elements, marks, strict=True):
            if type(element) is str:
                if not are_templates and "{{" in element:
                    self.keep_literal(element, mark, key)
                result.append((element, mark))
            elif isinstance(element, (bool, int, float)):
                result.append((self.findings.text_of(element, mark), mark))
            else:
                if not are_templates:
                    self.keep_literal(element, mark, key)
                self.findings.error(mark, f"`{key}` takes a text or a list of texts, not {kind_of(element)}")
        return result

    def string_map(self, node: MapNode, key: str) -> dict[str, str]:
        """Read a map of free names to texts."""
        if not self.is_given(node, key):
            return {}
        value = node[key]
        if not isinstance(value, MapNode):
            self.wrong(node, key, "a map of names and texts")
            return {}
        return {name: text for name in value if (text := self.word(value, name)) is not None}

    def strings_map(self, node: MapNode, key: str) -> dict[str, str | list[str]]:
        """Read a map of free names to texts, or lists of them."""
        if not self.is_given(node, key):
            return {}
        value = node[key]
        if not isinstance(value, MapNode):
            self.wrong(node, key, "a map of names and texts")
            return {}
        result: dict[str, str | list[str]] = {}
        for name in value:
            if isinstance(value[name], ListNode):
                result[name] = list(dict.fromkeys(text for text, _ in self.words(value, name)))
            elif (text := self.word(value, name)) is not None:
                result[name] = text
        return result

    def wrong(self, node: MapNode, key: str, wanted: str) -> None:
        """Report a value of the wrong kind."""
        value = node[key]
        hint = "a template that stands alone must be quoted: '{{ … }}'" if isinstance(value, MapNode) else ""
        self.findings.error(node.value_place(key), f"`{key}` takes {wanted}, not {kind_of(value)}", hint)
