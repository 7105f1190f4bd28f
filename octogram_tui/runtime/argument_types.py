"""What an argument of a verb may be: as JSON has it, as it is typed, and as the request has it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from octogram_tui.errors import ExitCode
from octogram_tui.model.ids import InstanceId
from octogram_tui.model.pattern import Pattern

MOST_LOG_BYTES = 64 * 1024
MOST_COUNT = 1 << 53
"""An agent sends no more of a log at once."""


class ArgumentType(NamedTuple):
    """A type of arguments.

    from_json, to_json  from the value as JSON has it, and back; from_json raises ValueError
    choices             where it is one of some words
    from_word, to_word  from the word that is typed to the value as JSON has it, and back; from_word raises ValueError
    """

    name: str
    from_json: Callable[[Any], Any]
    to_json: Callable[[Any], Any] = lambda value: value
    from_word: Callable[[str], Any] = lambda word: word
    to_word: Callable[[Any], str] = lambda value: value
    choices: tuple[str, ...] = ()


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError
    given.encode()  # half of a surrogate pair is no text: it could not be written to the journal
    return given


def _instance(given: Any) -> InstanceId:
    return InstanceId.parse(_text(given))


def _instances(given: Any) -> tuple[InstanceId, ...]:
    if not isinstance(given, list):
        raise ValueError
    return tuple(_instance(name) for name in given)


def one_of(words: tuple[str, ...]) -> ArgumentType:
    """Make the type of a choice of words."""

    def chosen(given: Any) -> str:
        if given not in words:
            raise ValueError
        return str(given)

    return ArgumentType(" or ".join(words), chosen, choices=words)


def _values(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict) or not all(isinstance(name, str) for name in given):
        raise ValueError
    found: dict[str, Any] = _value(given)
    return found


def _number(given: Any) -> int:
    if type(given) is not int or not 0 <= given < 10**9:
        raise ValueError
    return given


def _pattern(given: Any) -> str:
    return str(Pattern.parse(_text(given)))


def _flag(given: Any) -> bool:
    if not isinstance(given, bool):
        raise ValueError
    return given


def _exit_code(given: Any) -> int:
    if type(given) is not int or given not in set(ExitCode):
        raise ValueError
    return given


def _size(given: Any) -> int:
    if type(given) is not int or not 0 < given <= MOST_LOG_BYTES:
        raise ValueError
    return given


def _count(given: Any) -> int:
    if type(given) is not int or not 0 <= given <= MOST_COUNT:
        raise ValueError
    return given


def _value(given: Any) -> Any:
    try:
        json.dumps(given, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, RecursionError):
        raise ValueError from None
    return given


def _flag_of_word(word: str) -> bool:
    return {"true": True, "false": False}[word]


def _instances_of_word(word: str) -> Any:
    """Read a list in JSON, or the one name that it is."""
    found = _value_of_word(word)
    return found if isinstance(found, list) else [word]


def _value_of_word(word: str) -> Any:
    """Read JSON; what is not JSON is a text as it stands."""
    try:
        return json.loads(word)
    except (ValueError, RecursionError):
        return word


TEXT = ArgumentType("text", _text)
FLAG = ArgumentType("true or false", _flag, from_word=_flag_of_word, to_word=lambda flag: "true" if flag else "false")
EXIT_CODE = ArgumentType("an exit code", _exit_code, from_word=int, to_word=str)
SIZE = ArgumentType(f"1 to {MOST_LOG_BYTES} bytes", _size, from_word=int, to_word=str)
COUNT = ArgumentType("a count", _count, from_word=int, to_word=str)
VALUE = ArgumentType("a value", _value, from_word=_value_of_word, to_word=json.dumps)
INSTANCE = ArgumentType("an instance, as stage/job@agent[item]", _instance, to_json=str)
INSTANCES = ArgumentType(
    "names of instances: one, or a list in JSON",
    _instances,
    to_json=lambda given: [str(id_) for id_ in given],
    from_word=_instances_of_word,
    to_word=json.dumps,
)
VALUES = ArgumentType("values by name, as JSON", _values, from_word=_value_of_word, to_word=json.dumps)
NUMBER = ArgumentType("a number", _number, from_word=int, to_word=str)
PATTERN = ArgumentType("a pattern of rows, as stage/job@agent[item]", _pattern)
