"""Whatever stands in a scenario, on a host, in a log or in an error: nothing of it is obeyed, hidden or turned."""

import base64
import dataclasses
import random
import re
import types
import typing
from typing import Any

import pytest
from console_app import StillSource, console, settled
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.drivers.headless_driver import HeadlessDriver

from octogram_tui.engine import events as ev
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId
from octogram_tui.projection.ansi import drawn, drawn_text, recoloured
from octogram_tui.projection.text import MOST_MARKS, cells, safe
from octogram_tui.tui import theme as themes
from octogram_tui.tui.typed_text import escaped, one_line, pasted_value, reads_as
from octogram_tui.tui.widgets.brush import Brush, cells_of, window, wrapped
from octogram_tui.tui.widgets.log_rows import LogRows

OBEYED = [
    "\x1b[7777;7777H", "\x1b[7777J", "\x1b]0;EVIL\x07", "\x1b]52;c;RVZJTA==\x07", "\x1bPEVIL\x1b\\", "\x1bc",
    "\x9b7777J",
]  # fmt: skip
UNSEEN = [
    "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u2028", "\x00", "\x08", "\x0c", "\x85", "\U000e0041", "\u3164",
]  # fmt: skip
STORM = "\u0301" * 40
MARKUP = "[bold red]x[/] [@click=app.quit]press[/] [/] [link=http://evil]"
OTHERS = ["plain", "数", "é", "\t", "\r", "\n", "\ud800", "%s {0} $x", "⚠\ufe0f", "👍🏽", "-" * 300]
PIECES = [*OBEYED, *UNSEEN, STORM, MARKUP, *OTHERS]
FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e01ef]"
)
STATES = ["ok", "failed", "skipped", "cancelled", "lost"]


def is_clean(text: str) -> bool:
    return FORBIDDEN.search(text) is None and "\u0301" * (MOST_MARKS + 1) not in text


texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=6).map("".join)


@pytest.mark.fault(85)
@given(texts, st.booleans())
@settings(max_examples=200, deadline=None)
@pytest.mark.fault(85)
def test_no_text_is_obeyed_or_unseen(text: str, ascii_only: bool) -> None:
    """And it is the same whether it is drawn with its colours or without."""
    assert is_clean(safe(text, ascii_only=ascii_only))
    runs = drawn(text, ascii_only=ascii_only)
    assert all(is_clean(piece) for piece, _ in runs)
    assert all(re.fullmatch(r"[0-9;]*", codes) for _, codes in runs)
    assert "".join(piece for piece, _ in runs) == drawn_text(text, ascii_only=ascii_only)
    assert is_clean(re.sub(r"\x1b\[[0-9;]*m", "", recoloured(text, ascii_only=ascii_only)))
    assert not ascii_only or safe(text, ascii_only=True).isascii()


@given(texts)
@settings(max_examples=100, deadline=None)
def test_what_is_typed_can_be_shown_and_means_what_was_pasted(text: str) -> None:
    assert is_clean(one_line(text))
    assert FORBIDDEN.sub("", escaped(text)) == escaped(text).replace("\n", "").replace("\t", "")
    value = pasted_value(text)
    if value.startswith('"') and not text.startswith('"'):
        whole = re.sub(r"\r\n?", "\n", text)
        assert reads_as(value, whole) or reads_as(value, whole.rstrip("\n")) or "\ud800" in text


@given(texts, st.integers(8, 40), st.integers(0, 30))
@settings(max_examples=100, deadline=None)
def test_texts_are_cut_and_wrapped_by_cells(text: str, width: int, left: int) -> None:
    brush = Brush(themes.palette("dark"))
    shown = brush.line(text)
    rows = LogRows(brush, width)
    spans = [rows.span(shown, part) for part in range(len(shown) + 1)]
    parts = [shown[begin:end] for begin, end in spans]
    assert "".join(parts) == shown
    assert all(brush.strip([(part, "")], width).text.rstrip() == part.rstrip() for part in parts)
    assert all(cells_of([(line, "")]) <= width for line in wrapped(brush.text(text), width))
    pieces = brush.output(text)
    assert cells_of(window(pieces, left, width)) == max(0, min(width, cells_of(pieces) - left))
    assert cells(safe("\t" + text)) >= 0


class Filler:
    """Fills events with texts that were meant to do harm."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.names = [self.text() for _ in range(3)]
        self.ids = [InstanceId(self.names[0], self.names[1], self.names[2], item) for item in (None, self.text())]

    def text(self) -> str:
        pieces = [piece for piece in PIECES if piece != "\ud800"]  # which no agent's message may have
        return "".join(self.rng.sample(pieces, 4)) + str(self.rng.randrange(99))

    def fill(self, hint: Any, name: str = "") -> Any:
        """Give a value of a type."""
        rng = self.rng
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if name == "state":
            return rng.choice(STATES)
        if name in ("stage", "job", "agent") and hint is str:
            return self.names[("stage", "job", "agent").index(name)]
        if name == "procedure":
            return rng.choice(["builtins.shell", self.text()])
        if origin in (typing.Union, types.UnionType):
            return self.fill(next((each for each in arguments if each is not type(None)), str))
        if name == "lines":
            return PIECES
        if origin is list:
            return [self.fill(arguments[0], name.removesuffix("s")) for _ in range(2)]
        if origin is dict:
            return {self.text(): self.fill(arguments[1]) for _ in range(2)}
        if hint is InstanceId:
            return rng.choice(self.ids)
        if hint is Failure:
            return Failure.from_json(
                {"kind": "exit", "message": self.text(), "hint": self.text(), "last_lines": [self.text()]}
            )
        if typing.is_typeddict(hint):
            return {key: self.fill(each, key) for key, each in typing.get_type_hints(hint).items()}
        if hint in (int, float):
            return rng.randrange(1, 4)
        if hint is bool:
            return rng.random() < 0.5
        return self.text() if hint is str else {self.text(): [self.text(), 1, None]}

    def event(self, kind: type[ev.Event]) -> ev.Event:
        hints = typing.get_type_hints(kind)
        values = {
            field.name: self.fill(hints[field.name], field.name)
            for field in dataclasses.fields(kind)
            if field.name not in ("seq", "at_s")
        }
        return kind(**values)


def a_run(rng: random.Random) -> list[ev.Event]:
    """Every kind of event, in an order that leads to a failure."""
    filler = Filler(rng)
    order = ["run_started", "agent_ready", "stage_started", "job_started", "job_output", "job_finished"]
    last = ["stop_requested", "run_finished", "stages_done", "stage_finished", "scenario_reloaded"]
    others = [kind for kind in ev.EVENT_TYPES if kind not in order and kind not in last]
    rng.shuffle(others)
    events = [filler.event(ev.EVENT_TYPES[kind]) for kind in [*order, *others, *order[2:]]]
    failed = ev.JobFinished(instance=filler.ids[0], state="failed", failure=filler.fill(Failure))
    output = [ev.JobOutput(agent=each.agent, lines=list(PIECES), instance=each) for each in filler.ids]
    paused = ev.RunPaused(reason="failure", message=filler.text())
    events += [ev.JobStarted(instance=filler.ids[0]), *output, failed, paused]
    for seq, event in enumerate(events, 1):
        event.seq, event.at_s = seq, seq / 100
    return events


@pytest.fixture
def tape(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written to the terminal."""
    written: list[str] = []
    monkeypatch.setattr(HeadlessDriver, "is_headless", property(lambda _: False))
    monkeypatch.setattr(HeadlessDriver, "write", lambda _, data: written.append(data))
    return written


WALK = (
    "1 j j y enter y escape 2 j y enter escape 3 W t y Y W 4 j y enter escape 5 y 6 y 7 j y escape "
    "e tab up escape R escape r escape w escape exclamation_mark p z z f f q escape "
    "question_mark escape colon escape slash a enter escape"
).split()


@pytest.mark.fault(85, 86)
@pytest.mark.parametrize(("seed", "size"), [(1, (80, 24)), (2, (200, 60))])
async def test_nothing_from_outside_reaches_the_terminal_raw(seed: int, size: tuple[int, int], tape: list[str]) -> None:
    source = StillSource(a_run(random.Random(seed)))
    async with console(source).run_test(size=size) as pilot:
        app = await settled(pilot)
        for key in WALK:
            await pilot.press(key)
            for screen in app.screen_stack:
                for strip in screen._compositor.render_strips():
                    assert is_clean(strip.text), (key, strip.text)
    written = "".join(tape)
    assert "plain" in written
    for text in [*OBEYED, *UNSEEN[:6], "\u0301" * (MOST_MARKS + 1), "EVIL\x07", "\x1b]8;;http://evil"]:
        assert text not in written, repr(text)
    copies = re.findall(r"\x1b\]52;c;([A-Za-z0-9+/=]*)(?:\x07|\x1b\\)", written)
    assert len(copies) > 4
    for copied in copies:
        assert is_clean(base64.b64decode(copied).decode().replace("\n", "").replace("\t", ""))
