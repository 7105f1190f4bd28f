"""What keeps a template from taking all memory and all time: a budget for each rendering, and guarded operations.

Knows nothing of the template engine. Everything here checks *before* it allocates.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from octogram_tui.template.scope import AgentNames, Later
from octogram_tui.template.text import MAX_TEXT_CHARS, TooMuch, text_of

MAX_STEPS = 1_000_000
MAX_ELEMENTS = 100_000
MAX_BITS = 4096
MAX_WIDTH = 10_000
MAX_CHARS_MADE = 64 << 20
CHARS_AN_ELEMENT = 64
MAX_WEIGHT = 500_000_000
"""What all calls and comparisons of a rendering may look at together: some seconds of work."""


class Budget:
    """What is left to the rendering under way: steps (loop turns and calls), characters made, and looked at."""

    __slots__ = ("chars", "kept_chars", "steps", "weight")

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Begin a rendering."""
        self.steps = MAX_STEPS
        self.chars = MAX_CHARS_MADE
        self.weight = MAX_WEIGHT
        self.kept_chars = MAX_TEXT_CHARS

    def step(self) -> None:
        """Count one loop turn or call."""
        self.steps -= 1
        if self.steps < 0:
            raise TooMuch(f"the template takes more than {MAX_STEPS} steps")

    def weigh(self, value: Any) -> Any:
        """Count what an operation has to look through, and hand it on."""
        kind = type(value)
        if kind is str:
            self.weight -= len(value)
        elif kind is list or kind is tuple or kind is dict:
            self.weight -= len(value) * CHARS_AN_ELEMENT
        if self.weight < 0:
            raise TooMuch("the template looks through too much in all")
        return value

    def kept(self, size: int) -> None:
        """Count what a value that is handed out holds: as much as a text may have."""
        self.kept_chars -= size
        if self.kept_chars < 0:
            raise TooMuch(f"a value would have more than {MAX_TEXT_CHARS} characters")

    def made(self, value: Any) -> Any:
        """Count what an operation made, and hand it on."""
        kind = type(value)
        if kind is str:
            size = len(value)
            if size > MAX_TEXT_CHARS:
                raise TooMuch(f"a text would be longer than {MAX_TEXT_CHARS} characters")
            self.chars -= size
            if self.chars < 0:
                raise TooMuch(f"the template makes more than {MAX_CHARS_MADE} characters in all")
        elif kind is list or kind is tuple or kind is dict:
            check_elements(len(value))
            self.chars -= len(value) * CHARS_AN_ELEMENT
            if self.chars < 0:
                raise TooMuch("the template makes too many list elements in all")
        return value


BUDGET = Budget()


class Metered:
    """What a `for` loop goes through, each turn counted."""

    __slots__ = ("values",)

    def __init__(self, values: Iterable[Any]) -> None:
        self.values = values

    def __iter__(self) -> Iterator[Any]:
        for value in self.values:
            BUDGET.step()
            yield value


class MeteredSized(Metered):
    """The same for what has a length, so that `loop.length` needs no copy."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self.values)  # type: ignore[arg-type]


def metered(values: Iterable[Any]) -> Metered:
    """Count the turns of a loop."""
    return MeteredSized(values) if hasattr(values, "__len__") else Metered(values)


def check_elements(count: int) -> None:
    """Refuse lists that are too long."""
    if count > MAX_ELEMENTS:
        raise TooMuch(f"a list would have more than {MAX_ELEMENTS} elements")


def check_chars(count: int) -> None:
    """Refuse texts that are too long."""
    if count > MAX_TEXT_CHARS:
        raise TooMuch(f"a text would be longer than {MAX_TEXT_CHARS} characters")


def join_all(pieces: Iterable[str]) -> str:
    """Put the pieces of an output together; stops as soon as they are too many."""
    kept = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MAX_TEXT_CHARS:
            raise TooMuch(f"the result would be longer than {MAX_TEXT_CHARS} characters")
        kept.append(piece)
    BUDGET.chars -= size
    if BUDGET.chars < 0:
        raise TooMuch(f"the template makes more than {MAX_CHARS_MADE} characters in all")
    return "".join(kept)


def concatenate(values: Iterable[Any]) -> str:
    """Do what `~` does."""
    return join_all(text_of(value) for value in values)


def capped_range(*args: int) -> range:
    """Give a range of at most MAX_ELEMENTS numbers."""
    numbers = range(*args)
    # A range too long for len() is too long for us as well.
    if numbers and abs((numbers[-1] - numbers[0]) // numbers.step) >= MAX_ELEMENTS:
        raise TooMuch(f"a range would have more than {MAX_ELEMENTS} numbers")
    return numbers


def add(left: Any, right: Any) -> Any:
    """Do what `+` does: also joins a string with a number or a boolean, as the original does."""
    if isinstance(left, str) or isinstance(right, str):
        if isinstance(left, (str, int, float)) and isinstance(right, (str, int, float)):
            return concatenate((left, right))
        raise TypeError(f"cannot join {kind_of(left)} and {kind_of(right)} with +")
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        check_elements(len(left) + len(right))
        return BUDGET.made([*left, *right])
    return small(operator.add(left, right))


def multiply(left: Any, right: Any) -> Any:
    """Do what `*` does, within limits."""
    for many, times in ((left, right), (right, left)):
        if isinstance(many, (str, list, tuple)) and isinstance(times, int):
            if isinstance(many, str):
                check_chars(len(many) * max(times, 0))
            else:
                check_elements(len(many) * max(times, 0))
            return BUDGET.made(many * times)
    return small(operator.mul(left, right))


def power(left: Any, right: Any) -> Any:
    """Do what `**` does, within limits."""
    if isinstance(left, int) and isinstance(right, int):
        if right < 0:
            return float(left) ** right
        if abs(left) > 1 and abs(left).bit_length() * right > MAX_BITS:
            raise TooMuch(f"a number would have more than {MAX_BITS} bits")
    return small(operator.pow(left, right))


def divide(left: Any, right: Any) -> Any:
    """Do what `/` does: two integers give an integer, rounded towards zero, as in the original."""
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) == (right < 0) else -quotient
    return operator.truediv(left, right)


def remainder(left: Any, right: Any) -> Any:
    """Do what `%` does: the remainder has the sign of the dividend, as in the original; a string is a format."""
    if isinstance(left, str):
        check_format(left, right)
        return BUDGET.made(left % right)
    if isinstance(left, int) and isinstance(right, int):
        rest = abs(left) % abs(right)
        return -rest if left < 0 else rest
    return operator.mod(left, right)


def small(value: Any) -> Any:
    """Refuse integers whose digits would fill a page."""
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise TooMuch(f"a number would have more than {MAX_BITS} bits")
    return value


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": add,
    "-": lambda left, right: small(operator.sub(left, right)),
    "*": multiply,
    "/": divide,
    "//": lambda left, right: small(operator.floordiv(left, right)),
    "%": remainder,
    "**": power,
}


def compute(symbol: str, left: Any, right: Any) -> Any:
    """Apply an operator."""
    if isinstance(left, Later) or isinstance(right, Later):
        raise TypeError("a port is known on the agent only: write `{{ port.NAME }}` outside of any expression")
    return BINARY[symbol](left, right)


_WIDTH = re.compile(r"%[^a-zA-Z%]*?(\d{5,}|\*)")


def check_format(pattern: str, values: Any) -> None:
    """Refuse `%` formats with a width that is huge or computed."""
    if _WIDTH.search(pattern):
        raise TooMuch(f"a format may ask for at most {MAX_WIDTH} characters")
    sizes = [len(v) for v in (values if isinstance(values, tuple) else (values,)) if isinstance(v, str)]
    check_chars(len(pattern) + sum(sizes) + MAX_WIDTH * pattern.count("%") // 100)


def check_method(name: str, owner: str, args: tuple[Any, ...]) -> None:
    """Refuse calls of a string's methods that would make something huge."""
    first = args[0] if args else None
    if name in ("center", "ljust", "rjust", "zfill") and isinstance(first, int):
        check_chars(first)
    elif name == "expandtabs":
        check_chars(len(owner) + owner.count("\t") * (first if isinstance(first, int) else 8))
    elif name == "replace" and len(args) > 1:
        check_replace(owner, str(first), str(args[1]))
    elif name == "join":
        if not isinstance(first, (list, tuple, dict, str)):
            raise TypeError("join takes a list")
        check_chars(sum(len(owner) + len(str(value)) for value in first))


def check_replace(text: str, old: str, new: str) -> None:
    """Refuse replacements that would make a huge text."""
    times = text.count(old) if old else len(text) + 1
    check_chars(len(text) + times * len(new))


def kind_of(value: Any) -> str:
    """Name the kind of a value for a person."""
    if value is None:
        return "null"
    for kind, name in _KINDS:
        if isinstance(value, kind):
            return name
    return f"a {type(value).__name__}"


_KINDS: tuple[tuple[Any, str], ...] = (
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a number"),
    (str, "a string"),
    ((list, tuple, range), "a list"),
    (dict, "a map"),
    (AgentNames, "`agent`"),
)
