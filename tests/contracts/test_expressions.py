"""Every regular expression of ours reads whatever is written in time that grows with the text, not with its square."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import time
from collections import deque
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import octogram_agentd
import octogram_tui

LENGTH = 30_000
BLINK_S = 1.0
"""A square of that length takes many seconds; what is linear takes a millisecond."""
# fmt: off
UNITS = (
    "a", "1", "=", "{", "{{", "}", '"', "'", "\\", "\\'", "?", "'a'", '"a"', "%", "%0", "0x1", "1:", "a.", "a:", "a/",
    "a-", "[", "](", "#{", " ", "\t", "\n", "\r", ">", "> ", "{% raw %}", "{#", "a://", "://", "$", "\x1b[", "\x1b[1;",
    "1;", "_", ".", "..", "1.", "e", "|", "(", "{{ ", "{{vars", "vars[", 'vars["', "port.", " error:", "Hash: ", "##",
    ": ", "a: ", "@",
)
# fmt: on
TAILS = ("", "\0")
METHODS = ("search", "fullmatch", "match", "sub", "split", "finditer", "findall")


def modules() -> Iterator[ModuleType]:
    for package in (octogram_tui, octogram_agentd):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def patterns() -> Iterator[Any]:
    """Give each compiled expression with the method by which its module uses it."""
    for module in modules():
        own = {name: value for name, value in vars(module).items() if isinstance(value, re.Pattern)}
        source = inspect.getsource(module) if own else ""
        for name, pattern in own.items():
            used = [method for method in METHODS if re.search(rf"\b{name}\b\)?\.{method}\b", source)]
            for method in used:
                yield pytest.param(pattern, method, id=f"{module.__name__}.{name}.{method}")


@pytest.mark.parametrize(("pattern", "method"), patterns())
def test_no_text_makes_it_go_back(pattern: re.Pattern[Any], method: str) -> None:
    for unit in UNITS:
        for tail in TAILS:
            text: Any = unit * (LENGTH // len(unit)) + tail
            if isinstance(pattern.pattern, bytes):
                text = text.encode()
            began_s = time.process_time()  # ours alone: others may keep the machine busy
            if method == "sub":
                pattern.sub(lambda found: found.group(), text)
            elif method == "finditer":
                deque(pattern.finditer(text), maxlen=0)
            else:
                getattr(pattern, method)(text)
            assert time.process_time() - began_s < BLINK_S, f"{pattern.pattern!r} on {unit!r} and {tail!r}"
