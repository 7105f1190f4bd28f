"""`octogram-tui config`: what each setting is and who says so, and where the files of settings are."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from octogram_tui.commands.options import CommandParser, parse
from octogram_tui.projection.text import safe
from octogram_tui.scenario.report import json_text
from octogram_tui.settings import PROJECT_FILE, TABLE, Surroundings, look

EPILOG = "What a run is given on its command line goes before all of these, for that run."


def make_parser() -> CommandParser:
    """Describe the command line."""
    parser = CommandParser("config", "Show the settings, and where they come from.", epilog=EPILOG)
    parser.add_argument("what", metavar="show|path", choices=("show", "path"), help="the settings, or their files")
    parser.add_argument("--origin", action="store_true", help="of each setting who says so: file and line, or variable")
    parser.add_argument("--json", action="store_true", help="as one JSON document")
    return parser


def main(argv: Sequence[str]) -> int:
    """Print them. Raises SettingsError for a file or a variable that is wrong."""
    args = parse(make_parser(), argv)
    surroundings = look()
    _warn_of_variables()
    if args.what == "path":
        _show_paths(surroundings, as_json=args.json)
    elif args.json:
        print(json_text({key: found._asdict() for key, found in surroundings.found.items()}, indent=2))
    else:
        _show(surroundings, with_origin=args.origin)
    return 0


def _warn_of_variables() -> None:
    """Say on standard error which variables look like one of ours, and are none: a run passes over them in silence."""
    ours = [setting.variable for setting in TABLE]
    for name in sorted(name for name in os.environ if name.startswith("OCTOGRAM_") and name not in ours):
        close = get_close_matches(name, ours, 1, 0.8)
        if close:
            print(f"octogram-tui: {safe(name)} sets nothing; did you mean {close[0]}?", file=sys.stderr)


def _show(surroundings: Surroundings, *, with_origin: bool) -> None:
    lines = [(f"{s.key} = {_written(surroundings.found[s.key].value)}", surroundings.found[s.key]) for s in TABLE]
    width = max(len(line) for line, _ in lines)
    for line, found in lines:
        origin = f"{found.origin} ({found.where})" if found.where else found.origin
        print(safe(f"{line:{width}}  # {origin}" if with_origin else line))


def _show_paths(surroundings: Surroundings, *, as_json: bool) -> None:
    user, project = surroundings.user, surroundings.project
    if as_json:
        record = {
            "user": str(user),
            "exists": user.exists(),
            "project": None if project is None else str(project),
            "strange": None if surroundings.strange is None else str(surroundings.strange),
        }
        print(json_text(record, indent=2))
        return
    print(safe(f"user: {user}{'' if user.exists() else ' (not there)'}"))
    if surroundings.strange is not None:
        print(safe(f"project: {surroundings.strange} (not taken: it belongs to another user)"))
        return
    print(safe(f"project: {project or f'no {PROJECT_FILE} here, nor above in the repository'}"))


def _written(value: Any) -> str:
    """Write a value as the files of settings do."""
    return json.dumps(value, ensure_ascii=False)
