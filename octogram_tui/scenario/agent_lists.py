"""The lists of agents of one scenario: those that it names itself, and those of the command line."""

from __future__ import annotations

import os
from collections.abc import Sequence

from octogram_tui.errors import Problem, ScenarioError
from octogram_tui.scenario.documents import EXTENSIONS, ReadFile, read_document
from octogram_tui.scenario.findings import Findings
from octogram_tui.scenario.tree import Document, ListNode, MapNode, Mark


class AgentLists:
    """Reads them, each once, before anything is made of them.

    documents: all of them, by the names that they have among the files of the scenario
    watched: files by which a list may become another, beside those that were read
    """

    def __init__(self, read_file: ReadFile | None) -> None:
        self._read_file = read_file
        self.problems: list[Problem] = []
        self.documents: dict[str, Document] = {}
        self.named: list[Document] = []
        self.given: list[Document] = []
        self.watched: list[str] = []

    def read_given(self, places: Sequence[str]) -> None:
        """Read those of the command line: whoever names a program there wants it run."""
        for place in places:
            try:
                self.given.append(self._read(place, "", may_ask=True))
            except ScenarioError as error:
                self.problems.extend(error.problems)

    def read_named(self, document: Document, *, may_ask: bool) -> None:
        """Read those that stand in the scenario under `agents: {from: ...}`, from its directory on."""
        directory = os.path.dirname(document.file)
        findings = Findings(document._replace(errors=[], doubts=[]), self.problems)
        for place, mark in named_lists(document.root):
            try:
                self.named.append(self._read(place, directory, may_ask=may_ask))
            except ScenarioError as error:
                for problem in error.problems:
                    if problem.line:  # within a list that was read: there it is put right
                        self.problems.append(problem)
                    else:
                        findings.error(mark, f"`{problem.file}`: {problem.message}", problem.hint)

    def _read(self, place: str, directory: str, *, may_ask: bool) -> Document:
        path = os.path.join(directory, place) if directory else place
        if path in self.documents:
            return self.documents[path]
        document = None
        if os.path.exists(path) and os.path.splitext(path)[1].lower() in EXTENSIONS and self._read_file is None:
            document = _own_list(path)
        if document is None:
            from octogram_tui.scenario.inventory.reading import read_agents
            from octogram_tui.scenario.inventory.source import read_source

            source = read_source(place, directory)
            if source.key in self.documents:
                return self.documents[source.key]
            if self._read_file is None:
                self.watched += source.watched()
            document = read_agents(source, self._read_file, may_ask=may_ask)
        self.documents[document.file] = document
        return document


def named_lists(root: object) -> list[tuple[str, Mark]]:
    """Give the places that a scenario's `agents` names, where it is a map; those that cannot be one are left out."""
    agents = root.get("agents") if isinstance(root, MapNode) else None
    if not isinstance(agents, MapNode) or "from" not in agents:
        return []
    value = agents["from"]
    pairs = zip(value, value.marks, strict=True) if isinstance(value, ListNode) else [(value, agents.marks["from"][1])]
    return [(place, mark) for place, mark in pairs if isinstance(place, str) and place]


def _own_list(path: str) -> Document | None:
    """Read a list as our language has it; None for what may be something else."""
    if os.access(path, os.X_OK):  # a program, a directory, or a list on a disk where all is executable
        return None
    document = read_document(path)
    root = document.root
    is_ours = isinstance(root, ListNode) or (isinstance(root, MapNode) and isinstance(root.get("agents"), ListNode))
    return document if is_ours else None
