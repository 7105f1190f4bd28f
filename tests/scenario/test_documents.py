"""Files to trees: places, limits, everything that YAML and JSON can get wrong, each in one clear line."""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from octogram_tui.errors import ScenarioError
from octogram_tui.scenario import yaml_reader
from octogram_tui.scenario.documents import read_document, read_text
from octogram_tui.scenario.json_reader import read_json
from octogram_tui.scenario.tree import MAX_BYTES, MAX_DEPTH, Document, ListNode, MapNode, Place, plain
from octogram_tui.scenario.yaml_reader import read_yaml


def flaw(document: Document) -> tuple[int, int, str]:
    assert document.errors, "nothing is wrong with this document"
    first = document.errors[0]
    assert "\n" not in first.message
    return first.place.line, first.place.column, first.message


def test_places_of_keys_values_and_elements() -> None:
    document = read_yaml("f", "a: 1\nb:\n  - x\n  - {c: d}\ntext: |\n  one\n")
    root = document.root
    assert isinstance(root, MapNode)
    assert document.place == Place(1, 1)
    assert root.key_place("b") == Place(2, 1)
    assert root.value_place("a") == Place(1, 4)
    assert root.value_place("text") == Place(5, 7, True)
    elements = root["b"]
    assert isinstance(elements, ListNode)
    assert [place for _, place in elements.pairs()] == [Place(3, 5), Place(4, 5)]
    assert elements[1].key_place("c") == Place(4, 6)
    assert plain(root) == {"a": 1, "b": ["x", {"c": "d"}], "text": "one\n"}


def test_anchors_aliases_and_merges() -> None:
    text = "base: &b {a: 1, c: 2}\nword: &w hello\nuse:\n  <<: *b\n  a: 9\nmany:\n  <<: [*b, {d: 4}]\nsaid: *w\n"
    document = read_yaml("f", text)
    assert not document.errors
    assert plain(document.root) == {
        "base": {"a": 1, "c": 2},
        "word": "hello",
        "use": {"a": 9, "c": 2},
        "many": {"a": 1, "c": 2, "d": 4},
        "said": "hello",
    }
    assert document.root["use"].key_place("c").line == 1


def test_keys_are_texts_whatever_they_look_like() -> None:
    assert plain(read_yaml("f", "yes: 1\n1: 2\nnull: 3\n'<<': 4\n").root) == {"yes": 1, "1": 2, "null": 3, "<<": 4}


def test_quoted_and_tagged_scalars() -> None:
    text = "a: '1'\nb: \"yes\"\nc: !!str 1\nd: !!int '7'\nf: !!map {}\ng: !!bool 'yes'\n"
    assert plain(read_yaml("f", text).root) == {"a": "1", "b": "yes", "c": "1", "d": 7, "f": {}, "g": True}


def test_warnings_have_places() -> None:
    doubts = read_yaml("f", "a: yes\nb: [1:30, yes]\n").doubts
    assert [(d.place.line, d.place.column) for d in doubts] == [(1, 4), (2, 5), (2, 11)]
    assert "`yes` is the boolean true here" in doubts[0].message
    assert "quotes" in doubts[0].hint


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)


DEEP = "[" * 60 + '"[[[[[[[["'  # sixty levels, and brackets that are none


@pytest.mark.fault(80)
@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "the file is empty"),
        ("# only a comment\n", 1, "the file is empty"),
        ("a: 1\na: 2\n", 2, "`a` is given twice"),
        ("a: {b: 1, b: 2}\n", 1, "`b` is given twice"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a:\n\tb: 1\n", 2, "a tab stands"),
        ("a: b: c\n", 1, "`:`"),
        ("a: 'x\n", 2, "inside of a quoted text"),
        ("a: [1, 2\nb: 3\n", 2, "missing"),
        ("a: {{ vars.x }}\n", 1, "a template that stands alone must be quoted"),
        ("? [a]\n: 1\n", 1, "a key must be a plain word"),
        ("a: @b\n", 1, "this character cannot begin a value"),
        ("a: *nope\n", 1, "no anchor &nope"),
        ("a: &a [*a]\n", 1, "*a stands inside of what it names"),
        ("a: &a {b: *a}\n", 1, "*a stands inside of what it names"),
        ("a: !!python/object:os.system {}\n", 1, "the tag !!python/object:os.system"),
        ("a: !custom x\n", 1, "the tag !custom"),
        ("a: {<<: 3}\n", 1, "`<<` takes a map"),
        ("a: 1\n b: 2\n", 2, "`:`"),
        ("- a\nb: 1\n", 2, "expected"),
        ('a: "\\q"\n', 1, "unknown escape"),
        ("a: x\x07y\n", 1, "control character"),
        ("[" * 5000, 1, "more than 64 levels deep"),
        ("a: {b: " + "[" * 5000, 1, "more than 64 levels deep"),
        ("- " * 5000, 1, "more than 64 levels deep"),
        ("? " * 5000, 1, "a key must be a plain word"),
        ("[\n" * 5000, 65, "more than 64 levels deep"),
        ("".join(" " * level + "a:\n" for level in range(2000)), 65, "more than 64 levels deep"),
        ("[" * 70 + "@", 1, "more than 64 levels deep"),  # what comes first is said, however far the parser looks ahead
        (DEEP + ", @", 1, "this character cannot begin a value"),
        ("a" + "[" * 70 + "b: c: d", 1, "`:`"),
        ("a: " + "{b: " * 100 + "1" + "}" * 100, 1, "more than 64 levels deep"),
        ("x: &x 1\ny: [" + ",".join(["*x"] * 101) + "]\n", 2, "more than 100 aliases"),
        (BOMB, 6, "aliases expand to more than 100000 values"),
        ("a\nb: 1", 2, "`:`"),
    ],
)
@pytest.mark.fault(80)
def test_yaml_that_is_refused(text: str, line: int, message: str) -> None:
    began_s = time.process_time()
    read_yaml("f", text)
    assert time.process_time() - began_s < 1  # a bomb would take longer than the universe has
    tracemalloc.start()
    try:
        found = flaw(read_yaml("f", text))
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()
    assert message in found[2]
    assert found[0] == line


@pytest.mark.fault(80)
@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("", 1, 1, "the file is empty"),
        ("  \n", 1, 1, "the file is empty"),
        ('{"a": 1, "a": 2}', 1, 10, "`a` is given twice"),
        ('{"a" 1}', 1, 6, "a `:` is missing"),
        ('{"a": 1 "b": 2}', 1, 9, "a `,` or `}` is missing"),
        ("[1 2]", 1, 4, "a `,` or `]` is missing"),
        ("{a: 1}", 1, 2, "a key in double quotes"),
        ('{"a": 1,}', 1, 9, "a key in double quotes"),
        ("[1,]", 1, 4, "a value is expected"),
        ('{"a": ', 1, 6, "the file ends too early"),
        ('{"a": "x', 1, 7, "unterminated string"),
        ('{"a": "\\q"}', 1, 8, "invalid \\escape"),
        ('{"a":\n NaN}', 2, 2, "a value is expected"),
        ('["\\udcff", "\\ud83d\\ude00", "\\ud83d"]', 1, 28, "half of a character"),
        ("1 2", 1, 3, "nothing may follow"),
        ("[" * 70, 1, 65, "more than 64 levels deep"),
    ],
)
def test_json_that_is_refused(text: str, line: int, column: int, message: str) -> None:
    found = flaw(read_json("f", text))
    assert message in found[2]
    assert found[:2] == (line, column)


@pytest.mark.parametrize("limit", [65, 100, 1000])
@pytest.mark.parametrize("text", ["[" * 1100, "a: {b: " + "[" * 1000, DEEP + ", é, " + "['x', " * 20])
@pytest.mark.fault(80)
def test_our_limit_on_depth_answers_before_the_library_s(
    text: str, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = flaw(read_yaml("f", text))
    levels = brackets_of(text)
    monkeypatch.setattr(yaml_reader, "_Loader", looking_ahead(limit))
    line, column, message = flaw(read_yaml("f", text))
    depth_before = 1 if text.startswith("a:") else 0  # the map without brackets
    assert (line, column) == (1, levels[MAX_DEPTH - depth_before] + 1)
    assert message == "this is nested more than 64 levels deep"
    assert (line, column, message) == expected


def brackets_of(text: str) -> list[int]:
    return [position for position, char in enumerate(text.replace('"[[[[[[[["', '"________"')) if char in "[{"]


def looking_ahead(limit: int) -> Callable[[str], Any]:
    """Make a parser that gives up on so many brackets when it meets the first, as libyaml 0.2.6 does at 1000."""

    class Parser:
        def __init__(self, text: str) -> None:
            self.inner: Any = yaml.SafeLoader(text)
            brackets = brackets_of(text)
            self.first, self.last = brackets[0], brackets[limit - 1 : limit]

        def get_event(self) -> Any:
            event = self.inner.get_event()
            if self.last and event.end_mark.index > self.first:
                mark = yaml.Mark("f", self.last[0], 0, self.last[0], "", 0)
                raise yaml.scanner.ScannerError("while increasing flow level", None, "exceeded the depth", mark)
            return event

        def dispose(self) -> None:
            self.inner.dispose()

    return Parser


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


@given(JSON, st.sampled_from([None, 2, "\t"]))
def test_json_reads_as_the_library_reads_it(value: Any, indent: Any) -> None:
    import json

    document = read_json("f", json.dumps(value, indent=indent))
    assert not document.errors
    assert plain(document.root) == value


@given(JSON)
def test_json_places_point_at_their_values(value: Any) -> None:
    import json

    text = json.dumps({"k": value}, indent=1)
    root = read_json("f", text).root
    place = root.value_place("k")
    line = text.split("\n")[place.line - 1]
    assert line[place.column - 1 :].startswith(json.dumps(value, indent=1).split("\n")[0])


@given(st.text(max_size=200))
def test_no_text_breaks_the_readers(text: str) -> None:
    for read in (read_yaml, read_json):
        document = read("f", text)
        assert document.root is None or not document.errors or document.errors[0].message


def refusal(path: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        read_document(path)
    assert int(caught.value.exit_code) == 3
    assert len(caught.value.problems) == 1
    return caught.value.problems[0].message


@pytest.mark.fault(71)
def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert "neither YAML nor JSON" in refusal(str(tmp_path / "a.toml"))
    assert "without extension" in refusal(str(tmp_path / "a"))
    assert "no such file" in refusal(str(tmp_path / "a.yml"))
    assert "no such file" in refusal("surely-not-here.yml")
    (tmp_path / "d.yml").mkdir()
    assert "directory" in refusal(str(tmp_path / "d.yml"))
    (tmp_path / "u.yml").write_bytes(b"a: 1\nb: \xff\n")
    assert "not UTF-8: byte 0xff in line 2" in refusal(str(tmp_path / "u.yml"))
    (tmp_path / "big.yml").write_bytes(b"#" * (MAX_BYTES + 1))
    assert "more than 16 MiB" in refusal(str(tmp_path / "big.yml"))
    os.mkfifo(tmp_path / "f.yml")
    assert "not a regular file" in refusal(str(tmp_path / "f.yml"))
    (tmp_path / "loop.yml").symlink_to("loop.yml")
    assert "cannot be read" in refusal(str(tmp_path / "loop.yml"))


def test_a_file_that_may_not_be_read() -> None:
    def forbidden(path: str) -> str:
        raise PermissionError(path)

    with pytest.raises(ScenarioError) as caught:
        read_text("x.yml", forbidden)
    assert "may not be read" in caught.value.problems[0].message


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: 1\n")
    document = read_document(str(tmp_path / "a.yaml"))
    assert plain(document.root) == {"a": 1}
    assert read_text("x", lambda _: "\ufeffa") == "a"
    (tmp_path / "a.JSON").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert plain(read_document(str(tmp_path / "a.JSON")).root) == {"a": 1}


def test_windows_line_ends() -> None:
    document = read_yaml("f", "a: 1\r\nb: 2\r\n")
    assert plain(document.root) == {"a": 1, "b": 2}
    assert document.root.key_place("b") == Place(2, 1)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("odd", ["", "\x85", "\u2028", "\u2029", "\U0001f600"])
def test_lines_are_those_of_an_editor_whatever_the_parser_takes_for_an_end(end: str, odd: str) -> None:
    text = f"# {odd}# x{end}a: '{odd} x'{end}b: [c, !y 1, {{ d: e}}]{end}b: {{f: {end}"
    document = read_yaml("f", text)
    assert [flaw.place for flaw in document.errors] == [Place(3, 8), Place(5, 1)]
    document = read_yaml("f", text.removesuffix(f"b: {{f: {end}"))
    root = document.root
    assert [root.key_place("a"), root.value_place("a")] == [Place(2, 1), Place(2, 4)]
    assert [place for _, place in root["b"].pairs()] == [Place(3, 5), Place(3, 8), Place(3, 14)]
    assert root["b"][2].key_place("d") == Place(3, 16)
    assert root["b"][2].value_place("d") == Place(3, 19)

    found = read_json("f", f'{{"a": "{odd} x",{end}"b": 1, "b": 2}}')
    assert flaw(found)[:2] == (2, 9)
    with pytest.raises(ScenarioError) as refused:
        read_text("f", lambda _: f"# {odd}{end}{odd} ".encode() + b"\xff")
    assert refused.value.problems[0][1:3] == (2, len(odd) + 2)
