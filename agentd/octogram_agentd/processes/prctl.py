"""What only the system call prctl can ask of the kernel. All else works without it too, or without a way to call it."""

from __future__ import annotations

PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> bool:
    """Ask the kernel to give us the orphans among our descendants; whether it does."""
    return _prctl(PR_SET_CHILD_SUBREAPER, 1)


def take_name(name: str) -> bool:
    """Be shown under a name, of 15 characters at most: who kills all of `python3` by name does not mean us."""
    return _prctl(PR_SET_NAME, name.encode()[:15] + b"\0")


def _prctl(what: int, argument: object) -> bool:
    # The package ctypes on top of this costs three times as much at each start.
    try:
        import _ctypes

        function = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type]
        return bool(_ctypes.call_function(function, (what, argument, 0, 0, 0)) == 0)
    except (ImportError, OSError, AttributeError):
        return False
