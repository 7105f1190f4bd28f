"""What a word of the command line that means nothing may have meant: what is suggested was meant, or nothing is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from octogram_tui.commands import COMMANDS
from octogram_tui.errors import UsageError

FOR_COMMANDS = {
    **dict.fromkeys(("validate", "lint", "verify", "syntax", "syntax-check"), "check"),
    **dict.fromkeys(("preview", "dry-run", "dryrun"), "plan"),
    **dict.fromkeys(("list", "ls", "ps", "history", "status"), "runs"),
    **dict.fromkeys(("new", "create"), "init"),
    **dict.fromkeys(("report", "dump"), "export"),
    "connect": "attach",
    **dict.fromkeys(("restart", "recover", "continue"), "resume"),
    **dict.fromkeys(("stop", "down", "kill", "abort", "cancel"), "ask last stop"),
    "pause": "ask last pause",
    "version": "--version",
    **dict.fromkeys(("diff", "cmp"), "compare"),
    **dict.fromkeys(("example", "quickstart", "tutorial"), "demo"),
    "ping": "doctor",
    **dict.fromkeys(("fsck", "repair"), "journal check"),
}
"""Words that neighbouring tools have, and what does it here."""

FOR_RUN = frozenset(("run", "start", "exec", "apply", "up", "deploy", "play", "execute", "launch"))
"""Words that they have for the main command, which has none here."""

FOR_OPTIONS = {
    **dict.fromkeys(("--set", "--extra-vars", "--extra-var", "--define", "--variable"), "--var"),
    **dict.fromkeys(("--var-file", "--vars-file", "--values"), "--variables"),
    **dict.fromkeys(("--inventory", "--hosts"), "--agents"),
    **dict.fromkeys(("--start-at-task", "--start-at", "--since"), "--from"),
    **dict.fromkeys(("--only", "--stages"), "--stage"),
    **dict.fromkeys(("--filter", "--hosts-filter", "--agent"), "--limit"),
    **dict.fromkeys(("--check", "--diff", "--noop", "--what-if", "--preview"), "--dry-run"),
    **dict.fromkeys(("--yes", "--auto-approve", "--assume-yes"), "--confirm yes"),
    **dict.fromkeys(("--no-color", "--no-colour", "--nocolor"), "--color never"),
    **dict.fromkeys(("--no-tui", "--batch", "--non-interactive", "--ci", "--plain"), "--headless"),
    **dict.fromkeys(("--debug", "--trace"), "--verbose"),
    **dict.fromkeys(("--silent",), "--quiet"),
    **dict.fromkeys(("--report", "--junitxml", "--junit-xml"), "--junit"),
    **dict.fromkeys(("--max-time", "--deadline", "--wait"), "--timeout"),
}
"""Options that neighbouring tools have, and ours that do the same."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Give the one that was mistyped, or begun; None when several may be meant, and when none is near."""
    folded = _folded(word)
    names = list(dict.fromkeys(known))
    for found in (
        [name for name in names if _folded(name) == folded],
        [name for name in names if len(folded) >= 3 and _folded(name).startswith(folded)],
    ):
        if len(found) == 1:
            return found[0]
    near = sorted((distance, name) for name in names if (distance := _distance(folded, _folded(name))) <= _far(folded))
    if not near or (len(near) > 1 and near[0][0] == near[1][0]):
        return None
    return near[0][1]


def _folded(word: str) -> str:
    return word.lstrip("-").lower().replace("_", "-").replace(" ", "-")


def _far(word: str) -> int:
    """Say how many slips of the finger a word of that length may have."""
    return 0 if len(word) < 3 else 1 if len(word) < 6 else 2


def _distance(first: str, second: str) -> int:
    """Count slips: a letter too many, too few, another one, or two that changed places."""
    before, row = [0] * (len(second) + 1), list(range(len(second) + 1))
    for i, letter in enumerate(first, 1):
        before, old, row = row, before, [i] + [0] * len(second)
        for j, other in enumerate(second, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == second[j - 2] and first[i - 2] == other:
                row[j] = min(row[j], old[j - 2] + 1)
    return row[-1]


def command_meant(word: str, commands: Iterable[str]) -> str | None:
    """Give the command that a word which is none may have meant."""
    return FOR_COMMANDS.get(word.lower()) or nearest(word, commands)


def option_meant(option: str, known: Sequence[str]) -> str | None:
    """Give the option that one which does not exist may have meant."""
    synonym = FOR_OPTIONS.get(option)
    if synonym is not None and synonym.partition(" ")[0] in known:
        return synonym
    return nearest(option, (name for name in known if name.startswith("--")))


def scenario_of(word: str) -> str | None:
    """Give the scenario's file that a word without extension may have meant."""
    files = [f"{word}{extension}" for extension in (".yml", ".yaml", ".json") if os.path.isfile(word + extension)]
    return files[0] if len(files) == 1 else None


def refuse_as_scenario(word: str, following: Sequence[str]) -> None:
    """Refuse what stands where a scenario should, and is no file. Raises UsageError with what may have been meant."""
    if os.path.lexists(word):
        return
    if word in COMMANDS:
        line = f"octogram-tui {word}"
        raise UsageError(
            f"{word!r} is a command, and a command comes first",
            hint=f"write `{line}`, then the rest; `octogram-tui help {word}` lists its options",
        )
    if "." in word or os.sep in word:
        return
    if word.lower() in FOR_RUN:
        name = next((one for one in following if not one.startswith("-")), "SCENARIO")
        raise UsageError(
            f"{word!r} is neither a command nor a file",
            hint=f"a scenario is run by its name alone: `octogram-tui {name}`",
        )
    meant = scenario_of(word) or command_meant(word, COMMANDS)
    hint = f"did you mean {meant!r}?" if meant else "`octogram-tui help` lists the commands"
    raise UsageError(f"{word!r} is neither a command nor a file", hint=hint)


def refuse_missing_file(word: str) -> None:
    """Refuse a scenario's name that is no file, and has no extension. Raises UsageError."""
    if os.path.lexists(word) or "." in word or word == "-":
        return
    meant = scenario_of(word)
    raise UsageError(f"there is no file {word!r}", hint=f"did you mean {meant!r}?" if meant else "")


def refuse_second_word(scenario: str, word: str) -> None:
    """Refuse what stands behind a scenario. Raises UsageError."""
    command = word if word in COMMANDS else FOR_COMMANDS.get(word.lower())
    if command in ("check", "plan", "doctor", "clean"):
        raise UsageError(f"{word!r} is a word too many", hint=f"did you mean `octogram-tui {command} {scenario}`?")
    raise UsageError(f"{word!r} is a word too many: a run has one scenario, {scenario!r}")
