"""What a field makes of a value: of one that is written in the scenario, and of one that a template gave.

A value that a template gave is as if it were written in its place, except that no text in it is a template again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from octogram_agentd.procedures.base import Field
from octogram_tui.errors import TemplateError
from octogram_tui.scenario.findings import kind_of, suggestion
from octogram_tui.scenario.forms import Flaw, flaw_of, words
from octogram_tui.scenario.limits import WANTED, coerce, refuse
from octogram_tui.scenario.uris import uri_problem
from octogram_tui.template.text import text_of

Resolve = Callable[[str, str], dict[str, str]]


class Expand(Protocol):
    """How a template is expanded: to a text, or to a value."""

    def __call__(self, text: str, scope: Mapping[str, Any], *, braces: bool) -> Any:
        """Give what a template becomes. Raises TemplateError."""
        ...


ANY_TEXT: Field[Any] = Field("str")
EMPTY_LIST = ("is an empty list", "name at least one, or leave the key out")
"""What is wrong where one or several are due: none of them would be asked, and all be well or nothing."""
_SCALARS = ("int", "float", "bool")


class Resolved(dict[str, str]):
    """A URI as it was resolved before."""

    __slots__ = ()


def expanded(expand: Expand, text: str, path: str, scope: Mapping[str, Any], braces: bool) -> Any:
    """Expand a template, and say in any complaint which field it is of."""
    try:
        return expand(text, scope, braces=braces)
    except TemplateError as error:
        raise TemplateError(f"`{path}`: {error.message}", hint=error.hint, name=error.name) from error


def fit(field: Field[Any], value: Any, path: str, resolve: Resolve) -> Any:
    """Give a value that a template gave as its field wants it. Raises TemplateError: what it takes, and what it got."""
    kind = field.kind
    if kind == "any":
        return value
    if kind in _SCALARS:
        if value is None or isinstance(value, (list, dict)):
            raise _wrong(path, WANTED[kind], value)
        try:
            return coerce(field, value.strip() if isinstance(value, str) else value)
        except ValueError as error:
            raise TemplateError(f"`{path}` {error}") from None
    if kind == "str":
        if field.uri and isinstance(value, Resolved):
            return dict(value)
        if not isinstance(value, (str, bool, int, float)):
            raise _wrong(path, "a text", value)
        return finished_text(field, text_of(value), path, resolve)
    if kind.endswith("_or_list"):
        single = single_of(field, kind)
        if not isinstance(value, list):
            return fit(single, value, path, resolve)
        fitted = _fit_all(field.of or single, value, path, resolve)
        if field.form == "command":
            refuse_flaw(words(fitted), path)
        elif not fitted:
            raise TemplateError(f"`{path}` {EMPTY_LIST[0]}", hint=EMPTY_LIST[1])
        return fitted
    if kind in ("list", "tuple"):
        if not isinstance(value, list):
            raise _wrong(path, "a list", value)
        if kind == "list":
            return _fit_all(field.of or ANY_TEXT, value, path, resolve)
        if len(value) != len(field.of):
            raise TemplateError(f"`{path}` takes {len(field.of)} elements, not {len(value)}")
        return [
            fit(of, element, f"{path}[{i}]", resolve)
            for i, (of, element) in enumerate(zip(field.of, value, strict=True))
        ]
    if not isinstance(value, dict):
        raise _wrong(path, "a map", value)
    if kind == "map":
        of = field.of or ANY_TEXT
        for name in value if field.form else ():
            refuse_flaw(flaw_of(field.form, name), path)
        return {name: fit(of, element, f"{path}.{name}", resolve) for name, element in value.items()}
    return _fit_record(field, value, path, resolve)


def _fit_all(of: Field[Any], values: list[Any], path: str, resolve: Resolve) -> list[Any]:
    return [fit(of, element, f"{path}[{i}]", resolve) for i, element in enumerate(values)]


def _fit_record(field: Field[Any], value: dict[str, Any], path: str, resolve: Resolve) -> dict[str, Any]:
    now = {former: name for name, member in field.fields.items() for former in member.formerly}
    value = {now.get(name, name): element for name, element in value.items()}
    for name in value:
        if name not in field.fields:
            known = ", ".join(field.fields)
            raise TemplateError(
                f"unknown key `{path}.{name}`{suggestion(name, field.fields)}", hint=f"the keys are {known}"
            )
    given = [name for name in field.exactly_one if name in value]
    if field.exactly_one and len(given) != 1:
        raise TemplateError(f"`{path}` takes exactly one of {', '.join(f'`{name}`' for name in field.exactly_one)}")
    result: dict[str, Any] = {}
    for name, member in field.fields.items():
        if name in value:
            result[name] = fit(member, value[name], f"{path}.{name}", resolve)
        elif member.required:
            raise TemplateError(f"`{path}.{name}` is missing", hint=member.doc)
        elif member.default is not None:
            result[name] = fit(member, member.default, f"{path}.{name}", resolve)
    return result


def _wrong(path: str, wanted: str, value: Any) -> TemplateError:
    return TemplateError(f"`{path}` takes {wanted}, not {kind_of(value)}")


def refuse_flaw(flaw: Flaw | None, path: str) -> None:
    """Raise TemplateError for what a text cannot stand for."""
    if flaw is not None:
        raise TemplateError(f"`{path}` {flaw.what}", hint=flaw.instead)


def finished_text(field: Field[Any], text: str, path: str, resolve: Resolve) -> Any:
    """Give an expanded text, or what it names when it is a URI. Raises TemplateError for what the field refuses."""
    refusal = refuse(field, text)
    if refusal is not None:
        raise TemplateError(f"`{path}` {refusal}")
    refuse_flaw(flaw_of(field.form, text), path)
    if not field.uri:
        return text
    problem = uri_problem(text, field.uri)
    if problem is not None:
        raise TemplateError(f"`{path}`: {problem[0]}", hint=problem[1])
    return resolve(field.uri, text)


@functools.lru_cache(4096)
def single_of(field: Field[Any], kind: str) -> Field[Any]:
    """Give the field of the one value of `str_or_list` and its like."""
    return Field(
        kind.removesuffix("_or_list"),
        field.doc,
        template=field.template,
        uri=field.uri,
        choices=field.choices,
        pattern=field.pattern,
        is_pattern=field.is_pattern,
        form=field.form,
        above=field.above,
        minimum=field.minimum,
        maximum=field.maximum,
        max_bytes=field.max_bytes,
    )


@functools.lru_cache(4096)
def is_constant(field: Field[Any]) -> bool:
    """Tell whether a field's default is the same for every job."""
    return not field.uri and "{" not in str(field.default) and field.of is None and not field.fields
