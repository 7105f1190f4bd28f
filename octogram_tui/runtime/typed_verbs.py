"""The verbs as people type them: the required arguments in their order, then `name=value` for the others."""

from __future__ import annotations

from typing import Any

from octogram_tui.cuts import quoted
from octogram_tui.errors import UsageError
from octogram_tui.runtime.verbs import VERBS, Asked, named, not_of_type, request_of, usage, verb_of


def words(asked: Asked) -> list[str]:
    """Write a request as it is typed: what `parse` reads."""
    verb = verb_of(asked)
    result = [verb.name]
    for argument, value in verb.given(asked).items():
        word = argument.type.to_word(value)
        result.append(word if verb.is_required(argument) else f"{argument.name}={word}")
    return result


def parse(typed: list[str]) -> Asked:
    """Read a request that was typed, word by word. Raises UsageError, in one line."""
    if not typed:
        raise UsageError("say what to do", hint=f"one of {', '.join(VERBS)}")
    verb = named(typed[0])
    required = [argument.name for argument in verb.arguments if verb.is_required(argument)]
    given = dict(zip(required, typed[1:], strict=False))
    for word in typed[1 + len(required) :]:
        name, is_named, rest = word.partition("=")
        if not is_named:
            raise UsageError(f"{verb.name}: {quoted(word, 40)} is one word too many", hint=usage(verb))
        if name in given:
            raise UsageError(f"{verb.name}: {quoted(name, 40)} is given twice", hint=usage(verb))
        given[name] = rest
    types = {argument.name: argument.type for argument in verb.arguments}
    record: dict[str, Any] = {}
    for name, word in given.items():
        try:
            record[name] = types[name].from_word(word) if name in types else word
        except (ValueError, LookupError):
            try:  # one that stands in its place may have its name before it
                record[name] = types[name].from_word(word.removeprefix(f"{name}="))
            except (ValueError, LookupError):
                raise not_of_type(verb, name, types[name]) from None
    return request_of(verb, record)
