"""What an export has to remember of each attempt, in a file without a name: its memory must not grow with the run."""

from __future__ import annotations

import json
import marshal
import tempfile
import weakref
from typing import Any, NamedTuple

from octogram_tui.errors import JournalError


class Place(NamedTuple):
    """Where something is kept."""

    begin: int
    size: int


class Store:
    """Values of JSON, by where they are. Raises JournalError when there is no room for them."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="octogram-export-")  # noqa: SIM115 - it lives as long as we do
        self._end = 0
        self._closing = weakref.finalize(self, self._file.close)

    def put(self, value: Any) -> Place:
        """Keep a value."""
        data = _packed(value)
        try:
            self._file.seek(self._end)
            self._file.write(data)
        except OSError as error:
            raise no_room(error) from error
        place = Place(self._end, len(data))
        self._end += len(data)
        return place

    def get(self, place: Place) -> Any:
        """Give it back."""
        try:
            self._file.seek(place.begin)
            data = self._file.read(place.size)
        except OSError as error:
            raise no_room(error) from error
        return marshal.loads(data[1:]) if data[:1] == _PACKED else json.loads(data[1:])

    def close(self) -> None:
        """Let all of it go."""
        self._closing()


_PACKED, _DEEP = b"m", b"j"


def _packed(value: Any) -> bytes:
    try:
        return _PACKED + marshal.dumps(value)
    except ValueError:  # it is too deep, or no value of JSON
        return _DEEP + json.dumps(value, default=str).encode("ascii")


def no_room(error: OSError) -> JournalError:
    """Say that the temporary file is in trouble."""
    place = tempfile.gettempdir()
    return JournalError(
        f"cannot keep the run's attempts in {place} while it is exported: {error.strerror}",
        hint="free some space there, or name another directory with TMPDIR",
    )
