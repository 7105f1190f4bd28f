"""What a job hands to its procedure: checked against the declarations once, expanded for every instance."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from octogram_agentd.procedures.base import Procedure
from octogram_tui.errors import TemplateError
from octogram_tui.scenario.field_values import Resolve
from octogram_tui.scenario.fields import FieldReader, Make
from octogram_tui.scenario.findings import Findings, kind_of
from octogram_tui.scenario.given import read_given
from octogram_tui.scenario.tree import MapNode, Mark, texts_in
from octogram_tui.scenario.usage import IN_JOB, IN_PROCESS, Usage
from octogram_tui.template.scope import PORTS, PortTexts

_PORT = re.compile(r"\{\{ *port\.([\w-]+) *\}\}")
_ORIGINALS = ("tezos.", "smart_rollup.")
_ORIGINAL_NAMES = frozenset(("copy", "builtins.start_http_server", "builtins.tar", "builtins.prefetch"))


@functools.lru_cache(1024)
def is_original(procedure: str) -> bool:
    """Tell whether the original had this procedure: its texts know `\\{`; those of ours belong to shells."""
    return procedure in _ORIGINAL_NAMES or procedure.startswith(_ORIGINALS)


class JobArguments:
    """The arguments of one job. Those without any template are ready; the others are made for each instance."""

    __slots__ = ("_base", "_has_ports", "_makers", "_procedure", "braces", "is_ready")

    def __init__(
        self,
        raw: dict[str, Any],
        makers: tuple[tuple[str, Make], ...] = (),
        procedure: type[Procedure] | None = None,
        *,
        has_ports: bool = False,
        braces: bool = True,
    ) -> None:
        # The makers' results take the places of their templates, so that the order stays that of the declaration.
        self._base = raw
        self._makers = makers
        self._procedure = procedure
        self._has_ports = has_ports
        self.braces = braces
        self.is_ready = not makers

    def expand(self, scope: Mapping[str, object], resolve: Resolve) -> dict[str, Any]:
        """Give the arguments as JSON values. Raises TemplateError."""
        result = self._base.copy()
        if self._makers:
            if self._has_ports:
                scope = {**scope, "port": PORTS}
            for name, make in self._makers:
                result[name] = make(scope, resolve)
        return result

    def for_agent(
        self, arguments: dict[str, Any], scope: Mapping[str, object], resolve: Resolve
    ) -> tuple[dict[str, Any], str]:
        """Give expanded arguments as the agent gets them, and the mark of the ports that it puts in.

        Mostly they stay as they are, and there is none: each `{{ port.NAME }}` is meant. A value, which an agent may
        have answered, can hold such a text, too. Then those that are meant are marked with what no value can hold,
        being made from all of them. Raises TemplateError.
        """
        if not self._has_ports:
            return arguments, ""
        made = [(name, make) for name, make in self._makers if _names_port(arguments[name])]
        if not made:
            return arguments, ""
        mark = f"m{hashlib.sha256(repr(arguments).encode('utf-8', 'replace')).hexdigest()[:32]}."
        scope = {**scope, "port": PortTexts(mark)}
        marked = {name: make(scope, resolve) for name, make in made}
        if not any(map(_names_port, marked.values())):
            return arguments, ""
        by_hand = {
            name: _with_mark(value, mark)
            for name, value in arguments.items()
            if name not in dict(self._makers)  # as the author or the operator wrote it
        }
        return {**arguments, **by_hand, **marked}, mark

    def replaced(self, given: Mapping[str, Any]) -> JobArguments:
        """Give these with others in their places, which are no templates. Raises TemplateError for what is refused."""
        if self._procedure is None:
            raise TemplateError("nobody knows what this job's procedure takes")
        new = read_given(self._procedure, given, self._base, braces=self.braces)
        base = {**self._base, **new.values}
        kept = [name for name in self._procedure.fields if name in base and name not in new.gone - set(new.values)]
        makers = {name: make for name, make in self._makers if name in kept and name not in new.values} | new.makers
        return JobArguments(
            {name: base[name] for name in kept},
            tuple(makers.items()),
            self._procedure,
            has_ports=self._has_ports,
            braces=self.braces,
        )

    def foretell(self, scope: Mapping[str, Any], can_tell: Callable[[str, bool], bool]) -> tuple[dict[str, Any], str]:
        """Expand what can be told before the run; the rest stays as written. Also gives what would go wrong.

        can_tell(text, braces) says whether a template has its final value already. URIs are shown, not resolved.
        """
        result = self._base.copy()
        problem = ""
        if self._has_ports:
            scope = {**scope, "port": PORTS}
        for name, make in self._makers:
            if not all(can_tell(text, self.braces) for text in texts_in(result[name])):
                continue
            try:
                result[name] = make(scope, _shown)
            except TemplateError as error:
                problem = problem or error.message
        return result, problem

    def templates(self) -> Iterator[str]:
        """Give every text of the arguments that hold templates."""
        for name, _ in self._makers:
            yield from texts_in(self._base[name])

    def raw(self) -> dict[str, Any]:
        """Give the arguments as written, defaults filled in."""
        return self._base.copy()


NO_ARGUMENTS = JobArguments({})


def _names_port(value: Any) -> bool:
    """Whether the agent would put a port in, see `with_ports` there."""
    return any("{{" in text and _PORT.search(text) for text in texts_in(value))


def _with_mark(value: Any, mark: str) -> Any:
    if isinstance(value, str):
        return _PORT.sub(lambda found: "{{ " + mark + "port." + found[1] + " }}", value)
    if isinstance(value, list):
        return [_with_mark(one, mark) for one in value]
    return {name: _with_mark(one, mark) for name, one in value.items()} if isinstance(value, dict) else value


def _shown(kind: str, uri: str) -> Any:
    return uri


def reader_of(procedure: type[Procedure], findings: Findings, usage: Usage, agents: Mapping[str, Any]) -> FieldReader:
    """Give the reader for all jobs of a procedure."""
    names = IN_PROCESS if "ports" in procedure.fields else IN_JOB
    return FieldReader(findings, usage, names, agents, braces=is_original(procedure.procedure))


def read_arguments(procedure: type[Procedure], value: Any, place: Mark, reader: FieldReader) -> JobArguments:
    """Check what a job gives to its procedure. Problems go to the findings of the reader."""
    has_ports = reader.names is IN_PROCESS
    if not isinstance(value, dict):
        if value is None and not procedure.short:
            value = {}
        elif procedure.short:
            short = MapNode.at(place)
            short[procedure.short] = value
            short.marks[procedure.short] = (place, place)
            value = short
        else:
            message = f"`{procedure.procedure}` takes a map of arguments, not {kind_of(value)}"
            reader.findings.error(place, message)
            return NO_ARGUMENTS
    makers: list[tuple[str, Make]] = []
    plan = reader.plan(procedure, tuple(value))
    if plan is not None:
        raw = plan.base.copy()
        for key, field in plan.given:
            raw[key], make = reader.member(field, value, key, place, "")
            if make is not None:
                makers.append((key, make))
        return JobArguments(raw, tuple(makers), procedure, has_ports=has_ports, braces=reader.braces)
    raw = {}
    for key, read in reader.members(procedure.fields, procedure.exactly_one, value, place, "").items():
        raw[key] = read.raw
        if read.make is not None:
            makers.append((key, read.make))
    return JobArguments(raw, tuple(makers), procedure, has_ports=has_ports, braces=reader.braces)
