"""Where a fetch is kept that is meant for a device or a pipe, until all of it is here."""

from __future__ import annotations

import os
import shutil
import tempfile

from octogram_agentd.parcels.parcel import failure, show
from octogram_agentd.procedures.base import ProcedureFailed
from octogram_tui import filing

_READ_AHEAD_BYTES = 1 << 20


class Aside:
    """A directory of ours for what is meant for a device or a pipe: a rename would put a file in their place."""

    def __init__(self, target: bytes) -> None:
        self._target = target
        self.directory = os.fsencode(tempfile.mkdtemp(prefix="octogram-tui-"))

    @classmethod
    def when_needed(cls, directory: bytes, name: bytes) -> Aside | None:
        """Make one when the destination is there and is neither a file nor a directory. Raises ProcedureFailed."""
        target = os.path.join(directory, name)
        if os.path.isdir(target) or filing.is_file(os.fsdecode(target)):
            return None
        try:
            filing.check_writable(os.fsdecode(target))
            return cls(target)
        except OSError as error:
            raise failure("write", target, error) from None

    def pass_on(self) -> None:
        """Write what arrived to where it was meant for. Raises ProcedureFailed."""
        arrived = os.path.join(self.directory, os.path.basename(self._target))
        if os.path.isdir(arrived):
            message = f"{show(self._target)} is no directory here, and a directory is to be fetched"
            raise ProcedureFailed(message, kind="not_directory")
        try:
            with open(arrived, "rb") as file:
                filing.write_into(os.fsdecode(self._target), iter(lambda: file.read(_READ_AHEAD_BYTES), b""))
        except OSError as error:
            raise failure("write", self._target, error) from None

    def remove(self) -> None:
        """Remove what is left of it."""
        shutil.rmtree(self.directory, ignore_errors=True)
