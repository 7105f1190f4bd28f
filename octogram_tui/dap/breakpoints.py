"""What the client wants to stop at, and the breakpoints of the run that stand for it: set, kept in step, taken away.

A line becomes the pattern of its stage or job, which survives edits; the client is told when it has moved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

from octogram_tui.dap.capabilities import BY_ID
from octogram_tui.dap.debuggee import Debuggee
from octogram_tui.dap.messages import Arguments, RequestFailed
from octogram_tui.dap.places import NOTHING_HERE, line_of_pattern, place_of
from octogram_tui.dap.sources import Sources
from octogram_tui.engine import events as ev
from octogram_tui.engine.breakpoint_check import problem_of, tidied
from octogram_tui.engine.stimuli import BreakRequest, RemoveBreakRequest, SwitchBreakRequest
from octogram_tui.model.breakpoint import Breakpoint, is_reached
from octogram_tui.model.pattern import Pattern
from octogram_tui.projection.breakpoints import Listed
from octogram_tui.projection.text import safe

Cause = Literal["breakpoint", "function breakpoint", "data breakpoint", "exception"]
OTHER_FILE = "this file is not the scenario that runs"
EDITED = "the file was edited: it stands as soon as the run goes by it"
NOTHING_MEANT = "no row of the scenario is meant by it now"
TAKEN_AWAY = "an edit took away what it stood on"
MOST = 1000
"""So many a run takes."""

_BRACES = re.compile(r"\{([^{}]*)\}")


class Wanted:
    """One that the client wants. number: of the run's breakpoint that stands for it, 0 while there is none."""

    def __init__(self, id_: int, cause: Cause, breakpoint_: Breakpoint | None, problem: str = "") -> None:
        self.id = id_
        self.cause: Cause = cause
        self.breakpoint = breakpoint_
        self.problem = problem
        self.number = 0
        self.path = ""  # of one on a line, as the client wrote it
        self.asked = Arguments({})
        self.line = 0  # as asked for
        self.moved = 0  # where it stands
        self.waits = False  # for the run to go by the file as it is now
        self.told: dict[str, Any] = {}

    @property
    def is_verified(self) -> bool:
        """Whether it will stop the run."""
        return self.number > 0 and not self.problem


class Breakpoints:
    """All that the client wants, by who asked last for which; each new list replaces the one before."""

    def __init__(self, debuggee: Debuggee, sources: Sources, *, is_on: bool) -> None:
        self._debuggee = debuggee
        self._sources = sources
        self._is_on = is_on  # False: the run is to stop nowhere
        self._of: dict[str, list[Wanted]] = {}  # by kind, lines by the path of their file
        self._last_id = 0
        self._numbers: dict[Breakpoint, int] = {}  # those of the run that we see to
        self._borrowed: set[int] = set()  # which were there before, so that they stay
        self._failures_hold: bool | None = None  # as the client wants it; None: it has not said so
        self.changed: Callable[[dict[str, Any]], None] = lambda _: None

    # What is asked for

    async def set_lines(self, asked: Arguments) -> list[dict[str, Any]]:
        """Take the breakpoints of a file."""
        source = asked.object("source")
        path = source.path("path", "")
        if source.number("sourceReference", 0):
            path = path or self._debuggee.opened.scenario
        given = asked.objects("breakpoints")
        if not given and "lines" in asked and isinstance(asked.given["lines"], list):
            given = [Arguments({"line": line}) for line in asked.given["lines"]]
        return await self._replace(f"line {path}", [self._of_line(path, each) for each in given])

    def _of_line(self, path: str, asked: Arguments) -> Wanted:
        wanted = Wanted(self._next_id(), "breakpoint", None)
        wanted.path, wanted.asked = path, asked
        wanted.line = wanted.moved = self._sources.positions.line_in(asked.number("line"))
        self._resolve(wanted)
        return wanted

    def _resolve(self, wanted: Wanted) -> None:
        """Find the row that a line stands for, in the text that the run goes by."""
        wanted.problem, wanted.breakpoint, wanted.waits = "", None, False
        if not self._debuggee.is_scenario(wanted.path):
            wanted.problem = OTHER_FILE
            return
        if not self._debuggee.is_replay and not self._sources.is_as_in_file():
            wanted.problem, wanted.waits = EDITED, True
            return
        place = place_of(self._debuggee.model.head.source, wanted.line)
        if place is None:
            wanted.problem = NOTHING_HERE
            return
        wanted.moved = place.line
        when: Literal["stage", "before"] = "stage" if place.is_stage else "before"
        self._give(wanted, Breakpoint(place.pattern, when), wanted.asked)

    def _give(self, wanted: Wanted, plain: Breakpoint, asked: Arguments) -> None:
        """Add what is said of each: condition, hits, and the text to write."""
        try:
            found = tidied(
                replace(
                    plain,
                    condition=asked.text("condition", ""),
                    hits=asked.text("hitCondition", ""),
                    log=template_of(asked.text("logMessage", "")),
                )
            )
        except ValueError as error:
            wanted.problem = safe(error)
            return
        wanted.problem = safe(problem_of(found))
        wanted.breakpoint = None if wanted.problem else found

    async def set_functions(self, asked: Arguments) -> list[dict[str, Any]]:
        """Take those on rows by their names: patterns."""
        found = []
        for each in asked.objects("breakpoints"):
            wanted = Wanted(self._next_id(), "function breakpoint", None)
            try:
                pattern = Pattern.parse(each.text("name"))
            except ValueError as error:
                wanted.problem = safe(error)
            else:
                is_stage = bool(pattern.stage) and not (pattern.is_of_job or pattern.agent)
                self._give(wanted, Breakpoint(str(pattern), "stage" if is_stage else "before"), each)
            found.append(wanted)
        return await self._replace("functions", found)

    async def set_data(self, asked: Arguments) -> list[dict[str, Any]]:
        """Take those on variables."""
        found = []
        for each in asked.objects("breakpoints"):
            wanted = Wanted(self._next_id(), "data breakpoint", None)
            if each.text("accessType", "write") != "write":
                wanted.problem = "only a change of a variable can be waited for"
            else:
                self._give(wanted, Breakpoint("*", "variable", name=_literal(each.text("dataId"))), each)
            found.append(wanted)
        return await self._replace("data", found)

    async def set_exceptions(self, asked: Arguments) -> list[dict[str, Any]]:
        """Take the filters that are on, those with a condition behind those without."""
        options = [Arguments({"filterId": name}) for name in asked.texts("filters")]
        options += asked.objects("filterOptions")
        found, holds = [], False
        for option in options:
            each = BY_ID.get(option.text("filterId"))
            wanted = Wanted(self._next_id(), "exception", None)
            if each is None:
                wanted.problem = "there is no such filter"
            else:
                self._give(wanted, Breakpoint("*", each.when, each.name), option)
                holds = holds or wanted.breakpoint == Breakpoint("*", "failed")
            found.append(wanted)
        self._failures_hold = holds
        return await self._replace("exceptions", found)

    async def _replace(self, kind: str, wanted: list[Wanted]) -> list[dict[str, Any]]:
        for each in wanted[MOST:]:
            each.problem, each.breakpoint = f"a run has at most {MOST} breakpoints", None
        self._of[kind] = wanted
        await self.bring_about()
        for each in wanted:
            each.told = self.written(each)
        return [each.told for each in wanted]

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    # What the run has of it

    @property
    def _all(self) -> Iterable[Wanted]:
        return (each for wanted in self._of.values() for each in wanted)

    async def bring_about(self) -> None:
        """Have the run stop where the client wants it to, and nowhere else of ours."""
        if not self._is_on or self._debuggee.is_over:
            for each in self._all:
                each.number = int(self._debuggee.is_replay and each.breakpoint is not None)  # it is looked for here
                if not self._is_on:
                    each.problem = each.problem or "the run was launched without debugging"
            return
        wanted: dict[Breakpoint, list[Wanted]] = {}
        for each in self._all:
            if each.breakpoint is not None:
                wanted.setdefault(each.breakpoint, []).append(each)
        for gone in [breakpoint_ for breakpoint_ in self._numbers if breakpoint_ not in wanted]:
            with suppress(RequestFailed):  # another console is in control: once it is not, this is done again
                await self._take_away(gone)
        with suppress(RequestFailed):
            await self._see_to_failures()
        for breakpoint_, meant in wanted.items():
            try:
                number, problem = await self._stand(breakpoint_), ""
            except RequestFailed as failed:
                number, problem = 0, failed.message
            for each in meant:
                each.number, each.problem = number, problem

    async def _stand(self, breakpoint_: Breakpoint) -> int:
        """Set one, unless it stands; gives its number. Raises RequestFailed."""
        number = self._numbers.get(breakpoint_, 0)
        there = self._find(breakpoint_)
        if number and there is not None and there.number == number and there.breakpoint.is_on:
            return number
        if there is not None:
            if not there.breakpoint.is_on:
                await self._debuggee.ask(SwitchBreakRequest(there.number, True))
            if not number:
                self._borrowed.add(there.number)
            number = there.number
        else:
            given = {name: getattr(breakpoint_, name) for name in ("when", "name", "condition", "hits", "log")}
            await self._debuggee.ask(BreakRequest(breakpoint_.pattern, **given))
            there = self._find(breakpoint_)
            if there is None:
                raise RequestFailed("the run did not set it")
            number = there.number
        self._numbers[breakpoint_] = number
        return number

    def _find(self, breakpoint_: Breakpoint) -> Listed | None:
        newest_first = reversed(self._debuggee.board.stops.breakpoints.by_number.values())
        return next((one for one in newest_first if _is_same(one, breakpoint_)), None)

    async def _take_away(self, breakpoint_: Breakpoint) -> None:
        number = self._numbers[breakpoint_]
        if number not in self._borrowed and number in self._debuggee.board.stops.breakpoints.by_number:
            await self._debuggee.ask(RemoveBreakRequest(number))
        self._borrowed.discard(number)
        self._numbers.pop(breakpoint_, None)  # it may be gone already: its removal is an event too

    async def _see_to_failures(self) -> None:
        """In a run of ours a failure holds it while the client says so; in one of others that is theirs to say."""
        own = next((one for one in self._debuggee.board.stops.breakpoints.listed if one.by == "run"), None)
        if own is None or self._failures_hold is None or not self._debuggee.owns:
            return
        if own.breakpoint.is_on is not self._failures_hold:
            await self._debuggee.ask(SwitchBreakRequest(own.number, self._failures_hold))

    def take_over(self, before: Breakpoints) -> None:
        """Want what was wanted of a run that this one follows; nothing of it stands yet."""
        self._of, self._last_id, self._failures_hold = before._of, before._last_id, before._failures_hold
        for each in self._all:
            each.number = 0
            if each.cause == "breakpoint":
                self._resolve(each)

    async def take_all_away(self) -> None:
        """Leave a run as if we had never been there."""
        self._of.clear()
        if not self._debuggee.is_over and self._debuggee.has_control:
            await self.bring_about()

    # What is told of them

    def written(self, wanted: Wanted) -> dict[str, Any]:
        """Write one as the protocol has it."""
        told: dict[str, Any] = {"id": wanted.id, "verified": wanted.is_verified}
        message = wanted.problem
        if wanted.cause == "breakpoint":
            told["line"] = self._sources.positions.line_out(wanted.moved)
            told["source"] = {"path": wanted.path} if wanted.problem == OTHER_FILE else self._sources.written()
        elif not message and self._is_for_nothing(wanted):
            message = NOTHING_MEANT
        if message:
            told["message"] = message
            if not wanted.is_verified:
                told["reason"] = "pending" if wanted.waits else "failed"
        return told

    def _is_for_nothing(self, wanted: Wanted) -> bool:
        one = self._debuggee.board.stops.breakpoints.by_number.get(wanted.number)
        return one is not None and one.is_for_nothing and wanted.cause == "function breakpoint"

    async def apply(self, event: ev.Event) -> None:
        """Follow the run: an edit moves lines, and others take breakpoints away."""
        if isinstance(event, ev.ScenarioReloaded):
            if any(each.waits for each in self._all):
                for each in [each for each in self._all if each.waits]:
                    self._resolve(each)
                await self.bring_about()
            self._follow()
            self.tell_changes()
        elif isinstance(event, (ev.BreakpointRemoved, ev.BreakpointSet)):
            mine = next((each for each, number in self._numbers.items() if number == event.number), None)
            there = self._debuggee.board.stops.breakpoints.by_number.get(event.number)
            if mine is None or (there is not None and _is_same(there, mine)):
                return
            del self._numbers[mine]
            self._borrowed.discard(event.number)
            for each in self.with_number(event.number):
                each.number, each.problem = 0, "another console took it away"
            self.tell_changes()

    def _follow(self) -> None:
        source = self._debuggee.model.head.source
        for each in self._all:
            if each.cause == "breakpoint" and each.breakpoint is not None:
                line = line_of_pattern(source, each.breakpoint.pattern)
                each.moved = line or each.moved
                if not line:
                    each.problem = TAKEN_AWAY
                elif each.problem == TAKEN_AWAY:
                    each.problem = ""

    def tell_changes(self) -> None:
        """Tell the client of each that is not as it was told last."""
        for each in self._all:
            now = self.written(each)
            if each.told and now != each.told:
                each.told = now
                self.changed({"reason": "changed", "breakpoint": now})

    def with_number(self, number: int) -> list[Wanted]:
        """Give those that a breakpoint of the run stands for."""
        return [each for each in self._all if each.number == number]

    async def on_stage(self, stage: str) -> ev.BreakpointMet | None:
        """Find what stops before a stage of which nothing has run."""
        for each in list(self._all):  # the client may ask for others meanwhile
            given = each.breakpoint
            if given is None or not each.is_verified or given.when != "stage" or given.log:
                continue
            if Pattern.parse(given.pattern).matches_stage(stage) and is_reached(given.hits, 1):
                try:
                    holds = not given.condition or bool(await self._debuggee.value(given.condition))
                except RequestFailed:
                    holds = True  # as in a run
                if holds:
                    return ev.BreakpointMet(number=each.number, message=given.when, count=1, row=stage)
        return None

    def stopping(self) -> list[Wanted]:
        """Give those that stop, for a replay, which looks for them itself."""
        return [each for each in self._all if each.breakpoint is not None]


def _is_same(one: Listed, wanted: Breakpoint) -> bool:
    """Whether one of the run's is what is wanted, switched on or off."""
    there = one.breakpoint
    return there.pattern == wanted.pattern and (there if there.is_on else replace(there, is_on=True)) == wanted


def template_of(message: str) -> str:
    """Give a text to write as our templates are written: `{level}` and `{{ level }}` are both understood."""
    if "{{" in message or "{%" in message:
        return message
    return _BRACES.sub(lambda found: "{{ " + found[1].strip() + " }}" if found[1].strip() else found[0], message)


def _literal(name: str) -> str:
    """Write a variable's name where `*` would stand for anything."""
    return name.replace("\\", "\\\\").replace("*", "\\*")
