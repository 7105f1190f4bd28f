"""What can be said of a template without running it: whether it parses, and which names and variables it uses."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from octogram_tui.dataclass import dataclass
from octogram_tui.template import plain
from octogram_tui.template.bound import expect
from octogram_tui.template.cheap import is_cheap
from octogram_tui.template.environment import bare_expression, environment, syntax_hint, syntax_message
from octogram_tui.template.source import is_template, prepare, prepare_expression


@dataclass(frozen=True, slots=True)
class Uses:
    """What a template uses.

    names      of the scope, functions apart
    variables  `vars.x`, `vars['x']` and `var('x')`
    optional   those of them that may be missing: under `default(...)` or asked about with `is defined`
    members    of `agent` and `res`, as `agent.labels.NAME` and `res.NAME`; not those that may be missing
    is_computed  variables are reached by computed names, or all at once
    problem    why it does not parse, or empty; `line` is where, counted from 1; `hint` what to do
    """

    names: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()
    is_computed: bool = False
    problem: str = ""
    line: int = 1
    hint: str = ""


NOTHING = Uses()


@functools.lru_cache(4096)
def uses(text: str, *, expression: bool = False, braces: bool = True) -> Uses:
    """Look at a template, or at an expression."""
    if expression:
        bare = bare_expression(text)
        path = plain.parse_expression(bare)
        parts: plain.Parts | None = None if path is None else (path,)
    else:
        if not is_template(text, braces=braces):
            return NOTHING
        parts = plain.parse(text)
    if parts is not None:
        return _of_names(tuple(part for part in parts if type(part) is plain.Name))
    return _parsed(text, expression, braces)


@functools.lru_cache(1024)
def _of_names(paths: tuple[plain.Name, ...]) -> Uses:
    """The same of templates that hold these names and text: thousands differ in their text alone."""
    return Uses(
        frozenset(path.root for path in paths),
        frozenset(str(path.steps[0]) for path in paths if path.root == "vars" and path.steps),
        members=frozenset(_dotted(path.root, path.steps) for path in paths if path.root in _HAVE_MEMBERS) - {""},
        is_computed=any(path.root == "vars" and not path.steps for path in paths),
    )


def _parsed(text: str, expression: bool, braces: bool) -> Uses:
    from jinja2 import nodes
    from jinja2.exceptions import TemplateSyntaxError

    sandbox = environment()
    try:
        if expression:
            holder: Any = sandbox.parse_expression(prepare_expression(bare_expression(text)))
            tree = holder.body[0].node
            if isinstance(tree, (nodes.Const, nodes.List, nodes.Tuple, nodes.Dict, nodes.Neg)) and is_cheap(tree):
                return _of_constant(tree, text)
            holder = nodes.Output([tree])
        else:
            holder = sandbox.parse(prepare(text, braces=braces))
        if not is_cheap(holder):
            expect()
        sandbox.fence.visit(holder)
    except TemplateSyntaxError as error:
        hint = syntax_hint(error, text)
        if expression and ("{{" in text or "}}" in text):
            hint = "an expression is written without braces: `vars.height > 3`"
        return Uses(problem=syntax_message(error, text), line=error.lineno or 1, hint=hint)
    except RecursionError:
        return Uses(problem="the template is nested too deeply")
    return _walk(holder, sandbox.globals)


def _of_constant(tree: Any, text: str) -> Uses:
    """Look at an expression that is the same whatever is known: as a condition it has to be true or false."""
    from jinja2 import nodes

    from octogram_tui.template.condition import not_a_boolean

    try:
        value = tree.as_const(nodes.EvalContext(environment()))
    except Exception:  # it is none, or an error whatever is known: which is told when it is evaluated
        return _walk(nodes.Output([tree]), environment().globals)
    if isinstance(value, bool):
        return Uses()
    problem = not_a_boolean(list(value) if isinstance(value, tuple) else value, bare_expression(text))
    return Uses(problem=problem.message, hint=problem.hint or "")


_ALLOWS_MISSING = ("default", "d", "defined", "undefined")


def _walk(tree: Any, known: Any) -> Uses:
    from jinja2 import nodes

    names: set[str] = set()
    bound: set[str] = {"loop", "caller", "varargs", "kwargs"}
    variables: set[str] = set()
    optional: set[str] = set()
    members: set[str] = set()
    may_miss: set[str] = set()
    ways = 0  # mentions of `vars` and `var` that no literal name follows
    for node in tree.find_all((nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Call, nodes.Filter, nodes.Test)):
        if isinstance(node, nodes.Name):
            ways += node.name in ("vars", "var")
            (names if node.ctx == "load" else bound).add(node.name)
        elif isinstance(node, (nodes.Filter, nodes.Test)) and node.name in _ALLOWS_MISSING and node.node is not None:
            optional.update(_variables_of(node.node, nodes))
            may_miss.update(_members_of(node.node, nodes))
        elif isinstance(node, nodes.Call) and node.args and _calls_default(node, nodes):
            optional.update(_variables_of(node.args[-1], nodes))
            may_miss.update(_members_of(node.args[-1], nodes))
        if isinstance(node, (nodes.Getattr, nodes.Getitem)):
            members.update(_member(node, nodes))
        found = variable_of(node, nodes)
        if found is not None:
            ways -= 1
            variables.add(found)
    bound.update(macro.name for macro in tree.find_all(nodes.Macro))
    free = frozenset(names - bound - set(known))
    return Uses(free, frozenset(variables), frozenset(optional), frozenset(members - may_miss), ways > 0)


def _calls_default(node: Any, nodes: Any) -> bool:
    return _is_name(node.node, "default", nodes) or _is_name(node.node, "d", nodes)


def _variables_of(node: Any, nodes: Any) -> set[str]:
    found = {variable_of(node, nodes)}
    found.update(variable_of(inner, nodes) for inner in node.find_all((nodes.Getattr, nodes.Getitem, nodes.Call)))
    return {name for name in found if name is not None}


def variable_of(node: Any, nodes: Any) -> str | None:
    """Give the variable that a node names, if it names one."""
    if isinstance(node, nodes.Getattr) and _is_name(node.node, "vars", nodes):
        return None if node.attr in ("items", "keys", "values", "get") else str(node.attr)
    literal = None
    if isinstance(node, nodes.Getitem) and _is_name(node.node, "vars", nodes):
        literal = node.arg
    elif isinstance(node, nodes.Call) and _is_name(node.node, "var", nodes) and len(node.args) == 1:
        literal = node.args[0]
    return literal.value if isinstance(literal, nodes.Const) and isinstance(literal.value, str) else None


def _members_of(node: Any, nodes: Any) -> set[str]:
    found = set(_member(node, nodes))
    for inner in node.find_all((nodes.Getattr, nodes.Getitem)):
        found.update(_member(inner, nodes))
    return found


def _member(node: Any, nodes: Any) -> list[str]:
    """Give the member that a node names, as `agent.labels.site`, if it names one."""
    steps: list[Any] = []
    while isinstance(node, (nodes.Getattr, nodes.Getitem)):
        steps.insert(0, node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None))
        node = node.node
    found = _dotted(node.name, steps) if isinstance(node, nodes.Name) and node.name in _HAVE_MEMBERS else ""
    return [found] if found else []


_HAVE_MEMBERS = ("agent", "res")
_METHODS = frozenset(("items", "keys", "values", "get"))


def _dotted(root: str, steps: Sequence[Any]) -> str:
    """Give the steps that a check can say something about; empty when there are none."""
    known = steps[: 2 if root == "agent" else 1]
    if not known or not all(isinstance(step, str) for step in known) or known[-1] in _METHODS:
        return ""
    return ".".join((root, *known))


def _is_name(node: Any, name: str, nodes: Any) -> bool:
    return isinstance(node, nodes.Name) and node.name == name
