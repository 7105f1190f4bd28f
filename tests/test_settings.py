"""The environment and the configuration file are read once, in order, and wrong ones are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from octogram_tui import settings
from octogram_tui.errors import ExitCode, SettingsError


def config(home: Path, text: str | bytes) -> dict[str, str]:
    path = home / ".config" / "octogram-tui" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return {"HOME": str(home)}


def test_without_anything_the_defaults_of_the_table_hold(tmp_path: Path) -> None:
    found = settings.load({"HOME": str(tmp_path)})
    for setting in settings.TABLE:
        assert getattr(found, setting.key) == setting.default
    assert found.runs_dir == tmp_path / ".local/state/octogram-tui/runs"
    assert found.runtime_dir is None
    assert (found.is_ci, found.lease_s) == (False, 60.0)


def test_directories_follow_xdg_and_relative_ones_are_ignored(tmp_path: Path) -> None:
    found = settings.load(
        {
            "HOME": str(tmp_path),
            "XDG_STATE_HOME": "/state",
            "XDG_CONFIG_HOME": "relative",
            "XDG_RUNTIME_DIR": "/run/u",
        }
    )
    assert found.state_dir == Path("/state/octogram-tui")
    assert found.config_dir == tmp_path / ".config/octogram-tui"
    assert found.runtime_dir == Path("/run/u/octogram-tui")


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    env = config(tmp_path, 'theme = "light"\nlinger_s = 60\nssh_config = "~/x"\nascii = true\n')
    found = settings.load({**env, "OCTOGRAM_LINGER_S": "1.5", "OCTOGRAM_ASCII": "0", "OCTOGRAM_THEME": ""})
    assert (found.theme, found.linger_s, found.ascii, found.ssh_config) == ("light", 1.5, False, str(tmp_path / "x"))


@pytest.mark.parametrize(
    ("text", "complaint", "hint"),
    [
        ("colour = 'always'", "there is no setting 'colour'", "did you mean 'color'"),
        ("zzz = 1", "there is no setting 'zzz'", "settings: theme"),
        ("color = 'red'", "color: 'red' is none of auto, always, never", "colour in plain"),
        ("keep_runs = 'many'", "keep_runs: 'many' is not a whole number", ""),
        ("linger_s = -1", "linger_s: -1.0 is not a number from 0 on", ""),
        ("linger_s = nan", "linger_s: nan is not a number from 0 on", ""),
        ("ascii = 1", "ascii: 1 is not true or false", ""),
        ("keep_runs = true", "keep_runs: True is not a whole number", ""),
        ("= 1", "is not TOML", ""),
        (b"\xff", "is not UTF-8", ""),
    ],
)
def test_a_wrong_file_is_named_with_its_key(tmp_path: Path, text: str | bytes, complaint: str, hint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings.load(config(tmp_path, text))
    assert "config.toml" in str(caught.value)
    assert complaint in str(caught.value)
    assert hint in caught.value.hint
    assert caught.value.exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("OCTOGRAM_KEEP_RUNS", "x", "OCTOGRAM_KEEP_RUNS: 'x' is not a whole number"),
        ("OCTOGRAM_CHECK", "perhaps", "OCTOGRAM_CHECK: 'perhaps' is not true or false"),
        ("OCTOGRAM_HOST_KEYS", "none", "OCTOGRAM_HOST_KEYS: 'none' is none of"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, name: str, value: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        settings.load({"HOME": str(tmp_path), name: value})


def test_a_configuration_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / ".config/octogram-tui/config.toml").mkdir(parents=True)
    with pytest.raises(SettingsError, match=r"cannot read .*config.toml"):
        settings.load({"HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("env", "flag", "is_terminal", "expected"),
    [
        ({}, "auto", True, True),
        ({}, "auto", False, False),
        ({}, "always", False, True),
        ({}, "never", True, False),
        ({"NO_COLOR": "1"}, "auto", True, False),
        ({"NO_COLOR": ""}, "auto", True, True),
        ({"NO_COLOR": "1"}, "always", False, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, "auto", True, False),
        ({"FORCE_COLOR": "1"}, "auto", False, True),
        ({"FORCE_COLOR": "0"}, "auto", False, False),
        ({"CLICOLOR_FORCE": "1"}, "auto", False, True),
        ({"OCTOGRAM_COLOR": "never"}, "auto", True, False),
        ({"TERM": "dumb"}, "auto", True, False),
    ],
)
def test_colour(tmp_path: Path, env: dict[str, str], flag: str, is_terminal: bool, expected: bool) -> None:
    found = settings.load({"HOME": str(tmp_path), **env})
    assert found.use_color(is_terminal=is_terminal, flag=flag) is expected


@pytest.mark.parametrize(
    ("env", "is_terminal", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"CI": "true"}, True, False),
        ({"CI": "false"}, True, True),
        ({"TERM": "dumb"}, True, False),
    ],
)
def test_when_the_console_opens(tmp_path: Path, env: dict[str, str], is_terminal: bool, expected: bool) -> None:
    assert settings.load({"HOME": str(tmp_path), **env}).opens_console(is_terminal=is_terminal) is expected


def test_ci_and_github_are_recognised(tmp_path: Path) -> None:
    found = settings.load({"HOME": str(tmp_path), "CI": "true", "GITHUB_ACTIONS": "true"})
    assert (found.is_ci, found.ci_service(), found.lease_s) == (True, "github", 30.0)


@pytest.mark.parametrize(
    ("environ", "flag", "chosen"),
    [
        ({"GITHUB_ACTIONS": "true"}, None, "github"),
        ({"GITHUB_ACTIONS": "false"}, None, ""),
        ({"GITLAB_CI": "true"}, None, "gitlab"),
        ({"BUILDKITE": "true"}, None, "buildkite"),
        ({"TEAMCITY_VERSION": "2025.07.1 (build 197398)"}, None, "teamcity"),
        ({"TEAMCITY_VERSION": ""}, None, ""),
        ({"GITLAB_CI": "true"}, "none", ""),
        ({"GITLAB_CI": "true"}, "teamcity", "teamcity"),
        ({"GITLAB_CI": "true", "OCTOGRAM_CI": "none"}, None, ""),
        ({"GITLAB_CI": "true", "OCTOGRAM_CI": "none"}, "auto", "gitlab"),
        ({"OCTOGRAM_CI": "buildkite"}, None, "buildkite"),
    ],
)
def test_a_ci_service_is_known_by_its_variable_and_can_be_said(
    tmp_path: Path, environ: dict[str, str], flag: str | None, chosen: str
) -> None:
    assert settings.load({"HOME": str(tmp_path), **environ}).ci_service(flag) == chosen
