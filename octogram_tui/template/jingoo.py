"""Where the original's template language, Jingoo, meant something else than ours does, without an error here or there.

For `check` to say, of the templates of jobs that the original had. What is an error on one side needs no word here.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from octogram_tui.template import plain
from octogram_tui.template.analysis import variable_of
from octogram_tui.template.environment import environment
from octogram_tui.template.source import prepare


class Difference(NamedTuple):
    """One of them: both meanings, what to write to have the original's, and the line of the text, counted from 1.

    variable: it is one only if this variable is null.
    """

    message: str
    hint: str = ""
    line: int = 1
    variable: str = ""


_SPECIAL = re.compile(r"[.*+?^$\\]|\[|\]")
_NOT_COMPARES = re.compile(r"(?:\bnot\s+|!(?!=)\s*)[\w.\[\]'\"]+\s*(?:==|!=|<|>)")
_CASELESS = ("max", "min", "sort", "unique")


@functools.lru_cache(1024)
def differences(text: str) -> tuple[Difference, ...]:
    """Give the differences that can be seen in a template."""
    from jinja2 import nodes
    from jinja2.exceptions import TemplateSyntaxError

    if plain.parse(text) is not None:
        return ()
    try:
        tree = environment().parse(prepare(text))
    except (TemplateSyntaxError, RecursionError):
        return ()  # which is told elsewhere
    found = [difference for node in tree.find_all(nodes.Node) for difference in _of(node, nodes)]
    if _NOT_COMPARES.search(text):
        found.append(
            Difference(
                "`not a == b` asks whether a is not b here; the original compared `not a` with b",
                "write brackets: `not (a == b)`",
            )
        )
    return tuple(dict.fromkeys(found))


def _of(node: Any, nodes: Any) -> Iterator[Difference]:
    line = getattr(node, "lineno", 1)
    if isinstance(node, nodes.Filter) and node.node is not None:
        yield from _of_filter(node.name, node.node, node.args, line, nodes)
    elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.args:
        if node.node.name == "range":
            yield from _of_range(node.args, line, nodes)
        else:
            yield from _of_filter(node.node.name, node.args[-1], node.args[:-1], line, nodes)
    elif isinstance(node, nodes.Test) and node.name in ("defined", "undefined"):
        name = variable_of(node.node, nodes)
        if name is not None:
            message = f"`vars.{name}` is null, which is defined here; to the original it was not"
            yield Difference(message, f"ask `vars.{name} is none` too", line, name)
    elif isinstance(node, nodes.Pow):
        message = "`**` of whole numbers gives a whole number here, `2 ** 3` is 8; the original wrote `8.`"
        yield Difference(message, "", line)
    elif isinstance(node, nodes.Output):
        if any(isinstance(each, (nodes.And, nodes.Or)) for each in node.nodes):
            yield Difference(
                "`a or b` gives one of the two here, as `and` does; the original's gave true or false",
                "write `true if a or b else false`",
                line,
            )
    elif isinstance(node, nodes.Operand) and node.op in ("in", "notin"):
        if isinstance(node.expr, nodes.Const) and isinstance(node.expr.value, str):
            message = "`in` looks for a part of the text here; the original never found anything in a text"
            yield Difference(message, "", line)
    elif isinstance(node, nodes.For) and isinstance(node.iter, nodes.Name) and node.iter.name == "vars":
        message = "a loop over `vars` gives names here; the original's gave pairs of name and value"
        yield Difference(message, "write `for name, value in vars.items()`", line)


def _of_range(args: list[Any], line: int, nodes: Any) -> Iterator[Difference]:
    if len(args) != 2:  # the original knows no other number of arguments
        return
    first, last = (each.value if isinstance(each, nodes.Const) else None for each in args)
    if not isinstance(first, int) or not isinstance(last, int):
        message = "`range(a, b)` ends before b here; the original's ended with it, and counted down from a larger a"
        yield Difference(message, "write `range(a, b + 1)`", line)
        return
    step = 1 if first <= last else -1
    here = _shown(range(first, last))
    there = _shown(range(first, last + step, step))
    upwards = f"{first}, {last + 1}" if step > 0 else f"{first}, {last - 1}, -1"
    message = f"`range({first}, {last})` is {here} here; to the original it was {there}"
    yield Difference(message, f"write `range({upwards})`", line)


def _shown(numbers: range) -> str:
    if not numbers:
        return "nothing"
    first = [str(number) for number in numbers[:3]]
    return ", ".join(first if len(numbers) <= 3 else [*first, f"… {numbers[-1]}"])


def _of_filter(name: str, value: Any, args: list[Any], line: int, nodes: Any) -> Iterator[Difference]:
    given = args[0].value if args and isinstance(args[0], nodes.Const) else None
    if name in ("default", "d") and len(args) < 2:
        variable = variable_of(value, nodes)
        if variable is not None:
            message = f"`vars.{variable}` is null, which `default` leaves alone here; the original replaced it"
            yield Difference(message, "write `default(value, true)`", line, variable)
    elif name in ("split", "replace") and isinstance(given, str) and _SPECIAL.search(given):
        verb = "cuts at" if name == "split" else "replaces"
        message = f"`{name}({given!r})` {verb} this very text here; to the original it was a regular expression"
        yield Difference(message, "do it in a script, where an expression is meant", line)
    elif name == "truncate":
        message = "`truncate(n)` ends a text in `...` here, and at a word; the original cut it after n characters"
        yield Difference(message, "write `substring(0, n)`", line)
    elif name == "md5":
        message = "`md5` is that of the text as it is here; the original wrote it in lower case first"
        yield Difference(message, "write `lower | md5`", line)
    elif name == "round" and given == "common":
        message = "`round('common')` gives the nearest number here; the original rounded up"
        yield Difference(message, "write `round('ceil')`", line)
    elif name in _CASELESS:
        message = f"`{name}` takes `a` and `A` for the same here; the original did not"
        yield Difference(message, f"write `{name}(case_sensitive=true)` for texts", line)
