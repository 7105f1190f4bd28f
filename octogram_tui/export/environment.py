"""Where and of what a run was made: versions, machines, command line, commit. Values of secrets stand in none of it.

The journal is masked; the command line and the scenario's text are not, and so are looked through first.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from octogram_tui import __version__
from octogram_tui.errors import JournalError, OctogramError
from octogram_tui.export.account import Account
from octogram_tui.export.recorded import Recorded
from octogram_tui.journal import sources, terms, texts
from octogram_tui.projection.value_text import plural
from octogram_tui.secrecy.names import holds_mask, label

GIT_S = 5.0
HIDDEN = "(hidden)"
_LISTED = 6


class Fact(NamedTuple):
    """Something that is known of a run's surroundings."""

    name: str
    value: str


def facts_of(account: Account, run: Recorded) -> list[Fact]:
    """List them; what is not known is left out."""
    return [Fact(name, hidden(run, value)) for name, value in _facts(account, run) if value]


def _facts(account: Account, run: Recorded) -> Iterator[tuple[str, str]]:
    begun, board = account.begun, account.board
    yield "run", board.run
    yield "scenario", board.scenario
    if begun is not None:
        yield "digest of the scenario", begun.digest
        yield "octogram-tui", begun.version
        yield "began", begun.started_wall
        yield "orchestrator on", begun.host
        given = [f"{name}: {origin}" for name, origin in sorted(begun.origins.items())]
        yield "variables not as the scenario sets them", "; ".join(given)
        options = [f"{name}: {_word(value)}" for name, value in sorted(begun.options.items()) if _says(value)]
        yield "options", "; ".join(options)
    found = terms_of(run)
    if found is not None:
        yield "command line", shlex.join(["octogram-tui", *shown_argv(account, found.argv)])
        yield "in the directory", found.directory
        yield "git commit of the scenario", commit_of(board.scenario, found.directory, first_text(account, run))
    agents = board.agents.values()
    yield "agents reached by", _counted(agent.transport or "ssh" for agent in agents)
    yield "machines", _counted(agent.host for agent in agents if agent.host)
    yield "Python of the agents", _counted(agent.python for agent in agents if agent.python)
    yield "exported by", f"octogram-tui {__version__}"


def _says(value: object) -> bool:
    return value not in (None, "", False, [], {})


def _word(value: object) -> str:
    return "yes" if value is True else str(value)


def _counted(words: Iterable[str]) -> str:
    """List words with how often each is there, the most frequent first."""
    counts = Counter(words).most_common()
    said = [word if count == 1 else f"{word} ({count})" for word, count in counts[:_LISTED]]
    more = len(counts) - _LISTED
    return ", ".join([*said, plural(more, "other")] if more > 0 else said)


def terms_of(run: Recorded) -> terms.Terms | None:
    """Give how a run was begun, where that is known."""
    if run.directory is None:
        return None
    try:
        return terms.find(run.directory)
    except OctogramError:
        return None


# What is not masked where it lies


def hidden(run: Recorded, text: str) -> str:
    """Give a text without values of secrets, as far as the run has noted that they stand in its paths and words."""
    found = terms_of(run)
    return text if found is None else found.hidden(text)


def shown_argv(account: Account, argv: Iterable[str]) -> list[str]:
    """Give a command line without sources of secrets, and without values that the journal has a mask for."""
    shown: list[str] = []
    before = ""
    for word in argv:
        option, is_joined, value = word.partition("=") if word.startswith("--") else (before, "", word)
        name, has_value, _ = value.partition("=")
        if has_value and (option == "--secret" or (option in ("-e", "--var") and holds_mask(_variable(account, name)))):
            word = f"{option}={name}={HIDDEN}" if is_joined else f"{name}={HIDDEN}"
        before = word
        shown.append(word)
    return shown


def _variable(account: Account, name: str) -> Any:
    return account.begun.variables.get(name) if account.begun is not None else None


def first_text(account: Account, run: Recorded) -> str | None:
    """Give the text that the run began with; None when there is no copy."""
    if run.directory is None or account.begun is None:
        return None
    return texts.find(run.directory, account.begun.digest, True)


def may_hold_secrets(account: Account) -> bool:
    """Tell whether the scenario's text has the value of a secret in it: then the journal has masks where it stood."""
    if account.begun is None:
        return True
    plan = [dict(stage) for stage in account.begun.plan]
    others = {
        name: value
        for name, value in account.begun.variables.items()
        if not (isinstance(value, str) and value == label(name))
    }
    return holds_mask(plan) or holds_mask(others)


def source_files(account: Account, run: Recorded) -> list[str]:
    """Name the files that the scenario was read from."""
    if run.directory is None or account.begun is None:
        return []
    with suppress(JournalError):
        return sorted(hidden(run, name) for name in sources.find(run.directory, account.begun.digest).texts)
    return []


def commit_of(scenario: str, directory: str, text: str | None) -> str:
    """Name the commit whose file has exactly the text of the run; empty when no git knows of it here.

    The file may have been committed later than it ran: what is compared is the text.
    """
    path = Path(directory, scenario)
    if text is None or not path.parent.is_dir():
        return ""
    data = text.encode("utf-8", "surrogateescape")
    blob = hashlib.sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()
    # What git prints of HEAD are two names: the commit, and what the file was in it.
    found = _git(path.parent, "rev-parse", "HEAD", f"HEAD:./{path.name}")
    if len(found) != 2:
        return ""
    commit, there = found
    return commit if there == blob else f"{commit}, where the file has another text"


def _git(directory: Path, *words: str) -> list[str]:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            ["git", "-C", os.fspath(directory), *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return []
    return done.stdout.decode("utf-8", "replace").split() if done.returncode == 0 else []
