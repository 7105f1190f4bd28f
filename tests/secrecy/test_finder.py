"""What is cut, coloured, indented or begun over and over is found, with about as much work as there is text."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from octogram_tui.secrecy import finder as module
from octogram_tui.secrecy import overlap, views
from octogram_tui.secrecy.finder import Finder, Needle, Span
from octogram_tui.secrecy.masker import Masker
from octogram_tui.secrecy.names import SHORTEST, SHORTEST_LINE

VALUE = "correct horse battery staple, and so on"
LONG_VALUE = "".join(chr(33 + (7 * n * n + n) % 90) for n in range(3000))


def masker_of(value: str) -> Masker:
    masker = Masker()
    masker.learn("token", value)
    return masker


# -- cut off ----------------------------------------------------------------------------------------------------------


@pytest.mark.fault(88)
@pytest.mark.parametrize("mark", ["…", "..."])
@pytest.mark.parametrize("value", [VALUE, LONG_VALUE], ids=["short", "long"])
def test_what_a_cut_left_of_a_value_is_hidden_on_either_side(value: str, mark: str) -> None:
    masker = masker_of(value)
    head, tail, part = value[:30], value[-30:], "(part of secret token)"
    assert masker.mask(f"it is `{head}{mark}` there") == f"it is `{part}{mark}` there"
    assert masker.mask(f"it is `{mark}{tail}` there") == f"it is `{mark}{part}` there"
    assert masker.mask(f"x {head}{mark}{tail} y") == f"x {part}{mark}{part} y"
    text = f"{{{mark}{tail}, {head}{mark}"
    assert masker.unseal(masker.seal(text)) == text
    assert tail not in masker.seal(text)


@pytest.mark.fault(88)
def test_more_dots_than_make_a_cut_hide_no_end() -> None:
    assert masker_of(VALUE).mask(f"and so {VALUE[:9]}......{VALUE[-9:]}").count("part of secret") == 2


def test_what_only_looks_like_an_end_stays() -> None:
    masker = masker_of(VALUE)
    assert masker.mask(f"not cut: {VALUE[-30:]}") == f"not cut: {VALUE[-30:]}"
    assert masker.mask(f"… too short: …{VALUE[-5:]}") == f"… too short: …{VALUE[-5:]}"


# -- as it was found before, at any cost ------------------------------------------------------------------------------


def naive(texts: list[str], values: list[str]) -> list[set[int]]:
    """Give which signs of lines are hidden at the least: every beginning before a cut, every end behind one."""
    joined, hidden = "".join(texts), set()
    ends = {found.start(): SHORTEST for found in re.finditer(r"…|\.\.\.", joined)}
    at = 0
    for text in texts:
        at += len(text)
        ends.setdefault(at, SHORTEST_LINE)
    for value in values:
        for at in range(len(joined)):
            if joined.startswith(value, at):
                hidden |= {*range(at, at + len(value))}
        for end, shortest in ends.items():
            for size in range(shortest, len(value)):
                if end >= size and joined[end - size : end] == value[:size]:
                    hidden |= {*range(end - size, end)}
        for found in re.finditer(r"…|\.\.\.(?!\.)", joined):
            for size in range(SHORTEST, len(value)):
                if joined[found.end() : found.end() + size] == value[-size:]:
                    hidden |= {*range(found.end(), found.end() + size)}
    result, at = [], 0
    for text in texts:
        result.append({sign - at for sign in hidden if at <= sign < at + len(text)})
        at += len(text)
    return result


SIGNS = st.sampled_from(["a", "b", "ab", "abab", "aaaa", ".", "...", "…", "c"])
OF_SIGNS = st.lists(SIGNS, min_size=1, max_size=14).map("".join)


@given(
    values=st.lists(OF_SIGNS.filter(lambda text: len(text) >= SHORTEST), min_size=1, max_size=3, unique=True),
    texts=st.lists(OF_SIGNS, min_size=1, max_size=5),
)
@example(values=["abababab" + "aba"], texts=["abababababab…abababa", "babaaba"])
def test_no_less_is_hidden_than_by_looking_at_every_place(values: list[str], texts: list[str]) -> None:
    finder = Finder(Needle(value, "token") for value in values)
    spans = finder.spans(texts) or [[] for _ in texts]
    for text, found, least in zip(texts, spans, naive(texts, values), strict=True):
        shown = {sign for span in found for sign in range(span.start, span.end)}
        assert least <= shown
        for span in found:  # each says truly what it hides, so that a seal is opened to the same
            assert text[span.start : span.end] == span.needle.text[span.first : span.last]


@given(value=OF_SIGNS.filter(lambda text: len(text) >= SHORTEST), begins=OF_SIGNS, data=st.data())
def test_a_value_that_goes_on_later_is_found_by_what_was_kept(value: str, begins: str, data: st.DataObject) -> None:
    finder = Finder([Needle(value, "token")])
    lines = [begins, value[: data.draw(st.integers(1, len(value) - 1))]]
    held = max((size for size in range(len(value)) if "".join(lines).endswith(value[:size])), default=0)
    kept = finder.tail("", lines)
    assert "".join(lines).endswith(kept)
    assert len(kept) >= min(held, len("".join(lines)))


# -- the work ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Give how many signs were compared, each time."""
    sizes: list[int] = []
    goes_on = overlap._goes_on

    def counted(text: str, at: int, piece: str) -> bool:
        sizes.append(len(piece))
        return goes_on(text, at, piece)

    monkeypatch.setattr(overlap, "_goes_on", counted)
    return sizes


PEM = "-----BEGIN KEY-----" + LONG_VALUE
HARD = {
    "a key that is begun over and over": (PEM, "-----BEGIN..."),
    "a value that begins again within itself": ("ab" * 1500 + "x", "ab"),
    "a value of one sign": ("a" * 3000, "a"),
    "its end over and over": (LONG_VALUE, "…" + LONG_VALUE[-10:]),
    "half of it over and over": ("ab" * 1500 + "x" + "ab" * 500, "ab" * 1500 + "…"),
    "its beginning over and over, which begins again within itself": ("ab" * 200 + LONG_VALUE, "ab" * 195),
    "a value of dots": ("." * 3000, "."),
}


@pytest.mark.parametrize("name", HARD)
def test_the_work_grows_with_the_text_and_not_with_the_value(name: str, compared: list[int]) -> None:
    value, said = HARD[name]
    finder = Finder([Needle(value, "token")])
    size = 60_000
    finder.spans([said * (size // len(said))])
    assert len(compared) < 3 * size
    assert sum(compared) < 30 * size


def test_lines_that_all_hold_something_are_gone_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    within, calls = module._within, []

    def counted(span: Span, at: int, length: int, start: int) -> Span | None:
        calls.append(at)
        return within(span, at, length, start)

    monkeypatch.setattr(module, "_within", counted)
    count = 2000
    spans = Finder([Needle(VALUE, "token")]).spans([f"x {VALUE}"] * count)
    assert spans is not None
    assert all(spans)
    assert len(calls) <= 2 * count


# -- coloured, broken, indented ---------------------------------------------------------------------------------------

LETTERS = string.ascii_letters + string.digits
CODED = "".join(LETTERS[(5 * n * n + 3 * n) % 62] for n in range(90))


@pytest.mark.fault(88)
@pytest.mark.parametrize(
    "text",
    [
        f"\x1b[31m{VALUE[:9]}\x1b[0m{VALUE[9:]}",
        f"a \x1b[01;31m\x1b[K{VALUE[:9]}\x1b[m\x1b[K{VALUE[9:]} b",
        f"{VALUE[:9]}\x1b]8;;https://x.y/z\x1b\\{VALUE[9:]}\x1b]8;;\x07",
        f"{VALUE[:3]}\x1b(B{VALUE[3:6]}\x1b[38:5:1m{VALUE[6:]}",
    ],
)
def test_a_value_that_is_coloured_in_part_is_hidden(text: str) -> None:
    masker = masker_of(VALUE)
    for shown in (masker.mask(text), masker.lines(["x", text])[1], masker.mask({"a": [text, "b"]})["a"][0]):
        assert VALUE[9:] not in shown
        assert VALUE[:9] not in shown
        assert shown.count("\x1b") == text.count("\x1b")
    assert masker.unseal(masker.seal([text])) == [text]


@pytest.mark.fault(88)
def test_a_value_within_an_order_to_a_terminal_is_hidden() -> None:
    text = f"\x1b]8;;https://x.y/?token={CODED}\x1b\\here\x1b]8;;\x1b\\"
    assert CODED not in masker_of(CODED).mask(text)


@pytest.mark.fault(88)
@pytest.mark.parametrize("end", ["\r\n", "\r", "\r\r\n", "\n    ", "\r\n\t", "\n\x1b[0m  "])
def test_a_value_over_lines_is_hidden_however_they_end_and_begin(end: str) -> None:
    masker = masker_of(CODED)
    parts = [CODED[at : at + 24] for at in range(0, len(CODED), 24)]
    text = "a " + end.join(parts) + " b"
    assert not any(part in masker.mask({"stdout": text})["stdout"] for part in parts)
    assert masker.unseal(masker.seal([text])) == [text]
    lines = re.split("\n", text)
    assert not any(part in line for line in masker.mask(lines) for part in parts)
    shown, before = [], ""
    for line in lines:  # each told alone, as they come
        shown += masker.lines([line], before)
        before = masker.tail(before, [line])
    assert not any(part in line for line in shown for part in parts)


@pytest.mark.fault(88)
@pytest.mark.parametrize(
    "value", ["two words\r\n  of one", "  first\n\n  second of it", "a\rb\rc\rd\re", "a\nb\nc\nd\ne"]
)
def test_a_value_that_has_such_lines_itself_is_hidden_too(value: str) -> None:
    masker = masker_of(value)
    assert value not in masker.mask(f"x{value}y")
    assert masker.unseal(masker.seal(f"x{value}y")) == f"x{value}y"
    assert "secret token" in masker.mask(f"x{value}y")


@pytest.mark.fault(88)
def test_blanks_of_a_value_where_its_line_was_broken_are_its_own() -> None:
    masker = masker_of(VALUE)
    for text in (VALUE.replace(" horse", "\n horse"), VALUE.replace(" horse", "\n\x1b[0m horse")):
        assert "battery staple" not in masker.mask(text)


@given(
    text=st.lists(st.sampled_from(["a", "b ", " ", "\t", "\r", "\n", "\r\n", "\x1b[1m", "\x1b"]), max_size=9).map(
        "".join
    )
)
def test_a_view_is_the_same_in_pieces_and_bare(text: str) -> None:
    for view in (views.PLAIN, views.COLOURLESS, views.LOOSE):
        bare = "".join(text[start:end] for _, start, end in view.pieces([text]))
        assert bare == view.bare(text) == view._passed.sub("", text)
