"""with_items: scalars, lists, ranges and products, lazily, each item with a text of its own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octogram_tui.errors import TemplateError
from octogram_tui.model.scenario import ItemsSpec
from octogram_tui.template.items import MAX_TEXT, Items, expand_items, item_text
from octogram_tui.template.numbers import integer, typed
from octogram_tui.template.scope import make_scope

NODES = [{"name": "n1", "port": 1}, {"name": "n2", "port": 2}]
SCOPE = make_scope(
    {
        "n": 3,
        "name": "x",
        "flag": True,
        "nodes": NODES,
        "mixed": [1, "1", True, "true", None, 1.5, [1, 2], "1..3"],
        "pairs": [["a", 1], ["b", 2]],
        "none": [],
        "null": None,
        "half": 1.5,
        "number": "7",
        "range": "1..3",
        "map": {"a": 1},
        "lines": "a\nb\n",
        "odd": ["a", "b\n"],
        "nul": "a\0b",
        "said": "3\n",
        "many": list(range(1_000_001)),
    },
    agent="a",
    captures=["a"],
)


def values(*definitions: Any) -> list[Any]:
    return [value for _, value, _ in expand_items(ItemsSpec((definitions,)), SCOPE)]


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("1..3", [1, 2, 3]),
        ("5..5", [5]),
        ("3..2", []),
        ("9..2", []),
        ("007..009", [7, 8, 9]),
        ("1..{{ vars.n }}", [1, 2, 3]),
        ("{{ vars.n }}", [3]),
        ("{{ vars.flag }}", [True]),
        ("a 1..3", ["a 1..3"]),
        ("-1..3", ["-1..3"]),
        ("42", [42]),
        ("-7", [-7]),
        ("+7", [7]),
        ("0x1f", [31]),
        ("0o17", [15]),
        ("0b101", [5]),
        ("1_000", [1000]),
        ("0xfF_00", [0xFF00]),
        ("true", [True]),
        ("false", [False]),
        ("True", ["True"]),
        ("1.5", ["1.5"]),
        ("", [""]),
        ("_1", ["_1"]),
        ("x{{ vars.name }}", ["xx"]),
        (5, [5]),
        (True, [True]),
        (None, [None]),
        ("٣", ["٣"]),
        ("9" * 70, ["9" * 70]),
        ("{{ vars.nodes }}", NODES),
        ("{{ vars.nodes }}\n", NODES),
        ("{{ vars.mixed }}", [1, "1", True, "true", None, 1.5, [1, 2], "1..3"]),
        ("{{ vars.none }}", []),
        ("{{ vars.nodes | map(attribute='name') }}", ["n1", "n2"]),
        ("{{ range(2, 5) }}", [2, 3, 4]),
        ("{{ vars.map | dictsort }}", [["a", 1]]),
        ("{{ vars.lines.splitlines() }}", ["a", "b"]),
        ("{{ vars.null }}", [None]),
        ("{{ vars.half }}", [1.5]),
        ("{{ vars.number }}", [7]),
        ("{{ vars.range }}", [1, 2, 3]),
        ("x{{ vars.pairs }}", ['x[["a", 1], ["b", 2]]']),
    ],
)
def test_definitions(definition: Any, expected: list[Any]) -> None:
    result = values(definition)
    assert result == expected
    assert list(map(type, result)) == list(map(type, expected))


def test_a_list_mixes_definitions() -> None:
    assert values("1..2", "a", True, None, "b") == [1, 2, "a", True, None, "b"]


def test_products_vary_the_first_list_slowest() -> None:
    spec = ItemsSpec((("1..2",), ("a", "b"), (None,)), is_product=True)
    items = expand_items(spec, SCOPE)
    assert len(items) == 4
    assert [value for _, value, _ in items] == [[1, "a", None], [1, "b", None], [2, "a", None], [2, "b", None]]
    assert [text for _, _, text in items] == ["1,a,", "1,b,", "2,a,", "2,b,"]


def test_lists_are_joined_with_what_stands_beside_them() -> None:
    assert values("{{ vars.pairs }}", "x", "1..2") == [["a", 1], ["b", 2], "x", 1, 2]
    product = expand_items(ItemsSpec((("{{ vars.nodes }}",), ("a",)), is_product=True), SCOPE)
    assert [value for _, value, _ in product] == [[NODES[0], "a"], [NODES[1], "a"]]
    assert [text for _, _, text in product] == ['{"name": "n1", "port": 1},a', '{"name": "n2", "port": 2},a']


def test_an_empty_product_is_one_empty_list() -> None:
    assert list(expand_items(ItemsSpec((), is_product=True), SCOPE)) == [(0, [], "")]


def test_a_product_with_an_empty_list_has_no_items() -> None:
    assert list(expand_items(ItemsSpec((("1..0",), ("a",)), is_product=True), SCOPE)) == []


def test_large_ranges_and_products_are_lazy() -> None:
    items = expand_items(ItemsSpec((("0..999",), ("0..999",)), is_product=True), SCOPE)
    assert len(items) == 1_000_000
    first = next(iter(items))
    assert first == (0, [0, 0], "0,0")
    assert isinstance(items.lists[0], range)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (ItemsSpec((("0..1000000",),)), "1000001 items"),
        (ItemsSpec((("0..999",), ("0..1000",)), is_product=True), "1001000 items"),
        (ItemsSpec((("0..999999", "a", "b"),)), "1000002 items"),
        (ItemsSpec((("1..99999999999999999999",),)), "too large"),
        (ItemsSpec((("{{ vars.nope }}",),)), "no variable `nope`"),
        (ItemsSpec((("{{ vars.map }}",),)), "a map is no list of items"),
        (ItemsSpec((("1..{{ vars.said }}",),)), "ends in a line break: '1..3"),
        (ItemsSpec((("{{ vars.said }}",),)), "ends in a line break"),
        (ItemsSpec((("{{ vars.odd }}",),)), "ends in a line break: 'b"),
        (ItemsSpec((("a\r",),)), "ends in a line break"),
        (ItemsSpec((("a" * 50 + "\r",),)), f"ends in a line break: '…{'a' * 38}.r'"),
        (ItemsSpec((("a" * 50 + "\0",),)), f"holds a NUL character: '{'a' * 39}…'"),
        (ItemsSpec((("1.." + "1" * 30,),)), r"the range 1\.\.1{19}… has"),
        (ItemsSpec((("{{ vars.nul }}",),)), "holds a NUL character"),
        (ItemsSpec((("{{ vars.many }}",),)), "1000001 items"),
    ],
)
def test_what_cannot_be_expanded(spec: ItemsSpec, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        expand_items(spec, SCOPE)


def test_equal_items_have_different_texts() -> None:
    items = expand_items(ItemsSpec((("a", "a", "a~2", "a"),)), SCOPE)
    texts = [text for _, _, text in items]
    assert texts == ["a", "a~2", "a~2~2", "a~3"]


def test_ranges_that_overlap_have_different_texts() -> None:
    texts = [text for _, _, text in expand_items(ItemsSpec((("1..2", "2..3"),)), SCOPE)]
    assert texts == ["1", "2", "2~2", "3"]


@given(st.lists(st.one_of(st.text(max_size=70), st.integers(), st.booleans(), st.none()), max_size=20))
def test_texts_are_unique_printable_and_short(raw: list[Any]) -> None:
    texts = [text for _, _, text in Items([raw], False)]
    assert len(set(texts)) == len(texts)
    for text in texts:
        assert text.isprintable()
        assert len(text) <= MAX_TEXT + 5


@given(st.integers(0, 50), st.integers(-60, 30))
def test_a_range_has_as_many_items_as_it_says(first: int, size: int) -> None:
    last = first + size - 1
    items = expand_items(ItemsSpec(((f"{first}..{last}",),)), SCOPE)
    expected = list(range(first, last + 1))
    assert [value for _, value, _ in items] == expected
    assert len(items) == len(expected)


def test_item_texts() -> None:
    assert item_text(None) == "null"
    assert item_text([1, None, True]) == "1,,true"
    assert item_text("a\nb#]") == "a·b#]"
    assert item_text("x" * 100) == "x" * 59 + "…"
    assert typed("true") is True
    with pytest.raises(ValueError, match="not an integer"):
        integer("x")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x742d35Cc6634C0532925a3b844Bc454e4438f44e", "0x742d35Cc6634C0532925a3b844Bc454e4438f44e"),
        ("0x0000000000000001", "0x0000000000000001"),
        ("0x000000000000001", 1),
        ("00000000000000000000000000000012", 12),
        ("12345678901234567890", "12345678901234567890"),
        ("-4611686018427387903", -4611686018427387903),
        ("0b" + "1" * 40, (1 << 40) - 1),
    ],
)
def test_digits_that_count_nothing_stay_texts(text: str, value: object) -> None:
    assert typed(text) == value
    assert type(typed(text)) is type(value)
