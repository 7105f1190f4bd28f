"""The page that says why: a line of the tree of projection/explain.py, with its sign, its value and its words."""

from __future__ import annotations

from octogram_tui.projection.tree import Shown
from octogram_tui.tui.look.pieces import Text
from octogram_tui.tui.widgets.brush import Brush

INDENT_CELLS = 2
_LABELS = {"argument": "accent", "variable": "name-2", "result": "accent", "row": "strong", "template": "accent"}
_WORDS = {"why": "", "bad": "failed", "row": "dim", "more": "dim", "variable": "dim", "argument": "dim"}


def explained(shown: Shown, brush: Brush) -> Text:
    """Draw a line: whether something is below it, what it is, what that is or was, and what is said of it."""
    node = shown.node
    fold = "  "
    if shown.is_open:
        fold = brush.pick("⌄ ", "- ")
    elif node.can_unfold:
        fold = brush.pick("› ", "+ ")
    line: Text = [(" " * (INDENT_CELLS * shown.depth), ""), (fold, "faint")]
    if node.label:
        line.append((brush.text(node.label), _LABELS.get(node.kind, "")))
    if node.has_value:
        line.append((f"{': ' if node.label else ''}{brush.text(node.value_text, limit=4096)}", ""))
    if node.words:
        gap = "  " if node.label or node.has_value else ""
        style = "name-4" if node.is_template else _WORDS.get(node.kind, "dim")
        arrow = brush.pick("← ", "<- ") if node.is_template else ""
        line.append((f"{gap}{arrow}{brush.text(node.words, limit=4096)}", style))
    return line
