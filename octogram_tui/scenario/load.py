"""The way in: a scenario's file and what the command line adds to it become a Scenario, or a list of all problems."""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from octogram_tui.errors import Problem, ScenarioError
from octogram_tui.model.scenario import Scenario, SecretSpec, lines_of
from octogram_tui.scenario.assignments import Assignment
from octogram_tui.scenario.build import ScenarioBuilder
from octogram_tui.scenario.documents import AgentLists, ReadFile, document_of, read_document, read_text
from octogram_tui.scenario.tree import Document

MOST_CUTS = 16
"""How often the end of a text is left out that cannot be read: a quotation that is never closed begins long before it
is noticed, so that ever more is left out, after the first few lines."""


LONGEST_CUT = 1 << 20
"""Of a longer text nothing is left out: it would be read so often while somebody waits for a key."""


class Loaded(NamedTuple):
    """A scenario that can run, what is probably not meant in it, and the text of each file that was read, by path."""

    scenario: Scenario
    warnings: list[Problem]
    sources: Mapping[str, str]

    @property
    def text(self) -> str:
        """Give the text of the scenario's own file as it was read."""
        return self.sources[self.scenario.path]


def load_scenario(
    path: str,
    *,
    variables: Mapping[str, Any] | Sequence[Assignment] = (),
    variable_files: Sequence[str] = (),
    agent_files: Sequence[str] = (),
    read_file: ReadFile | None = None,
    trusts_procedures: bool = False,
    secrets: Mapping[str, SecretSpec] | None = None,
    trusts_inventory: bool = False,
) -> Loaded:
    """Read and check a scenario.

    variables (of the command line, as `read_assignment` gives them) win over those of variable_files, which win over
    the scenario's; agents of agent_files are added. secrets: of the command line, where those values come from; none is
    read here. read_file replaces reading from disk. Programs that agent_files name are asked; those of the scenario's
    `agents: {from: ...}` only with trusts_inventory. Own procedures are run here
    only with trusts_procedures, and only where what they declare cannot be read.
    Raises ScenarioError with everything that is wrong, and after that what is only doubtful.
    """
    # Thousands of small containers, none of them garbage: looking for it would take as long as reading.
    collects = gc.isenabled()
    gc.disable()
    try:
        given = [Assignment(*pair) for pair in variables.items()] if isinstance(variables, Mapping) else variables
        return _load(
            path, given, variable_files, agent_files, read_file, trusts_procedures, secrets or {}, trusts_inventory
        )
    finally:
        if collects:
            gc.enable()


def read_what_is_there(path: str, *, agent_files: Sequence[str] = ()) -> Scenario | None:
    """Read as much of a scenario as can be, whatever is wrong in it: for whoever looks for names, and runs nothing.

    No program that tells agents is asked, be it named on the command line. None where there is nothing to read.
    """
    document = _as_far_as_it_goes(path)
    if document is None:
        return None
    lists = AgentLists(None)
    lists.read_named(document, may_ask=False)
    lists.read_given(agent_files, may_ask=False)
    builder = ScenarioBuilder(document, None)
    builder.usage.lacks_agents = bool(lists.problems)
    return builder.build(lists.named, lists.given, [], {})


def _as_far_as_it_goes(path: str) -> Document | None:
    """Read a file; of one that is no YAML what stands before the line that is at fault, since it is being edited."""
    try:
        text = read_text(path)
        for cut in range(MOST_CUTS if len(text) < LONGEST_CUT else 1):
            document = document_of(path, text)
            if document.root is not None or not document.errors:
                return document
            lines = lines_of(text)
            text = "\n".join(
                lines[
                    : max(0, min(document.errors[0].place.line - 1, len(lines) - (1 << max(0, cut - MOST_CUTS // 2))))
                ]
            )
    except ScenarioError:
        pass
    return None


def _load(
    path: str,
    assignments: Sequence[Assignment],
    variable_files: Sequence[str],
    agent_files: Sequence[str],
    read_file: ReadFile | None,
    trusts_procedures: bool,
    secrets: Mapping[str, SecretSpec],
    trusts_inventory: bool,
) -> Loaded:
    variables = {each.name: each.value for each in assignments}
    unreadable: list[Problem] = []
    documents: dict[str, Document] = {}
    lists = AgentLists(read_file)
    unreadable.extend(_read([path], read_file, documents))
    if path in documents:
        lists.read_named(documents[path], may_ask=trusts_inventory)
    lists.read_given(agent_files)
    unreadable.extend(lists.problems)
    documents.update(lists.documents)
    unreadable.extend(_read(variable_files, read_file, documents))
    if path not in documents:
        raise ScenarioError(unreadable)
    builder = ScenarioBuilder(documents[path], read_file, trusts_procedures=trusts_procedures)
    builder.problems.extend(unreadable)
    builder.usage.lacks_agents = bool(lists.problems)
    builder.problems.extend(problem for each in assignments for problem in each.warnings)
    scenario = builder.build(
        lists.named,
        lists.given,
        [documents[file] for file in variable_files if file in documents],
        variables,
        secrets,
    )
    problems = _in_order(builder.problems, [path, *lists.documents, *variable_files])
    errors = [problem for problem in problems if not problem.is_warning]
    if errors or scenario is None:
        raise ScenarioError(errors + [problem for problem in problems if problem.is_warning])
    own = {file.path: file.source for file in scenario.own_procedures}
    read = {file: document.text for file, document in documents.items()}
    return Loaded(
        dataclasses.replace(
            scenario, files=(*read, *lists.watched, *own), digest=_digest([*read.values(), *own.values()], variables)
        ),
        [problem for problem in problems if problem.is_warning],
        {**own, **read},
    )


def _read(files: Sequence[str], read_file: ReadFile | None, documents: dict[str, Document]) -> list[Problem]:
    """Read files into documents; gives what is wrong with those that cannot be read."""
    problems: list[Problem] = []
    for file in files:
        try:
            documents[file] = read_document(file, read_file)
        except ScenarioError as error:
            problems.extend(error.problems)
    return problems


def _in_order(problems: list[Problem], files: list[str]) -> list[Problem]:
    """Sort problems by place, and say each of them once (an alias repeats what it names)."""
    rank = {file: number for number, file in reversed(list(enumerate(files)))}
    unique = dict.fromkeys(problems)
    return sorted(unique, key=lambda problem: (rank.get(problem.file, len(rank)), problem.line, problem.column))


def _digest(texts: Sequence[str], variables: Mapping[str, Any]) -> str:
    content = json.dumps([*texts, dict(variables)], sort_keys=True, default=str)
    return hashlib.blake2b(content.encode("utf-8", "replace"), digest_size=16).hexdigest()
