"""The blocks of the pages: where each stands, what it is, and what it takes to try it.

A block may have a comment on the line before it, which readers do not see:

    <!-- untested: why -->   it cannot be tried
    <!-- checked: why -->    a whole scenario that cannot be run on one machine, and is only checked
    <!-- ci service -->      no scenario, but for a CI service: the commands in it are looked at
    <!-- exit 1 -->          how its commands end, where they do not end well
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from octogram_tui.scenario import shapes

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<kind>[\w+-]*)[^\n]*\n(?P<text>.*?)^(?P=indent)```[ \t]*$", re.MULTILINE | re.DOTALL
)
REMARK = re.compile(r"<!--\s*((?:(?!-->).)*?)\s*-->\s*\Z", re.DOTALL)
TOP_KEY = re.compile(r"^(?=[^\s#-])", re.MULTILINE)
ONE_AGENT = "agents: [{name: a_1, transport: local}]\n"
ONE_STAGE = "stages: [{name: s, jobs: [{name: j, builtins.command: 'true'}]}]\n"


class Block(NamedTuple):
    """A block of a page. page: its path in the clone; remark: the comment before it."""

    page: str
    line: int
    kind: str
    text: str
    remark: str

    @property
    def name(self) -> str:
        """Name it for people."""
        return f"{self.page}:{self.line}"

    @property
    def excuse(self) -> str:
        """Say why it is not tried; empty when it is to be."""
        return self.remark.removeprefix("untested:").strip() if self.remark.startswith("untested:") else ""

    @property
    def exit_code(self) -> int:
        """Give what its commands end with when they are run."""
        return int(self.remark.removeprefix("exit ")) if self.remark.startswith("exit ") else 0

    @property
    def is_scenario(self) -> bool:
        """Whether it is a whole one."""
        return self.kind == "yaml" and re.search(r"^stages:", self.text, re.MULTILINE) is not None

    @property
    def why_checked_only(self) -> str:
        """Say why a whole scenario is not run; empty when it is to be."""
        return self.remark.removeprefix("checked:").strip() if self.remark.startswith("checked:") else ""

    @property
    def is_of_ci(self) -> bool:
        """Whether it is for a CI service."""
        return self.remark == "ci service"


def pages(root: Path = ROOT) -> list[Path]:
    """List the pages whose blocks are looked at."""
    top = [root / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md")]
    return [*(path for path in top if path.is_file()), *sorted((root / "docs").rglob("*.md"))]


def blocks_of(text: str, page: str) -> Iterator[Block]:
    """Give the blocks of a page, without what they are indented by."""
    for found in BLOCK.finditer(text):
        before = REMARK.search(text[: found.start()])
        indent = len(found["indent"])
        lines = [line[indent:] for line in found["text"].splitlines()]
        number = text.count("\n", 0, found.start()) + 1
        yield Block(page, number, found["kind"], "\n".join(lines) + "\n", "" if before is None else before[1])


def all_blocks() -> list[Block]:
    """Give the blocks of all pages."""
    return [block for path in pages() for block in blocks_of(path.read_text(), path.relative_to(ROOT).as_posix())]


def commands_of(text: str) -> Iterator[list[list[str]]]:
    """Give the commands of a block for the shell, each as the words of its programs: several where it is a pipe."""
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&<>")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        parts: list[list[str]] = [[]]
        words = list(lexer)
        while words:
            word = words.pop(0)
            if set(word) <= set("|;&"):
                parts.append([])
            elif set(word) <= set("<>&"):  # where it goes to is nothing of the program's
                if parts[-1] and parts[-1][-1].isdigit():
                    parts[-1].pop()
                words[:1] = []
            else:
                parts[-1].append(word)
        parts = [words for words in parts if words]
        if parts:
            yield parts


def scenarios_of(text: str) -> list[str]:
    """Give whole scenarios for what may be one, a part of one, a list of jobs, or parts of a job."""
    if text.lstrip().startswith("- ") or re.search(r"^- ", text, re.MULTILINE):
        return [_around("stages:\n  - name: s\n    with_agents: '(.*)'\n    jobs:\n" + _indented(text, 6), text)]
    chunks = [chunk for chunk in TOP_KEY.split(text) if re.match(r"[^\s#]", chunk)]
    keys = {chunk.partition(":")[0].strip("'\"") for chunk in chunks}
    if keys & set(shapes.SCENARIO):
        return [_around(text, text)]
    return [
        _around("stages:\n  - name: s\n    with_agents: '(.*)'\n    jobs:\n      - name: j\n" + _job(chunk), chunk)
        for chunk in chunks
    ]


def _job(chunk: str) -> str:
    key = chunk.partition(":")[0]
    runs = "." in key or key == "copy"
    return _indented(chunk, 8) + ("" if runs else "        builtins.command: 'true'\n")


def _indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.splitlines())


def _around(text: str, told: str) -> str:
    """Add what a scenario has to have, and the variables that a part of one takes for granted."""
    has = {line.partition(":")[0] for line in text.splitlines() if re.match(r"\w", line)}
    whole = text if "agents" in has else ONE_AGENT + text
    whole = whole if "stages" in has else whole + ONE_STAGE
    if "vars" not in has and "stages:" not in told:
        names = sorted(set(re.findall(r"\bvars\.(\w+)", told)))
        whole += "vars: {" + ", ".join(f"{name}: 1" for name in names) + "}\n"
    return whole


def scripts_of(text: str) -> str:
    """Give the commands that a CI service would run, as a block for the shell."""
    document = yaml.safe_load(text)
    found = [one for key in ("run", "script", "command") for one in _values(document, key)]
    return "\n".join(str(line) for one in found for line in (one if isinstance(one, list) else [one])) + "\n"


def mentions(text: str) -> Iterator[str]:
    """Give the files of the operator's machine that a scenario names."""
    for key in ("local_path", "procedures"):
        for value in _values(yaml.safe_load(text), key):
            yield from (str(one) for one in (value if isinstance(value, list) else [value]))


def _values(node: object, wanted: str) -> Iterator[object]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == wanted:
                yield value
            yield from _values(value, wanted)
    elif isinstance(node, list):
        for each in node:
            yield from _values(each, wanted)
