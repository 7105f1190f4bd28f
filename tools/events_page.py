"""The page docs/events.md, made from engine/events.py."""

from __future__ import annotations

import inspect
import re
from dataclasses import MISSING, Field, fields
from typing import Any

from octogram_tui.engine import events
from octogram_tui.journal import codec

_INTRODUCTION = """# Events

<!-- Written by `make docs` from octogram_tui/engine/events.py: edit that. -->

A run is a list of events. `octogram-tui SCENARIO --events FILE` writes them to a file, `--events -` to the standard
output, as they come: one JSON object a line ([JSON Lines](https://jsonlines.org)), ASCII only, never cut. The journal
of every run holds the same lines after one line of its own, and what the console shows is folded from them. There each
line ends with one field more, `crc`: the CRC-32 of everything in the file before that field, in hexadecimal. And there
lines of type `input` stand between them, with what the run was fed: another process builds the run again of these. They
are no events, and of their fields nothing is promised.

```sh
octogram-tui --headless --events - sample_scenarios/quickstart.yml 2>/dev/null \\
  | jq -r 'select(.type == "job_finished") | "\\(.agent) \\(.job) \\(.state)"'
```

Version of the format: **{version}**. It stands as `v` in the first event (`run_started`); the first line of a journal
has one of its own, **{journal}**. Within a version, types and fields may be added, and what is there keeps its meaning:
ignore what you do not know. This program refuses a journal of a newer version than its own.

Every event has

| field | type | meaning |
| --- | --- | --- |
| `seq` | int | counts up from 1 |
| `at_s` | float | seconds since the run's start, by a clock that never goes back |
| `type` | str | one of the names below |
| `cause` | str | what made it happen, where that is known |

Fields that are empty (null, false, 0, "", [] or {{}}) are left out when that is their default, but for those marked
*always* and the first three above. Events about a job name `stage`, `job`, `agent`, the `item` where there is one, the
`attempt` (from 1), and the `key` that names the instance: `stage/job@agent[item]`. A second stage or job of the same
name is called `name~2`. In a key a backslash stands before `/` in a stage, `@` in a job, `]` in an item, and before
itself; a character that cannot be shown is written `\\u{{a}}`. So a key is one line, and tells its parts exactly.

In the place of a secret stands a mask, `(secret NAME)`: [secrets.md](secrets.md).
"""


def page() -> str:
    """Give the text of the page."""
    parts = [_INTRODUCTION.format(version=codec.FORMAT_VERSION, journal=codec.JOURNAL_VERSION)]
    in_order = [cls for cls in vars(events).values() if isinstance(cls, type) and issubclass(cls, events.Event)]
    parts += [_section(cls) for cls in in_order if cls.TYPE]
    return "\n".join(parts)


def _section(cls: type[events.Event]) -> str:
    lines = inspect.getdoc(cls) or ""
    rows = [row for f in fields(cls) if f.name not in ("seq", "at_s", "cause") for row in _rows(cls, f)]
    table = ["", "| field | type | |", "| --- | --- | --- |", *rows] if rows else []
    return "\n".join([f"## `{cls.TYPE}`", "", lines, *table, ""])


def _rows(cls: type[events.Event], field: Field[Any]) -> list[str]:
    """Give the lines of a field: the name of an instance is spread out, a failure is called `error`."""
    if field.name == "instance":
        names = [n for n in ("stage", "job", "agent", "key") if n not in {f.name for f in fields(cls)}]
        return [f"| `{name}` | str | {_presence(field)} |" for name in names]
    if field.name == "failure":
        return ["| `error` | dict[str, any JSON value] \\| null | |"]
    return [f"| `{field.name}` | {_type(field)} | {_presence(field)} |"]


def _type(field: Field[Any]) -> str:
    text = field.type if isinstance(field.type, str) else field.type.__name__
    text = re.sub(r"\w+Entry\b", "dict[str, Value]", text)  # its docstring says which members
    text = re.sub(r"\bValue\b", "any JSON value", text).replace("None", "null")
    return text.replace("|", "\\|")


def _presence(field: Field[Any]) -> str:
    if field.default is MISSING and field.default_factory is MISSING:
        return "always"
    if field.name in codec.ALWAYS:
        return "always"
    if field.default is MISSING or not field.default:
        return ""
    default = str(field.default).lower() if isinstance(field.default, bool) else field.default
    return f"always; `{default}` by default"
