"""What a run was asked for, kept beside its journal: whoever goes on with it has to build the same engine again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, field, replace
from pathlib import Path
from typing import Any

from octogram_tui import filing, records
from octogram_tui.dataclass import dataclass
from octogram_tui.engine.options import RunOptions
from octogram_tui.errors import JournalError, RunNotRestored
from octogram_tui.model.breakpoint import Breakpoint
from octogram_tui.model.selection import Selection

TERMS = "terms.json"


@dataclass(frozen=True, slots=True)
class Terms:
    """How a run was begun.

    digest         of the scenario that it began with
    argv           the words of its command line, and the directory that they were given in
    opens_console  whether it was begun by a console, whose defaults are others
    options        the engine's, exactly: the settings of the user may be others by now
    shown          of words and paths that have the value of a secret in them, what stands in their places for others
    """

    digest: str
    argv: tuple[str, ...]
    directory: str
    opens_console: bool
    options: RunOptions
    shown: Mapping[str, str] = field(default_factory=dict)

    def hidden(self, text: str) -> str:
        """Give a text as others may read it: whoever reads the run does not know the values of secrets."""
        for word in sorted(self.shown, key=len, reverse=True):
            text = text.replace(word, self.shown[word])
        return text


def keep(run_dir: Path, terms: Terms) -> None:
    """Keep them. Raises JournalError."""
    record = {
        "v": 1,
        "digest": terms.digest,
        "argv": list(terms.argv),
        "directory": terms.directory,
        "opens_console": terms.opens_console,
        "options": asdict(replace(terms.options, carried={})),  # they are kept by themselves: see carried.py,
        "shown": dict(terms.shown),
    }
    place = run_dir / TERMS
    try:
        filing.write_whole(place, json.dumps(record, indent=2, default=sorted).encode("ascii") + b"\n", mode=0o600)
    except OSError as error:
        raise JournalError(f"cannot write {place}: {error.strerror}") from error


def find(run_dir: Path) -> Terms:
    """Give them. Raises RunNotRestored when they were not kept, or cannot be read."""
    place = run_dir / TERMS
    try:
        record = records.load(place)
        return Terms(
            str(record["digest"]),
            tuple(map(str, record["argv"])),
            str(record["directory"]),
            bool(record["opens_console"]),
            _options(record["options"]),
            {str(word): str(shown) for word, shown in record.get("shown", {}).items()},
        )
    except FileNotFoundError:
        raise RunNotRestored(
            f"{place} is missing: how the run was begun was not kept with it",
            hint="runs of versions before this one did not keep it, and cannot be gone on with",
        ) from None
    except OSError as error:
        raise RunNotRestored(f"cannot read {place}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RunNotRestored(f"{place} is damaged: {type(error).__name__}: {error}") from error


def _options(record: Mapping[str, Any]) -> RunOptions:
    """Read the engine's options; what this version does not know is left out. Raises TypeError, KeyError."""
    selection = record["selection"]
    given = {name: value for name, value in record.items() if name in RunOptions.__slots__}
    given["selection"] = Selection(
        **{
            **selection,
            "only_stages": tuple(selection["only_stages"]),
            "tags": frozenset(selection["tags"]),
        }
    )
    given["breakpoints"] = tuple((Breakpoint(**point), str(by)) for point, by in record["breakpoints"])
    if given.get("trace") is not None:
        from octogram_tui.model.trace import Trace

        given["trace"] = Trace(**given["trace"])
    return RunOptions(**given)
