"""What the gate lets through next, in words: the same on the banner and beside the views."""

from __future__ import annotations

from collections.abc import Sequence

from octogram_tui.projection.rows import InstanceRow
from octogram_tui.tui.model import title_of


def next_words(rows: Sequence[InstanceRow], total: int) -> str:
    """Name rows, what is next first, and count the others: `a @ n_2 [1], then b @ n_1 (3 more)`."""
    first, *then = rows
    names = ", ".join(_then(row, before) for row, before in zip(then, rows, strict=False))
    more = total - len(rows)
    return title_of(first) + (f", then {names}" if names else "") + (f" ({more} more)" if more > 0 else "")


def _then(row: InstanceRow, before: InstanceRow) -> str:
    """The agent, or the item, alone says enough where the rest is the same."""
    if row.job is not before.job:
        return title_of(row)
    item = "" if row.key.item is None else f"[{row.key.item}]"
    if row.agent == before.agent and item:
        return item
    return f"{row.agent} {item}".rstrip()
