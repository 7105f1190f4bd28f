"""What is missing in a command that leads into a container: without it nothing comes through, and nobody says why."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

_PROGRAMS = frozenset(("docker", "podman", "nerdctl", "kubectl", "oc"))
_PODS = frozenset(("kubectl", "oc"))
# Of the short options that may stand together these take no value: -d, -i, -l, -q, -t.
_STDIN = re.compile(r"-[dlqt]*i.*|--(?:stdin|interactive)(?:=true)?")
_TERMINAL = re.compile(r"-[dilq]*t.*|--tty(?:=true)?")


def doubt_of(argv: Sequence[str]) -> tuple[str, str] | None:
    """Say what nothing comes through a command for, and what to write; None where there is no doubt."""
    leaf, at = next(((os.path.basename(word), at) for at, word in enumerate(argv) if _is_program(word)), ("", 0))
    if not leaf or "exec" not in argv[at:] or "compose" in argv[at:]:
        return None  # another program; `compose exec` has other options
    options = list(argv[argv.index("exec", at) + 1 :])
    is_ended = "--" in options
    if is_ended:
        del options[options.index("--") :]
    if not any(map(_STDIN.fullmatch, options)):
        return f"`{leaf} exec` passes nothing on without `-i`", f"write `-i` behind `exec`: [{leaf}, exec, -i, ...]"
    if any(map(_TERMINAL.fullmatch, options)):
        return f"`{leaf} exec -t` makes a terminal, which changes what comes through", "leave `-t` out"
    if leaf in _PODS and not is_ended:
        return f"`{leaf} exec` takes the agent's words for its own without `--`", "write `--` as the last word"
    return None


def _is_program(word: str) -> bool:
    return os.path.basename(word) in _PROGRAMS
