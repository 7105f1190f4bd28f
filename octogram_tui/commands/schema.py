"""`octogram-tui schema`: the JSON Schema of the language, for editors; and of what `--json` prints, for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from octogram_tui.commands.options import CommandParser, parse
from octogram_tui.errors import JournalError

FILE = "octogram-tui.schema.json"
"""What it is called beside scenarios, whose first line names it: editors need no network, and no settings."""


def main(argv: Sequence[str]) -> int:
    """Print the schema, or write it into a file."""
    parser = CommandParser(
        "schema", "Print the JSON Schema of the language, made from the same declarations as its checks."
    )
    parser.add_argument(
        "of",
        metavar="OF",
        nargs="?",
        choices=("language", "run-report", "run-export"),
        default="language",
        help="`language`, `run-report` for the document that a run with --json prints, or `run-export` for that of "
        "`export --json`, which begins with the same members",
    )
    parser.add_argument(
        "--write",
        metavar="FILE",
        nargs="?",
        const=FILE,
        help=f"write that of the language into a file, {FILE} without a name, which scenarios there name in their "
        "first line",
    )
    args = parse(parser, argv)
    if args.of != "language":
        if args.write is not None:
            parser.error("--write is for the schema of the language: redirect what is printed")
        if args.of == "run-report":
            from octogram_tui.report.document_schema import json_schema
        else:
            from octogram_tui.export.document_schema import json_schema
        print(json.dumps(json_schema(), indent=2))
        return 0
    if args.write is None:
        print(schema_text(), end="")
        return 0
    write_schema(Path(args.write))
    print(f"wrote {args.write}; editors find it by this line of a scenario beside it: {modeline(args.write)}")
    return 0


def modeline(file: str = FILE) -> str:
    """Give the line by which editors find the schema of a scenario that is in the same directory."""
    return f"# yaml-language-server: $schema={Path(file).name}"


def schema_text() -> str:
    """Give the schema as a file has it."""
    from octogram_tui.scenario.schema import json_schema

    return json.dumps(json_schema(), indent=2) + "\n"


def write_schema(path: Path) -> None:
    """Write the schema, over an older one. Raises JournalError."""
    from octogram_tui.filing import write_whole

    try:
        write_whole(path, schema_text().encode())
    except OSError as error:
        raise JournalError(f"cannot write {path}: {error.strerror}") from error
