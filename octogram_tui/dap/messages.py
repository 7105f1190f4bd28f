"""What a client asks, taken apart with care: every argument is of its type in the protocol, or is refused."""

from __future__ import annotations

import os
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from octogram_tui.cuts import quoted

MOST_NUMBER = 2**31 - 1
"""The protocol's numbers are of 32 bits where they name something."""


class RequestFailed(Exception):
    """A request cannot be done: what its answer says, in one line. is_shown: to the user too."""

    def __init__(self, message: str, *, is_shown: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.is_shown = is_shown


class Request(NamedTuple):
    """One request. seq names it."""

    seq: int
    command: str
    arguments: Arguments


class Arguments:
    """What a request was given. Each reader raises RequestFailed for what is of another type."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given

    def __contains__(self, name: str) -> bool:
        return self.given.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        """Give a text; one without a default is required."""
        value = self._text(name, default)
        if any("\ud800" <= sign <= "\udfff" for sign in value):
            raise RequestFailed(
                f"`{name}` has half of a pair of surrogates in it, which is no text: {quoted(value, 60)}"
            )
        return value

    def _text(self, name: str, default: str | None) -> str:
        value = self._value(name, default)
        if not isinstance(value, str):
            raise _wrong(name, "a text", value)
        return value

    def system_text(self, name: str, default: str | None = None) -> str:
        """Give a text that goes to the system: a path, a word of a command line."""
        return _takeable(name, self._text(name, default))

    def path(self, name: str, default: str | None = None) -> str:
        """Give a path; who gives a `file://` URI all the same means the path in it."""
        text = self.system_text(name, default)
        if text[:7].lower() != "file://":
            return text
        host, slash, path = text[7:].partition("/")
        if host.lower() not in ("", "localhost"):
            raise RequestFailed(f"`{name}` is a file of another machine: {quoted(text, 60)}")
        return _takeable(name, os.fsdecode(unquote_to_bytes(slash + path)))

    def system_texts(self, name: str) -> list[str]:
        """Give a list of such, empty where there is none."""
        return [_takeable(name, each) for each in self.texts(name)]

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Give a flag."""
        value = self._value(name, default)
        if not isinstance(value, bool):
            raise _wrong(name, "true or false", value)
        return value

    def number(self, name: str, default: int | None = None, *, least: int = 0) -> int:
        """Give a number; one without a default is required."""
        value = self._value(name, default)
        if isinstance(value, float) and value.is_integer():  # some clients know one kind of number only
            value = int(value)
        if type(value) is not int or not least <= value <= MOST_NUMBER:
            raise _wrong(name, "a number", value)
        return value

    def texts(self, name: str) -> list[str]:
        """Give a list of texts, empty where there is none."""
        value = self._value(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise _wrong(name, "a list of texts", value)
        return value

    def object(self, name: str) -> Arguments:
        """Give what has arguments itself; empty where there is none."""
        value = self._value(name, {})
        if not isinstance(value, dict):
            raise _wrong(name, "an object", value)
        return Arguments(value)

    def objects(self, name: str) -> list[Arguments]:
        """Give a list of such, empty where there is none."""
        value = self._value(name, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise _wrong(name, "a list of objects", value)
        return [Arguments(each) for each in value]

    def _value(self, name: str, default: Any) -> Any:
        value = self.given.get(name)
        if value is not None:
            return value
        if default is None:
            raise RequestFailed(f"`{name}` is missing")
        return default


def is_takeable(text: str) -> bool:
    """Whether the system takes a text: no NUL is in it, and no half of a pair of surrogates."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _takeable(name: str, text: str) -> str:
    if not is_takeable(text):
        raise RequestFailed(
            f"`{name}` has a character in it that no path, option or variable can have: {quoted(text, 60)}"
        )
    return text


def _wrong(name: str, wanted: str, value: object) -> RequestFailed:
    return RequestFailed(f"`{name}` must be {wanted}, not {quoted(value, 60)}")


def request_of(message: dict[str, Any]) -> Request | None:
    """Read a request; None for what is none, or names neither itself nor what it wants."""
    seq, command, arguments = message.get("seq"), message.get("command"), message.get("arguments")
    if message.get("type") != "request" or type(seq) is not int or not isinstance(command, str):
        return None
    return Request(seq, command, Arguments(arguments if isinstance(arguments, dict) else {}))


def success(request: Request, body: dict[str, Any] | None) -> dict[str, Any]:
    """Write the answer to what was done."""
    told = {"type": "response", "request_seq": request.seq, "success": True, "command": request.command}
    return told if body is None else {**told, "body": body}


def refusal(request: Request, failed: RequestFailed) -> dict[str, Any]:
    """Write the answer to what was not."""
    error = {"id": 1, "format": "{said}", "variables": {"said": failed.message}, "showUser": failed.is_shown}
    return {
        "type": "response",
        "request_seq": request.seq,
        "success": False,
        "command": request.command,
        "message": failed.message,
        "body": {"error": error},
    }
