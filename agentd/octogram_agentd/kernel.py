"""A small kernel for coroutines: tasks, timers, file descriptors, exits of children. `await` here never means asyncio.

One thread runs everything; blocking calls (HTTP, names) run in threads of their own and come back by a wake-up
byte. Imports only what the greeting can afford: no `selectors`, `signal` or `threading`, whose start alone costs as
much as the rest of the daemon.
"""

from __future__ import annotations

import _thread
import os
import select
import sys
import time
from _heapq import heapify, heappop, heappush  # without the same once more in Python

from octogram_agentd import signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Coroutine, Dict, Generator, List, Optional, Tuple

READ = select.EPOLLIN
WRITE = select.EPOLLOUT
MOST_AT_ONCE = 64  # descriptors that are ready; room for more is asked for at each turn, and seldom needed


class Cancelled(BaseException):
    """Thrown into a task that is to end; never caught for good by a procedure."""


class TimeExpired(Cancelled):
    """Thrown into a task whose time is over."""


class Future:
    """A value that is not there yet."""

    __slots__ = ("_callbacks", "_error", "_value", "is_done", "kernel")

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.is_done = False
        self._value: Any = None
        self._error: Optional[BaseException] = None
        self._callbacks: List[Callable[[Future], None]] = []

    def set(self, value: Any = None) -> None:
        """Give the value; only the first call counts."""
        if not self.is_done:
            self._value = value
            self.is_done = True
            if self._callbacks:
                self._call_back()

    def fail(self, error: BaseException) -> None:
        """Give an error instead of a value; only the first call counts."""
        if not self.is_done:
            self._error = error
            self.is_done = True
            self._call_back()

    def result(self) -> Any:
        """Give the value, or raise the error."""
        if self._error is not None:
            raise self._error
        return self._value

    @property
    def error(self) -> Optional[BaseException]:
        """What it failed with."""
        return self._error

    def then(self, callback: Callable[[Future], None]) -> None:
        """Call back, in a later turn, once it is done."""
        if self.is_done:
            self.kernel.soon(callback, self)
        else:
            self._callbacks.append(callback)

    def forget(self, callback: Callable[[Future], None]) -> None:
        """Take a callback back."""
        if callback in self._callbacks:
            self._callbacks.remove(callback)

    def _call_back(self) -> None:
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            self.kernel.soon(callback, self)

    def __await__(self) -> Generator[Future, None, Any]:
        if not self.is_done:
            yield self
        if self._error is not None:
            raise self._error
        return self._value


class Task(Future):
    """A coroutine that runs; as a Future, what it returns."""

    __slots__ = ("_coroutine", "_has_begun", "_pending", "_waiting", "name")

    def __init__(self, kernel: Kernel, coroutine: Coroutine[Any, Any, Any], name: str) -> None:
        super().__init__(kernel)
        self.name = name
        self._coroutine = coroutine
        self._has_begun = False
        self._waiting: Optional[Future] = None
        self._pending: Optional[BaseException] = None
        kernel.tasks.add(self)
        kernel.soon(self._step)

    def cancel(self, error: Optional[BaseException] = None) -> None:
        """Throw Cancelled (or the given one) into it where it waits. Its `finally` blocks may wait again.

        One that has not begun does begin, so that none ends without a word: it is cancelled where it first waits.
        """
        if self.is_done:
            return
        self._pending = error or Cancelled()
        if self._waiting is not None:
            self._waiting.forget(self._wake)
            self._waiting = None
            self.kernel.soon(self._step)

    def _wake(self, _future: Future) -> None:
        if self._waiting is not None:
            self._waiting = None
            self._step()

    def _step(self) -> None:
        error = None
        if self._has_begun:  # it is let into its first `try` before anything is thrown into it
            error, self._pending = self._pending, None
        self._has_begun = True
        self.kernel.steps += 1
        self.kernel.stepping = self
        try:
            if error is None:
                waiting = self._coroutine.send(None)
            else:
                waiting = self._coroutine.throw(error)
        except StopIteration as stop:
            self.kernel.tasks.discard(self)
            self.set(stop.value)
        except BaseException as raised:
            self.kernel.tasks.discard(self)
            if not self._callbacks and not isinstance(raised, Cancelled):
                self.kernel.complain(self.name, raised)
            self.fail(raised)
        else:
            self._waiting = waiting
            waiting.then(self._wake)
            if self._pending is not None:  # what it called meanwhile has cancelled it
                self.cancel(self._pending)
        finally:
            self.kernel.stepping = None


class Timer:
    """A call that is due at a time."""

    __slots__ = ("arguments", "at_s", "function", "kernel")

    def __init__(self, kernel: Kernel, at_s: float, function: Callable[..., Any], arguments: Tuple[Any, ...]) -> None:
        self.kernel = kernel
        self.at_s = at_s
        self.function: Optional[Callable[..., Any]] = function
        self.arguments = arguments

    def cancel(self) -> None:
        """Call nothing; harmless when it has been called."""
        if self.function is not None:
            self.function = None
            self.arguments = ()
            self.kernel.drop_timers()

    def __lt__(self, other: Timer) -> bool:
        return self.at_s < other.at_s


class Bell:
    """Something that tasks wait for, again and again."""

    __slots__ = ("_future", "kernel")

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._future = Future(kernel)

    def ring(self) -> None:
        """Wake everyone who waits now."""
        if self._future._callbacks:
            future, self._future = self._future, Future(self.kernel)
            future.set()

    async def wait(self, timeout_s: Optional[float] = None) -> bool:
        """Wait for the next `ring`; False when the time is over first."""
        future = Future(self.kernel)
        shared = self._future
        shared.then(future.set)
        if timeout_s is None:
            await future
            return True
        timer = self.kernel.later(timeout_s, future.set)
        try:
            return await future is shared
        finally:
            timer.cancel()
            shared.forget(future.set)


class Kernel:
    """The loop. `run` it once; everything else is called from inside."""

    def __init__(self) -> None:
        self.tasks: set[Task] = set()
        self.stepping: Optional[Task] = None  # whose code runs now
        self.steps = 0
        self._ready: List[Tuple[Callable[..., Any], Tuple[Any, ...]]] = []
        self._timers: List[Timer] = []
        self._dropped_timers = 0
        self._epoll = select.epoll()
        self._watched: Dict[int, Tuple[Optional[Callable[[], object]], Optional[Callable[[], object]]]] = {}
        self._from_threads: List[Tuple[Callable[..., Any], Tuple[Any, ...]]] = []
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._on_child: Callable[[], None] = lambda: None
        self.watch(self._wake_read, on_read=self._woken)

    def complain(self, where: str, error: BaseException) -> None:
        """Tell of an error that nobody else will: a line on standard error."""
        sys.stderr.write("%s: %s: %s\n" % (where, type(error).__name__, error))
        sys.stderr.flush()

    def on_child_exit(self, function: Callable[[], None]) -> None:
        """Call a function soon after children have ended."""
        self._on_child = function
        signals.wake_by(self._wake_write, warn_on_full_buffer=False)
        signals.handle(signals.CHLD, _nothing)

    def soon(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call in the next turn."""
        self._ready.append((function, arguments))

    def later(self, delay_s: float, function: Callable[..., Any], *arguments: Any) -> Timer:
        """Call after a while."""
        timer = Timer(self, time.monotonic() + delay_s, function, arguments)
        heappush(self._timers, timer)
        return timer

    def drop_timers(self) -> None:
        """Count a cancelled timer, and clear them out when most are."""
        self._dropped_timers += 1
        if self._dropped_timers > 64 and self._dropped_timers * 2 > len(self._timers):
            self._timers = [timer for timer in self._timers if timer.function is not None]
            heapify(self._timers)
            self._dropped_timers = 0

    def spawn(self, coroutine: Coroutine[Any, Any, Any], name: str = "task") -> Task:
        """Run a coroutine beside the others."""
        return Task(self, coroutine, name)

    def watch(
        self,
        fd: int,
        on_read: Optional[Callable[[], object]] = None,
        on_write: Optional[Callable[[], object]] = None,
    ) -> None:
        """Call back whenever a descriptor can be read, or written; replaces what was said before of this one.

        Raises PermissionError for what is always ready (a regular file, /dev/null).
        """
        mask = (READ if on_read else 0) | (WRITE if on_write else 0)
        if fd in self._watched:
            self._epoll.modify(fd, mask)
        else:
            self._epoll.register(fd, mask)
        self._watched[fd] = (on_read, on_write)

    def unwatch(self, fd: int) -> None:
        """Forget a descriptor: before it is closed."""
        if self._watched.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def close_watched(self, fd: int) -> None:
        """Close a descriptor that nobody else has, and so forget it: the system does its part by itself."""
        self._watched.pop(fd, None)
        os.close(fd)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        future = Future(self)
        timer = self.later(seconds, future.set)
        try:
            await future
        finally:
            timer.cancel()

    async def within(
        self, seconds: float, coroutine: Coroutine[Any, Any, Any], late: Optional[TimeExpired] = None
    ) -> Any:
        """Wait for a coroutine. Raises TimeExpired when it took longer; it has then been cancelled and has ended.

        late: what is raised in place of a plain TimeExpired, to be told from that of somebody who waits for us.
        """
        task = self.spawn(coroutine, "within")
        timer = self.later(seconds, task.cancel, late or TimeExpired())
        try:
            return await task
        except BaseException as error:
            if not task.is_done:
                task.cancel(error if isinstance(error, Cancelled) else None)
                try:
                    await task
                except Cancelled:
                    pass
            raise
        finally:
            timer.cancel()

    def in_thread(self, function: Callable[..., Any], *arguments: Any) -> Future:
        """Call what blocks in a thread of its own. Whoever stops waiting leaves the thread to end by itself."""
        future = Future(self)

        def work() -> None:
            try:
                value = function(*arguments)
            except BaseException as error:
                self.from_thread(future.fail, error)
            else:
                self.from_thread(future.set, value)

        _thread.start_new_thread(work, ())
        return future

    def from_thread(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call soon; the one method that other threads may use."""
        self._from_threads.append((function, arguments))
        try:
            os.write(self._wake_write, b"\0")
        except BlockingIOError:
            pass  # the pipe is full of wake-ups already

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run until a coroutine ends, and give what it returns."""
        main = self.spawn(coroutine, "main")
        main.then(_nothing)
        while not main.is_done:
            try:
                self._turn()
            except Exception as error:  # of one callback; whoever is in charge of processes must not die of it
                self.complain("kernel", error)
        return main.result()

    def close(self) -> None:
        """Give back the kernel's own descriptors."""
        self._epoll.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _turn(self) -> None:
        if self._ready:
            timeout_s = 0.0
        elif self._timers:
            timeout_s = max(0.0, self._timers[0].at_s - time.monotonic())
        else:
            timeout_s = -1.0
        for fd, events in self._epoll.poll(timeout_s, MOST_AT_ONCE):
            on_read, on_write = self._watched.get(fd, (None, None))
            if on_read is not None and events & ~WRITE:
                on_read()
            if on_write is not None and events & ~READ and self._watched.get(fd, (None, None))[1] is on_write:
                on_write()
        timers = self._timers
        if timers:
            now_s = time.monotonic()
            while timers and timers[0].at_s <= now_s:
                timer = heappop(timers)
                if timer.function is None:
                    self._dropped_timers -= 1
                else:
                    function, timer.function = timer.function, None
                    function(*timer.arguments)
                timers = self._timers
        for _ in range(8):  # what becomes ready meanwhile goes on at once, but descriptors are not starved
            if not self._ready:
                break
            ready, self._ready = self._ready, []
            for number, (function, arguments) in enumerate(ready, 1):
                try:
                    function(*arguments)
                except BaseException:
                    self._ready = ready[number:] + self._ready  # the others are not to blame
                    raise

    def _woken(self) -> None:
        data = os.read(self._wake_read, 4096)
        if self._from_threads:
            calls, self._from_threads = self._from_threads, []
            for function, arguments in calls:
                function(*arguments)
        if data.strip(b"\0"):
            self._on_child()


def _nothing(*_arguments: Any) -> None:
    """Do nothing: what a signal handler that only has to exist does."""
