"""The page of a run: what is in it, and that nothing of a job's becomes a part of it."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from exported import EVIL, account_of, evil_run, many, numbered, page_of, run_of
from hypothesis import given, settings
from hypothesis import strategies as st

from octogram_tui.engine import events as ev
from octogram_tui.export import matrix, picture
from octogram_tui.export.bounds import MIB, Bounds
from octogram_tui.export.page import pages
from octogram_tui.export.recorded import Recorded

NOWHERE = Path("/nowhere/events.jsonl")


class Shape(HTMLParser):
    """The elements of a page with their attributes, but for what is free in them; and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.parts: set[tuple[str, ...]] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.levels: list[int] = []  # of headings
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        self.parts.add((tag, *sorted(name for name, _ in attrs)))
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


def test_what_failed_comes_first_and_every_part_is_there() -> None:
    shape = Shape(page_of(NOWHERE, run_of()))
    text = " ".join(shape.text.split())
    told = ["FAILED", "exit code 1: a job failed", "What failed first", "measure/send@n_3", "no route to host"]
    told += ["Hint: look there", "Agents and jobs", "Timeline", "Slowest", "Jobs", "Variables", "What was done to it"]
    told += ["Environment", "Scenario", "About this report"]
    place = 0
    for each in told:
        assert each in text[place:], each
        place = text.index(each, place)
    for said in ("Attempt 2", "retry", "paused the run", "set breakpoint 2", "set level = no route", "n_1.site"):
        assert said in text, said
    assert len(shape.ids) == len(set(shape.ids))
    assert all(level <= above + 1 for above, level in pairwise([0, *shape.levels])), "no heading leaves a level out"


def test_names_that_end_otherwise_keep_their_ends_where_there_is_little_room() -> None:
    for agents, said in ((("n_1", "n_2"), "by-end"), (("a.site", "b.site"), "by-beginning"), (("n",), "by-beginning")):
        assert f'<main class="{said}">' in page_of(NOWHERE, run_of(agents=agents)), agents


def test_every_link_leads_to_a_place_of_the_page() -> None:
    shape = Shape(page_of(NOWHERE, run_of()))
    assert shape.links
    assert {link for link in shape.links if link[:1] != "#"} == set()
    assert {link[1:] for link in shape.links} <= set(shape.ids)


def test_only_our_own_style_and_script_are_let_in() -> None:
    page = page_of(NOWHERE, evil_run())
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    rules = policy[1].replace("&#39;", "'")
    assert rules.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        inside = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert len(inside) == 1
        digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in rules
    assert "unsafe" not in rules
    assert "http:" not in page
    assert "https:" not in page


TEXTS = st.one_of(
    st.text(st.characters(), min_size=1, max_size=40),
    st.sampled_from(
        ["</script>", "<!--", "]]>", "\x1b[31m<b>", "&#x3c;", "'\" onload=x ", "\ud800", "{{ x }}", "{% raw %}"]
    ),
)


@settings(max_examples=15)
@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_no_text_makes_another_element(one: str, two: str, three: str, four: str) -> None:
    usual = Shape(page_of(NOWHERE, run_of(item="x", lines=["\x1b[31mx\x1b[0m", "y" * 90], value={"a": "y" * 400})))
    page = page_of(
        NOWHERE,
        run_of(
            stage=one,
            job=two,
            agents=("a", three),
            item=four,
            lines=[one, two, four],
            message=three,
            name=two,
            value=four,
        ),
    )
    page.encode()  # no surrogate is left
    assert Shape(page).parts <= usual.parts
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page.replace("\r", ""))


def test_evil_texts_are_shown_as_they_are() -> None:
    page = page_of(NOWHERE, evil_run())
    shape = Shape(page)
    assert EVIL in shape.text
    assert "the line has 1000000 characters" in shape.text
    assert '<span class="b f1">red</span>' in page
    assert len(page) < MIB


def test_a_run_that_has_not_ended_says_so() -> None:
    account = account_of(run_of(is_over=False))
    for state, word in (("running", "RUNNING"), ("crashed", "CRASHED"), (None, "UNFINISHED")):
        run = Recorded(NOWHERE, None, state)  # type: ignore[arg-type]
        text = Shape("".join(pages(account, run, Bounds()))).text
        assert word in text
        assert "What failed first" not in text
    damaged = Recorded(NOWHERE, None, "crashed")
    damaged.damage = "line 7: <its checksum> is wrong"
    text = Shape("".join(pages(account, damaged, Bounds()))).text
    assert "DAMAGED" in text
    assert "line 7: <its checksum> is wrong" in text


def test_nothing_but_a_beginning_is_a_page_too() -> None:
    begun = numbered([ev.RunStarted(run="r", scenario="r.yml", plan=[], agents=[])])
    text = Shape(page_of(NOWHERE, begun)).text
    for said in ("UNFINISHED", "No agent is known yet.", "Nothing has run.", "No job has begun."):
        assert said in text


def test_a_large_run_gives_a_page_that_says_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "SAME_CELLS", 500)
    monkeypatch.setattr(picture, "JOB_LANES", 6)
    bounds = Bounds(rows=8, lines=10, log_bytes=3000)
    page = page_of(NOWHERE, numbered(many(100, 10, 40)), bounds)
    shape = Shape(page)
    text = " ".join(shape.text.split())
    assert len([each for each in shape.ids if re.fullmatch(r"r\d+", each)]) == 8
    assert "8 of 1000 instances are told of here" in text
    assert "30 lines left out" in text
    assert "4 jobs are left out here" in text
    assert len(re.findall("b-failed", page)) < 50  # what nobody could tell apart is one bar
    assert "Its output is left out" in text
    assert "Agents with the same states are one line" in text
    assert len(page) < 2 * MIB
    failed = re.findall(r'data-state="failed"', page)
    assert len(failed) == 8  # of 10: what failed goes first
