"""Checks templates and expressions before anything runs: they parse, and every name that they use can exist."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from octogram_tui.errors import Problem
from octogram_tui.model.wildcard import Wildcard
from octogram_tui.scenario.findings import Findings, suggestion
from octogram_tui.scenario.tree import Mark, Place, place_of
from octogram_tui.template.analysis import uses
from octogram_tui.template.condition import not_a_boolean
from octogram_tui.template.environment import bare_expression, plain_name
from octogram_tui.template.source import is_template

_OPENING = re.compile(r"\{[{%]")

BEFORE_AGENTS = frozenset(("vars", "var", "item"))
IN_JOB = frozenset(("vars", "var", "agent", "re", "item"))
IN_PROCESS = IN_JOB | {"port"}
AFTER_JOB = IN_JOB | {"res"}
MEMBERS = ("name", "address", "labels")  # of `agent`
OF_FAILURES = ("failed", "error", "exit_code", "stdout", "stderr")  # what a result may have when a job has failed


_ALWAYS = frozenset(("agent.name",))  # every agent has it


class Usage:
    """Remembers which variables a scenario uses and sets, and says at the end which of them nobody sets."""

    def __init__(self) -> None:
        self.used: list[tuple[Findings, Place, str]] = []
        self.known: set[str] = set()
        self.secrets: Mapping[str, Any] = {}  # by name
        self.mentioned: set[str] = set()
        self.labels: set[str] = set()  # those that some agent has
        self.lacks_agents = False  # whether a list of agents cannot be read: nobody knows who and what there is
        self.labels_used: dict[
            str, tuple[Findings, Place]
        ] = {}  # since somebody cleared it, each where it is used first
        self.result: Collection[str] | None = None  # the members of `res` in the job that is read; None: not known
        self.reaches_all = False  # some template computes names of variables, or takes all of them
        self.values: dict[str, Any] = {}  # of variables at the start
        self.changed: set[str] = set()  # variables that jobs set
        self.asked: list[tuple[Findings, Mark, str]] = []  # variables that are conditions as they are
        self.is_original = False  # whether what is read now belongs to jobs of the original
        self.has_seen_item = False  # whether something that was checked since somebody cleared it names the item
        self.computed: list[Wildcard] = []  # names that are templates themselves: what they can become

    def check(
        self,
        text: str,
        place: Mark,
        findings: Findings,
        names: frozenset[str],
        *,
        expression: bool = False,
        braces: bool = True,
    ) -> bool:
        """Check one template or expression. Tells whether it can be used."""
        found = uses(text, expression=expression, braces=braces)
        if found.problem:
            findings.error(within(place, found.line, findings), found.problem, found.hint)
            return False
        if expression and "{{" in text and "{{" in bare_expression(text):
            findings.warning(
                place,
                "an expression is not expanded: the braces in its text stay braces",
                "write names without braces and quotes: `item == 2`",
            )
        if self.is_original and braces and not expression:
            self.compare(text, place, findings)
        self.has_seen_item = self.has_seen_item or "item" in found.names
        unknown = () if found.names <= names else sorted(found.names - names)
        for name in unknown:
            problem = _unknown_name(name, names, self.known, expression)
            findings.error(where_of(name, text, place, findings), *problem)
        for member in sorted(found.members) if found.members and found.members - _ALWAYS else ():
            root, _, path = member.partition(".")
            if root in names:
                where = where_of(path.rpartition(".")[2], text, place, findings)
                (self.check_member if root == "agent" else self.check_result)(path, findings, where)
        self.reaches_all = self.reaches_all or found.is_computed
        self.mentioned |= found.variables
        if found.variables <= self.known:
            return not unknown  # as most are: there is nothing to be said of them later
        for name in sorted(found.variables - found.optional):  # a set has another order in each process
            if name not in self.known:
                self.used.append((findings, where_of(name, text, place, findings), name))
        return not unknown

    def check_member(self, member: str, findings: Findings, place: Place) -> None:
        """Check a member of `agent`: `name`, `address`, `labels`, or `labels.NAME`."""
        head, _, label = member.partition(".")
        if head not in MEMBERS:
            hint = "an agent has `name`, `address` and `labels`"
            findings.error(place, f"`agent` has no `{head}`{suggestion(head, MEMBERS)}", hint)
        elif head == "labels" and label and label not in self.labels:
            if self.lacks_agents:
                return
            hint = "give it to agents under `labels`, or write `| default(...)` after it"
            findings.error(place, f"no agent has the label `{label}`{suggestion(label, self.labels)}", hint)
        elif head == "labels" and label:
            self.labels_used.setdefault(label, (findings, place))

    def check_result(self, name: str, findings: Findings, place: Place) -> None:
        """Check a member of `res`, where the procedure says which there are."""
        if self.result is None or name in self.result or name in OF_FAILURES:
            return
        if not self.result:
            findings.warning(place, f"this job has no result: there is no `res.{name}`", "")
            return
        message = f"the result of this job has no `{name}`{suggestion(name, self.result)}"
        findings.warning(place, message, f"it has {', '.join(self.result)}")

    def check_condition(self, text: str, place: Mark, findings: Findings, names: frozenset[str]) -> None:
        """Check an expression that is to be true or false."""
        if self.check(text, place, findings, names, expression=True):
            name = plain_name(bare_expression(text))
            if name is not None and name.root == "vars" and len(name.steps) == 1:
                self.asked.append((findings, place, str(name.steps[0])))

    def compare(self, text: str, place: Mark, findings: Findings) -> None:
        """Say where a template of the original meant something else there."""
        from octogram_tui.template.jingoo import differences

        for difference in differences(text):
            if not difference.variable or self.values.get(difference.variable, ...) is None:
                findings.warning(within(place, difference.line, findings), difference.message, difference.hint)

    def uses_item(self, text: str, *, braces: bool) -> bool:
        """Tell whether a template mentions the item."""
        return "item" in text and "item" in uses(text, expression=False, braces=braces).names

    def set_by(self, name: str) -> None:
        """Note that a job sets a variable; the name may be a template."""
        if is_template(name):
            self.computed.append(what_it_may_become(name))
        else:
            self.known.add(name)
            self.changed.add(name)

    def unused(self, given: Iterable[str], defined: set[str]) -> Iterator[Problem]:
        """Warn of variables of the command line that the scenario neither defines nor uses: they are mistyped."""
        if self.reaches_all:
            return
        there = defined | self.mentioned
        for name in given:
            if name not in there and not any(wildcard.fits(name) for wildcard in self.computed):
                message = f"no template uses `{name}`{suggestion(name, there)}"
                hint = (
                    f"the scenario's variables are {', '.join(sorted(there)[:12])}" if there else "it has no variables"
                )
                yield Problem("--var", 0, 0, message, hint, is_warning=True)

    def finish(self) -> None:
        """Report every use of a variable that exists nowhere, and conditions that cannot be any."""
        for findings, place, name in self.asked:
            value = self.values.get(name)
            is_fixed = name not in self.changed and not any(pattern.fits(name) for pattern in self.computed)
            if is_fixed and value is not None and not isinstance(value, bool):
                problem = not_a_boolean(value, f"vars.{name}")
                findings.warning(place, problem.message, problem.hint or "")
        for findings, place, name in self.used:
            if name in self.known or any(pattern.fits(name) for pattern in self.computed):
                continue
            findings.error(
                place,
                f"no variable `{name}` is defined anywhere{suggestion(name, self.known)}",
                "add it to `vars`, set it with --var, or write `| default(...)` after it",
            )


def what_it_may_become(template: str) -> Wildcard:
    """Give a wildcard for every text that a template may expand to."""
    pieces = []
    at = 0
    while (opened := _OPENING.search(template, at)) is not None:
        pieces.append(template[at : opened.start()])
        closed = template.find("}}" if opened.group() == "{{" else "%}", opened.end())
        at = closed + 2 if closed >= 0 else len(template)
    return Wildcard([*pieces, template[at:]])


def _unknown_name(name: str, names: frozenset[str], known: set[str], expression: bool) -> tuple[str, str]:
    from octogram_tui.template.environment import missing_name
    from octogram_tui.template.scope import VisibleVariables

    scope: dict[str, Any] = dict.fromkeys(names)
    scope["vars"] = VisibleVariables(dict.fromkeys(known))
    error = missing_name(name, scope, expression=expression)
    return error.message, error.hint


def within(place: Mark, line: int, findings: Findings) -> Place:
    """Give the place of a line of a text: of a block text that line, else where the text begins."""
    place = place_of(place)
    if not place.is_block:
        return place
    source = findings.line(place.line + line)
    return Place(place.line + line, len(source) - len(source.lstrip()) + 1)


def where_of(name: str, text: str, place: Mark, findings: Findings) -> Place:
    """Give the place where a name stands within a block text; the text's own place otherwise."""
    place = place_of(place)
    found = re.search(rf"\b{re.escape(name)}\b", text) if place.is_block else None
    if found is None:
        return place
    line = place.line + 1 + text.count("\n", 0, found.start())
    again = re.search(rf"\b{re.escape(name)}\b", findings.line(line))
    return Place(line, again.start() + 1 if again else 1)
