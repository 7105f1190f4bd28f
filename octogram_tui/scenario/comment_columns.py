"""Keeps the blanks before a comment as they were when the value before it has become longer or shorter."""

from __future__ import annotations

from collections.abc import Collection


def keep_gaps(before: str, after: str, comments: Collection[str]) -> str:
    """Give a rewritten text with comments as far behind their values as in the text before.

    What stands in one column with the comment of a neighbouring line stays there. comments: those behind the values
    that were changed, with their signs. Texts whose lines do not correspond are left as they are.
    """
    old, new = before.split("\n"), after.split("\n")
    if len(old) != len(new):
        return after
    for at, (was, now) in enumerate(zip(old, new, strict=True)):
        if was == now:
            continue
        comment = next((each for each in comments if was.rstrip().endswith(each) and now.rstrip().endswith(each)), "")
        head, head_now = _before(was, comment), _before(now, comment)
        gap = len(head) - len(head.rstrip())
        if comment and gap and not _is_aligned(old, at, len(head)):
            new[at] = head_now.rstrip() + " " * gap + now[len(head_now) :]
    return "\n".join(new)


def _before(line: str, comment: str) -> str:
    return line.rstrip().removesuffix(comment)


def _is_aligned(lines: list[str], at: int, column: int) -> bool:
    """Whether a line above or below has a comment in a column, behind something."""
    around = [lines[each] for each in (at - 1, at + 1) if 0 <= each < len(lines)]
    return any(
        line[column : column + 1] == "#" and line[:column].strip() and line[column - 1] == " " for line in around
    )
