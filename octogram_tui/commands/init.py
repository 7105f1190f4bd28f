"""`octogram-tui init`: a scenario to start from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from octogram_tui.commands.options import CommandParser, parse
from octogram_tui.commands.schema import FILE, modeline, write_schema
from octogram_tui.errors import JournalError, UsageError

TEMPLATE = """\
# A scenario of octogram-tui: run it with `octogram-tui {name}`, check it with `octogram-tui check {name}`.

agents:
  # On this machine. For another one: give `address` (and user, port, identity where ~/.ssh/config does not),
  # and leave `transport` out.
  - name: 'worker_{{1..2}}'
    transport: local

vars:
  greeting: hello

stages:
  - name: greet
    with_agents: ^worker_(\\d+)$
    jobs:
      - name: say it
        builtins.command: [echo, '{{{{ vars.greeting }}}} from {{{{ agent.name }}}}, number {{{{ re[1] }}}}']
        vars_updates:
          'said_{{{{ re[1] }}}}': '{{{{ res.stdout }}}}'

  - name: look back
    with_agents: ^worker_1$
    jobs:
      - name: both have spoken
        builtins.assert:
          that: vars.said_1 != vars.said_2

  # Runs even when something failed before: the place to collect and to clean up.
  - name: collect
    always: true
    jobs:
      - name: count the files at home
        builtins.shell: ls -A | wc -l
"""


def main(argv: Sequence[str]) -> int:
    """Write the file; an existing one is left alone."""
    parser = CommandParser("init", f"Write a new scenario to start from, and {FILE} beside it for editors.")
    parser.add_argument("file", metavar="FILE", nargs="?", default="scenario.yml")
    parser.add_argument("--no-schema", action="store_true", help=f"write no {FILE}, and no line that names it")
    args = parse(parser, argv)
    if args.file == "-":
        print(TEMPLATE.format(name="-"), end="")
        return 0
    path = Path(args.file)
    if path.suffix not in (".yml", ".yaml"):
        raise UsageError(f"{path} does not end in .yml or .yaml")
    schema = path.parent / FILE
    try:
        with path.open("x") as file:
            file.write(("" if args.no_schema else modeline() + "\n") + TEMPLATE.format(name=path))
    except FileExistsError:
        hint = "give another name: octogram-tui init FILE"
        raise UsageError(f"{path} exists and is left as it is", hint=hint) from None
    except OSError as error:
        raise JournalError(f"cannot write {path}: {error.strerror}") from error
    if not args.no_schema:
        write_schema(schema)
    beside = "" if args.no_schema else f", and {schema} for editors"
    print(f"wrote {path}{beside}; run it with: octogram-tui {path}")
    return 0
