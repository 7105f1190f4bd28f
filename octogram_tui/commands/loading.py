"""A scenario as the command line wants it: loaded, with --local and --limit applied, and names that exist."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from octogram_tui.commands.words import nearest
from octogram_tui.errors import Problem, RunNotRestored, UsageError
from octogram_tui.model.scenario import AgentSpec, JobSpec, Scenario, SecretSpec, StageSpec
from octogram_tui.model.selection import Selection

if TYPE_CHECKING:
    from octogram_tui.scenario.documents import ReadFile
    from octogram_tui.scenario.load import Loaded

GIVEN = ("scenario", "var", "secret", "variables", "agents", "trust_procedures", "limit", "local")
"""The arguments that decide which scenario it is."""
OF_A_RUN = ("retry", "stage_timeout")
"""What a run's own command line adds to it: for jobs and stages that do not say it themselves."""


def load(args: Any, read_file: ReadFile | None = None) -> Loaded:
    """Load the scenario of parsed arguments; read_file: in place of the disk. Raises ScenarioError and UsageError."""
    from octogram_tui.scenario.assignments import read_assignment
    from octogram_tui.scenario.load import load_scenario

    loaded = load_scenario(
        args.scenario,
        variables=[read_assignment(text) for text in args.var],
        variable_files=args.variables,
        agent_files=args.agents,
        read_file=read_file,
        trusts_procedures=args.trust_procedures,
        secrets=secrets_of(args),
        trusts_inventory=getattr(args, "trust_inventory", False) or not _runs_nothing(args),
    )
    scenario = loaded.scenario
    warnings = loaded.warnings
    if args.limit is not None:
        from octogram_tui.commands.limit import limited

        scenario, doubts = limited(scenario, args.limit)
        warnings = warnings + doubts
    if args.local:
        scenario = made_local(scenario)
    scenario = with_defaults(scenario, getattr(args, "retry", 0), getattr(args, "stage_timeout", None))
    return loaded._replace(scenario=scenario, warnings=warnings + _address_warnings(scenario))


def _runs_nothing(args: Any) -> bool:
    """Tell whether it is said of the command that it runs nothing: then it runs no inventory of a scenario either."""
    return bool(getattr(args, "runs_nothing", False) or getattr(args, "dry_run", False))


def keep(run_dir: Path, args: Any, loaded: Loaded) -> None:
    """Keep with a run what its scenario was read from. Raises JournalError."""
    from octogram_tui.journal import sources

    given = {name: getattr(args, name) for name in (*GIVEN, *OF_A_RUN) if hasattr(args, name)}
    sources.keep(run_dir, loaded.scenario.digest, given, loaded.sources)


def load_kept(run_dir: Path, digest: str, *, may_run: bool = True) -> Loaded:
    """Load a scenario from what was kept with a run. Raises RunNotRestored, and what `load` raises.

    may_run: whether own procedures may be run for it, where the run was begun with --trust-procedures.
    """
    from octogram_tui.journal import sources

    kept = sources.find(run_dir, digest)

    def read(path: str) -> str:
        try:
            return kept.texts[path]
        except KeyError:
            raise FileNotFoundError(2, "it was not kept", path) from None

    given = kept.given if may_run else {**kept.given, "trust_procedures": False}
    loaded = load(SimpleNamespace(**given), read)
    if loaded.scenario.digest != digest:
        raise RunNotRestored(f"what is kept in {run_dir / sources.DIRECTORY} gives another scenario than the run had")
    return loaded


def secrets_of(args: Any) -> dict[str, SecretSpec]:
    """Give where the command line says that secrets come from. Raises UsageError."""
    from octogram_tui.secrecy.names import NAME, parse_source

    found: dict[str, SecretSpec] = {}
    for text in args.secret:
        name, separator, source = text.partition("=")
        if not separator or not NAME.fullmatch(name.strip()):
            raise UsageError("--secret takes NAME=SOURCE", hint="write for instance --secret token=env:TOKEN")
        try:
            found[name.strip()] = parse_source(source, os.getcwd())
        except ValueError as error:  # what was given instead is not repeated: it may be the value
            raise UsageError(
                f"--secret {name}: {error}", hint="the value itself has no place on a command line"
            ) from None
    return found


def _address_warnings(scenario: Scenario) -> list[Problem]:
    """Warn of agents that others could not reach; finding out who uses whom takes time, so only where it may be."""
    from octogram_agentd.network.endpoint import why_not_for_others

    if len({bool(why_not_for_others(agent.address_for_others)) for agent in scenario.everybody}) < 2:
        return []  # nobody, or all of them, on the operator's machine
    from octogram_tui.scenario.crossings import address_warnings

    return address_warnings(scenario)


def made_local(scenario: Scenario) -> Scenario:
    """Move every agent to this machine."""

    def local(agent: AgentSpec) -> AgentSpec:
        return replace(agent, address="127.0.0.1", data_address="", transport="local", command=(), python=None)

    prometheus = scenario.prometheus_agent
    return replace(
        scenario,
        agents=tuple(local(a) for a in scenario.agents),
        prometheus_agent=local(prometheus) if prometheus is not None else None,
    )


def with_defaults(scenario: Scenario, retries: int, stage_timeout_s: float | None) -> Scenario:
    """Give jobs that do not say it so many retries, and stages that do not say it a time limit.

    An assertion looks at variables, and does nothing: it is not tried again.
    """
    if not retries and stage_timeout_s is None:
        return scenario

    def job(spec: JobSpec) -> JobSpec:
        is_meant = retries and not spec.says_retries and spec.where != "assertion"
        return replace(spec, retries=retries) if is_meant else spec

    def stage(spec: StageSpec) -> StageSpec:
        limit_s = stage_timeout_s if spec.timeout_s is None else spec.timeout_s
        return replace(spec, jobs=tuple(map(job, spec.jobs)), timeout_s=limit_s)

    return replace(scenario, stages=tuple(map(stage, scenario.stages)))


def check_choices(scenario: Scenario, args: Any) -> None:
    """Refuse stages and tags that do not exist. Raises UsageError with the nearest that does."""
    names = [stage.name for stage in scenario.stages]
    asked = [("--from", args.from_stage), ("--until", args.until_stage), *(("--stage", name) for name in args.stage)]
    for option, name in asked:
        if name is not None and name not in names:
            like = nearest(name, names)
            hint = f"did you mean {like!r}?" if like else f"stages: {', '.join(names)}"
            raise UsageError(f"{option} {name!r}: the scenario has no stage of that name", hint=hint)
    first, last = args.from_stage, args.until_stage
    if first is not None and last is not None and names.index(first) > names.index(last):
        raise UsageError(f"--from {first!r} comes after --until {last!r}")
    known: set[str] = set()
    for stage in scenario.stages:
        known.update(stage.tags, *(job.tags for job in stage.jobs))
    for tag in sorted(tags_of(args) - known):
        like = nearest(tag, known)
        hint = f"did you mean {like!r}?" if like else f"tags: {', '.join(sorted(known)) or 'there are none'}"
        raise UsageError(f"--tags {tag!r}: nothing in the scenario has that tag", hint=hint)


def warn(warnings: list[Problem]) -> None:
    """Say on the standard error what is only doubtful."""
    if warnings:
        from octogram_tui.commands.complaint import unobeyed
        from octogram_tui.scenario.report import as_text

        print(unobeyed(as_text(warnings)), file=sys.stderr)


def selection_of(args: Any) -> Selection:
    """Give what the arguments choose to run."""
    return Selection(args.from_stage, args.until_stage, tuple(args.stage), tags_of(args), args.no_always)


def left_out_warnings(scenario: Scenario, args: Any) -> list[Problem]:
    """Warn of variables, services and files that only parts bring which the arguments leave out."""
    selection = selection_of(args)
    if selection.is_everything:
        return []
    from octogram_tui.scenario.leftout import missing_variables
    from octogram_tui.scenario.provisions import missing_provisions

    left_out: dict[str, str] = {
        stage.key: reason for stage in scenario.stages if (reason := selection.leaves_out(scenario, stage))
    }
    return [
        *missing_variables(scenario, left_out, selection.takes),
        *missing_provisions(scenario, left_out, selection.takes),
    ]


def tags_of(args: Any) -> frozenset[str]:
    """Give the tags of --tags."""
    return frozenset(tag.strip() for tag in (args.tags or "").split(",") if tag.strip())
