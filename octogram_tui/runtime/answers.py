"""What a run answered, in lines for people: by whatever front end it was asked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from octogram_tui.projection.text import safe

MOST_CHARACTERS = 100_000
NOT_TOLD = frozenset({"answered", "problem", "said", "led_to", "problems", "up_to"})
"""What is about the asking, or is told otherwise."""


_SECRET = re.compile("PASS(WORD|WD|PHRASE)?|SECRET|TOKEN|CREDENTIAL|AUTH|(^|_)KEY|KEY(_|$)|COOKIE", re.IGNORECASE)
_LOGIN = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
HIDDEN = "(not shown)"


def without_secrets(answer: dict[str, Any]) -> dict[str, Any]:
    """Give an answer as it may be printed: variables of an environment that hold secrets have no value.

    Those whose names speak of them, or whose values hold a login.
    """
    environment = answer.get("environment")
    if not isinstance(environment, dict):
        return answer
    shown = {
        name: HIDDEN if _SECRET.search(name) or _LOGIN.search(str(value)) else value
        for name, value in sorted(environment.items())
    }
    return {**answer, "environment": shown}


def told(answer: dict[str, Any]) -> list[str]:
    """Give what came of a request: in the run's own words where it has any, then all else that it answered."""
    answer = without_secrets(answer)
    lines = [_shown(line) for line in answer.get("said") or []]
    found = {name: value for name, value in answer.items() if name not in NOT_TOLD}
    if set(found) == {"value"}:
        text = json.dumps(found["value"], ensure_ascii=False, indent=2)
        return [*lines, *(_shown(line) for line in text.splitlines())]
    for name, value in found.items():
        lines += _named(name.replace("_", " "), value)
    return lines or [_shown(", ".join(map(str, answer.get("led_to") or []))) or "nothing to see of it yet"]


def _named(name: str, value: Any) -> Iterator[str]:
    """Write a part of an answer: what has parts itself has them below its name, and what is nothing is left out."""
    if isinstance(value, dict) and value:
        yield f"{name}:"
        yield from (f"  {_shown(key)}={_text(part)}" for key, part in value.items())
    elif isinstance(value, list) and value:
        yield f"{name}:"
        yield from (f"  {_text(part)}" for part in value)
    elif value not in (None, "", [], {}):
        yield f"{name}: {_text(value)}"


def _text(value: Any) -> str:
    """Write a value in a line: a text as it is, all else as JSON."""
    return _shown(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _shown(text: object) -> str:
    return safe(text, limit=MOST_CHARACTERS)
