"""The template engine, fenced in. Imports jinja2, so it is itself imported only when a template needs it.

What it adds to the library's immutable sandbox: every loop turn, call and text made is counted against a budget;
operators, string methods and filters refuse what would be huge; filters are those of a list that we mean.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import StrictUndefined, Template, nodes
from jinja2.environment import TemplateExpression
from jinja2.exceptions import SecurityError, TemplateAssertionError, TemplateSyntaxError, UndefinedError
from jinja2.parser import Parser
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing
from jinja2.visitor import NodeTransformer

from octogram_tui.template.filters import FILTERS_AS_FUNCTIONS, FUNCTIONS, OWN_FILTERS
from octogram_tui.template.items import item_text
from octogram_tui.template.limits import (
    BUDGET,
    capped_range,
    check_elements,
    check_method,
    compute,
    concatenate,
    join_all,
    metered,
)
from octogram_tui.template.scope import Lookup, VisibleVariables, near
from octogram_tui.template.text import TooMuch, text_of

# fmt: off
LIBRARY_FILTERS = (
    "abs", "capitalize", "count", "d", "default", "dictsort", "first", "groupby", "items", "last",
    "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr",
    "sort", "sum", "title", "trim", "truncate", "unique", "upper", "urlencode", "wordcount",
)
# fmt: on
"""The library's own filters that are kept: deterministic, and bounded by what goes in."""

TEXT_FILTERS = frozenset(("capitalize", "lower", "title", "trim", "truncate", "upper", "urlencode", "wordcount"))
"""Those of them that look at a text: they see `true`, not Python's `True`."""

REFUSED_MEMBERS = frozenset(("encode", "maketrans", "translate", "to_bytes", "from_bytes", "format_map"))

_NOT_HERE = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block)


class Missing(UndefinedError):
    """A name that does not exist was used; `owner` is what it was looked for in (`missing`: the scope)."""

    def __init__(self, owner: Any, name: Any, message: str) -> None:
        super().__init__(message)
        self.owner = owner
        self.name = name

    @property
    def is_from_scope(self) -> bool:
        """Tell whether the name was looked for in the scope itself."""
        return self.owner is missing


class Strict(StrictUndefined):
    """What stands for a missing name: an error as soon as it is used for anything but `default` and `is defined`."""

    __slots__ = ()

    def __init__(self, hint: Any = None, obj: Any = missing, name: Any = None, exc: Any = UndefinedError) -> None:
        if exc is UndefinedError:
            exc = functools.partial(Missing, obj, name)
        super().__init__(hint, obj, name, exc)


class Fence(NodeTransformer):
    """Rewrites a parsed template so that loops are counted and `~` writes values as we do; refuses the rest."""

    def __init__(self, environment: Sandbox) -> None:
        self.environment = environment

    def visit_For(self, node: nodes.For) -> nodes.Node:
        """Count the turns of a loop."""
        if node.recursive:
            raise TemplateSyntaxError("recursive loops are not available", node.lineno)
        self.generic_visit(node)
        node.iter = _filter(node.iter, "octogram_metered", node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        """Join as we write values, with a bound."""
        self.generic_visit(node)
        return _filter(nodes.List(list(node.nodes), lineno=node.lineno), "octogram_concat", node.lineno)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        """Count what is looked through."""
        self.generic_visit(node)
        for operand in node.ops:
            if not isinstance(operand.expr, nodes.Const):
                operand.expr = _filter(operand.expr, "octogram_weighed", operand.lineno)
        return node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:
        """Refuse filters that are not there, with the one that was meant."""
        if node.name not in self.environment.filters:
            raise TemplateAssertionError(_unknown("filter", node.name, self.environment.filters), node.lineno)
        self.generic_visit(node)
        return node

    def visit_Test(self, node: nodes.Test) -> nodes.Node:
        """Refuse tests that are not there."""
        if node.name not in self.environment.tests:
            raise TemplateAssertionError(_unknown("test", node.name, self.environment.tests), node.lineno)
        self.generic_visit(node)
        return node

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        """Refuse what reads other templates."""
        if isinstance(node, _NOT_HERE):
            word = type(node).__name__.replace("FromImport", "import").lower()
            raise TemplateSyntaxError(f"`{word}` is not available in a scenario", getattr(node, "lineno", 1))
        return super().generic_visit(node, *args, **kwargs)


_BOOLEAN = (nodes.Compare, nodes.Test, nodes.Not, nodes.And, nodes.Or)


class Operands(NodeTransformer):
    """Has what the words of a condition join looked at: a text would count as true, whatever it says."""

    def visit_And(self, node: nodes.And | nodes.Or) -> nodes.Node:
        """Look at both sides."""
        self.generic_visit(node)
        node.left, node.right = self.looked_at(node.left), self.looked_at(node.right)
        return node

    visit_Or = visit_And

    def visit_Not(self, node: nodes.Not) -> nodes.Node:
        """Look at what is turned round."""
        self.generic_visit(node)
        node.node = self.looked_at(node.node)
        return node

    def visit_CondExpr(self, node: nodes.CondExpr) -> nodes.Node:
        """Look at what is asked."""
        self.generic_visit(node)
        node.test = self.looked_at(node.test)
        return node

    def looked_at(self, node: Any) -> Any:
        """Give an operand that refuses to be a text; those that are boolean anyway stay as they are."""
        return node if isinstance(node, _BOOLEAN) else _filter(node, "octogram_operand", node.lineno)


def _operand(value: Any) -> Any:
    if isinstance(value, str):
        raise TypeError(f"the text `{value[:40]}` stands where true or false is due: compare it, or write `| bool`")
    return value


def _filter(node: Any, name: str, lineno: int) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=lineno)


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    like = near(name, [k for k in known if not k.startswith("octogram_")])
    return f"there is no {what} `{name}`" + (f"; did you mean `{like}`?" if like else "")


def _counted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Count each call of a filter and what it makes."""
    # Filters that want the environment or the context get it first; the value is then the second argument.
    first = 1 if hasattr(function, "jinja_pass_arg") else 0
    is_text = name in TEXT_FILTERS
    allows_missing = name in ("default", "d")

    @functools.wraps(function)
    def counted(*args: Any, **kwargs: Any) -> Any:
        BUDGET.step()
        if not allows_missing and len(args) > first and isinstance(args[first], Undefined):
            str(args[first])  # raises, naming the name
        if len(args) > first:
            BUDGET.weigh(args[first])
        if is_text and len(args) > first and (args[first] is None or isinstance(args[first], (bool, dict, list))):
            args = (*args[:first], text_of(args[first]), *args[first + 1 :])
        return BUDGET.made(function(*args, **kwargs))

    return counted


def _weighed(test: Callable[..., Any]) -> Callable[..., Any]:
    """Count each call of a test and what it looks through: `select` makes many of them."""

    @functools.wraps(test)
    def weighed(*args: Any) -> Any:
        BUDGET.step()
        for arg in args:
            BUDGET.weigh(arg)
        return test(*args)

    return weighed


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment that every template of a scenario is compiled and run in."""

    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))
    concat = staticmethod(join_all)

    def __init__(self) -> None:
        super().__init__(
            autoescape=False, undefined=Strict, finalize=_finalize, keep_trailing_newline=True, optimized=False
        )
        kept: dict[str, Callable[..., Any]] = {name: self.filters[name] for name in LIBRARY_FILTERS} | OWN_FILTERS
        self.filters = {name: _counted(name, function) for name, function in kept.items()}
        tests: Any = self.tests  # the library gives no type that a test of ours has
        tests.update({name: _weighed(test) for name, test in tests.items()})
        self.filters["octogram_metered"] = metered
        self.filters["octogram_concat"] = concatenate
        self.filters["octogram_weighed"] = BUDGET.weigh
        self.filters["octogram_operand"] = _operand
        self.globals = {"range": capped_range, "dict": dict, "namespace": self.globals["namespace"], **FUNCTIONS}
        self.globals["null"] = None
        for name in FILTERS_AS_FUNCTIONS:
            self.globals[name] = self._as_function(name)
        self.fence = Fence(self)

    def make_globals(self, d: Any) -> Any:
        """Give the names that every template sees: no template changes them, so all have the same map."""
        return self.globals

    def _as_function(self, name: str) -> Callable[..., Any]:
        """Give a filter as something to call: what it filters comes last."""

        def call(*args: Any, **kwargs: Any) -> Any:
            if not args:
                raise TypeError(f"`{name}` needs something to work on")
            return self.call_filter(name, args[-1], args[:-1], kwargs)

        return call

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        self.fence.visit(source)
        return super()._generate(source, *args, **kwargs)

    def compile_condition(self, source: str) -> TemplateExpression:
        """Compile an expression that is to be true or false. Raises TemplateSyntaxError."""
        parser = Parser(self, source, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            parser.fail("there is more than one expression", parser.stream.current.lineno)
        body: list[nodes.Node] = [nodes.Assign(nodes.Name("result", "store"), Operands().visit(tree), lineno=1)]
        return TemplateExpression(self.from_string(nodes.Template(body, lineno=1)), undefined_to_none=False)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Give a member: of data first, and only then a method."""
        kind = type(obj)
        if kind is VisibleVariables:
            obj_values = obj.values_by_name
            if attribute in obj_values:
                return obj_values[attribute]
            if attribute not in ("items", "keys", "values", "get"):
                return self.undefined(obj=obj, name=attribute)
        elif kind is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Give an element; counting from the end is no error that stays unseen."""
        if type(argument) is int and argument < 0 and isinstance(obj, (list, tuple)):
            return self.undefined(obj=obj, name=str(argument))
        if isinstance(obj, VisibleVariables) and isinstance(argument, str):
            return self.getattr(obj, argument)
        if type(obj) is dict:
            found = _of_item(obj, argument)
            if found is not missing:
                return found
            if isinstance(argument, (dict, list)):
                return self.undefined(obj=obj, name=item_text(argument))
        return super().getitem(obj, argument)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Refuse what leads out of the data, or around the budget."""
        return attr not in REFUSED_MEMBERS and super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> Any:
        """Refuse str.format: its widths cannot be bounded, and `~` does the same."""
        if super().wrap_str_format(value) is not None:
            raise SecurityError("`format` is not available: join texts with `~`")
        return None

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a function, counted; what it makes is bounded."""
        BUDGET.step()
        if type(__obj) is Lookup:
            if len(args) != 1 or kwargs or not isinstance(args[0], (str, Undefined)):
                raise TypeError("var takes one name, as a string")
            return __self.getattr(__obj.variables, str(args[0]))
        owner = getattr(__obj, "__self__", None)
        BUDGET.weigh(owner)
        if isinstance(owner, str):
            check_method(__obj.__name__, owner, args)
        return BUDGET.made(super().call(__context, __obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Apply an operator within limits."""
        for side in (left, right):
            if isinstance(side, Undefined):
                str(side)  # raises, naming the name
        return compute(operator, left, right)


def _of_item(results: dict[Any, Any], key: Any) -> Any:
    """Give what a map has for a key. `register` names results by the text of their items: `vars.out[item]` is one."""
    if isinstance(key, Undefined):
        return missing  # the library raises, naming it
    if not isinstance(key, (dict, list)) and key in results:
        return results[key]
    text = item_text(key)
    return results.get(text, missing)


def _finalize(value: Any) -> Any:
    return value if isinstance(value, Undefined) else text_of(value)


def run(template: Template, scope: Mapping[str, Any]) -> str:
    """Expand a compiled template."""
    BUDGET.start()
    return join_all(template.root_render_func(template.new_context(dict(scope))))


def value(expression: Callable[..., Any], scope: Mapping[str, Any]) -> Any:
    """Evaluate a compiled expression; what it gives is data, bounded."""
    BUDGET.start()
    result = expression(**scope)
    kind = type(result)
    return result if kind is bool or kind is int or result is None else as_data(result)


def as_data(result: Any, depth: int = 0) -> Any:
    """Turn what an expression gave into JSON values, which together are no longer than a text may be."""
    if result is None or isinstance(result, (bool, int, float)):
        BUDGET.kept(1)
        return result
    if isinstance(result, str):
        BUDGET.kept(len(result))
        return str(result)
    BUDGET.step()
    if depth > 64:
        raise TooMuch("the value is nested too deeply")
    if isinstance(result, (dict, VisibleVariables)):
        return {_key(key): as_data(element, depth + 1) for key, element in result.items()}
    if isinstance(result, (list, tuple, range, set, frozenset)) or hasattr(result, "__next__"):
        elements = [as_data(element, depth + 1) for element in result]
        check_elements(len(elements))
        return elements
    if isinstance(result, Undefined):
        return str(result)  # raises, naming the name
    raise TypeError(f"the expression gives {result!r}, which is no value")


def _key(key: Any) -> str:
    text = text_of(key)
    BUDGET.kept(len(text))
    return text
