"""The page docs/procedures.md, made from the classes in agentd/procedures."""

from __future__ import annotations

import inspect
from typing import Any

from agentd.procedures import load_all
from agentd.procedures.base import REGISTRY, Field, Procedure

_INTRODUCTION = """# Procedures

<!-- Written by `make docs` from agentd/procedures: edit that. -->

What a job can do. Texts are templates where nothing else is said; times are in seconds. A procedure with a *short form*
may be given that argument alone: `builtins.shell: make test`. The result is `res` in `vars_updates`, and what
`register` keeps. [language.md](language.md) explains the rest of a job.
"""

_WHERE = {"orchestrator": "Runs on the operator's machine.", "engine": "Runs on no machine: the engine decides it."}


def page() -> str:
    """Give the text of the page."""
    load_all()
    shown = {name: cls for name, cls in REGISTRY.items() if not name.startswith("internals.") and _is_ours(cls)}
    names = sorted(shown, key=lambda name: (not name.startswith("builtins."), name))
    return "\n".join([_INTRODUCTION, *(_section(shown[name]) for name in names)])


def _is_ours(cls: type[Procedure]) -> bool:
    return cls.__module__.startswith("agentd.")


def _section(cls: type[Procedure]) -> str:
    parts = [f"## `{cls.procedure}`", "", inspect.getdoc(cls) or ""]
    if cls.where in _WHERE:
        parts += ["", _WHERE[cls.where]]
    notes = []
    if cls.short:
        notes.append(f"Short form: `{cls.short}`.")
    if cls.exactly_one:
        notes.append(f"Exactly one of {', '.join(f'`{name}`' for name in cls.exactly_one)}.")
    if notes:
        parts += ["", " ".join(notes)]
    if cls.fields:
        parts += ["", "| argument | type | default | meaning |", "| --- | --- | --- | --- |"]
        for name, field in cls.fields.items():
            parts += _rows(name, field)
    if cls.result:
        parts += ["", "| result | |", "| --- | --- |"]
        parts += [f"| `{name}` | {_cell(text)} |" for name, text in cls.result.items()]
    return "\n".join([*parts, ""])


def _rows(path: str, field: Field[Any]) -> list[str]:
    """Give a field's line of the table, and those of what it is made of."""
    rows = [f"| `{path}` | {_type(field)} | {_default(field)} | {_cell(_meaning(field))} |"]
    for name, member in field.fields.items():
        rows += _rows(f"{path}.{name}", member)
    if isinstance(field.of, Field) and field.of.fields:
        for name, member in field.of.fields.items():
            rows += _rows(f"{path}[].{name}", member)
    return rows


def _type(field: Field[Any]) -> str:
    if field.uri:
        return f"URI of a {field.uri.replace('_', ' ')}"
    kind = str(field.kind).replace("_or_list", " or list").replace("str", "text")
    if isinstance(field.of, Field) and field.kind in ("list", "map"):
        return f"{kind} of {_type(field.of)}"
    return kind


def _default(field: Field[Any]) -> str:
    if field.required:
        return "required"
    if field.default is None:
        return ""
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def _meaning(field: Field[Any]) -> str:
    notes = [field.doc] if field.doc else []
    if field.choices:
        notes.append(f"One of {', '.join(f'`{choice}`' for choice in field.choices)}.")
    if field.exactly_one:
        notes.append(f"Exactly one of {', '.join(f'`{name}`' for name in field.exactly_one)}.")
    if not field.template:
        notes.append("Not a template.")
    return " ".join(notes)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
