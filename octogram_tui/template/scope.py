"""Which names a template sees: vars, var, agent, re, item, res, and port where a process is started.

Cheap to build, since there is one scope for every instance of a job. Knows nothing of the template engine.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, Sequence, ValuesView
from typing import Any

from octogram_tui.errors import TemplateError
from octogram_tui.model.scenario import Labels


class VisibleVariables(Mapping[str, Any]):
    """The variables as `vars`: a variable is found before any method of the same name."""

    __slots__ = ("values_by_name",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values_by_name = values

    def __getitem__(self, name: str) -> Any:
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def keys(self) -> KeysView[str]:
        """Give the names."""
        return self.values_by_name.keys()

    def values(self) -> ValuesView[Any]:
        """Give the values."""
        return self.values_by_name.values()

    def items(self) -> ItemsView[str, Any]:
        """Give names and values."""
        return self.values_by_name.items()


class Lookup:
    """`var(name)`: a variable by a computed name."""

    __slots__ = ("variables",)

    def __init__(self, variables: VisibleVariables) -> None:
        self.variables = variables

    def __call__(self, name: object) -> Any:
        """Give the variable. Raises TemplateError when there is none (a template's `default` comes before that)."""
        if isinstance(name, str) and name in self.variables.values_by_name:
            return self.variables.values_by_name[name]
        raise missing_variable(str(name), self.variables.values_by_name)


class AgentNames:
    """`agent`: what a template may know of the agent."""

    __slots__ = ("address", "labels", "name")

    def __init__(self, name: str, address: str, labels: Labels) -> None:
        self.name = name
        self.address = address
        self.labels = dict(labels)


class Later(str):
    """A text that the agent will replace, such as `{{ port.rpc }}`; it may stand in a text but not be computed with."""

    __slots__ = ()


class PortTexts(Mapping[str, str]):
    """`port`: each of its members is its own text, since only the agent knows the numbers.

    mark: what stands before each, so that it can be told from a text of the same look that a value holds.
    """

    __slots__ = ("mark",)

    def __init__(self, mark: str = "") -> None:
        self.mark = mark

    def __getitem__(self, name: str) -> Later:
        return Later("{{ " + self.mark + "port." + name + " }}")

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


PORTS = PortTexts()


def make_scope(
    variables: Mapping[str, Any],
    *,
    agent: str | None = None,
    address: str = "",
    labels: Labels | None = None,
    captures: Sequence[str] | None = None,
    item: Any = None,
    result: Any = None,
    has_result: bool = False,
) -> dict[str, Any]:
    """Give the names that a template sees. `res` exists only with `has_result`, `agent` and `re` only when given.

    address, labels: the agent's; the address is where the other agents reach it.
    """
    vars_ = VisibleVariables(variables)
    scope: dict[str, Any] = {"vars": vars_, "var": Lookup(vars_), "item": item}
    if agent is not None:
        scope["agent"] = AgentNames(agent, address, labels or {})
    if captures is not None:
        scope["re"] = captures if type(captures) is list else list(captures)
    if has_result:
        scope["res"] = result
    return scope


def near(name: str, names: Mapping[str, Any] | Sequence[str]) -> str:
    """Give the name most like one that does not exist, or an empty string."""
    from difflib import get_close_matches

    found = get_close_matches(name, list(names), 1, 0.6)
    return found[0] if found else ""


def missing_variable(name: str, variables: Mapping[str, Any]) -> TemplateError:
    """Say that there is no such variable, and which one may have been meant."""
    like = near(name, variables)
    guess = f"; did you mean `{like}`?" if like else ""
    return TemplateError(
        f"no variable `{name}`{guess}",
        hint="write `| default(...)` after it where it may be missing",
        name=name,
    )
