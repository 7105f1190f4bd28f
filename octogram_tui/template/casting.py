"""What `as` of `vars_updates` makes of a text."""

from __future__ import annotations

import json
from typing import Any

from octogram_tui.cuts import quoted
from octogram_tui.errors import TemplateError
from octogram_tui.template.numbers import integer


def cast_text(text: str, kind: str, name: str) -> Any:
    """Give a text as what `as` says; kinds that keep texts keep it. Raises TemplateError, naming the variable."""
    shown = quoted(text, 80)
    if kind == "json":
        try:
            return json.loads(text)
        except ValueError as error:
            raise TemplateError(f"`{name}`: {shown} is not JSON: {error}") from None
    if kind == "int":
        try:
            return integer(text.strip())
        except ValueError:
            raise TemplateError(f"`{name}`: {shown} is not an integer") from None
    if kind == "bool":
        if text not in ("true", "false"):
            hint = "`as: bool` reads `true` and `false`; the filter `bool` reads `yes`, `1` and the like, too"
            raise TemplateError(f"`{name}`: {shown} is neither true nor false", hint=hint)
        return text == "true"
    return text
