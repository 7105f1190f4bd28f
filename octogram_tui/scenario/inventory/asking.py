"""Runs a program that prints a list of agents: bounded in time and in what it prints, and never asked a question."""

from __future__ import annotations

import errno
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from octogram_tui.cuts import beginning
from octogram_tui.scenario.documents import refusal
from octogram_tui.scenario.forms import shown
from octogram_tui.scenario.tree import MAX_BYTES

ANSWER_S = 120.0
"""How long all that is asked of one inventory may take: one that asks a cloud needs some time."""
AFTER_EXIT_S = 2.0  # how long what somebody else still holds open is read when the program has ended
LOOK_S = 0.2
MAX_SAID_BYTES = 256 * 1024


_given_up = threading.Event()


def give_up() -> None:
    """End whatever is being asked by any thread, and ask nothing more in this process."""
    _given_up.set()


class Deadline:
    """A moment of this machine's clock by which an inventory has to have answered."""

    def __init__(self, seconds: float = ANSWER_S) -> None:
        self.seconds = seconds
        self._at = time.monotonic() + seconds

    @property
    def left_s(self) -> float:
        """How long it is until then."""
        return self._at - time.monotonic()


def ask(key: str, argv: Sequence[str], deadline: Deadline, env: Mapping[str, str] | None = None) -> tuple[bytes, str]:
    """Give what a program prints, and what it says beside that. Raises ScenarioError, with what it said last."""
    leaf = shown(os.path.basename(argv[0]))
    if _given_up.is_set():
        raise _late(key, leaf, deadline)
    with _ended_with_us() as end_with_us:
        process = _started(key, leaf, argv, env or {}, end_with_us)
        is_done = False
        try:
            printed, said = _read(key, leaf, process, deadline)
            is_done = True
        finally:
            if not is_done:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
            process.wait()
    text = said.decode("utf-8", "replace")
    if process.returncode:
        last = [line.strip() for line in text.splitlines() if line.strip()]
        how = f"ended with exit status {process.returncode}"
        if process.returncode < 0:
            how = f"was ended by signal {-process.returncode}"
        raise refusal(key, f"`{leaf}` {how}", shown_line(" ".join(last[-3:])))
    return printed, text


def _started(
    key: str, leaf: str, argv: Sequence[str], env: Mapping[str, str], before: Callable[[], None]
) -> subprocess.Popen[bytes]:
    """Start a program; `before` is called by its process when that has a group of its own, and is no program yet."""
    hint = "its first line names an interpreter: `#!/usr/bin/env python3`"
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **env},
            start_new_session=True,  # no terminal to ask on, and all that it starts can be ended with it
            preexec_fn=before,
        )
    except FileNotFoundError:
        if os.path.exists(argv[0]):
            raise refusal(key, f"`{leaf}` cannot be started: what its first line names is not there", hint) from None
        raise refusal(key, f"`{leaf}` is not installed on this machine", "") from None
    except OSError as error:
        why = error.strerror or str(error)
        raise refusal(key, f"`{leaf}` cannot be started: {why}", hint if error.errno == errno.ENOEXEC else "") from None


@contextmanager
def _ended_with_us() -> Iterator[Callable[[], None]]:
    """Give what a process has to call for its group to be killed when we end meanwhile, even by SIGKILL.

    It is the process itself that calls: between its start and a word of ours we could be killed, and it go on.
    """
    listening, told = os.pipe()  # the first is kept too: whoever has killed the guard kills nobody by SIGPIPE
    try:
        guard = subprocess.Popen(
            ["/bin/sh", "-c", 'read -r group && ! read -r _ && kill -9 "-$group"'],  # the pipe's end is our end
            stdin=listening,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield lambda: _tell(told)
        finally:
            guard.kill()
            guard.wait()
    finally:
        os.close(listening)
        os.close(told)


def _tell(pipe: int) -> None:
    os.write(pipe, b"%d\n" % os.getpid())


def shown_line(text: str) -> str:
    """Give what a program said, as a message shows it."""
    return beginning("".join(letter if letter.isprintable() else " " for letter in text), 300)


def _read(key: str, leaf: str, process: subprocess.Popen[bytes], deadline: Deadline) -> tuple[bytes, bytes]:
    """Read both streams to their ends, and wait for the program's."""
    assert process.stdout is not None
    assert process.stderr is not None
    printed, said = bytearray(), bytearray()
    ended_at = 0.0
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, printed)
        selector.register(process.stderr, selectors.EVENT_READ, said)
        while selector.get_map():
            if deadline.left_s <= 0 or _given_up.is_set():
                raise _late(key, leaf, deadline)
            for found, _ in selector.select(min(deadline.left_s, LOOK_S) if process.poll() is None else 0.05):
                data = os.read(found.fd, 65536)
                if not data:
                    selector.unregister(found.fileobj)
                found.data.extend(data)
                del said[:-MAX_SAID_BYTES]
            if len(printed) > MAX_BYTES:
                raise refusal(key, f"`{leaf}` prints more than {MAX_BYTES >> 20} MiB: that is no list of agents")
            if process.poll() is not None:
                ended_at = ended_at or time.monotonic()
                if time.monotonic() - ended_at > AFTER_EXIT_S:
                    break
    while process.poll() is None:  # it has closed its streams, and goes on
        if deadline.left_s <= 0 or _given_up.is_set():
            raise _late(key, leaf, deadline)
        with suppress(subprocess.TimeoutExpired):
            process.wait(min(max(deadline.left_s, 0.0), LOOK_S))
    return bytes(printed), bytes(said)


def _late(key: str, leaf: str, deadline: Deadline) -> Exception:
    if _given_up.is_set():
        return refusal(key, f"`{leaf}` is not asked any more: the run is over")
    hint = "run it by hand, or give the file that it prints"
    return refusal(key, f"`{leaf}` has not answered within {deadline.seconds:.0f} s, and was ended", hint)
