"""A text is cut for a message in one place on each side of the wire: cuts.py, which puts a sign where something lacks.

Without one, the part of a secret that is left is neither the secret nor marked as a part of one, and is shown.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SHORTEST = 8
"""Fewer characters of a secret tell nothing of it."""

SOURCES = [
    path
    for package in ("octogram_tui", "agentd/octogram_agentd")
    for path in sorted((ROOT / package).rglob("*.py"))
    if path.name != "cuts.py" and path.parent.name != "secrecy"  # which looks for texts, and says none
]

EXCEPTIONS = {
    "it is a digest, or a time": {
        "octogram_tui/journal/archive.py": ["directory.name[:8]"],
        "octogram_tui/journal/breakpoints.py": ["hashlib.sha256(os.fsencode(self._scenario)).hexdigest()[:24]"],
        "octogram_tui/journal/sources.py": ["re.sub('[^0-9A-Za-z]', '', name)[:64]", "place.name[:12]"],
        "octogram_tui/journal/texts.py": ["re.sub('[^0-9A-Za-z]', '', digest)[:16]"],
        "octogram_tui/scenario/arguments.py": [
            "hashlib.sha256(repr(arguments).encode('utf-8', 'replace')).hexdigest()[:32]"
        ],
        "octogram_tui/tui/watches.py": ["hashlib.sha256(os.fsencode(os.path.realpath(scenario))).hexdigest()[:24]"],
        "agentd/octogram_agentd/boot.py": ["_sha256(data)[:16]", "digest[:16]", "(pin or digest)[:16]"],
        "agentd/octogram_agentd/network/download.py": ["sha256(url.encode('utf-8', 'surrogatepass')).hexdigest()[:32]"],
        "agentd/octogram_agentd/procedures/octez/releases.py": ["PROTOCOLS[name][:8]"],
    },
    "it names a file, a process or a terminal's tab after a name of the scenario's, where no template is": {
        "octogram_tui/journal/archive.py": ["re.sub('[^A-Za-z0-9_]+', '-', Path(scenario).stem).strip('-')[:40]"],
        "octogram_tui/tui/calling.py": [
            "safe(f'{sign} {state} {name}{progress}'.strip(), limit=MOST_CELLS)[:MOST_CELLS]"
        ],
        "octogram_tui/tui/screens/save_form.py": ["words[:NAME_CHARACTERS]"],
        "agentd/octogram_agentd/daemon/home.py": ["''.join((c if c in NAME_CHARACTERS else '_' for c in name))[:120]"],
        "agentd/octogram_agentd/processes/prctl.py": ["name.encode()[:15]"],
    },
    "it is bytes on their way, and the rest follows": {
        "octogram_tui/filing.py": ["left[:_PIECE_BYTES]"],
        "octogram_tui/streams.py": ["left[:_PIECE_BYTES]"],
        "agentd/octogram_agentd/parcels/partial.py": ["piece[:4096]"],
        "agentd/octogram_agentd/wire/connection.py": ["self._waiting[:READ_BYTES]"],
    },
    "it is a field of a format": {
        "octogram_tui/journal/seal.py": ["line[-TAIL_BYTES:]", "line[:-TAIL_BYTES]"],
        "agentd/octogram_agentd/daemon/door.py": ["data[4:8]"],
        "agentd/octogram_agentd/daemon/pact.py": ["data[:8]"],
        "agentd/octogram_agentd/parcels/archive.py": [
            *("block[:100]", "block[100:108]", "block[156:157]", "block[257:263]", "block[157:257]", "block[124:136]"),
            *("block[148:156]", "block[345:500]", "block[136:148]", "block[:148]"),
        ],
        "agentd/octogram_agentd/processes/launch.py": ["head[18:20]"],
    },
    "it is looked at, and not shown": {
        "octogram_tui/engine/job_texts.py": ["text[:LONGEST]"],
        "octogram_tui/journal/attempts.py": ["line[:200]"],
        "octogram_tui/projection/ansi.py": ["state[:SCANNED_CHARACTERS]"],
        "octogram_tui/projection/causes.py": ["replaced[:COMPARED_CHARACTERS]"],
        "octogram_tui/scenario/nearby.py": ["text[:4096]"],
        "octogram_tui/transport/ssh/doors.py": ["data[:GREETING_BYTES]"],
        "agentd/octogram_agentd/procedures/octez/rollups.py": ["line[:2000]"],
    },
    "it was masked before, and says itself that it is cut, in signs that every terminal has": {
        "octogram_tui/projection/ansi.py": ["last[:SCANNED_CHARACTERS]", "line[:SHOWN_CHARACTERS]"],
        "octogram_tui/projection/causes.py": ["text[:CAUSE_CHARACTERS - 3]"],
        "octogram_tui/projection/stale.py": ["text[:SHOWN_VALUE - 3]"],
        "octogram_tui/projection/tree.py": ["value[:SHOWN_VALUE - 3]"],
        "octogram_tui/report/phrases.py": ["text[:SHOWN_VALUE]"],
    },
    "the sign is put where its first line is told": {
        "agentd/octogram_agentd/processes/logs.py": ["self._memory[-MEMORY_BYTES:]"],
    },
    "it was masked before, and is cut for the screen": {
        "octogram_tui/projection/side_by_side.py": [
            *("line[:MOST_CELLS]", "middle[:MOST_CELLS]", "line[len(line) - tail:][:MOST_CELLS]"),
            "((one if one is not None else other) or '')[:MOST_CELLS]",
        ],
    },
    "it is all of a value, whose end is taken for a cut anyway": {
        "agentd/octogram_agentd/procedures/builtin/web_requests.py": ["text[:MAX_BODY_CHARACTERS]"],
    },
    "it is a list": {
        "octogram_tui/projection/side_by_side.py": ["left[:MOST_ALIGNED]", "right[:MOST_ALIGNED]"],
        "octogram_tui/projection/timeline.py": ["by_width[:MOST_SPANS * 3 // 4 - 1]"],
        "octogram_tui/report/progress.py": ["output[-TAIL_LINES:]"],
        "octogram_tui/scenario/report.py": ["of_kind[:MAX_ANNOTATIONS - 1]"],
        "octogram_tui/tui/look/describe.py": ["variable.changes[-LISTED_CHANGES:]"],
        "octogram_tui/tui/look/instance.py": ["texts[-LAST_LINES:]"],
        "octogram_tui/tui/look/pieces.py": ["lines[:FOLDED_LINES]"],
        "octogram_tui/tui/needs.py": ["rows[:NEXT_SHOWN]"],
        "octogram_tui/tui/widgets/banner.py": ["self.needs()[:SHOWN_NEEDS]"],
        "agentd/octogram_agentd/procedures/builtin/home_files.py": ["lines[-20:]"],
    },
}
"""What is cut by hand, by why it is no message with a text from outside."""

_FORMAT = re.compile(r"%(?:\(\w+\))?[-#0 +]*\d*\.(?:\d+|\*)[sra]")
_SPEC = re.compile(r"^(?!.*%).*\.\d+s?$")
_LISTS = {"sorted", "list", "reversed"}
_MAKE_LISTS = {"split", "splitlines", "rsplit"}
_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")


def is_long(bound: ast.expr | None) -> bool:
    """Whether a bound of a slice is a number that somebody chose, and enough for a part of a secret."""
    if bound is None:
        return False
    names = re.findall(r"(?<![\w.])[A-Za-z_][\w.]*", ast.unparse(bound))
    if names:
        return all(_CONSTANT.fullmatch(name.rpartition(".")[2]) for name in names)
    numbers = [node.value for node in ast.walk(bound) if isinstance(node, ast.Constant)]
    return all(isinstance(each, int) and each >= SHORTEST for each in numbers)


def is_list(node: ast.expr) -> bool:
    """Whether what is sliced is seen to be no text."""
    if isinstance(node, (ast.List, ast.ListComp, ast.Tuple)):
        return True
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id in _LISTS
    return isinstance(node.func, ast.Attribute) and node.func.attr in _MAKE_LISTS


def used_as_lists(tree: ast.AST) -> set[ast.AST]:
    """Give what is gone through, joined or put into a list: the parts of a text would be its characters."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            found.add(node.iter)
        elif isinstance(node, ast.Starred):
            found.add(node.value)
        elif isinstance(node, ast.Delete):
            found.update(node.targets)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "join":
            found.update(node.args)
    return found


def cuts(source: str) -> Iterator[tuple[int, str]]:
    """Give where a text may be cut by hand."""
    tree = ast.parse(source)
    lists = used_as_lists(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            first, last = node.slice.lower, node.slice.upper
            is_end = isinstance(first, ast.UnaryOp) and is_long(first)
            if (is_end or is_long(last)) and node not in lists and not is_list(node.value):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _FORMAT.search(node.value):
            yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.FormattedValue) and isinstance(node.format_spec, ast.JoinedStr):
            parts = [each.value if isinstance(each, ast.Constant) else "0" for each in node.format_spec.values]
            if _SPEC.search("".join(map(str, parts))):
                yield node.lineno, ast.unparse(node.value)
        elif isinstance(node, (ast.Import, ast.ImportFrom)) and {"reprlib", "shorten"} & {
            alias.name for alias in node.names
        }:
            yield node.lineno, ast.unparse(node)


def allowed(path: Path) -> list[str]:
    """Give what a file may cut by hand."""
    name = path.relative_to(ROOT).as_posix()
    return [each for files in EXCEPTIONS.values() for each in files.get(name, [])]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_is_cut_without_a_sign(path: Path) -> None:
    found = [(line, code) for line, code in cuts(path.read_text()) if code not in allowed(path)]
    assert found == [], "cuts.py has `beginning`, `ending` and `quoted`"


def test_every_exception_is_still_needed() -> None:
    needed = {path.relative_to(ROOT).as_posix(): {code for _, code in cuts(path.read_text())} for path in SOURCES}
    listed = [(file, code) for files in EXCEPTIONS.values() for file, codes in files.items() for code in codes]
    assert [(file, code) for file, code in listed if code not in needed.get(file, ())] == []


@pytest.mark.parametrize(
    "code",
    [
        'f"the text {value[:40]!r}"',
        'f"the text {text[:MOST]}…"',
        'f"{value!r:.80}"',
        'f"{value:.{most}}"',
        '"%.80r" % line',
        '"%s: %-10.200s" % (error, text)',
        '"%.*s" % (MOST, text)',
        "repr(text[:80])",
        "shown = text[-40:]",
        "shown = text[: limits.MOST - 1]",
        "shown = text[10:50]",
        "said[-300:]",
        "lines[-1][:500]",
        "[line[:500] for line in lines]",
        '" ".join(words)[:MOST]',
        "import reprlib",
        "from textwrap import shorten",
    ],
)
def test_every_way_to_cut_by_hand_is_seen(code: str) -> None:
    assert list(cuts(code))


@pytest.mark.parametrize(
    "code",
    [
        'f"{seconds:.2f} s"',
        'f"{share:.0%}"',
        '"%.3f" % seconds',
        "text[:3]",
        "text[at:]",
        "text[:at]",
        "text[len(PREFIX):]",
        '", ".join(names[:20])',
        "sorted(names)[:MOST]",
        "[*lines[:MOST_LINES]]",
        "for line in lines[:MOST]: pass",
        "del tail[:-MOST]",
        "beginning(text, 40)",
    ],
)
def test_what_cuts_no_text_is_left_alone(code: str) -> None:
    assert not list(cuts(code))
