"""One page: a process with the console in it, whose screen goes to the browser and whose keys come from there."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from textual_serve.app_service import AppService

from octogram_tui.projection.text import safe

GRACE_S = 3.0
"""A console that was asked to end is given so long, then it is killed."""


LAST_WORDS_BYTES = 10_000


class Session(AppService):
    """The library's session, started without a shell and sure to end."""

    def __init__(self, argv: Sequence[str], **options: Any) -> None:
        super().__init__(" ".join(argv), **options)
        self._argv = argv
        self._errors: asyncio.StreamReader | None = None
        self._stopping: asyncio.Task[None] | None = None

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        """What is drawn on is the browser, whatever terminal we were started in."""
        environment = super()._build_environment(width, height)
        environment.update(TERM="xterm-256color", PYTHONUTF8="1", PYTHONUNBUFFERED="1")
        environment.pop("PYTHONIOENCODING", None)
        return environment

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        # A session of its own: Ctrl-C in our terminal is for us, and we end our consoles in order.
        self._process = process = await asyncio.create_subprocess_exec(
            *self._argv,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=self._build_environment(width, height),
            start_new_session=True,
        )
        self._stdin = process.stdin
        # The library would print them, and only those that it read in time.
        self._errors, process.stderr = process.stderr, asyncio.StreamReader()
        process.stderr.feed_eof()
        return process

    async def run(self) -> None:
        """Carry what is drawn to the browser; when the console is left, so is the page."""
        with suppress(asyncio.CancelledError):  # which the library lets out when the console ended too early for it
            await super().run()
        await self._tell_last_words()
        with suppress(Exception):  # the browser may be gone
            await self.remote_close()

    async def _tell_last_words(self) -> None:
        """Pass on why a console ended, if it said so."""
        assert self._errors is not None
        with suppress(TimeoutError):
            rest = await asyncio.wait_for(self._errors.read(LAST_WORDS_BYTES), GRACE_S)
            for line in rest.decode(errors="replace").splitlines():
                print(safe(line), file=sys.stderr)

    async def stop(self) -> None:
        """Ask the console to end, and see that it does. May be called more than once."""
        if self._process is None:
            return
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop(self._process))
        await asyncio.shield(self._stopping)

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is left."""
        return self._process is None or (self._stopping is not None and self._stopping.done())

    async def _stop(self, process: Process) -> None:
        asking = asyncio.create_task(self.send_meta({"type": "quit"}))
        ended = asyncio.create_task(process.wait())
        # Waited for, and not cancelled: the library's task takes a cancellation for an end like any other.
        await asyncio.wait({ended}, timeout=GRACE_S)
        if not ended.done():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await ended
        asking.cancel()
        await self._download_manager.cancel_app_downloads(app_service_id=self.app_service_id)
        if self._task is not None:
            await asyncio.wait({self._task})
