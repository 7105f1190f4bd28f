"""Problems as SARIF 2.1.0, which code hosts and editors show beside the lines they are about."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from octogram_tui import __version__
from octogram_tui.errors import Problem
from octogram_tui.scenario.report import json_text, printable
from octogram_tui.scenario.rules import RULES, index_of

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MAX_RESULTS = 5000
"""GitHub shows so many of one run, and refuses five times as many."""
MAX_SNIPPET = 500


def as_sarif(problems: Sequence[Problem], scenario: str) -> str:
    """Give one run with every problem. scenario: the place of those that stand on a command line."""
    ordered = sorted(problems, key=lambda problem: problem.is_warning)  # the rest of the order stays
    seen: Counter[str] = Counter()
    results = [_result(problem, scenario, seen) for problem in ordered[:MAX_RESULTS]]
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "octogram-tui", "version": __version__, "rules": _rules()}},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True}],
        "results": results,
    }
    left = len(ordered) - len(results)
    if left:
        text = f"{left} more problems are left out; run `octogram-tui check` to see them."
        run["invocations"][0]["toolExecutionNotifications"] = [{"level": "warning", "message": {"text": text}}]
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rules() -> list[dict[str, Any]]:
    return [
        {
            "id": rule.id,
            "shortDescription": {"text": rule.short},
            "fullDescription": {"text": rule.short},
            "help": {"text": rule.help.replace("`", "'"), "markdown": rule.help},
        }
        for rule in RULES
    ]


def _result(problem: Problem, scenario: str, seen: Counter[str]) -> dict[str, Any]:
    rule = index_of(problem)
    is_file = not problem.file.startswith("--")
    text = problem.message if is_file else f"{problem.file}: {problem.message}"
    if problem.hint:
        text += f"\n{problem.hint}"
    region: dict[str, Any] = {"startLine": 1}  # what is wrong with a whole file is told at its beginning
    if is_file and problem.line:
        region = {"startLine": problem.line, "startColumn": problem.column}
        rest = problem.source[problem.column - 1 :]
        if 0 < len(rest) <= MAX_SNIPPET:
            region["snippet"] = {"text": printable(rest)}
    location = _location(problem.file if is_file else scenario)
    place = {"artifactLocation": location, "region": region}
    mark = _fingerprint(problem, location["uri"], RULES[rule].id, seen)
    return {
        "ruleId": RULES[rule].id,
        "ruleIndex": rule,
        "level": "warning" if problem.is_warning else "error",
        "message": {"text": _message(text)},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"primaryLocationLineHash": mark},
    }


def _message(text: str) -> str:
    """Give a text without signs that steer, and without what would be a link."""
    shown = "\n".join(map(printable, text.split("\n")))
    return shown.replace("[", "\\[").replace("]", "\\]") if "](" in shown else shown


def _location(file: str) -> dict[str, str]:
    """Name a file: below the working directory, the root of a repository more often than not, from there."""
    path = os.path.relpath(file)
    if path.split(os.sep, 1)[0] == os.pardir:
        return {"uri": "file://" + quote(os.fsencode(os.path.abspath(file)))}
    return {"uri": quote(os.fsencode(path)), "uriBaseId": "%SRCROOT%"}


def _fingerprint(problem: Problem, uri: str, rule: str, seen: Counter[str]) -> str:
    """Give what stays when lines come before this one: of the words and the line, and which of several alike it is.

    uri: the file, which is the same however its path was written.
    """
    words = re.sub(r":\d+", "", problem.message)
    content = "\0".join((uri, rule, words, problem.source.strip()))
    digest = hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"
