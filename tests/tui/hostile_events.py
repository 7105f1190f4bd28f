"""Events of every type, with values that nobody meant: what a broken agent, a hostile job, a later version may tell."""

import dataclasses
import random
from typing import Any, get_args, get_origin, get_type_hints

from octogram_tui.engine import events as ev
from octogram_tui.model.failure import Failure
from octogram_tui.model.ids import InstanceId

TEXTS = (
    "", "a", "[/]", "[bold red]x", "\x1b[31mred\x1b[0m", "\x1b]52;c;YQ==\x07", "\x00\x07", "数数数 " * 30,
    "e\u0301" * 40, "\u202eright to left", "a\nb\r\nc", "\t\ttabs", "x" * 3000, "👩\u200d👩\u200d👧 family", "\ufdfd",
    "\u200b", "{{ vars.x }}", "%s%n", "0", "None",
)  # fmt: skip
NUMBERS = (0, 1, -1, 7, 10**9, -(10**9), 2**63)
SECONDS = (0.0, 0.04, 59.96, -3.0, 1e9, float("inf"), float("nan"))
KINDS: tuple[type[ev.Event], ...] = tuple(
    kind
    for kind in vars(ev).values()
    if isinstance(kind, type) and issubclass(kind, ev.Event) and kind.TYPE and kind is not ev.RunStarted
)


class Hostile:
    """Makes events about what there is, and about what there is not."""

    def __init__(self, rng: random.Random, stages: list[str], jobs: list[str], agents: list[str]) -> None:
        self._rng = rng
        self._known = {"stage": stages, "job": jobs, "agent": agents}
        self._hints = {kind: get_type_hints(kind) for kind in KINDS}

    def event(self, at_s: float, kinds: tuple[type[ev.Event], ...] = KINDS) -> ev.Event:
        kind = self._rng.choice(kinds)
        fields = [field for field in dataclasses.fields(kind) if field.name not in ("seq", "at_s", "cause")]
        needed = (dataclasses.MISSING, dataclasses.MISSING)
        values = {
            field.name: self._value(field.name, self._hints[kind][field.name])
            for field in fields
            if (field.default, field.default_factory) == needed or self._rng.random() < 0.7
        }
        return kind(at_s=at_s, **values)

    def _value(self, name: str, kind: Any) -> Any:
        rng = self._rng
        origin, inner = get_origin(kind), get_args(kind)
        if type(None) in inner:
            inner = tuple(one for one in inner if one is not type(None))
            return None if rng.random() < 0.4 else self._value(name, inner[0])
        if kind is InstanceId:
            return self.instance()
        if kind is Failure:
            return Failure(rng.choice(TEXTS), rng.choice(TEXTS), rng.choice(TEXTS), {"last_lines": [rng.choice(TEXTS)]})
        if kind is bool:
            return rng.random() < 0.5
        if kind is int:
            return rng.choice(NUMBERS)
        if kind is float:
            return rng.choice(SECONDS)
        if kind is str:
            return self.text(name)
        if origin is list:
            return [self._value(name, inner[0]) for _ in range(rng.choice([0, 1, 3, 40]))]
        if origin is dict:
            return {self.text(name): self._value(name, inner[1]) for _ in range(rng.choice([0, 1, 3]))}
        if isinstance(kind, type) and issubclass(kind, dict):  # a typed dictionary: entries of plans and problems
            hints = get_type_hints(kind)
            optional: frozenset[str] = getattr(kind, "__optional_keys__", frozenset())
            return {key: self._value(key, of) for key, of in hints.items() if key not in optional or rng.random() < 0.6}
        return rng.choice([None, True, 3, 2.5, *TEXTS, [1, "a", None], {"k": [{}]}, [], {}])

    def text(self, name: str) -> str:
        known = self._known.get(name) or self._known.get(name.removesuffix("s"))
        if name == "state":
            return self._rng.choice(["ok", "failed", "skipped", "cancelled", "unreachable", "up", "down", *TEXTS[:6]])
        return self._rng.choice(known) if known and self._rng.random() < 0.7 else self._rng.choice(TEXTS)

    def instance(self) -> InstanceId:
        item = self._rng.choice([None, None, "1", *TEXTS[:8]])
        return InstanceId(self.text("stage"), self.text("job"), self.text("agent"), item)
