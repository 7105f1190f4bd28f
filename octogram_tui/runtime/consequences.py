"""What a change would come to, as it is answered to who asks: by instance, and all of it in a line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from octogram_tui.engine.foreseeing import Foreseen
from octogram_tui.model.ids import InstanceId

MOST_NAMED = 5000
"""How many instances of a kind are named; `counts` has all of them."""


def as_answer(seen: Foreseen) -> dict[str, Any]:
    """Give what was foreseen as JSON: {counts, stale, still, fresh, failed, new, gone, untold, changes, variables}.

    stale and still are why, by name; fresh, failed, new and gone lists of names; `said` is all of it in a line.
    """
    kinds = {
        "stale": seen.stale,
        "still": seen.still,
        "fresh": seen.fresh,
        "failed": seen.failed,
        "new": seen.new,
        "gone": seen.gone,
    }
    reasons = {
        kind: {str(id_): why for id_, why in _first(found.items())}
        for kind, found in kinds.items()
        if isinstance(found, dict)
    }
    names = {kind: _names(found) for kind, found in kinds.items() if isinstance(found, list)}
    return {
        "counts": {kind: len(found) for kind, found in kinds.items()},
        **reasons,
        **names,
        "untold": seen.untold,
        "changes": seen.changes,
        "variables": seen.variables,
        "said": [in_words(seen)],
    }


def in_words(seen: Foreseen) -> str:
    """Say in a line what it comes to."""
    parts = [
        (len(seen.stale), "stale"),
        (len(seen.fresh), "not stale any more"),
        (len(seen.failed), "failed and would run differently"),
        (len(seen.new), "new"),
        (len(seen.gone), "gone"),
    ]
    said = [f"{count} {what}" for count, what in parts if count]
    return ", ".join(said) or "nothing that ran is stale by it"


def _names(found: list[InstanceId]) -> list[str]:
    return [str(id_) for id_ in found[:MOST_NAMED]]


def _first(found: Iterable[tuple[InstanceId, str]]) -> list[tuple[InstanceId, str]]:
    return [pair for _, pair in zip(range(MOST_NAMED), found, strict=False)]
