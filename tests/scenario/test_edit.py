"""Writing a value back: comments, quotes and layout stay, the file is replaced in one step and keeps its mode."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from octogram_tui.errors import ScenarioError
from octogram_tui.scenario.edit import NotWritten, change, change_variable
from octogram_tui.scenario.load import load_scenario

TEXT = """\
# what this is for
vars:
  network: sandbox   # which one
  'quoted': "text"
  octal: 010
  many: 1_000
  flag: yes

agents:
  - name: a   # the only one
    transport: local

stages:
  - name: s
    jobs:
      - name: j
        fake.say: |
          several {{ vars.network }}
            lines
      - name: k
        with_items: [1, 2, '3..4']   # flow
        fake.say: "{{ item }}"
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A scenario's file."""
    file = tmp_path / "s.yml"
    file.write_text(TEXT)
    file.chmod(0o640)
    return str(file)


def read(path: str) -> str:
    return Path(path).read_text()


def test_a_variable_changes_and_nothing_else(path: str) -> None:
    change_variable(path, "network", "ghostnet")
    assert read(path) == TEXT.replace("network: sandbox ", "network: ghostnet "), (
        "the comment stays as far behind the value"
    )
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o640
    assert os.listdir(os.path.dirname(path)) == ["s.yml"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("8732", "'8732'"),
        ("yes", "'yes'"),
        ("1:30", "'1:30'"),
        ("", "''"),
        (" x", "' x'"),
        (8732, "8732"),
        (True, "true"),
        (None, ""),
        ([1, "a"], None),
        ({"a": {"b": 1}}, None),
        ("two\nlines", None),
        ("a: b", "'a: b'"),
        ("{{ x }}", None),
        ("no", "'no'"),
    ],
)
def test_values_read_back_as_they_were_given(path: str, value: object, written: str | None) -> None:
    change_variable(path, "network", value)
    assert load_variables(path)["network"] == value
    if written is not None:
        line = read(path).split("\n")[2]
        assert line.split("#")[0].strip() == f"network: {written}".strip()


def load_variables(path: str) -> dict[str, object]:
    from octogram_tui.scenario.tree import plain
    from octogram_tui.scenario.yaml_reader import read_yaml

    variables: dict[str, object] = plain(read_yaml(path, read(path)).root)["vars"]
    return variables


def test_a_new_variable_and_new_vars(path: str, tmp_path: Path) -> None:
    change_variable(path, "new", 5)
    assert load_variables(path)["new"] == 5
    assert "# which one" in read(path)
    bare = tmp_path / "bare.yml"
    bare.write_text("# head\nstages: []\n")
    change_variable(str(bare), "n", "x")
    assert load_scenario(str(bare)).scenario.variables == {"n": "x"}


def test_deep_places(path: str) -> None:
    change(path, ("stages", 0, "jobs", 1, "with_items", 0), 9)
    change(path, ("stages", 0, "jobs", 0, "name"), "renamed")
    assert read(path) == TEXT.replace("[1, 2,", "[9, 2,").replace("name: j\n", "name: renamed\n")


def test_sequences_that_are_not_indented(tmp_path: Path) -> None:
    text = "stages:\n- name: s\n  jobs:\n  - name: j   # here\n    fake.say: x\n"
    file = tmp_path / "s.yml"
    file.write_text(text)
    change(str(file), ("stages", 0, "jobs", 0, "fake.say"), "changed")
    assert file.read_text() == text.replace("say: x", "say: changed")


def test_json(tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text('{\n  "vars": {"a": 1},\n  "stages": []\n}\n')
    change_variable(str(file), "a", "é")
    assert file.read_text() == '{\n  "vars": {\n    "a": "é"\n  },\n  "stages": []\n}\n'
    file.write_text('{"vars": {}, "stages": []}')
    change_variable(str(file), "a", 1)
    assert file.read_text() == '{"vars": {"a": 1}, "stages": []}'


@pytest.mark.parametrize(
    "keys", [("stages", 4, "name"), ("nope", "x"), ("stages", 0, "jobs", 9), ("vars", "network", "deeper")]
)
def test_places_that_do_not_exist(path: str, keys: tuple[str | int, ...]) -> None:
    with pytest.raises(ScenarioError, match="there is no `"):
        change(path, keys, 1)
    assert read(path) == TEXT


def test_a_file_that_is_wrong_already(path: str) -> None:
    Path(path).write_text("a: 1\na: 2\n")
    with pytest.raises(ScenarioError, match="given twice"):
        change(path, ("a",), 3)


def test_an_edit_that_would_change_more_is_refused(path: str) -> None:
    text = "vars: &v {a: 1}\nmore: {vars: *v}\nstages: []\n"
    Path(path).write_text(text)
    with pytest.raises(ScenarioError, match="without changing other parts"):
        change(path, ("more", "vars", "a"), 2)
    assert read(path) == text


def test_a_file_that_cannot_be_rewritten(path: str) -> None:
    text = "%YAML 1.1\n---\nvars: {a: !!int '1'}\nstages: []\n"
    Path(path).write_text(text)
    try:
        change_variable(path, "b", 2)
    except ScenarioError:
        assert read(path) == text
    else:
        assert load_variables(path) == {"a": 1, "b": 2}


def test_a_link_stays_a_link(path: str, tmp_path: Path) -> None:
    link = tmp_path / "link.yml"
    link.symlink_to(path)
    change_variable(str(link), "network", "x")
    assert link.is_symlink()
    assert load_variables(path)["network"] == "x"


def test_what_cannot_be_written_leaves_nothing_behind(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: str, target: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(NotWritten, match="cannot be written: Permission denied"):
        change_variable(path, "network", "x")
    assert read(path) == TEXT
    assert os.listdir(os.path.dirname(path)) == ["s.yml"]


@pytest.mark.fault(88)
def test_no_secret_is_written_and_none_that_is_masked(tmp_path: Path) -> None:
    path = tmp_path / "s.yml"
    path.write_text("secrets:\n  token: {env: T}\n" + TEXT)
    before = path.read_text()
    with pytest.raises(ScenarioError, match="`token` is a secret, and no secret stands in a file"):
        change_variable(str(path), "token", "hunter22")
    with pytest.raises(ScenarioError, match="`network` holds a secret"):
        change_variable(str(path), "network", {"login": ["me:(secret token)"]})
    assert path.read_text() == before
