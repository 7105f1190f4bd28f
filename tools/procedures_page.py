"""The pages docs/procedures.md and docs/procedures/FAMILY.md, made from the classes in octogram_agentd/procedures."""

from __future__ import annotations

import inspect
from typing import Any

from octogram_agentd.procedures import load_all
from octogram_agentd.procedures.base import REGISTRY, Field, Procedure

_WRITTEN = "<!-- Written by `make docs` from octogram_agentd/procedures: edit that. -->"

_OVERVIEW = f"""# Procedures

{_WRITTEN}

What a job can do. Texts are templates where nothing else is said; times are in seconds. A procedure with a *short form*
may be given that argument alone: `builtins.shell: make test`. The result is `res` in `vars_updates`, and what
`register` keeps. [language.md](language.md) explains the rest of a job.
"""

_FAMILIES = {
    "builtins": ("General procedures", "Files, programs, HTTP, waiting: what a scenario needs whatever it is about."),
    "tezos": (
        "Tezos: nodes, keys, operations, DAL",
        """\
These drive the programs of Octez, from v17 on. Each program is asked for its version once, and then called as that
release wants it; one that is newer than all that are known here is called as the newest.

A daemon's job ends when the daemon is ready, by what it prints or by its RPC server, whichever comes first; a daemon
that ends earlier fails the job with its own message. One that ends later takes its service down, and a job that needs
the service fails with the reason. Starting one again under its name stops the former one, and keeps its data, its name
and its ports. At the end of a run bakers are stopped before DAL and rollup nodes, and those before L1 nodes.

Amounts of arguments are in mutez. Wallets are directories for their owner alone (0700, files 0600).""",
    ),
    "smart_rollup": (
        "Smart rollups",
        """\
A rollup's node, and the installer of its kernel. `tezos.operations.originate_smart_rollup` and
`tezos.operations.add_messages` belong to them: [tezos.md](tezos.md).""",
    ),
}
"""The title of a family's page, and what stands above its procedures. `copy` is among the builtins."""

_WHERE = {"orchestrator": "Runs on the operator's machine.", "assertion": "Runs on no machine: the engine decides it."}


def pages() -> dict[str, str]:
    """Give the text of each page by its path."""
    load_all()
    shown = {name: cls for name, cls in REGISTRY.items() if _family(name) and _is_ours(cls)}
    texts = {"docs/procedures.md": _overview(shown)}
    for family, (title, introduction) in _FAMILIES.items():
        sections = [_section(shown[name]) for name in sorted(shown) if _family(name) == family]
        head = f"# {title}\n\n{_WRITTEN}\n\n{introduction}\n"
        texts[f"docs/procedures/{family}.md"] = "\n".join([head, *sections])
    return texts


def page(path: str) -> str:
    """Give the text of one page."""
    return pages()[path]


PATHS = ("docs/procedures.md", *(f"docs/procedures/{family}.md" for family in _FAMILIES))


def _family(name: str) -> str:
    """Give the family on whose page a procedure stands; empty for those that are not for scenarios."""
    first = name.split(".")[0]
    return "builtins" if first == "copy" else first if first in _FAMILIES else ""


def _overview(shown: dict[str, type[Procedure]]) -> str:
    parts = [_OVERVIEW]
    for family, (title, _) in _FAMILIES.items():
        parts += [f"## {title}", "", "| procedure | |", "| --- | --- |"]
        for name in sorted(name for name in shown if _family(name) == family):
            first, _, _ = (inspect.getdoc(shown[name]) or "").partition("\n\n")
            anchor = name.replace(".", "")
            parts.append(f"| [`{name}`](procedures/{family}.md#{anchor}) | {_cell(first)} |")
        parts.append("")
    return "\n".join(parts)


def _is_ours(cls: type[Procedure]) -> bool:
    return cls.__module__.startswith("octogram_agentd.")


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
    if cls.services:
        parts += ["", f"Announces: {', '.join(f'`{kind}`' for kind in cls.services)}."]
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
    if field.formerly:
        notes.append(f"Formerly {', '.join(f'`{name}`' for name in field.formerly)}, which is accepted with a warning.")
    return " ".join(notes)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
