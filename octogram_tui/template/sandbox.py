"""The template engine as scenarios have it. Imports jinja2, so it is itself imported only when a template needs it.

It is no wall around who writes a scenario, who may run a shell anyway: it is there so that templates mean one thing,
whatever a value of an agent's is. What it adds to the library's immutable sandbox are filters of a list that we mean,
and operators and texts as the original has them. Time and memory are bounded elsewhere: here only what is looked
through is counted, where templates are evaluated in the process that asks (share.py).
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Mapping
from types import CodeType
from typing import Any

from jinja2 import StrictUndefined, Template, nodes
from jinja2.environment import TemplateExpression
from jinja2.exceptions import SecurityError, TemplateAssertionError, TemplateSyntaxError, UndefinedError
from jinja2.parser import Parser
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing
from jinja2.visitor import NodeTransformer

from octogram_tui.cuts import beginning
from octogram_tui.template.cheap import METHODS
from octogram_tui.template.filters import FILTERS_AS_FUNCTIONS, FUNCTIONS, OWN_FILTERS
from octogram_tui.template.items import item_text
from octogram_tui.template.operators import compute
from octogram_tui.template.requests import Kind
from octogram_tui.template.scope import Lookup, VisibleVariables, near
from octogram_tui.template.share import A_CALL, Larger
from octogram_tui.template.share import OF_THIS_PROCESS as SHARE
from octogram_tui.template.text import MAX_TEXT_CHARS, TooMuch, joined, text_of

# fmt: off
LIBRARY_FILTERS = (
    "abs", "capitalize", "count", "d", "default", "dictsort", "first", "groupby", "items", "last",
    "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "select", "selectattr",
    "sort", "sum", "title", "trim", "truncate", "unique", "upper", "urlencode", "wordcount",
)
# fmt: on
"""The library's own filters that are kept: those that give the same for the same."""

TEXT_FILTERS = frozenset(("capitalize", "lower", "title", "trim", "truncate", "upper", "urlencode", "wordcount"))
"""Those of them that look at a text: they see `true`, not Python's `True`."""

REFUSED_MEMBERS = frozenset(("encode", "maketrans", "translate", "to_bytes", "from_bytes", "format_map"))
"""What gives, or takes, what is no value of a scenario."""

LOOKS_AT_NOTHING = frozenset(("count", "d", "default", "first", "last", "length"))
"""Filters that take as long for much as for little."""

LAZY = frozenset(("map", "reject", "rejectattr", "select", "selectattr"))
"""Those that do their work only when what they give is looked through."""

LOOKS_THROUGH = frozenset(("eq", "equalto", "ge", "gt", "in", "le", "lower", "lt", "ne", "upper", "greaterthan"))
LOOKS_THROUGH |= {"lessthan", "!=", "<", "<=", "==", ">", ">=", "filter", "test"}
"""Tests that do not."""

MOST_DEPTH = 64

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
    """Rewrites a parsed template so that `~` writes values as we do; refuses what is not there."""

    def __init__(self, environment: Sandbox) -> None:
        self.environment = environment

    def visit_For(self, node: nodes.For) -> nodes.Node:
        """Count the turns of a loop."""
        self.generic_visit(node)
        node.iter = _filter(node.iter, "octogram_turns", node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        """Join as we write values."""
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
        raise TypeError(
            f"the text `{beginning(value, 40)}` stands where true or false is due: compare it, or write `| bool`"
        )
    return value


def _filter(node: Any, name: str, lineno: int) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=lineno)


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    like = near(name, [k for k in known if not k.startswith("octogram_")])
    return f"there is no {what} `{name}`" + (f"; did you mean `{like}`?" if like else "")


def _weighed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Count what a filter looks through; a missing name is an error to all but `default`."""
    # Filters that want the environment or the context get it first; the value is then the second argument.
    first = 1 if hasattr(function, "jinja_pass_arg") else 0
    is_text = name in TEXT_FILTERS
    allows_missing = name in ("default", "d")
    is_weighed = name not in LOOKS_AT_NOTHING
    grows = name in ("join", "replace")
    is_lazy = name in LAZY

    @functools.wraps(function)
    def weighed(*args: Any, **kwargs: Any) -> Any:
        SHARE.left -= A_CALL  # whoever goes on counting sees it
        if len(args) > first:
            value = args[first]
            if not allows_missing and isinstance(value, Undefined):
                str(value)  # raises, naming the name
            if is_weighed:
                for arg in args[first:]:
                    SHARE.weigh(arg)
                if grows:
                    _take_product(value, args[first + 1 :], kwargs)
            if is_text and (value is None or isinstance(value, (bool, dict, list))):
                args = (*args[:first], text_of(value), *args[first + 1 :])
        made = function(*args, **kwargs)
        return list(made) if is_lazy and not SHARE.is_lifted else made

    return weighed


def _take_product(value: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Count what is put in between, or in place of each piece: once for all that there may be."""
    inserted = max((len(arg) for arg in (*args, *kwargs.values()) if isinstance(arg, str)), default=0)
    SHARE.take(inserted * len(value) if hasattr(value, "__len__") else inserted)


def _weighed_test(test: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(test)
    def weighed(*args: Any) -> Any:
        SHARE.left -= A_CALL
        for arg in args:
            SHARE.weigh(arg)
        return test(*args)

    return weighed


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment that every template of a scenario is compiled and run in."""

    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))
    concat = staticmethod(joined)

    def __init__(self) -> None:
        super().__init__(
            autoescape=False, undefined=Strict, finalize=_finalize, keep_trailing_newline=True, optimized=False
        )
        kept: dict[str, Callable[..., Any]] = {name: self.filters[name] for name in LIBRARY_FILTERS} | OWN_FILTERS
        self.filters = {name: _weighed(name, function) for name, function in kept.items()}
        tests: Any = self.tests  # the library gives no type that a test of ours has
        tests.update({name: _weighed_test(test) for name, test in tests.items() if name in LOOKS_THROUGH})
        self.filters["octogram_concat"] = _concatenated
        self.filters["octogram_turns"] = SHARE.turns
        self.filters["octogram_weighed"] = SHARE.weigh
        self.filters["octogram_operand"] = _operand
        self.globals = {"range": range, "dict": dict, "namespace": self.globals["namespace"], **FUNCTIONS}
        self.globals["null"] = None
        for name in FILTERS_AS_FUNCTIONS:
            self.globals[name] = self._as_function(name)
        self.functions = frozenset(id(self.globals[name]) for name in ("range", *FUNCTIONS, *FILTERS_AS_FUNCTIONS))
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

    def _compile(self, source: str, filename: str) -> CodeType:
        """Compile, and say nothing of what looks wrong to Python: who runs it is told what is."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return super()._compile(source, filename)

    def parse_expression(self, source: str) -> nodes.Template:
        """Parse an expression, as a template that keeps its value as `result`. Raises TemplateSyntaxError."""
        parser = Parser(self, source, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            is_set = parser.stream.current.type == "assign"
            what = (
                "nothing is set here: a comparison is written `==`" if is_set else "there is more than one expression"
            )
            parser.fail(what, parser.stream.current.lineno)
        return nodes.Template([nodes.Assign(nodes.Name("result", "store"), tree, lineno=1)], lineno=1)

    def compiled(self, kind: Kind, tree: nodes.Template) -> Template | TemplateExpression:
        """Make a parsed template or expression ready to be run. Raises TemplateSyntaxError."""
        if kind == "condition":
            Operands().visit(tree)
        ready = self.from_string(tree)
        return ready if kind == "text" else TemplateExpression(ready, undefined_to_none=False)

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
        if type(argument) is slice:
            SHARE.weigh(obj)
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
        """Refuse what leads out of the data."""
        return attr not in REFUSED_MEMBERS and super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> Any:
        """Refuse str.format: it writes values as Python does, and `~` writes them as we do."""
        if super().wrap_str_format(value) is not None:
            raise SecurityError("`format` is not available: join texts with `~`")
        return None

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call a function, or a method of a value."""
        if type(__obj) is Lookup:
            if len(args) != 1 or kwargs or not isinstance(args[0], (str, Undefined)):
                raise TypeError("var takes one name, as a string")
            return __self.getattr(__obj.variables, str(args[0]))
        SHARE.left -= A_CALL
        if not SHARE.is_lifted and id(__obj) not in __self.functions:
            owner = getattr(__obj, "__self__", None)
            if owner is None or getattr(__obj, "__name__", "") not in METHODS:
                raise Larger  # it was given a name by which something else was meant
            for value in (owner, *args):
                SHARE.weigh(value)
            if __obj.__name__ == "replace":
                _take_product(owner, args, {})
        return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Apply an operator."""
        for side in (left, right):
            if isinstance(side, Undefined):
                str(side)  # raises, naming the name
            if not SHARE.is_lifted and not isinstance(side, (int, float)):
                if operator != "+":  # a text many times, or a format
                    raise Larger
                SHARE.weigh(side)
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
    kind = type(value)
    if kind is str:
        return value  # the output is bounded as a whole
    if kind is int:
        return str(value)
    return value if isinstance(value, Undefined) else text_of(SHARE.weigh(value))


def _concatenated(values: Iterable[Any]) -> str:
    """Do what `~` does."""
    return joined(text_of(SHARE.weigh(value)) for value in values)


def run(template: Template, scope: Mapping[str, Any]) -> str:
    """Expand a compiled template. Raises Larger, and whatever comes of it."""
    SHARE.start()
    return joined(template.root_render_func(template.new_context(dict(scope))))


def value(expression: Callable[..., Any], scope: Mapping[str, Any]) -> Any:
    """Evaluate a compiled expression; what it gives is data. Raises Larger, and whatever comes of it."""
    SHARE.start()
    result = expression(**scope)
    kind = type(result)
    if kind is bool or kind is int or result is None:
        return result
    return Data().of(SHARE.weigh(result))


class Data:
    """Turns what an expression gave into JSON values, which together are no longer than a text may be."""

    def __init__(self) -> None:
        self._left = MAX_TEXT_CHARS

    def of(self, result: Any, depth: int = 0) -> Any:
        """Give one. Raises TooMuch."""
        if result is None or isinstance(result, (bool, int, float)):
            self._keep(1)
            return result
        if isinstance(result, str):
            self._keep(len(result))
            return str(result)
        self._keep(2)
        if depth > MOST_DEPTH:
            raise TooMuch("the value is nested too deeply")
        if isinstance(result, (dict, VisibleVariables)):
            return {self.of(text_of(key)): self.of(element, depth + 1) for key, element in result.items()}
        if isinstance(result, (list, tuple, range, set, frozenset)) or hasattr(result, "__next__"):
            return [self.of(element, depth + 1) for element in result]
        if isinstance(result, Undefined):
            return str(result)  # raises, naming the name
        raise TypeError(f"the expression gives {result!r}, which is no value")

    def _keep(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise TooMuch(f"a value would have more than {MAX_TEXT_CHARS} characters")
