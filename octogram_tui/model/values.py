"""What the language speaks of: values as JSON has them. Variables, items, arguments and results are made of these."""

from __future__ import annotations

from typing import TypeAlias

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
