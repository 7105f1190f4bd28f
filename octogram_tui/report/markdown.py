"""The end of a run as a page of Markdown, for the summary of a step and the annotation of a build.

Texts from outside cannot become markup: each sign of them that is no letter, digit or blank is written as a character
reference, which neither Markdown nor HTML takes for more than that sign; and they stand in `code`, where no mention and
no link is made of them. Lines of output stand in `pre`, where only HTML means something.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from octogram_tui.projection.text import printed, safe
from octogram_tui.report import phrases

if TYPE_CHECKING:
    from octogram_tui.report.closing import Closing

TAIL_LINES = 40
SHOWN_CHARACTERS = 400

_SIGNS = re.compile(r"[!-/:-@\[-`{-~]")
LEFT_OUT = "\n<p>The rest is left out: there is no room for more.</p>\n"


def page(closing: Closing, most_bytes: int) -> str:
    """Write the page in at most so many bytes, less where it has to be; empty when not even its head fits."""
    head, *parts = _parts(closing)
    if len(head.encode()) + len(LEFT_OUT) > most_bytes:
        return ""
    text, size = head, len(head.encode())
    for part in parts:
        size += len(part.encode())
        if size + len(LEFT_OUT) > most_bytes:
            return text + LEFT_OUT
        text += part
    return text


def inert(text: str) -> str:
    """Give a text from outside as code that is nothing but that text, in a paragraph or a cell of a table."""
    shown = safe(text, limit=SHOWN_CHARACTERS).strip()
    return f"<code>{_SIGNS.sub(lambda found: f'&#{ord(found[0])};', shown)}</code>" if shown else ""


def _parts(closing: Closing) -> list[str]:
    icon = {"ok": "✅", "failed": "❌"}.get(closing.outcome, "⚠️")
    parts = [f"### {icon} {inert(closing.scenario)}: {_plain(closing.headline)}\n\nRun {inert(closing.run)}.\n"]
    if closing.reason:
        parts.append(f"\n{inert(closing.reason)}\n")
    marks = closing.marks
    for number, (mark, tail) in enumerate(zip(marks, closing.tails, strict=True)):
        place = f" ({inert(f'{mark.file}:{mark.line}')})" if mark.line else ""
        parts.append(f"\n{'**First failure**' if not number else 'Also failed'}{place}: {inert(mark.message)}\n")
        if tail and not number:
            lines = "\n".join(_raw(line) for line in tail[-TAIL_LINES:])
            parts.append(f"\n<pre>\n{lines}\n</pre>\n")
    if closing.left_out:
        parts.append(f"\nAnd {closing.left_out} more failures.\n")
    parts.append(f"\nJobs: {_plain(closing.counted)}.\n")
    if closing.slowest:
        rows = [f"| {phrases.duration(slow.duration_s)} | {inert(str(slow.instance))} |\n" for slow in closing.slowest]
        parts.append(f"\n| slowest | |\n| ---: | :--- |\n{''.join(rows)}")
    if closing.commands:
        rows = [f"| {_plain(what)} | {inert(command)} |\n" for what, command in closing.commands.items()]
        parts.append(f"\n| to | command |\n| :--- | :--- |\n{''.join(rows)}")
    if closing.files:
        rows = [f"| {_plain(what)} | {inert(path)} |\n" for what, path in closing.files.items()]
        parts.append(f"\n| file | |\n| :--- | :--- |\n{''.join(rows)}")
    return parts


def _plain(text: str) -> str:
    """Give words of ours, in which nothing means anything."""
    return _SIGNS.sub(lambda found: f"&#{ord(found[0])};" if found[0] not in ",.()-" else found[0], safe(text))


def _raw(line: str) -> str:
    shown = safe(printed(line))
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
