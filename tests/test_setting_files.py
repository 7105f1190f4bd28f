"""Files of settings: whose counts, which line is wrong, and what a project may not say."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octogram_tui import settings
from octogram_tui.commands import config
from octogram_tui.errors import SettingsError
from octogram_tui.settings import PROJECT_FILE, Found


def project(directory: Path, text: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / PROJECT_FILE).write_text(text)
    return directory / PROJECT_FILE


def test_environment_project_user_and_default_in_this_order(tmp_path: Path) -> None:
    user = tmp_path / ".config/octogram-tui/config.toml"
    user.parent.mkdir(parents=True)
    user.write_text('# mine\ntheme = "light"\nlinger_s = 1\ntitle = false\n')
    file = project(tmp_path / "work", '\nlinger_s = 2\n"title" = true\n')
    seen = settings.look({"HOME": str(tmp_path), "OCTOGRAM_TITLE": "0"}, tmp_path / "work")
    assert seen.found["theme"] == Found("light", "user", f"{user}:2")
    assert seen.found["linger_s"] == Found(2.0, "project", f"{file}:2")
    assert seen.found["title"] == Found(False, "environment", "OCTOGRAM_TITLE")
    assert seen.found["stop_s"] == Found(30.0)
    assert (seen.user, seen.project) == (user, file)
    assert settings.load({"HOME": str(tmp_path)}, tmp_path / "work").linger_s == 2.0


def test_a_project_is_looked_for_up_to_the_root_of_its_repository(tmp_path: Path) -> None:
    root, deep = tmp_path / "repository", tmp_path / "repository/a/b"
    deep.mkdir(parents=True)
    (root / ".git").write_text("gitdir: elsewhere")  # as a worktree has it
    outside = project(tmp_path, "stop_s = 1")
    env = {"HOME": "/nowhere"}
    assert settings.look(env, deep).project is None
    file = project(root, "stop_s = 2")
    assert settings.look(env, deep).project == file
    nearer = project(root / "a", "stop_s = 3")
    assert settings.look(env, deep).project == nearer
    assert settings.look(env, tmp_path).project == outside
    beside = tmp_path / "beside"
    beside.mkdir()
    assert settings.look(env, beside).project is None  # what is above may be anybody's
    assert settings.look({"HOME": str(tmp_path)}, tmp_path).project is None  # a home is no project


@pytest.mark.parametrize("key", ["host_keys", "ssh_config", "keep_runs", "keep_days"])
def test_what_trusts_executes_or_deletes_is_the_users_alone(tmp_path: Path, key: str) -> None:
    file = project(tmp_path, f"\n\n{key} = 1")
    with pytest.raises(SettingsError) as caught:
        settings.load({"HOME": "/nowhere"}, tmp_path)
    assert str(caught.value).startswith(f"{file}:3: a project may not set {key}: ")
    assert f"OCTOGRAM_{key.upper()}" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "line", "complaint", "hint"),
    [
        ("a.b = 1", 1, "there is no setting 'a'", "settings: theme"),
        ("\ntitel = true", 2, "there is no setting 'titel'", "did you mean 'title'?"),
        ("stop_s = 1\n[theme]\nx = 1", 2, "is not a text", "colours"),
        ("\n 'color' = 'red'", 2, "color: 'red' is none of auto", "colour"),
        ("\ufeffstop_s = -1", 1, "stop_s: -1.0 is not a number from 0 on", "seconds"),
        ('\r\ntheme = """\r\nkeys = 3\r\n"""\r\nkeys = "no"', 5, "keys: 'no' is none of", "keys"),
        pytest.param(f"stop_s = 1{'0' * 400}", 1, "stop_s: the number is too large", "seconds", id="digits"),
        pytest.param(f"linger_s = 0x{'f' * 5000}", 1, "linger_s: the number is too large", "seconds", id="hexadecimal"),
        pytest.param(f"color = '{'x' * 5000}'", 1, "x…' is none of", "colour", id="long"),
        ("title = [1]", 1, "title: a table or a list is not true or false", "title"),
    ],
)
def test_the_line_of_a_wrong_key_is_told(tmp_path: Path, text: str, line: int, complaint: str, hint: str) -> None:
    file = project(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        settings.load({"HOME": "/nowhere"}, tmp_path)
    assert str(caught.value).startswith(f"{file}:{line}: ")
    assert complaint in str(caught.value)
    assert hint in caught.value.hint


def test_what_is_no_file_of_settings_is_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / PROJECT_FILE

    def refused() -> str:
        with pytest.raises(SettingsError) as caught:
            settings.load({"HOME": "/nowhere"}, tmp_path)
        file.unlink()
        return str(caught.value)

    os.mkfifo(file)
    assert refused() == f"cannot read {file}: it is not a regular file"
    file.symlink_to("/dev/zero")
    assert refused() == f"cannot read {file}: it is not a regular file"
    file.symlink_to(file)
    assert refused().startswith(f"cannot read {file}: ")
    file.write_bytes(bytes(70_000))
    assert refused() == f"cannot read {file}: it has more than 64 KiB"
    file.write_text(f"stop_s = {'9' * 5000}")
    assert refused().startswith(f"{file} is not TOML: ")


def test_a_file_that_a_stranger_has_put_there_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = os.stat(tmp_path).st_uid
    (tmp_path / ".git").mkdir()
    (tmp_path / "mine").mkdir()
    file = project(tmp_path, "stop_s = -1")
    who = {file: owner + 1, tmp_path / "mine": owner + 2}
    lstat, stat = os.lstat, os.stat

    def owned(real: os.stat_result, path: object) -> Any:
        return SimpleNamespace(st_uid=who[path]) if isinstance(path, Path) and path in who else real

    monkeypatch.setattr(os, "lstat", lambda path, **more: owned(lstat(path, **more), path))
    monkeypatch.setattr(os, "stat", lambda path, **more: owned(stat(path, **more), path))
    monkeypatch.setattr(os, "geteuid", lambda: owner + 3)
    monkeypatch.chdir(tmp_path / "mine")
    monkeypatch.setenv("HOME", "/nowhere")
    seen = settings.look()
    assert (seen.project, seen.strange, seen.found["stop_s"].origin) == (None, file, "default")
    assert config.main(["path"]) == 0
    assert f"project: {file} (not taken: it belongs to another user)" in capsys.readouterr().out
    for uid in (owner + 2, owner + 3, 0):  # the directory's owner, the user, root
        who[file] = uid
        with pytest.raises(SettingsError, match="stop_s"):
            settings.look()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any")


WORDS = st.sampled_from(
    [*(s.key for s in settings.TABLE), *'=[]"\n1.\0', "'''", "true", "1e999", "9" * 400, "nan", "-1"]
)


@given(st.lists(WORDS | st.text(max_size=3), max_size=12).map("".join))
def test_whatever_a_file_holds_is_settings_or_one_error(folder: Path, text: str) -> None:
    (folder / PROJECT_FILE).write_bytes(text.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(SettingsError):
        found = settings.look({"HOME": "/nowhere"}, folder).found
        assert list(found) == [setting.key for setting in settings.TABLE]


def test_the_command_says_who_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    file = project(tmp_path, 'theme = "a\\u001b[31mb"\n')
    monkeypatch.setenv("OCTOGRAM_ASCII", "1")
    monkeypatch.setenv("OCTOGRAM_HINTS", "")
    monkeypatch.setenv("OCTOGRAM_STOPS", "1")
    monkeypatch.setenv("OCTOGRAM_OF_SOMEBODY", "1")
    assert config.main(["show", "--origin"]) == 0
    printed, said = capsys.readouterr()
    assert said == "octogram-tui: OCTOGRAM_STOPS sets nothing; did you mean OCTOGRAM_STOP_S?\n"
    lines = {line.split(" = ")[0]: " ".join(line.split()) for line in printed.splitlines()}
    assert lines["ascii"] == "ascii = true # environment (OCTOGRAM_ASCII)"
    assert lines["theme"].endswith(f"# project ({file}:1)")
    assert lines["stop_s"] == "stop_s = 30.0 # default"
    assert lines["hints"] == "hints = true # default"  # an empty variable sets nothing
    assert "\x1b" not in printed
    assert config.main(["show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["theme"] == {
        "value": "a\x1b[31mb",
        "origin": "project",
        "where": f"{file}:1",
    }
    assert config.main(["path"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"user: {tmp_path}/home/.config/octogram-tui/config.toml (not there)",
        f"project: {file}",
    ]
