"""Holds the schema's verdict against that of the checks, for every scenario that these tests load."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

from jsonschema import Draft202012Validator

from octogram_tui.errors import Problem
from octogram_tui.scenario.json_reader import read_json
from octogram_tui.scenario.rules import RULES, index_of
from octogram_tui.scenario.schema import json_schema
from octogram_tui.scenario.tree import plain
from octogram_tui.scenario.yaml_reader import read_yaml

BEYOND_A_SCHEMA = (
    # what templates and expressions hold
    r"no variable `.*` is defined anywhere",
    r"`.*`: (unexpected|expected|there is more than one expression|nothing is set here)",
    r"there is no filter ",
    r"no name `.*` here",
    r"`res` is the result of a job",
    r"`port` is known only where",
    r"`re` exists only once",
    r"`agent` is known in jobs only",
    r"is not a regular expression",
    # what one part of a scenario says of another one
    r"there is no agent ",
    r"no agent has the label ",
    r"`agent` has no ",
    r"agents would fetch into one place",
    r"agent `.*` has \d+ `data_address` for",
    r"agent `.*` has an `address`, and Slurm places it",
    r"tasks are not enough for",
    # what Slurm is asked for, in its own words
    r"is not for `options`",
    r"^`(partition|account|constraint|options)` (holds a control|has \d+ characters)",
    r"`time` is longer than a year",
    r"stands for more than \d+ (agents|machines)",
    # URIs
    r"is no agent's name",
    # the limits of numbers in quotes
    r"must be at (least|most) .*, not the text ",
    # a number where a text with a pattern is due
    r"must match .*, which the text `[\d.e+-]+` does not",
    # what a text stands for: a machine, a user, a path, a port, a name, a command (scenario/forms.py and hosts.py)
    r"^`\w+` (must be relative to|leads out of) the agent's home directory",
    r"cannot be an agent's name: it has \d+ characters",
    # conditions that are the same whatever is known, and neither true nor false
    r"^`.*` is .*, and a condition is true or false",
    # updates: what a text reads as
    r"^`[^`]+`: '.*' is not JSON",
    r"^`[^`]+`: '[\d.e+-]+' is not an integer",
    # numbers that JSON has not, or does not tell from others
    r"^`[\d.e+]+` cannot be an agent's name",
    r"not the number -?(nan|inf|\d{30,})",
    r"-?(nan|inf) is not a number that can be kept",
    # own procedures: which there are, and what they take
    r"there is no procedure `(?!(builtins|tezos|smart_rollup|fake)\.)",
    r"^\S+\.py: there is no such file",
    r"is not a Python file",
    r"^\S+\.py(:\d+)?[: ]",
    r"^`at_least` must be",
)
"""Why the checks refuse what fits the schema. A reason that is not here is one that the schema has to know."""


def reasons_of(message: str) -> list[str]:
    """Give the reasons of that list that a message tells."""
    return [reason for reason in BEYOND_A_SCHEMA if re.search(reason, message)]


@functools.cache
def validator() -> Draft202012Validator:
    """Give what knows the schema, with the procedures of these tests."""
    return Draft202012Validator(json_schema())


def agree(file: str, text: object, found: Sequence[Problem]) -> None:
    """Fail when the schema refuses what the checks take, or takes what they refuse for a reason that it could know."""
    if not isinstance(text, str) or len(text) > 100_000:
        return
    document = (read_json if file.endswith(".json") else read_yaml)(file, text)
    if document.errors:
        return
    content: Any = plain(document.root)
    of_no_kind = [p.message for p in found if RULES[index_of(p)].id == "syntax" and p.line and p.file == file]
    assert not of_no_kind, f"of no kind in scenario/rules.py, though all could be read: {of_no_kind}"
    messages = [problem.message for problem in found if problem.file == file]
    expressible = [message for message in messages if not reasons_of(message)]
    fits = validator().is_valid(content)
    if found:
        assert not fits or not expressible, f"the schema does not know: {expressible}"
    else:
        refusals = [f"{error.json_path}: {error.message[:200]}" for error in validator().iter_errors(content)]
        assert fits, f"the schema refuses what the checks take: {refusals}"
