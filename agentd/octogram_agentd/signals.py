"""Signals by number, without the enumerations that the standard module would build at every start."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from typing import Iterable, List, Optional
else:
    import _signal

ALRM = int(_signal.SIGALRM)
CHLD = int(_signal.SIGCHLD)
CONT = int(_signal.SIGCONT)
HUP = int(_signal.SIGHUP)
INT = int(_signal.SIGINT)
KILL = int(_signal.SIGKILL)
PIPE = int(_signal.SIGPIPE)
QUIT = int(_signal.SIGQUIT)
STOP = int(_signal.SIGSTOP)
TERM = int(_signal.SIGTERM)
XFSZ = int(_signal.SIGXFSZ)
IGNORE = _signal.SIG_IGN
DEFAULT = _signal.SIG_DFL

handle = _signal.signal
wake_by = _signal.set_wakeup_fd
send_by_descriptor = getattr(_signal, "pidfd_send_signal", None)  # from Python 3.9 on


def not_ignored(besides: Iterable[int]) -> List[int]:
    """Give all signals that a program can be told of and that this process does not ignore, and some besides."""
    everyone = _signal.valid_signals() - {KILL, STOP}
    return sorted({int(one) for one in everyone if _signal.getsignal(one) != IGNORE} | {*besides})


def hold_back(numbers: Iterable[int], is_held: bool) -> None:
    """Have signals wait, for this process and those that it forks; or let them come again."""
    _signal.pthread_sigmask(_signal.SIG_BLOCK if is_held else _signal.SIG_UNBLOCK, numbers)


def ring_every(seconds: float) -> None:
    """Send this process ALRM again and again; 0 ends that."""
    _signal.setitimer(_signal.ITIMER_REAL, seconds, seconds)


def number(name: str) -> Optional[int]:
    """Give a signal's number: `TERM` and `SIGTERM` are the same; None when there is none of that name."""
    found = getattr(_signal, name if name.startswith("SIG") else "SIG" + name, None)
    return int(found) if isinstance(found, int) and name not in ("_DFL", "_IGN") else None
