"""Command lines, refused as strictly as Octez refuses them: the two styles it uses, over tables of options.

`octez-node` and `octez-dal-node` follow the Unix style (options anywhere, exit 124 when wrong); the client, the bakers
and the rollup node speak in sentences (`transfer 1 from a to b`), and answer 1.
"""

from __future__ import annotations

from . import releases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Sequence, Tuple, Union

    Check = Callable[[str], Any]
    Since = Union[int, Tuple[int, int]]
    Values = Dict[str, Any]

UNIX_USAGE_EXIT = 124
SENTENCE_USAGE_EXIT = 1


class UsageError(Exception):
    """A command line that this program of this release does not take."""


def text(value: str) -> str:
    """Take any value."""
    return value


def integer(value: str) -> int:
    """Take a decimal integer."""
    if not value.lstrip("-").isdigit():
        raise ValueError(f"invalid value '{value}', expected an integer")
    return int(value)


def natural(value: str) -> int:
    """Take an integer that is not negative."""
    number = integer(value)
    if number < 0:
        raise ValueError(f"invalid value '{value}', expected a non-negative integer")
    return number


def number(value: str) -> float:
    """Take a number with or without a fraction."""
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"invalid value '{value}', expected a floating point number") from None


def boolean(value: str) -> bool:
    """Take true or false."""
    if value not in ("true", "false"):
        raise ValueError(f"invalid value '{value}', expected either 'true' or 'false'")
    return value == "true"


def comma_list(value: str) -> list[str]:
    """Take values separated by commas."""
    return [part for part in value.split(",") if part]


def one_of(*choices: str) -> Check:
    """Take one of these words."""

    def check(value: str) -> str:
        if value not in choices:
            raise ValueError(f"invalid value '{value}', expected one of {', '.join(choices)}")
        return value

    return check


class Option:
    """One option: its spellings, its value's check (None for a flag), and the releases that have it."""

    __slots__ = ("check", "names", "repeats", "since", "until")

    def __init__(self, names: str, check: Check | None, since: Since, until: int, repeats: bool) -> None:
        self.names = names.split()
        self.check = check
        self.since = since if isinstance(since, tuple) else (since, 0)
        self.until = until
        self.repeats = repeats

    @property
    def key(self) -> str:
        """The name under which the value is stored: the first spelling, without dashes."""
        return self.names[0].lstrip("-")


def option(names: str, check: Check = text, *, since: Since = 0, until: int = 999, repeats: bool = False) -> Option:
    """Declare an option with a value."""
    return Option(names, check, since, until, repeats)


def flag(names: str, *, since: Since = 0, until: int = 999) -> Option:
    """Declare an option without a value."""
    return Option(names, None, since, until, False)


def spellings(options: Sequence[Option], release: releases.Release) -> dict[str, Option]:
    """Index by spelling the options which that release has."""
    table: Dict[str, Option] = {}
    for candidate in options:
        if release.at_least(*candidate.since) and release.level <= candidate.until:
            for name in candidate.names:
                table[name] = candidate
    return table


def _store(values: Values, chosen: Option, name: str, raw: str | None) -> None:
    if chosen.check is None:
        values[chosen.key] = True
        return
    assert raw is not None
    try:
        value = chosen.check(raw)
    except ValueError as error:
        raise UsageError(f"option '{name}': {error}") from None
    if chosen.repeats:
        values.setdefault(chosen.key, []).append(value)
    elif chosen.key in values:
        raise UsageError(f"option '{name}' cannot be repeated")
    else:
        values[chosen.key] = value


class Taken:
    """A cursor over argv that reads options as it meets them."""

    def __init__(self, words: Sequence[str], table: dict[str, Option]) -> None:
        self.words: List[str] = list(words)
        self.table = table
        self.values: Values = {}

    def option_at(self, at: int) -> int:
        """Read the option at that place; gives the place after it."""
        word = self.words[at]
        name, equals, inline = word.partition("=") if word.startswith("--") else (word, "", "")
        chosen = self.table.get(name)
        if chosen is None:
            raise UsageError(f"unknown option '{name}'")
        if chosen.check is None:
            if equals:
                raise UsageError(f"option '{name}' is a flag, it cannot take the argument '{inline}'")
            _store(self.values, chosen, name, None)
            return at + 1
        if equals:
            _store(self.values, chosen, name, inline)
            return at + 1
        if at + 1 >= len(self.words):
            raise UsageError(f"option '{name}' needs an argument")
        _store(self.values, chosen, name, self.words[at + 1])
        return at + 2


def is_option(word: str) -> bool:
    """Tell options from values: a lone dash and negative numbers are values."""
    return len(word) > 1 and word[0] == "-" and not word[1].isdigit()


def unix(words: Sequence[str], options: Sequence[Option], release: releases.Release) -> tuple[Values, list[str]]:
    """Parse options and positional arguments in any order; `--` ends the options."""
    taken = Taken(words, spellings(options, release))
    positionals: List[str] = []
    at = 0
    while at < len(taken.words):
        word = taken.words[at]
        if word == "--":
            positionals += taken.words[at + 1 :]
            break
        if is_option(word):
            at = taken.option_at(at)
        else:
            positionals.append(word)
            at += 1
    return taken.values, positionals


def leading(words: Sequence[str], options: Sequence[Option], release: releases.Release) -> tuple[Values, list[str]]:
    """Parse the options before the first word of a sentence; gives them and the sentence."""
    taken = Taken(words, spellings(options, release))
    at = 0
    while at < len(taken.words) and is_option(taken.words[at]):
        at = taken.option_at(at)
    return taken.values, taken.words[at:]


class Sentence:
    """A command of fixed words and parameters: `transfer {amount} from {source} to {destination}`.

    A last parameter written `{name...}` takes any number of words, none included.
    """

    def __init__(self, pattern: str, options: Sequence[Option], run: Callable[..., Any]) -> None:
        self.parts = pattern.split()
        self.options = options
        self.run = run
        fixed = [at for at, part in enumerate(self.parts) if part[0] != "{"]
        self.after_fixed = fixed[-1] + 1

    def begins(self, words: Sequence[str]) -> bool:
        """Tell whether the words are this command as far as its last fixed word."""
        if len(words) < self.after_fixed:
            return False
        return all(part[0] == "{" or part == word for part, word in zip(self.parts[: self.after_fixed], words))

    def parse(self, words: Sequence[str], release: releases.Release) -> tuple[dict[str, Any], Values]:
        """Read the parameters and the options, which may stand anywhere after the last fixed word."""
        found: Dict[str, Any] = {}
        for part, word in zip(self.parts[: self.after_fixed], words):
            if part[0] == "{":
                found[part[1:-1]] = word
        taken = Taken(words[self.after_fixed :], spellings(self.options, release))
        rest: List[str] = []
        at = 0
        while at < len(taken.words):
            if is_option(taken.words[at]):
                at = taken.option_at(at)
            else:
                rest.append(taken.words[at])
                at += 1
        for part in self.parts[self.after_fixed :]:
            if part.endswith("...}"):
                found[part[1:-4]], rest = rest, []
            elif not rest:
                raise UsageError(f"missing argument {part[1:-1]}")
            else:
                found[part[1:-1]] = rest.pop(0)
        if rest:
            raise UsageError(f"unexpected argument '{rest[0]}'")
        return found, taken.values


def choose(sentences: Sequence[Sentence], words: Sequence[str]) -> Sentence:
    """Find the command that the words spell: the longest match wins. Raises UsageError when none does."""
    matching = [sentence for sentence in sentences if sentence.begins(words)]
    if not matching:
        raise UsageError("Unrecognized command.")
    return max(matching, key=lambda sentence: sentence.after_fixed)
