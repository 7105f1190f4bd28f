"""What the language speaks of: values as JSON has them. Variables, items, arguments and results are made of these."""

from __future__ import annotations

from typing import TypeAlias

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"


def is_same(one: object, other: object) -> bool:
    """Whether two values are the same to a template: 1, 1.0 and true are equal, and none of them is another."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return one == other or (one != one and other != other)  # .nan, which equals nothing


def without_nan(value: object) -> object:
    """Give a value that every reader of JSON takes: numbers that JSON has not, as texts."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if isinstance(value, dict):
        return {str(name) if isinstance(name, float) else name: without_nan(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(each) for each in value]
    return value
