"""Templates and expressions: render to a text, expand to a value, evaluate; and what to say when that fails.

The way in for everybody else. What is only text and names is expanded here (plain.py); what is cheap whatever the
values are is run by the template engine (cheap.py, sandbox.py), imported when a template first needs it; all else is
evaluated in another process, at bounds that hold whatever it does (bound.py).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from octogram_tui.cuts import beginning
from octogram_tui.errors import TemplateError
from octogram_tui.template import plain
from octogram_tui.template.scope import VisibleVariables, missing_variable, near
from octogram_tui.template.source import is_template, prepare, prepare_expression, whole_expression
from octogram_tui.template.text import MAX_TEXT_CHARS, TooMuch, kind_of

if TYPE_CHECKING:
    from octogram_tui.template.requests import Kind

__all__ = ["evaluate", "expand", "is_template", "render"]

_CACHED = 2048
_WRAPPED = re.compile(r"\s*\{\{(?:(?!\{\{|\}\}).)*\}\}\s*", re.DOTALL)


def render(text: str, scope: Mapping[str, Any], *, braces: bool = True) -> str:
    """Expand a template. Values are never expanded again. Raises TemplateError.

    `braces`: whether `\\{` and `\\}` stand for literal braces, as in every field of the original.
    """
    if not is_template(text, braces=braces):
        return text
    parts = _parts(text)
    if parts is not None:
        try:
            result = plain.render(parts, scope)
        except (LookupError, TooMuch):
            pass  # the engine knows what to say
        else:
            if len(result) <= MAX_TEXT_CHARS:
                return result
    return evaluated("text", text, text, scope, braces=braces)  # type: ignore[no-any-return]


def expand(text: str, scope: Mapping[str, Any], *, braces: bool = True) -> Any:
    """Expand a template to a value: one that is a whole value keeps its kind, all else is a text.

    Raises TemplateError.
    """
    whole = _whole(text)
    return render(text, scope, braces=braces) if whole is None else _value(whole, text, scope)


def evaluate(expression: str, scope: Mapping[str, Any]) -> Any:
    """Give the value of an expression, which may be wrapped in `{{ }}`. Raises TemplateError."""
    return _value(bare_expression(expression), expression, scope)


def _value(bare: str, written: str, scope: Mapping[str, Any]) -> Any:
    name = plain_name(bare)
    if name is not None:
        try:
            result = plain.value_of(name, scope)
            if result is None or type(result) in _PLAIN:
                return result
        except LookupError:
            pass  # the engine knows what to say
    return evaluated("value", bare, written, scope)


def evaluated(kind: Kind, text: str, written: str, scope: Mapping[str, Any], *, braces: bool = True) -> Any:
    """Evaluate what is more than text and names, here or apart. Raises TemplateError."""
    try:
        from octogram_tui.template import sandbox
        from octogram_tui.template.bound import A_STEP_LOOKS, looked_through
        from octogram_tui.template.share import OF_THIS_PROCESS, SHARE, Larger

        try:
            ready = _cheap(kind, text, braces)
            if ready is not None:
                found = sandbox.run(ready, scope) if kind == "text" else sandbox.value(ready, scope)
                looked = SHARE - OF_THIS_PROCESS.left
                if looked >= A_STEP_LOOKS:
                    looked_through(looked)
                return found
        except Larger:
            pass
    except Exception as error:
        raise explain(error, written, scope) from error
    from octogram_tui.template.bound import evaluate_apart

    return evaluate_apart(kind, text, scope, braces=braces)


def evaluated_here(kind: Kind, text: str, scope: Mapping[str, Any], braces: bool) -> Any:
    """Evaluate in this process, whatever that takes. Raises what the engine raises."""
    from octogram_tui.template import sandbox

    ready = _any(kind, text, braces)
    return sandbox.run(ready, scope) if kind == "text" else sandbox.value(ready, scope)


def bare_expression(expression: str) -> str:
    """Take the `{{ }}` off an expression that is wrapped in them."""
    if _WRAPPED.fullmatch(expression):
        inner = expression.strip()[2:-2].strip()
        return inner.removeprefix("-").removesuffix("-").strip()
    return expression


_PLAIN = (str, bool, int, float, list, dict)
_whole = functools.lru_cache(_CACHED)(whole_expression)
_parts = functools.lru_cache(_CACHED)(plain.parse)
plain_name = functools.lru_cache(_CACHED)(plain.parse_expression)


@functools.lru_cache(1)
def environment() -> Any:
    """Give the one environment of the process."""
    from octogram_tui.template.sandbox import Sandbox

    return Sandbox()


@functools.lru_cache(_CACHED)
def _cheap(kind: Kind, text: str, braces: bool) -> Any:
    """Give what is run here; None for what is evaluated apart."""
    from octogram_tui.template.cheap import is_cheap

    tree = _tree(kind, text, braces)
    return environment().compiled(kind, tree) if is_cheap(tree) else None


@functools.lru_cache(_CACHED)
def _any(kind: Kind, text: str, braces: bool) -> Any:
    return environment().compiled(kind, _tree(kind, text, braces))


def _tree(kind: Kind, text: str, braces: bool) -> Any:
    if kind == "text":
        return environment().parse(prepare(text, braces=braces))
    return environment().parse_expression(prepare_expression(text))


def explain(error: Exception, text: str, scope: Mapping[str, Any]) -> TemplateError:
    """Turn whatever the engine raised into one sentence, with the place in the text."""
    from jinja2.exceptions import SecurityError, TemplateSyntaxError

    from octogram_tui.template import sandbox

    if isinstance(error, TemplateError):
        return error
    if isinstance(error, sandbox.Missing):
        return _missing(error, text, scope)
    if isinstance(error, TemplateSyntaxError):
        return TemplateError(syntax_message(error, text), hint=syntax_hint(error, text))
    shown = short(text)
    if isinstance(error, SecurityError):
        return TemplateError(f"{shown}: {str(error).rstrip('.')}", hint="templates may only use data and filters")
    if isinstance(error, (TooMuch, RecursionError, MemoryError)):
        return TemplateError(f"{shown}: {error}", hint="make the template smaller, or do this in a script")
    if isinstance(error, ZeroDivisionError):
        return TemplateError(f"{shown}: division by zero")
    operands = _OPERANDS.search(str(error))
    if isinstance(error, TypeError) and operands is not None:
        return _not_together(shown, *operands.groups(""))
    return TemplateError(f"{shown}: {str(error) or type(error).__name__}")


_OPERANDS = re.compile(
    r"^(?:'(?P<comparison>\S+)' not supported between instances of"
    r"|unsupported operand type\(s\) for (?P<operator>\S+):)"
    r" '(?P<left>\w+)' and '(?P<right>\w+)'"
)
_KINDS = {"str": "a text", "int": "a number", "float": "a number", "bool": "a boolean", "NoneType": "null",
          "list": "a list", "tuple": "a list", "dict": "a map"}  # fmt: skip


def _not_together(shown: str, comparison: str, operator: str, left: str, right: str) -> TemplateError:
    """Say which two kinds of values an operator was given."""
    kinds = [_KINDS.get(name, f"a {name}") for name in (left, right)]
    hint = "write `| int` or `| float` after the text" if {"a text", "a number"} == set(kinds) else ""
    return TemplateError(f"{shown}: `{comparison or operator}` cannot take {kinds[0]} and {kinds[1]}", hint=hint)


def short(text: str) -> str:
    """Give a template so that it fits into a sentence."""
    line = " ".join(text.split())
    return f"`{beginning(line, 61)}`"


def syntax_message(error: Any, text: str) -> str:
    """Say what the parser did not like."""
    lines = text.count("\n") + 1
    place = f" (line {error.lineno} of the text)" if lines > 1 and error.lineno else ""
    return f"{short(text)}: {str(error.message).rstrip('.')}{place}"


def syntax_hint(error: Any, text: str) -> str:
    """Guess what was meant by a template that does not parse."""
    message = str(error.message)
    if type(error).__name__ != "TemplateSyntaxError" or "not available" in message:
        return ""
    if re.search(r"\?[^?:}]*:", text):
        return "a choice is written `{{ a if condition else b }}`"
    if "=>" in text:
        return "functions cannot be written in templates; use filters such as `map` and `select`"
    if "comment" in message:
        return "`{#` begins a comment, which ends at `#}`; where it means something else write `{{ '{#' }}`"
    if "switch" in message or "'case'" in message:
        return "choices are written `{% if %}`, `{% elif %}`, `{% else %}`, `{% endif %}`"
    if "{{" in text or "{%" in text:
        return FOR_OTHERS
    return ""


FOR_OTHERS = "braces that are meant for another program go between `{% raw %}` and `{% endraw %}`"
"""What to do with `awk '{{ print }}'` and `docker ps --format '{{.Names}}'`."""

_WHERE = {
    "res": ("`res` is the result of a job and exists only in `vars_updates` and `until`", ""),
    "re": ("`re` exists only once a stage has chosen its agents: in jobs, not in `with_agents`", ""),
    "agent": ("`agent` is known in jobs only", ""),
    "port": ("`port` is known only where a process with `ports` is started", ""),
}

_ELSEWHERE = {
    "inventory_hostname": "agent.name",
    "ansible_host": "agent.address",
    "secrets": "vars",
    "matrix": "item",
    "result": "res",
}
"""What other tools call what is in a scope here."""


def _missing(error: Any, text: str, scope: Mapping[str, Any]) -> TemplateError:
    name = error.name
    if error.is_from_scope:
        return missing_name(str(name), scope)
    owner = error.owner
    if isinstance(owner, VisibleVariables):
        return missing_variable(str(name), owner.values_by_name)
    if isinstance(owner, dict):
        there = ", ".join(sorted(map(str, owner))[:8]) or "nothing"
        like = near(str(name), [str(k) for k in owner])
        guess = f"; did you mean `{like}`?" if like else f"; there is {there}"
        return TemplateError(f"{short(text)}: there is no `{name}`{guess}", name=str(name))
    if isinstance(owner, (list, tuple)):
        message = f"there is no element {name} in a list of {len(owner)}"
        hint = "elements are counted from 0" + ("; the last one is `… | last`" if str(name).startswith("-") else "")
        return TemplateError(f"{short(text)}: {message}", hint=hint, name=str(name))
    return TemplateError(f"{short(text)}: {kind_of(owner)} has no `{name}`", name=str(name))


def missing_name(name: str, scope: Mapping[str, Any], *, expression: bool = False) -> TemplateError:
    """Say that a name means nothing here, and which one may have been meant. expression: it stands in no braces."""
    if name in _WHERE:
        message, hint = _WHERE[name]
        return TemplateError(message, hint=hint, name=name)
    variables = scope.get("vars")
    if isinstance(variables, VisibleVariables) and name in variables:
        return TemplateError(f"no name `{name}` here; did you mean `vars.{name}`?", name=name)
    meant = _ELSEWHERE.get(name, "")
    like = meant if meant.partition(".")[0] in scope else near(name, [*scope, *environment().globals])
    guess = f"; did you mean `{like}`?" if like else ""
    known = ", ".join(sorted(scope))
    otherwise = "a text stands in quotes of its own: `vars.mode == 'full'`" if expression else FOR_OTHERS
    shown = beginning(name, 61)
    return TemplateError(f"no name `{shown}` here{guess}", hint=f"the names here are {known}; {otherwise}", name=name)
