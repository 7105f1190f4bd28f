"""Which templates are evaluated in the process that asks: those of few operations, each of which is known to be cheap.

An operation is cheap when it takes time and memory as what it looks through, and no more. All else is evaluated apart,
so that this list need not be complete; it only says what is worth to be quick.
"""

from __future__ import annotations

from typing import Any

MOST_NODES = 400

FILTERS = frozenset(
    (
        *("abs", "basename", "bool", "count", "d", "default", "dictsort", "first", "float", "int", "join"),
        *("last", "length", "lower", "max", "min", "nth", "quote", "replace", "round", "sort", "split"),
        *("string", "strlen", "substring", "tojson", "trim", "unique", "upper"),
    )
)
"""Also as functions."""

OF_EACH = frozenset(("map", "reject", "rejectattr", "select", "selectattr"))
"""Filters that apply another one, or a test, which is named by their first or second argument."""

FUNCTIONS = FILTERS | {"hex", "range", "var"}

METHODS = frozenset(
    (
        *("endswith", "get", "lower", "lstrip", "removeprefix", "removesuffix", "replace", "rsplit"),
        *("rstrip", "split", "items", "keys", "splitlines", "startswith", "strip", "upper", "values"),
    )
)

TESTS = frozenset(
    (
        *("boolean", "defined", "eq", "equalto", "even", "false", "float", "ge", "gt", "in", "integer"),
        *("iterable", "le", "lt", "mapping", "ne", "none", "number", "odd", "sequence", "string", "true"),
        *("undefined", "!=", "<", "<=", "==", ">", ">=", "divisibleby", "greaterthan", "lessthan", "lower"),
        *("upper"),
    )
)


def is_cheap(tree: Any) -> bool:
    """Tell whether a parsed template or expression is evaluated here."""
    from jinja2 import nodes

    ahead: list[Any] = [tree]
    count = 0
    while ahead:
        node = ahead.pop()
        count += 1
        if count > MOST_NODES or not _is_cheap(node, nodes):
            return False
        ahead.extend(node.iter_child_nodes())
    return True


def _is_cheap(node: Any, nodes: Any) -> bool:
    if isinstance(node, nodes.Call):
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            return False
        called = node.node
        if isinstance(called, nodes.Name):
            return called.name in FUNCTIONS
        return isinstance(called, nodes.Getattr) and called.attr in METHODS and not node.kwargs
    if isinstance(node, nodes.Filter):
        if node.node is None or node.dyn_args is not None or node.dyn_kwargs is not None:
            return False
        return node.name in FILTERS or (node.name in OF_EACH and _applies_cheap(node, nodes))
    if isinstance(node, nodes.Test):
        return node.name in TESTS and node.dyn_args is None and node.dyn_kwargs is None
    if isinstance(node, nodes.For):
        return not node.recursive
    if isinstance(node, nodes.Assign):
        return isinstance(node.target, nodes.Name)
    return isinstance(node, (*_expressions(nodes), nodes.Template, nodes.Output, nodes.TemplateData, nodes.If))


def _applies_cheap(node: Any, nodes: Any) -> bool:
    place = 1 if node.name in ("rejectattr", "selectattr") else 0
    if len(node.args) <= place:
        return all(keyword.key in ("attribute", "default") for keyword in node.kwargs)
    named = node.args[place]
    return isinstance(named, nodes.Const) and named.value in (FILTERS if node.name == "map" else TESTS)


def _expressions(nodes: Any) -> tuple[Any, ...]:
    return (
        *(nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword),
        *(nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.Concat),
        *(nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos),
        *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow),
    )
