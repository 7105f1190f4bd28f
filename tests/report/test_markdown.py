"""The page of a step's summary: a reader of Markdown finds in it what was meant, whatever the texts of the run are."""

from __future__ import annotations

import io
import os
import re
from html import unescape
from pathlib import Path

from hostile import run, texts
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from octogram_tui.engine import events as ev
from octogram_tui.report.closing import Closing, Repeats
from octogram_tui.report.github import SUMMARY_BYTES, GitHub
from octogram_tui.report.markdown import inert, page
from octogram_tui.report.plainlog import Style
from octogram_tui.report.progress import Progress

GFM = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def closing_of(events: list[ev.Event]) -> Closing:
    progress = Progress(io.StringIO(), Style(), repeats=Repeats("octogram-tui s.yml"), files={"junit": "/x.xml"})
    progress.apply(events)
    return progress._closing


def kinds(text: str) -> list[str]:
    """Give what kinds of Markdown a page is made of; of HTML, the tags."""
    found = []
    for token in GFM.parse(text):
        if token.type == "html_block":
            found += re.findall(r"<[^>]*>", token.content)
        for part in token.children or [token]:
            if part.type == "html_inline":
                found.append(part.content)
            elif part.type not in ("text", "html_block", "text_special"):
                found.append(part.type)
    return found


@given(one=texts, two=texts, three=texts)
@example(one="</pre>\n\n# x", two="| a |", three="</code> `")
@settings(max_examples=30)
def test_texts_stay_texts(one: str, two: str, three: str) -> None:
    shown = run(f"w{one}", f"w{two}", f"w{three}")  # never blank, which would be left out
    assert kinds(page(closing_of(shown), 10**6)) == kinds(page(closing_of(run("o", "t", "x")), 10**6))


@given(text=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=100))
@settings(max_examples=40)
def test_a_text_is_read_back(text: str) -> None:
    rendered = GFM.render(f"a {inert(text)} z")
    shown = re.fullmatch(r"<p>a (?:<code>(.*)</code>)? z</p>\n", rendered)
    assert shown is not None
    assert unescape(shown[1] or "") == text.strip()


def test_the_page_says_what_failed_and_what_to_do() -> None:
    text = GFM.render(page(closing_of(run("build", "cc", "x")), 10**6))
    assert "exit code 10" in text
    assert "<strong>First failure</strong>" in text
    assert "agent" in text
    assert "octogram-tui replay 20261123-031409-x-x7" in unescape(text)
    assert text.count("<table>") == 3


def test_an_unfinished_run_has_a_page_too() -> None:
    assert "UNFINISHED" in page(closing_of(run("a", "b", "c")[:8]), 10**6)


def test_several_runs_of_a_step_share_its_room(tmp_path: Path) -> None:
    """GitHub takes nothing of a summary that is too large."""
    summary, told = tmp_path / "summary", list[str]()
    service = GitHub({"GITHUB_STEP_SUMMARY": str(summary)}, told.append)
    closing = closing_of(run("s", "j", "x"))
    summary.write_bytes(b"x" * (SUMMARY_BYTES - 900))
    service.end(closing)
    assert summary.stat().st_size <= SUMMARY_BYTES
    added = summary.read_text().lstrip("x")
    assert "### ❌" in added
    assert "The rest is left out" in added
    before = summary.stat().st_size
    summary.write_bytes(b"x" * (SUMMARY_BYTES - 50))
    service.end(closing)
    assert summary.stat().st_size == SUMMARY_BYTES - 50 != before
    assert told == ["the summary of this step is full: that of this run is left out"]


def test_files_that_cannot_be_written_are_told_of_and_disturb_nobody(tmp_path: Path) -> None:
    told: list[str] = []
    service = GitHub({"GITHUB_STEP_SUMMARY": str(tmp_path), "GITHUB_OUTPUT": f"{tmp_path}/no/where"}, told.append)
    service.begin("r")
    service.end(closing_of(run("s", "j", "x")))
    assert [each.partition(":")[0] for each in told] == [
        "the outputs of the step cannot be written",
        "the outputs of the step cannot be written",
        "the summary of the step cannot be written",
    ]


def test_a_pipe_that_nobody_reads_holds_nothing_up(tmp_path: Path) -> None:
    told: list[str] = []
    os.mkfifo(tmp_path / "pipe")
    GitHub({"GITHUB_OUTPUT": f"{tmp_path}/pipe"}, told.append).begin("r")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    GitHub({"GITHUB_OUTPUT": f"{tmp_path}/pipe"}, told.append).begin("r" * (1 << 17))  # more than a pipe holds
    os.close(reader)
    assert [each.rpartition(": ")[2] for each in told] == [
        "it is a pipe that nobody reads",
        "its reader takes too little",
    ]
