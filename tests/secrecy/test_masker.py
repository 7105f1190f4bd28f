"""Whatever a secret is and however it is written, it is in no text that was masked; what was sealed comes back."""

from __future__ import annotations

import base64
import html
import json
import shlex
from collections.abc import Callable, Iterable
from itertools import pairwise
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from octogram_tui.errors import AttachRefused
from octogram_tui.secrecy import masker as module
from octogram_tui.secrecy.finder import Finder, Needle
from octogram_tui.secrecy.masker import Masker
from octogram_tui.secrecy.names import SHORTEST

VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=9, max_size=60).filter(
    lambda text: len(set(text)) > 3 and text.strip() == text
)
AROUND = st.text(st.sampled_from("ab =\n{}:\"'/\\%+é\x1a"), max_size=12)

WAYS: dict[str, Callable[[str], str]] = {
    "plain": lambda value: value,
    "JSON": lambda value: json.dumps({"a": value}),
    "JSON of UTF-8": lambda value: json.dumps([value], ensure_ascii=False),
    "JSON in JSON": lambda value: json.dumps(json.dumps(value)),
    "shell": shlex.quote,
    "URL": quote,
    "URL to the last sign": lambda value: quote(value, safe=""),
    "form": quote_plus,
    "HTML": html.escape,
    "Python": repr,
    "hex": lambda value: value.encode().hex(),
    "hex of od": lambda value: value.encode().hex(" "),
    "hex of fingerprints": lambda value: value.encode().hex(":").upper(),
    "hex of xxd": lambda value: value.encode().hex(" ", -2),
    "hex of xxd, one before": lambda value: ("?" + value).encode().hex(" ", -2),
    "bytes of Python": lambda value: repr(value.encode()),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64, later": lambda value: base64.b64encode(b"x" + value.encode()).decode(),
    "base64, still later": lambda value: base64.b64encode(b"yz" + value.encode()).decode(),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode(),
}


def masker_of(**values: str) -> Masker:
    masker = Masker()
    for name, value in values.items():
        masker.learn(name, value)
    return masker


@pytest.mark.fault(88)
@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=20)
@given(value=VALUES, before=AROUND, after=AROUND)
def test_a_value_is_hidden_however_it_is_written(way: str, value: str, before: str, after: str) -> None:
    masked = masker_of(token=value).mask(f"{before}{WAYS[way](value)}{after}")
    core = WAYS[way](value)[4:-5] if "base64" in way else WAYS[way](value)
    assert core not in masked
    assert value not in masked
    assert "secret token" in masked


@pytest.mark.fault(88)
@given(value=VALUES, cuts=st.lists(st.integers(1, 59), max_size=6), before=AROUND, after=AROUND)
def test_a_value_in_pieces_is_hidden_in_each_line(value: str, cuts: list[int], before: str, after: str) -> None:
    text = before.replace("\n", "") + value + after.replace("\n", "")
    ends = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    lines = [text[start:end] for start, end in pairwise(ends)]
    masked = masker_of(token=value).mask(lines)
    assert value not in "".join(masked)
    assert "secret token" in "".join(masked)
    assert len(masked) == len(lines)


@pytest.mark.fault(88)
@given(value=VALUES, cut=st.integers(1, 59))
def test_a_value_that_comes_in_two_batches_shows_less_than_what_is_too_short(value: str, cut: int) -> None:
    masker = masker_of(token=value)
    head, tail = value[:cut], value[cut:]
    shown = "".join(masker.lines([f"x {head}"]) + masker.lines([tail, "y"], before=f"x {head}"))
    if tail:
        assert tail not in shown or len(tail) < 3
    assert value[:SHORTEST] not in shown


@pytest.mark.fault(88)
@given(value=st.lists(st.text("abcdefgh0123", min_size=8, max_size=20), min_size=2, max_size=5, unique=True))
def test_a_value_of_several_lines_is_hidden_line_by_line(value: list[str]) -> None:
    masker = masker_of(key="\n".join(value))
    for text in ("\n".join(value), value[1], f"> {value[0]} <", json.dumps("\n".join(value))):
        shown = masker.mask(text)
        assert not any(line in shown for line in value)


@pytest.mark.fault(88)
@given(value=VALUES, cut=st.integers(1, 8), end=st.sampled_from(["\n", "\r\n"]))
def test_a_value_that_is_broken_into_lines_of_one_text_is_hidden(value: str, cut: int, end: str) -> None:
    text = f"a {value[:cut]}{end}{value[cut:]} b"
    masker = masker_of(token=value)
    shown = masker.mask({"stdout": text})["stdout"]
    assert f"{value[cut:]} b" not in shown
    assert masker.unseal(masker.seal([text])) == [text]


def test_long_base64_is_found_over_the_ends_of_its_lines() -> None:
    value = "".join(chr(65 + n % 57) for n in range(150))
    encoded = base64.encodebytes(b"user:" + value.encode()).decode()
    shown = masker_of(token=value).mask({"stdout": encoded})["stdout"]
    assert "part of secret token" in shown
    assert not any(line[8:-8] in shown for line in encoded.splitlines())


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | AROUND | st.just("(secret token)"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(value=VALUES, holder=VALUE, way=st.sampled_from(sorted(WAYS)))
def test_what_was_sealed_comes_back_exactly_and_holds_no_secret(value: str, holder: object, way: str) -> None:
    masker = masker_of(token=value)
    written = WAYS[way](value)
    record = {"holder": holder, "text": f"a {written}", "pieces": [value[:3], value[3:]], value: 1, "cut": value[:-1]}
    sealed = masker.seal(record)
    assert masker.unseal(json.loads(json.dumps(sealed))) == record
    assert value not in json.dumps(sealed, ensure_ascii=False)


def test_a_seal_is_opened_with_the_value_of_now() -> None:
    sealed = masker_of(token="the value of then").seal({"a": ["x the value of then", 5]})
    assert masker_of(token="another one now").unseal(sealed) == {"a": ["x another one now", 5]}


def test_a_seal_of_a_secret_that_nobody_knows_is_refused_with_what_to_do() -> None:
    sealed = masker_of(token="the value of then").seal("x the value of then")
    with pytest.raises(AttachRefused) as refused:
        masker_of(other="what it is not").unseal(sealed)
    assert "`token`" in refused.value.message
    assert "--secret token=" in refused.value.hint


def test_numbers_are_hidden_and_come_back_as_numbers() -> None:
    masker = masker_of(pin="12345678")
    assert masker.mask([12345678, 912345678, 5, True]) == ["(secret pin)", "9(secret pin)", 5, True]
    assert masker.unseal(masker.seal([12345678, 912345678.5, 5, True])) == [12345678, 912345678.5, 5, True]


def test_a_short_value_is_hidden_where_it_stands_alone() -> None:
    masker = Masker()
    assert not masker.learn("pin", "1234")
    assert masker.mask(["1234", "a 1234", 1234]) == ["(secret pin)", "a 1234", "(secret pin)"]
    assert masker.unseal(masker.seal(["1234", "a 1234"])) == ["1234", "a 1234"]


def test_a_mask_that_an_operator_sends_back_is_its_value_and_one_that_an_agent_prints_is_none() -> None:
    value = "p'q r/s+t"
    masker = masker_of(token=value)
    sent = {"a": value, "b": quote(value), "c": base64.b64encode(value.encode()).decode()}
    assert masker.reveal(masker.mask(sent)) == sent
    printed = masker.mask("(secret token) (part of secret token)")
    assert masker.reveal(printed) == printed == "( secret token) ( part of secret token)"


def test_what_was_cut_off_by_an_ellipsis_is_hidden() -> None:
    masker = masker_of(token="correct horse battery")
    assert masker.mask("it said `correct hors…`") == "it said `(part of secret token)…`"
    assert masker.mask("correct answers") == "correct answers"


def test_what_a_limit_cut_off_is_hidden_at_both_ends() -> None:
    masker = masker_of(token="correct horse battery")
    assert masker.mask(["say correct h", "more"]) == ["say (part of secret token)", "more"]
    assert masker.mask("e battery " + "x" * 2000) == "(part of secret token) " + "x" * 2000
    assert masker.mask("a correct") == "a correct"


def test_an_output_that_begins_a_secret_over_and_over_hides_its_last_beginning() -> None:
    value = "ab" * 200 + "".join(chr(33 + n % 90) for n in range(30_000))
    shown = masker_of(token=value).lines([value[:390] * 160])
    assert shown[0].endswith("(part of secret token)")


def test_what_holds_nothing_is_the_same_object() -> None:
    masker = masker_of(token="correct horse battery")
    record = {"a": ["b", {"c": 1.5}], "d": None}
    assert masker.mask(record) is record


@pytest.mark.fault(88)
@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a<b>&c/d'e\"f", r"a\u003cb\u003e\u0026c/d'e\"f"),
        ("a<b>&c/d'e\"f", r"a<b>&c\/d'e\"f"),
        ("a<b>&c/d'e\"f", "a&lt;b&gt;&amp;c/d&#39;e&#34;f"),
        ("a<b>&c/d'e\"f", "a&lt;b&gt;&amp;c/d&#x27;e&quot;f"),
        ("a<b>&c/d'e\"f", "a&lt;b&gt;&amp;c/d&#039;e&quot;f"),
        ("a<b>&c/d'e\"f", "a&lt;b&gt;&amp;c/d&apos;e&quot;f"),
        ("a<b>&c/d'e\"f", "a<b>&c/d''e\"f"),
        ("it's (1) é/x*!", "it's%20(1)%20%C3%A9%2Fx*!"),
        ("it's (1) é/x*!", "it's%20(1)%20%C3%A9/x*!"),
        ("it's (1) é/x*!", "it%2527s%2520%25281%2529%2520%25C3%25A9%252Fx%252A%2521"),
        ("S3cret+", r"\x53\x33\x63\x72\x65\x74\x2b"),
        ("S3cret+", r"\x53\x33\x63\x72\x65\x74\x2B"),
        ("S3cret+", "0x53 0x33 0x63 0x72 0x65 0x74 0x2b"),
        ("S3cret+", "0x53, 0x33, 0x63, 0x72, 0x65, 0x74, 0x2B"),
        ("0012345678", "12345678"),
        ("0x1F4A2B33", "524954419"),
    ],
)
def test_a_value_is_hidden_as_other_languages_write_it(value: str, written: str) -> None:
    masked = masker_of(token=value).mask(f"[{written}]")
    assert written not in masked
    assert masked.startswith("[(secret token")
    assert masked.endswith(")]")


@pytest.mark.fault(88)
@pytest.mark.parametrize("before", ["", "a", "ab"])
def test_base64_of_base64_is_hidden(before: str) -> None:
    once = base64.b64encode(b"a secret to be found").decode()
    twice = base64.b64encode(f"{before}{once}\n".encode()).decode()
    assert twice[4:-8] not in masker_of(token="a secret to be found").mask(twice)


@pytest.mark.fault(88)
def test_a_value_that_was_read_as_a_number_is_hidden_as_one() -> None:
    masker = masker_of(pin="0x1F4A2B33")
    assert masker.mask([524954419, "n 524954419"]) == ["(secret pin as number)", "n (secret pin as number)"]
    assert masker.unseal(masker.seal([524954419])) == [524954419]


@pytest.mark.fault(88)
def test_a_number_whose_secret_is_a_text_by_now_comes_back_as_that_text() -> None:
    sealed = masker_of(pin="12345678").seal({"n": 12345678, "m": 0.12345678, "k": 5})
    assert masker_of(pin="no number").unseal(sealed) == {"n": "no number", "m": "0.no number", "k": 5}
    assert masker_of(pin="00987654").unseal(sealed)["n"] == "00987654"


@pytest.mark.fault(88)
def test_an_empty_value_hides_nothing() -> None:
    masker = masker_of(token="", other="what there is")
    assert masker.mask(["", "a"]) == ["", "a"]


@pytest.mark.fault(88)
def test_what_a_secret_was_set_to_is_hidden_with_what_it_was_before() -> None:
    masker = masker_of(token="correct horse battery")
    masker.learn_anew(
        "token", {"stdout": "fresh-session-1\n", "code": 0, "more": ["a second one", 1234567, True, None]}
    )
    assert masker.mask(["correct horse battery", "x fresh-session-1 y", "a second one.", 1234567, 0, "0"]) == [
        "(secret token)",
        "x (secret token) y",
        "(secret token).",
        "(secret token)",
        0,
        "0",
    ]
    masker.learn_anew("token", "one more of them")
    assert masker.reveal("(secret token)") == "one more of them"
    masker.learn_anew("token", "correct horse battery")
    assert masker.reveal("(secret token)") == "correct horse battery"


def test_the_texts_of_a_value_are_learned_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One by one, five hundred of them took five seconds, in which a run did nothing else."""
    made: list[Finder] = []

    def finder(needles: Iterable[Needle] = ()) -> Finder:
        made.append(Finder(needles))
        return made[-1]

    monkeypatch.setattr(module, "Finder", finder)
    masker = Masker()
    texts = [f"number {n} of the tokens" for n in range(30)]
    masker.learn_anew("tokens", {"all": texts, "again": texts})
    assert len(made) == 2
    assert masker.mask(texts) == ["(secret tokens)"] * 30
    assert masker.reveal("(secret tokens)") == texts[-1]
