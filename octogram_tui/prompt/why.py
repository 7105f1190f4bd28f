"""Why a row is as it is, and how it differs from another: the console's trees and pairs, in plain lines."""

from __future__ import annotations

from octogram_tui.cuts import beginning, quoted
from octogram_tui.errors import UsageError
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.compare import Side, compare, compare_lines, partners
from octogram_tui.projection.explain import Subject, explain_lines
from octogram_tui.projection.rows import InstanceRow
from octogram_tui.prompt.rows import HERE, find_instance, find_row
from octogram_tui.tui.model import Model

DEEPEST = 12
VARIABLE = "vars."


def explain_row(words: tuple[str, ...], model: Model) -> list[str]:
    """Say why a row, an agent or a variable (`vars.NAME`) is as it is; a number behind it: so many levels of it."""
    depth = 0
    if len(words) > 1 and words[-1].isdecimal():
        depth, words = min(int(words[-1]), DEEPEST), words[:-1]
    text = " ".join(words)
    subject: Subject | None = model.variables.by_name.get(text.removeprefix(VARIABLE))
    if subject is None or not text.startswith(VARIABLE):
        if text.startswith(VARIABLE):
            raise UsageError(
                f"there is no variable {quoted(text[len(VARIABLE) :], 60)}", hint="`info variables` lists them"
            )
        subject = find_row(text, model)
    return explain_lines(subject, model.known, depth=depth)


def compare_rows(words: tuple[str, ...], model: Model) -> list[str]:
    """Put a row beside what it is best compared with; beside an agent's, another row or attempt (`#1`) where named."""
    left, rest = _row_and_rest(words or (HERE,), model)
    if left.last is None:
        raise UsageError(f"{left.key} has not run")
    mine = Side(left, left.last)
    other = _named(rest, left, model) if rest else next(iter(partners(left, model.known)), None)
    if other is None:
        raise UsageError("there is nothing to compare it with: no other attempt, agent or item of its job has run")
    return compare_lines(compare(mine, other, model.known, model.written))


def _row_and_rest(words: tuple[str, ...], model: Model) -> tuple[InstanceRow, str]:
    """Find the row that the first words name, as many of them as can be; names may hold blanks."""
    refused: UsageError | None = None
    for end in range(len(words), 0, -1):
        try:
            row = model.board.instances.get(find_instance(" ".join(words[:end]), model))
        except UsageError as error:
            refused = refused or error
            continue
        if row is not None:
            return row, " ".join(words[end:])
    raise refused or UsageError("nothing is known of that row")


def _named(text: str, left: InstanceRow, model: Model) -> Side:
    """Find what a row is to be compared with: an attempt of it, an agent, or another row. Raises UsageError."""
    if text.startswith("#"):
        attempts = (*left.earlier, left.last)
        found = next((each for each in attempts if each is not None and f"#{each.number}" == text), None)
        if found is None:
            raise UsageError(f"{left.key} has no attempt {beginning(text, 20)}")
        return Side(left, found)
    key = left.key
    row = model.board.instances.get(InstanceId(key.stage, key.job, text.removeprefix("@"), key.item))
    if row is None:
        row = model.board.instances.get(find_instance(text, model))
    if row is None or row.last is None:
        raise UsageError(f"{quoted(text, 60)} has not run")
    return Side(row, row.last)
