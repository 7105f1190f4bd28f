"""Reads the files that a scenario consists of: by extension, within limits, one clear line when that is impossible.

Lists of agents that are not in our language are made documents by scenario/inventory, which is imported only for them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from octogram_tui.errors import Problem, ScenarioError
from octogram_tui.scenario.findings import Findings
from octogram_tui.scenario.tree import MAX_BYTES, Document, Lines, ListNode, MapNode, Mark

ReadFile = Callable[[str], str | bytes]
ASK_HINT = "allow it with --trust-inventory; a run asks it in any case"
"""What to do about a list that is told by a program, where nothing that a scenario names is run."""
EXTENSIONS = (".yml", ".yaml", ".json")


def read_document(path: str, read_file: ReadFile | None = None) -> Document:
    """Read a file as its extension says. Raises ScenarioError when there is no such text."""
    extension = os.path.splitext(path)[1].lower()
    if extension not in EXTENSIONS:
        if read_file is None and os.path.isdir(path):
            raise refusal(path, "this is a directory", "name the scenario's file")
        raise refusal(
            path,
            f"{extension or 'a file without extension'} is not read: it is neither YAML nor JSON",
            "name the file .yml, .yaml or .json",
        )
    text = read_text(path, read_file)
    if extension == ".json":
        from octogram_tui.scenario.json_reader import read_json

        return read_json(path, text)
    from octogram_tui.scenario.yaml_reader import read_yaml

    return read_yaml(path, text)


def document_of(path: str, text: str) -> Document:
    """Read a text as the extension of a file says, whatever is in that file. Raises ScenarioError."""
    return read_document(path, lambda _: text)


def read_text(path: str, read_file: ReadFile | None = None) -> str:
    """Read a file as UTF-8. Raises ScenarioError, saying what stands in the way."""
    try:
        content = read_file(path) if read_file is not None else _read_bytes(path)
    except FileNotFoundError:
        where = f"the working directory is {os.getcwd()}" if not os.path.isabs(path) else ""
        raise refusal(path, "there is no such file", where) from None
    except IsADirectoryError:
        raise refusal(path, "this is a directory", "name the scenario's file") from None
    except PermissionError:
        raise refusal(path, "this file may not be read", "check its permissions") from None
    except OSError as error:
        raise refusal(path, f"this file cannot be read: {error.strerror or error}") from None
    if len(content) > MAX_BYTES:
        raise refusal(path, f"the file has more than {MAX_BYTES >> 20} MiB", "")
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig")
        line, column, _ = Lines(before).place(len(before))
        message = f"the file is not UTF-8: byte 0x{content[error.start]:02x} in line {line}"
        raise ScenarioError([Problem(path, line, column, message, "save it as UTF-8")]) from None


def _read_bytes(path: str) -> bytes:
    if not os.path.isfile(path) and os.path.exists(path) and not os.path.isdir(path):
        raise OSError(0, "it is not a regular file")
    with open(path, "rb") as file:
        return file.read(MAX_BYTES + 1)


def refusal(path: str, message: str, hint: str = "") -> ScenarioError:
    """Make the error of a file that cannot be read at all."""
    return ScenarioError([Problem(path, 0, 0, message, hint)])


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

    def read_given(self, places: Sequence[str], *, may_ask: bool = True) -> None:
        """Read those of the command line: whoever names a program there wants it run, once he has typed it all."""
        for place in places:
            try:
                self.given.append(self._read(place, "", may_ask=may_ask))
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
