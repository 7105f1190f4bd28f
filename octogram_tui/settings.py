"""What the user's surroundings say: the one reader of OCTOGRAM_* and of the files of settings.

Order: command line (not here), then OCTOGRAM_* in the environment, then the project's .octogram-tui.toml, then the
user's config.toml, then the defaults below.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from octogram_tui.dataclass import dataclass
from octogram_tui.errors import SettingsError

PROGRAM = "octogram-tui"
PROJECT_FILE = ".octogram-tui.toml"
"""What a project sets for all who work in it: found in the working directory or above it, up to its repository."""
MOST_SHOWN = 80
"""How many characters are quoted of a value that is wrong."""


class Setting(NamedTuple):
    """One line of the table: a key of config.toml; in the environment it is OCTOGRAM_ and the key in capitals.

    why_personal: why a project's file may not set it; empty where it may.
    """

    key: str
    default: str | int | float | bool
    doc: str
    choices: tuple[str, ...] = ()
    why_personal: str = ""

    @property
    def variable(self) -> str:
        """Give the name of the environment variable."""
        return f"OCTOGRAM_{self.key.upper()}"


_DELETES = "it deletes runs, those of other projects too"
CI_SERVICES = {
    "github": "GITHUB_ACTIONS",
    "gitlab": "GITLAB_CI",
    "buildkite": "BUILDKITE",
    "teamcity": "TEAMCITY_VERSION",
}
"""The variable by which each tells of itself."""

TABLE: tuple[Setting, ...] = (
    Setting("theme", "", "the console's colours: the name of a file in themes/, without .toml"),
    Setting("keys", "", "the console's keys; empty: what keys.toml says", ("default", "vscode", "gdb", "nohjkl")),
    Setting(
        "notify",
        "bell",
        "how the console calls when the run pauses by a failure, asks, ends, or loses an agent",
        ("off", "bell", "osc9"),
    ),
    Setting("title", True, "say in the terminal's title how the run stands"),
    Setting("color", "auto", "colour in plain output", ("auto", "always", "never")),
    Setting("ascii", False, "draw with ASCII characters only"),
    Setting(
        "ci",
        "auto",
        "the CI service for which plain lines are written; auto: the one whose variable is set",
        ("auto", "none", *CI_SERVICES),
    ),
    Setting(
        "host_keys",
        "strict",
        "SSH host keys never seen: refuse, or trust them now",
        ("strict", "accept-new"),
        "it says whom you trust",
    ),
    Setting(
        "ssh_config",
        "",
        "another SSH configuration file than ~/.ssh/config",
        why_personal="such a file says whom you trust, and what is executed here",
    ),
    Setting("hints", True, "tell those who are new, above the keys, what can be done"),
    Setting("preflight", True, "look at the machines of a run, and show them, before a console starts it"),
    Setting("linger_s", 3600.0, "seconds that a run waits for an operator with no console attached, before it stops"),
    Setting(
        "stop_s",
        30.0,
        "seconds that a run may take to end once it is asked to stop: what is left is then ended by force",
    ),
    Setting("keep_runs", 100, "how many finished runs are kept", why_personal=_DELETES),
    Setting("keep_days", 30.0, "on how many days with runs: older finished runs are deleted", why_personal=_DELETES),
    Setting("check", False, "check the engine's invariants after every stimulus (slow; for bug reports)"),
)
"""Every setting; docs/command-line.md shows this table."""

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Settings:
    """What is set. Directories need not exist yet."""

    config_dir: Path
    state_dir: Path
    runtime_dir: Path | None
    theme: str = ""
    keys: str = ""
    notify: Literal["off", "bell", "osc9"] = "bell"
    title: bool = True
    color: Literal["auto", "always", "never"] = "auto"
    ascii: bool = False
    ci: str = "auto"
    host_keys: Literal["strict", "accept-new"] = "strict"
    ssh_config: str = ""
    hints: bool = True
    preflight: bool = True
    linger_s: float = 3600.0
    stop_s: float = 30.0
    keep_runs: int = 100
    keep_days: float = 30.0
    check: bool = False
    no_color: bool = False
    force_color: bool = False
    is_dumb_terminal: bool = False
    is_ci: bool = False
    found_ci: str = ""
    is_linux_terminal: bool = False
    editor: str = "vi"
    pager: str = "less"
    is_in_tmux: bool = False

    @property
    def runs_dir(self) -> Path:
        """Give the directory that holds the runs."""
        return self.state_dir / "runs"

    @property
    def kept(self) -> str:
        """Say which runs are kept."""
        return f"keep_runs is {self.keep_runs}, keep_days {self.keep_days:g}"

    @property
    def lease_s(self) -> float:
        """Give for how many seconds a daemon goes on without us; shorter in CI, whose machines end abruptly."""
        return 30.0 if self.is_ci else 60.0

    def use_color(self, *, is_terminal: bool, flag: str = "auto") -> bool:
        """Decide about colour: the flag, NO_COLOR, the setting, FORCE_COLOR, and at last whether it is a terminal."""
        if flag != "auto":
            return flag == "always"
        if self.no_color:
            return False
        if self.color != "auto":
            return self.color == "always"
        return self.force_color or (is_terminal and not self.is_dumb_terminal)

    def ci_service(self, flag: str | None = None) -> str:
        """Decide for whom plain lines are: the flag, the setting, and at last what the environment tells of."""
        chosen = flag or self.ci
        return self.found_ci if chosen == "auto" else "" if chosen == "none" else chosen

    def opens_console(self, *, is_terminal: bool) -> bool:
        """Decide whether a run opens the console when the command line does not say."""
        return is_terminal and not self.is_ci and not self.is_dumb_terminal


class Found(NamedTuple):
    """The value of a setting, and who says so. where: the variable or the place in a file; empty of a default."""

    value: Any
    origin: Literal["default", "user", "project", "environment"] = "default"
    where: str = ""


class Surroundings(NamedTuple):
    """What was found for each setting, by its key, and where was looked. project: None where there is no such file.

    strange: a project's file that is not taken, since somebody else has put it there.
    """

    found: dict[str, Found]
    user: Path
    project: Path | None
    strange: Path | None = None


def look(environ: Mapping[str, str] | None = None, directory: Path | None = None) -> Surroundings:
    """Say what each setting is, and by whom. directory: whose project counts; the working directory by default.

    Raises SettingsError that names the file and line, or the variable, and the key.
    """
    env = os.environ if environ is None else environ
    home = _home(env)
    user = _xdg(env, "XDG_CONFIG_HOME", home / ".config") / "config.toml"
    directory = Path.cwd() if directory is None else directory
    project = _project_file(directory, home)
    strange = project if project is not None and _is_strange(project, directory) else None
    project = None if strange else project
    found = {setting.key: Found(setting.default) for setting in TABLE}
    found |= _from_file(user, "user")
    if project is not None:
        found |= _from_file(project, "project")
    found |= _from_environment(env)
    ssh_config = found["ssh_config"]
    if ssh_config.value.startswith("~/"):
        found["ssh_config"] = ssh_config._replace(value=str(home / ssh_config.value[2:]))
    return Surroundings(found, user, project, strange)


def load(environ: Mapping[str, str] | None = None, directory: Path | None = None) -> Settings:
    """Read the environment (os.environ by default) and the files of settings. Raises what `look` does."""
    env = os.environ if environ is None else environ
    surroundings = look(env, directory)
    config_dir, home = surroundings.user.parent, _home(env)
    values = {key: found.value for key, found in surroundings.found.items()}
    runtime = env.get("XDG_RUNTIME_DIR", "")
    return Settings(
        config_dir=config_dir,
        state_dir=_xdg(env, "XDG_STATE_HOME", home / ".local" / "state"),
        runtime_dir=Path(runtime) / PROGRAM if runtime.startswith("/") else None,
        no_color=bool(env.get("NO_COLOR")),
        force_color=env.get("FORCE_COLOR", "") not in ("", "0") or env.get("CLICOLOR_FORCE", "") not in ("", "0"),
        is_dumb_terminal=env.get("TERM", "") == "dumb",
        is_ci=env.get("CI", "").lower() not in _FALSE,
        found_ci=next(
            (name for name, variable in CI_SERVICES.items() if env.get(variable, "").lower() not in _FALSE), ""
        ),
        is_linux_terminal=env.get("TERM", "") == "linux",
        editor=env.get("VISUAL") or env.get("EDITOR") or "vi",
        pager=env.get("PAGER") or "less",
        is_in_tmux=bool(env.get("TMUX")),
        **values,
    )


def prepare_textual() -> None:
    """Settle what Textual reads from the environment by itself, when it is imported and started."""
    if os.environ.get("NO_COLOR") == "":
        del os.environ["NO_COLOR"]  # empty means unset, which Textual does not know
    # A size that the shell exported is that of a moment: it would hold whatever the terminal's is later.
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
    # Ctrl-C stays a signal, so that it works while the program is busy.
    os.environ["TEXTUAL_ALLOW_SIGNALS"] = "1"


def _xdg(env: Mapping[str, str], name: str, default: Path) -> Path:
    given = env.get(name, "")
    # The XDG specification: a path that is not absolute is to be ignored.
    return (Path(given) if given.startswith("/") else default) / PROGRAM


def _home(env: Mapping[str, str]) -> Path:
    return Path(env.get("HOME") or Path.home())


def _project_file(directory: Path, home: Path) -> Path | None:
    """Find a project's file: in a directory or above it, up to the root of its repository.

    Without a repository only the directory itself is looked into: above it may be anybody's, as /tmp is. The home is
    no project.
    """
    above = [directory, *directory.parents]
    homes = (home, Path(os.path.realpath(home)))
    root = next((place for place in above if os.path.lexists(place / ".git")), directory)
    for place in above[: above.index(root) + 1]:
        if place in homes:
            return None
        if os.path.lexists(place / PROJECT_FILE):
            return place / PROJECT_FILE
    return None


def _is_strange(file: Path, directory: Path) -> bool:
    """Whether a project's file is of somebody who is neither the user, nor root, nor owner of the working directory.

    Anybody may put one, and a `.git` beside it, where anybody may write: in /tmp, above what others have there.
    """
    try:
        return os.lstat(file).st_uid not in (0, os.geteuid(), os.stat(directory).st_uid)
    except FileNotFoundError:
        return False


def _from_file(path: Path, origin: Literal["user", "project"]) -> dict[str, Found]:
    if not os.path.lexists(path):
        return {}
    from octogram_tui import setting_files  # only who has such a file pays for reading it

    known = {setting.key: setting for setting in TABLE}
    found = {}
    for key, entry in setting_files.read(path).items():
        where = setting_files.place(path, entry.line)
        setting = known.get(key)
        if setting is None:
            raise setting_files.unknown(where, key, known)
        if origin == "project" and setting.why_personal:
            raise SettingsError(
                f"{where}: a project may not set {key}: {setting.why_personal}",
                hint=f"set it for yourself: in config.toml, or {setting.variable} in the environment",
            )
        found[key] = Found(_checked(setting, entry.value, f"{where}: {key}"), origin, where)
    return found


def _from_environment(env: Mapping[str, str]) -> dict[str, Found]:
    found = {}
    for setting in TABLE:
        text = env.get(setting.variable, "")
        if not text:  # empty means unset, as it does of NO_COLOR
            continue
        value = _checked(setting, _parsed(setting, text), setting.variable)
        found[setting.key] = Found(value, "environment", setting.variable)
    return found


def _parsed(setting: Setting, text: str) -> str | int | float | bool:
    """Read the text of a variable as the setting's type; what does not read stays text, and is refused later."""
    if isinstance(setting.default, bool):
        lowered = text.lower()
        return True if lowered in _TRUE else False if lowered in _FALSE else text
    if isinstance(setting.default, int | float):
        try:
            return type(setting.default)(text)
        except ValueError:
            return text
    return text


def _checked(setting: Setting, value: Any, where: str) -> Any:
    default = setting.default
    if type(value) is int and value.bit_length() > 63:  # nobody counts so far, and there is no such float
        raise SettingsError(f"{where}: the number is too large", hint=setting.doc)
    if isinstance(default, float) and type(value) is int:
        value = float(value)
    if type(value) is not type(default):
        kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
        raise SettingsError(f"{where}: {_shown(value)} is not {kinds[type(default)]}", hint=setting.doc)
    if isinstance(value, int | float) and not isinstance(value, bool) and not 0 <= value < float("inf"):
        raise SettingsError(f"{where}: {_shown(value)} is not a number from 0 on", hint=setting.doc)
    if setting.choices and value not in setting.choices:
        raise SettingsError(f"{where}: {_shown(value)} is none of {', '.join(setting.choices)}", hint=setting.doc)
    return value


def _shown(value: Any) -> str:
    """Quote a value that is wrong. Of a table or a list that is said only: it may hold anything."""
    from octogram_tui.cuts import quoted  # only who errs pays for it

    return "a table or a list" if isinstance(value, list | dict) else quoted(value, MOST_SHOWN)
