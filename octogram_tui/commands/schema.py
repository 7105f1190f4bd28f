"""`octogram-tui schema`: the JSON Schema of the language, for editors."""

from __future__ import annotations

import json
from collections.abc import Sequence

from octogram_tui.commands.options import CommandParser, parse


def main(argv: Sequence[str]) -> int:
    """Print the schema."""
    parser = CommandParser(
        "schema", "Print the JSON Schema of the language, made from the same declarations as its checks."
    )
    parse(parser, argv)
    from octogram_tui.scenario.schema import json_schema

    print(json.dumps(json_schema(), indent=2))
    return 0
