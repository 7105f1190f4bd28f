"""`--rerun-failed RUN`: a new run of the same scenario, of what failed in RUN or never came to run there.

What went well is passed over, and the variables that it set are set again as they were. What starts a service, or
brings a file that the rest needs, runs again: an agent's home is empty when a run begins.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from octogram_tui.commands.again import RERUN_FAILED, added, without
from octogram_tui.dataclass import dataclass
from octogram_tui.errors import AttachRefused, UsageError
from octogram_tui.journal import archive, presence, terms
from octogram_tui.journal.outcomes import Outcomes
from octogram_tui.model.carried import CarriedRows
from octogram_tui.model.scenario import JobSpec, Scenario, StageSpec
from octogram_tui.model.selection import Selection
from octogram_tui.projection.text import safe
from octogram_tui.scenario import provisions
from octogram_tui.scenario.tree import texts_in
from octogram_tui.settings import Settings
from octogram_tui.template.source import is_template

if TYPE_CHECKING:
    from octogram_tui.scenario.foresight import Planned

MOST_NAMED = 4
_MASK = re.compile(r"\(( |part of )?(?:part of )?secret ([A-Za-z_][A-Za-z0-9_]*)")
"""What stands for a secret in a journal; with a space before it, for a text that looked like that."""
Jobs = dict[tuple[str, str], tuple[StageSpec, JobSpec]]
"""Jobs by the keys of their stages and their own."""
_REPEATED = (
    ("var", "--var"),
    ("variables", "--variables"),
    ("secret", "--secret"),
    ("agents", "--agents"),
    ("stage", "--stage"),
)
_SINGLE = (
    ("limit", "--limit"),
    ("from_stage", "--from"),
    ("until_stage", "--until"),
    ("tags", "--tags"),
    ("ssh_config", "--ssh-config"),
)
_FLAGS = (("trust_procedures", "--trust-procedures"), ("local", "--local"), ("no_always", "--no-always"))


@dataclass(frozen=True, slots=True)
class Rerun:
    """What of a scenario is passed over. again: by job, why it runs again though it went well."""

    run: str
    rows: CarriedRows
    again: dict[tuple[str, str], str]
    by_hand: frozenset[str]

    def lines(self) -> list[str]:
        """Say it to whoever begins the run."""
        count = len(self.rows)
        said = [
            f"runs what failed or never ran in {self.run}: {count} row{'s' * (count != 1)} that went well passed over"
        ]
        by_reason: dict[str, list[str]] = {}
        for (stage, job), reason in self.again.items():
            by_reason.setdefault(reason, []).append(f"{stage}/{job}")
        for reason, names in by_reason.items():
            said.append(f"runs again though it went well, since {reason}: {_named(names)}")
        if self.by_hand:
            said.append(f"set by hand in {self.run}, and not here: {_named(sorted(self.by_hand))}; give it with --var")
        return said


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


# -- the command line -------------------------------------------------------------------------------------------------


def resolved(argv: Sequence[str], args: Any, settings: Settings) -> list[str]:
    """Give a command line that means the same later and in another process. Raises OctogramError.

    `last` is then another run; without a scenario it is that of the run, which was begun in this directory.
    """
    run = archive.find(settings.runs_dir, args.rerun_failed)
    rest = without(argv, [RERUN_FAILED])
    if args.scenario is None:
        begun = terms.find(run.directory)
        if os.path.realpath(begun.directory) != os.path.realpath(os.getcwd()):
            raise UsageError(
                f"{RERUN_FAILED} {args.rerun_failed}: run {run.id} was begun in {begun.directory}",
                hint="go there, or name the scenario too",
            )
        rest = [*_words_of(begun), *rest]
    is_known = (settings.runs_dir / run.id).exists()
    return added(rest, f"{RERUN_FAILED}={run.id if is_known else os.path.realpath(run.directory)}")


def _words_of(begun: terms.Terms) -> list[str]:
    """Give what of a command line says which scenario it is, and which parts of it run."""
    from octogram_tui.commands.run_parser import make_parser

    old = make_parser().parse_args(list(begun.argv))
    words = [f"./{old.scenario}" if old.scenario.startswith("-") else old.scenario]
    words += [f"{option}={value}" for name, option in _REPEATED for value in getattr(old, name)]
    words += [f"{option}={getattr(old, name)}" for name, option in _SINGLE if getattr(old, name)]
    return words + [option for name, option in _FLAGS if getattr(old, name)]


# -- what is passed over ----------------------------------------------------------------------------------------------


def find(name: str, scenario: Scenario, selection: Selection, settings: Settings) -> Rerun:
    """Say what of a scenario went well in a run. scenario: without the values of its secrets. Raises OctogramError."""
    from octogram_tui.commands.loading import load_kept

    run = archive.find(settings.runs_dir, name)
    _refuse(run)
    outcomes = Outcomes.read(run.journal)
    had = load_kept(run.directory, outcomes.digest).scenario
    before: Jobs = {(stage.key, job.key): (stage, job) for stage, job in _jobs(had)}
    now: Jobs = {(stage.key, job.key): (stage, job) for stage, job in _jobs(scenario)}
    well = outcomes.well()
    ran = [(id_.stage, id_.job) for id_ in (*well, *outcomes.failed)]
    if ran and not any(key in now for key in ran):
        raise AttachRefused(
            f"run {run.id} ran another scenario ({run.info.scenario}): none of its jobs is in {scenario.path}",
            hint="name the scenario that it ran, or none",
        )
    again = not_kept(well, had.secrets, scenario.secrets) | _edited(before, now, outcomes, scenario)
    rows: CarriedRows = {
        id_: updates
        for id_, updates in well.items()
        if (id_.stage, id_.job) in now and not now[id_.stage, id_.job][0].always and (id_.stage, id_.job) not in again
    }
    again = {key: why for key, why in again.items() if any((id_.stage, id_.job) == key for id_ in well)}
    rows, needed = _with_what_is_needed(scenario, selection, rows, outcomes)
    return Rerun(run.id, rows, {**again, **needed}, frozenset(outcomes.by_hand))


def _refuse(run: archive.KnownRun) -> None:
    """Refuse a run of which nothing can be repeated. Raises AttachRefused."""
    if run.state == "running":
        raise AttachRefused(
            f"run {run.id} goes on", hint=f"wait for its end, or stop it: octogram-tui ask {run.id} stop"
        )
    if run.state == "finished" and run.exit_code == 0:
        raise AttachRefused(f"run {run.id} went well: nothing of it failed", hint="run the scenario as a whole")
    if run.state == "crashed" and not presence.cleaned_s(run.directory, archive.JOURNAL):
        raise AttachRefused(
            f"run {run.id} has not come to its end",
            hint=f"go on with it: octogram-tui resume {run.id}; or end what it left: octogram-tui clean {run.id}",
        )


def _jobs(scenario: Scenario) -> list[tuple[StageSpec, JobSpec]]:
    return [(stage, job) for stage in scenario.stages for job in stage.jobs]


def not_kept(rows: CarriedRows, before: Collection[str], now: Collection[str]) -> dict[tuple[str, str], str]:
    """Give the jobs of which a journal does not have what they set, since it was a secret, or a part of one.

    before, now: the names of secrets in the run, and in the scenario as it is
    """
    found: dict[tuple[str, str], str] = {}
    for id_, updates in rows.items() if before else ():
        for update in updates:
            masks = _MASK.findall(json.dumps(update.value, ensure_ascii=False, default=str))
            if update.name in before or any(is_unclear or name not in now for is_unclear, name in masks):
                found[id_.stage, id_.job] = f"{update.name}, which it set, holds what is secret and was not kept"
    return found


def _edited(
    before: Jobs,
    now: Jobs,
    outcomes: Outcomes,
    scenario: Scenario,
) -> dict[tuple[str, str], str]:
    """Give the jobs that would do something else than they did, and why."""
    from octogram_tui.engine.readings import mentions

    both = {*outcomes.variables, *scenario.variables}
    moved = sorted(n for n in both if outcomes.variables.get(n) != scenario.variables.get(n))
    found: dict[tuple[str, str], str] = {}
    anew: dict[str, None] = {}  # names of variables that these jobs set, as they are written
    for key, (stage, job) in now.items():
        if key not in before or before[key][1].digest != job.digest:
            found[key] = "its text was edited"
        elif moved or anew:
            names = mentions(stage, job)
            if read := next((m for m in moved if any(_is_named(m, name) for name in names)), ""):
                found[key] = f"variable {read} has another value"
            elif read := next((m for m in anew if any(_is_named(m, name) for name in names)), ""):
                found[key] = f"variable {read} is set anew"
        if key in found:
            anew |= dict.fromkeys(
                [*([job.register] if job.register else []), *(u.name.source for u in job.vars_updates)]
            )
    return found


def _is_named(variable: str, name: str) -> bool:
    """Whether a text names a variable. variable: its name, maybe a template; name: of which only a `*` may be known."""
    from octogram_tui.scenario.usage import what_it_may_become

    if name[-1:] != "*":
        return what_it_may_become(variable).fits(name)
    known, is_open, _ = variable.partition("{")
    return known.startswith(name[:-1]) or bool(is_open and name.startswith(known))


class _Known:
    """What jobs bring and speak of: as they are written, as they did in the run, and as is foreseen of the next.

    Of what a template became only that counts as brought which lay in a home: all else is there still.
    """

    def __init__(self, jobs: list[tuple[StageSpec, JobSpec]], outcomes: Outcomes) -> None:
        self.brought = {(str(s.key), str(j.key)): _in_homes(outcomes.brought.get((s.key, j.key), ())) for s, j in jobs}
        self.spoken = {(str(s.key), str(j.key)): set(outcomes.spoken.get((s.key, j.key), ())) for s, j in jobs}
        self._is_templated: set[tuple[str, str]] = set()
        for stage, job in jobs:
            key, raw = (str(stage.key), str(job.key)), job.arguments.raw()
            self.brought[key].update(provisions.brought(job.procedure, raw))
            self.spoken[key].update(provisions.spoken_of(job.procedure, raw))
            if any(is_template(text) for text in texts_in(raw)):
                self._is_templated.add(key)

    def take(self, row: Planned) -> None:
        """Take in a row as it would run."""
        if (row.stage, row.job) in self._is_templated:
            self.brought[row.stage, row.job] |= _in_homes(provisions.brought(row.procedure, row.arguments))
            self.spoken[row.stage, row.job].update(provisions.spoken_of(row.procedure, row.arguments))


def _in_homes(brought: Iterable[provisions.Provision]) -> set[provisions.Provision]:
    return {(what, name) for what, name in brought if not name.startswith("/")}


def _with_what_is_needed(
    scenario: Scenario, selection: Selection, rows: CarriedRows, outcomes: Outcomes
) -> tuple[CarriedRows, dict[tuple[str, str], str]]:
    """Take out what has to run again for the sake of the rest, and say why."""
    from octogram_tui.scenario.foresight import plan

    planned = Counter[tuple[str, str]]()
    carried = {str(id_) for id_ in rows}
    jobs = _jobs(scenario)
    known = _Known(jobs, outcomes)
    for row in plan(
        scenario, takes_stage=lambda stage: not selection.leaves_out(scenario, stage), takes_job=selection.takes
    ):
        planned[row.stage, row.job] += row.key not in carried
        known.take(row)
    runs = {key for key, count in planned.items() if count}
    done = {(id_.stage, id_.job) for id_ in rows}
    last = max((place for place, (s, j) in enumerate(jobs) if (s.key, j.key) in runs and not s.always), default=-1)
    again: dict[tuple[str, str], str] = {}
    for stage, job in jobs[: last + 1]:
        if (stage.key, job.key) in done and provisions.is_about_services(job):
            again[stage.key, job.key] = "services end with their run"
    offered: dict[provisions.Provision, list[tuple[str, str]]] = {}
    for key, each in known.brought.items():
        for brought in sorted(each if key in done else ()):
            offered.setdefault(brought, []).append(key)
    offers = provisions.Offers(offered)
    asking = [(str(s.key), str(j.key)) for s, j in jobs if (s.key, j.key) in runs or (s.key, j.key) in again]
    while asking:  # whoever runs needs something, and so does whoever runs for that
        key = asking.pop(0)
        for what, name in sorted(set(offers.needed(known.spoken[key]))):
            for other in offered[what, name]:
                if other != key and other not in again:
                    again[other] = f"the {what} `{name}` is needed"
                    asking.append(other)
    return {id_: updates for id_, updates in rows.items() if (id_.stage, id_.job) not in again}, again


def say(rerun: Rerun) -> None:
    """Tell whoever begins the run, on the standard error."""
    for line in rerun.lines():
        print(f"octogram-tui: {safe(line)}", file=sys.stderr)
