"""What each attempt has read of the variables, kept for as long as somebody may ask whether it is still so.

Most attempts of a job read the same names with the same values, so they share one reading. Which names those are is
seen in the job's texts, once; it may be too many, and never too few. Where a name is computed, the variables
themselves note what is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple, TypedDict

from octogram_tui.engine.core import Core
from octogram_tui.engine.schedule import JobRun
from octogram_tui.model.scenario import JobSpec, StageSpec
from octogram_tui.model.values import Value
from octogram_tui.model.variables import ABSENT, Absent, Variables

_NAME = re.compile(r"""\bvars\.(\w+)|\bvars?[(\[]\s*\\?["']([^"'\\]*)\\?["']\s*([)\]]?)""")
_ANY = re.compile(r"\bvars?\b")
_CAPTURES = re.compile(r"\bre\b")


class Names(NamedTuple):
    """The variables that a job's texts name: those read before it runs, and those read when it has ended.

    is_computed: there are others, which only an expansion shows; is_computed_after: so it is of those at the end.
    has_captures: the texts name what the agent was chosen by, `re`.
    """

    before: frozenset[str]
    after: frozenset[str]
    is_computed: bool = False
    is_computed_after: bool = False
    has_captures: bool = False

    @property
    def all(self) -> list[str]:
        """Both, in an order that is the same in every process: templates may go through all variables."""
        return sorted(self.before | self.after) if self.after else sorted(self.before)


class Seen(TypedDict, total=False):
    """What an event tells of an attempt's reading: nothing where the plan and the events before it say it all."""

    reads: list[str]
    seen: int


NOTHING: Final[Seen] = {}


class Reading:
    """What attempts of one job read: the text that was in force, and the variables with the values that they had.

    epoch: how often the operator or the file had set a variable by then.
    given: the arguments that the operator gave one attempt, which has a reading of its own then.
    is_then: the attempt sees these values, whatever the variables are. seen: the event up to which they were so.
    later: of what was read only when the attempt ended, the epoch of then.
    """

    __slots__ = ("captures", "epoch", "given", "is_computed", "is_then", "later", "names", "seen", "spec", "values")

    def __init__(
        self, spec: JobSpec, names: Names, epoch: int, captures: list[str] | None, values: dict[str, Value | Absent]
    ) -> None:
        self.spec = spec
        self.names = names
        self.is_computed = names.is_computed
        self.epoch = epoch
        self.captures = captures  # None where the texts do not name them
        self.values = values  # ABSENT for a variable that was not there
        self.given: Mapping[str, Value] = {}
        self.is_then = False
        self.seen = 0
        self.later: Mapping[str, int] = {}

    def with_given(self, given: Mapping[str, Value]) -> Reading:
        """Give that of an attempt which runs with some arguments as the operator gave them."""
        own = Reading(self.spec, self.names, self.epoch, self.captures, self.values)
        own.given, own.is_then, own.seen, own.later = given, self.is_then, self.seen, self.later
        return own

    def epoch_of(self, name: str) -> int:
        """Give the epoch in which a variable was read."""
        return self.later.get(name, self.epoch) if self.later else self.epoch

    @property
    def only_at_end(self) -> frozenset[str]:
        """What is read, or may be, when the attempt has ended, and not before."""
        names = self.names
        return (frozenset(self.values) if names.is_computed_after else names.after) - names.before

    def over(self, variables: Mapping[str, Value]) -> dict[str, Value]:
        """Give variables with what was read of them in place of what they are."""
        both = {**variables, **self.values}
        return {name: value for name, value in both.items() if value is not ABSENT}


class StageReading:
    """What a stage read to choose its agents, when it began last."""

    __slots__ = ("_texts", "epoch", "values")

    def __init__(self, stage: StageSpec, core: Core) -> None:
        self._texts = list(_texts_of_stage(stage))
        names, is_computed = _names_in(" ".join(self._texts))
        self.epoch = core.epoch
        self.values: dict[str, Value | Absent] = {name: core.variables.get(name, ABSENT) for name in sorted(names)}
        if is_computed:
            self.values = {**core.variables, **self.values}

    def epoch_of(self, _name: str) -> int:
        """Give the epoch in which a variable was read."""
        return self.epoch

    def is_of(self, stage: StageSpec) -> bool:
        """Whether a stage has the texts that were read."""
        return self._texts == list(_texts_of_stage(stage))


class Noting(Mapping[str, Value]):
    """The variables, noting what is asked for."""

    __slots__ = ("_noted", "_values")

    def __init__(self, values: Mapping[str, Value], noted: dict[str, Value | Absent]) -> None:
        self._values = values
        self._noted = noted

    def __getitem__(self, name: str) -> Value:
        self._noted[name] = self._values.get(name, ABSENT)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        self._noted.update(self._values)
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Readings:
    """Makes the readings of attempts, shared as far as they are the same."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._names: dict[int, tuple[JobSpec, Names]] = {}  # by identity: a job's text is as long as the job
        self._latest: dict[int, Reading] = {}
        self._latest_late: tuple[Reading, frozenset[str], Variables, Reading] | None = None
        self.stages: dict[str, StageReading] = {}

    def stage_began(self, stage: StageSpec) -> None:
        """Note what a stage chose its agents by."""
        self.stages[stage.key] = StageReading(stage, self._core)

    def names_of(self, spec: JobSpec) -> Names:
        """Give the variables that a job's texts name."""
        found = self._names.get(id(spec))
        if found is None:
            found = self._names[id(spec)] = spec, _names_of(spec)
        return found[1]

    def of(self, job_run: JobRun) -> Reading:
        """Give what the next attempt of a job reads, with the variables that its instances see."""
        spec = job_run.spec
        reading = job_run.reading
        if reading is not None and reading.spec is spec:
            return reading
        variables = job_run.snapshot
        latest = self._latest.get(id(spec))
        if latest is not None and latest.epoch == job_run.epoch and latest.captures in (None, job_run.lane.captures):
            for name, value in latest.values.items():
                given = variables.get(name, ABSENT)
                if given is not value and (type(given) not in _PLAIN or repr(given) != repr(value)):
                    break
            else:
                job_run.reading = latest
                return latest
        names = self.names_of(spec)
        captures = job_run.lane.captures if names.has_captures else None
        values: dict[str, Value | Absent] = {name: variables.get(name, ABSENT) for name in names.all}
        if names.is_computed:
            reading = Reading(spec, names, job_run.epoch, captures, values | (job_run.noted or {}))
        else:
            reading = job_run.reading = self._latest[id(spec)] = Reading(spec, names, job_run.epoch, captures, values)
        reading.seen = job_run.seen
        return reading

    def again(self, job_run: JobRun, then: Reading) -> Reading:
        """Give what an attempt reads that sees the variables as an earlier one did; the text is that of now.

        What only an edited text reads has the value of now.
        """
        spec, names = job_run.spec, self.names_of(job_run.spec)
        captures = job_run.lane.captures if names.has_captures else None
        values = {**{name: job_run.snapshot.get(name, ABSENT) for name in names.all}, **then.values}
        reading = Reading(spec, names, then.epoch, captures, values)
        reading.is_then, reading.seen, reading.later = True, then.seen, then.later
        return reading

    def late(self, reading: Reading, names: frozenset[str]) -> Reading:
        """Give a reading some of whose variables are read now, whatever they were when the attempt began."""
        core = self._core
        latest = self._latest_late
        if latest is not None and latest[0] is reading and latest[1] == names and latest[2] is core.variables:
            return latest[3]
        there = [name for name in reading.values if name in names]
        values = {**reading.values, **{name: core.variables.get(name, ABSENT) for name in there}}
        late = Reading(reading.spec, reading.names, reading.epoch, reading.captures, values)
        late.given, late.is_then, late.seen = reading.given, reading.is_then, reading.seen
        late.later = {**reading.later, **dict.fromkeys(there, core.epoch)}
        self._latest_late = reading, names, core.variables, late
        return late

    def seen(self, job_run: JobRun, reading: Reading | None) -> Seen:
        """Tell what an attempt reads, as far as that is news.

        The plan has the names that texts have, and mostly the values are those of the moment: then it costs nothing.
        """
        if reading is None or (
            job_run.snapshot is self._core.variables and not (reading.is_computed or reading.is_then)
        ):
            return NOTHING
        told: Seen = {}
        if reading.is_computed:
            told["reads"] = sorted(reading.values) if len(reading.values) <= MOST_NAMED else ["*"]
        if reading.is_then:
            told["seen"] = reading.seen
            return told
        now, snapshot = self._core.variables, job_run.snapshot
        if snapshot is not now:
            names = reading.values if reading.is_computed else reading.names.before
            if any(snapshot.held(name) is not now.held(name) for name in names):
                told["seen"] = job_run.seen
        return told


_PLAIN = (int, str, bool)
MOST_NAMED = 50
"""Who reads more variables by computed names goes through all of them, and that is what is told."""


NONE: Final = Names(frozenset(), frozenset())


def _names_of(spec: JobSpec) -> Names:
    before, after = " ".join(_texts_before(spec)), " ".join(after_texts(spec))
    has_captures = _CAPTURES.search(before) is not None or _CAPTURES.search(after) is not None
    if not has_captures and "var" not in before and "var" not in after:
        return NONE
    names_before, is_computed = _names_in(before)
    names_after, is_computed_after = _names_in(after)
    return Names(names_before, names_after, is_computed or is_computed_after, is_computed_after, has_captures)


def _names_in(text: str) -> tuple[frozenset[str], bool]:
    """Find the variables that texts name in full, and whether there may be others."""
    found = _NAME.findall(text)
    names = frozenset(plain or quoted for plain, quoted, end in found if plain or end)
    mentions = len(_ANY.findall(text))
    return names, mentions > sum(1 for plain, _, end in found if plain or end)


def mentions(stage: StageSpec, job: JobSpec) -> list[str]:
    """List the variables that the texts of a job and its stage name; one whose name is only begun there ends in `*`."""
    texts = [*_texts_of_stage(stage), *_texts_before(job), *after_texts(job)]
    found = {plain or quoted + ("" if end else "*") for text in texts for plain, quoted, end in _NAME.findall(text)}
    return sorted(found - {"*"})


def _texts_of_stage(stage: StageSpec) -> Iterator[str]:
    yield from (text.source for text in stage.with_agents)
    yield from (text.source for choice in stage.with_labels for text in choice.values)
    if stage.when is not None:
        yield stage.when.source


def _texts_before(job: JobSpec) -> Iterator[str]:
    if job.when is not None:
        yield job.when.source
    if job.items is not None:
        yield from (str(value) for values in job.items.lists for value in values)
    yield str(job.arguments.raw())


def after_texts(job: JobSpec) -> list[str]:
    """Give the texts of a job that are expanded when an attempt has ended."""
    texts = [job.register or "", job.until.source if job.until is not None else ""]
    for update in job.vars_updates:
        texts += [update.name.source, update.value.source if isinstance(update.value, tuple) else str(update.value)]
    return texts
