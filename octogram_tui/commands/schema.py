"""`octogram-tui schema`: the JSON Schema of the language, for editors; and of what `--json` prints, for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from octogram_tui.commands.options import CommandParser, parse


def main(argv: Sequence[str]) -> int:
    """Print the schema."""
    parser = CommandParser(
        "schema", "Print the JSON Schema of the language, made from the same declarations as its checks."
    )
    parser.add_argument(
        "of",
        metavar="OF",
        nargs="?",
        choices=("language", "run-report"),
        default="language",
        help="`language`, or `run-report` for the document that a run with --json prints",
    )
    if parse(parser, argv).of == "run-report":
        from octogram_tui.report import document_schema

        print(json.dumps(document_schema.json_schema(), indent=2))
        return 0
    from octogram_tui.scenario.schema import json_schema

    print(json.dumps(json_schema(), indent=2))
    return 0
