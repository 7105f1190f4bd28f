"""Where values come from, and what is said where one cannot be had: never the value."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from octogram_tui.errors import ScenarioError
from octogram_tui.model.scenario import SecretSpec
from octogram_tui.secrecy.names import parse_source
from octogram_tui.secrecy.sources import MAX_BYTES, read_value


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("env:A", SecretSpec("env", ("A",), "/d")),
        ("file: ~/a b", SecretSpec("file", ("~/a b",), "/d")),
        ("command:pass show a:b", SecretSpec("command", ("pass show a:b",), "/d")),
        ("keyring:a/b/me", SecretSpec("keyring", ("a/b", "me"), "/d")),
    ],
)
def test_a_source_is_read(text: str, spec: SecretSpec) -> None:
    assert parse_source(text, "/d") == spec


@pytest.mark.parametrize("text", ["", "A", "env:", "env: ", "vault:a", "keyring:a", "keyring:/a", "hunter22"])
def test_what_is_no_source_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"a source is|a keyring's source is") as refused:
        parse_source(text)
    assert "hunter" not in str(refused.value)


def test_values_are_read_without_the_ends_of_their_last_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A", "of the environment")
    (tmp_path / "a").write_bytes(b"of a\nfile \r\n\n")
    (tmp_path / "a").chmod(0o600)
    here = str(tmp_path)
    assert read_value("x", SecretSpec("env", ("A",))) == ("of the environment", "")
    assert read_value("x", SecretSpec("file", ("a",), here)) == ("of a\nfile ", "")
    assert read_value("x", SecretSpec("command", ("cat a | tr a-z A-Z",), here)) == ("OF A\nFILE ", "")
    assert read_value("x", SecretSpec("command", ("printf", "%s", "$A b"), here)) == ("$A b", "")


def test_a_file_that_others_may_read_is_doubtful(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("of a file")
    (tmp_path / "a").chmod(0o640)
    value, doubt = read_value("x", SecretSpec("file", (str(tmp_path / "a"),)))
    assert value == "of a file"
    assert "chmod 600" in doubt


def test_the_keyring_is_asked_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = SecretSpec("keyring", ("site", "me"))
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ScenarioError, match="needs the package `keyring`"):
        read_value("x", spec)
    known = {("site", "me"): "of the keyring"}
    stand_in = types.SimpleNamespace(get_password=lambda service, user: known.get((service, user)))
    monkeypatch.setitem(sys.modules, "keyring", stand_in)
    assert read_value("x", spec) == ("of the keyring", "")
    with pytest.raises(ScenarioError, match="has nothing for you of site"):
        read_value("x", SecretSpec("keyring", ("site", "you")))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (SecretSpec(), "nothing says where its value comes from"),
        (SecretSpec("env", ("NOT_THERE",)), "there is no variable NOT_THERE"),
        (SecretSpec("file", ("not there",), "/nowhere"), "/nowhere/not there: No such file"),
        (SecretSpec("command", ("echo hunter22; echo why >&2; exit 3",)), "ended with exit status 3"),
        (SecretSpec("command", ("not-there-at-all", "x")), "No such file"),
        (SecretSpec("command", ("echo",)), "its value is empty"),
        (SecretSpec("command", (r"printf 'a\000b'",)), "zero byte"),
        (SecretSpec("command", (r"printf '\377'",)), "not UTF-8"),
        (SecretSpec("command", (f"head -c {MAX_BYTES + 9} /dev/zero",)), "more than 64 KiB"),
    ],
)
def test_what_cannot_be_had_is_said(spec: SecretSpec, said: str) -> None:
    with pytest.raises(ScenarioError) as refused:
        read_value("name", spec)
    [problem] = refused.value.problems
    assert problem.message.startswith("secret `name`: ")
    assert said in problem.message
