"""Starting a program, and saying clearly why it cannot be started."""

from __future__ import annotations

import errno
import os

from octogram_agentd import signals
from octogram_agentd.cuts import beginning, ends
from octogram_agentd.procedures.values import ProcedureFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Mapping, Optional, Sequence, Tuple

    from octogram_agentd.open_files import OpenFiles

DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
NEVER_IGNORED = (signals.PIPE, signals.XFSZ, signals.INT, signals.QUIT, signals.TERM, signals.HUP)
RESET_SIGNALS = signals.not_ignored(NEVER_IGNORED)
"""Which a program gets as the system has them. All that it would get so in any case are named too: the C library looks
each other one up first, which is as many calls of the system again."""
SHOWN_CHARS = 240  # of a program's name in a sentence: a script may stand in its place, and the end tells paths
MACHINES = {
    3: "x86",
    8: "mips",
    20: "ppc",
    21: "ppc64",
    22: "s390x",
    40: "arm",
    62: "x86_64",
    183: "aarch64",
    243: "riscv",
    258: "loongarch",
}
"""What the number in an ELF header stands for."""


def launch(
    argv: List[str], cwd: str, env: Mapping[str, str], actions: Sequence[Tuple[int, int, int]], files: OpenFiles
) -> int:
    """Start a program in a session of its own and give its process id. actions: what it does with its descriptors.

    The working directory is set by changing ours: the daemon has one thread that starts programs, and uses absolute
    paths everywhere. Raises ProcedureFailed, kind `not_started`.
    """
    try:
        if not argv:
            raise _refused(argv, errno.EINVAL, "no program is named", "give at least one word")
        try:
            os.chdir(cwd)
        except OSError as error:
            raise _refused(
                argv, error.errno, "the working directory %s: %s" % (cwd, error.strerror), "create it first"
            ) from None
        program = find_program(argv[0], env)
        if program is None:
            raise _refused(
                argv,
                errno.ENOENT,
                "%s was not found" % ends(argv[0], SHOWN_CHARS),
                "it is in none of the directories of PATH: %s" % env.get("PATH", DEFAULT_PATH),
            )
        try:
            with files.as_given(actions) as possible:
                return os.posix_spawn(
                    program, argv, env, file_actions=possible, setsid=True, setsigmask=(), setsigdef=RESET_SIGNALS
                )
        except OSError as error:
            raise _explained(argv, program, error) from None
    except ValueError as error:  # a NUL byte, a name of a variable with `=`
        raise _refused(argv, errno.EINVAL, str(error), "arguments and environment are texts without NUL") from None


def find_program(name: str, env: Mapping[str, str]) -> Optional[str]:
    """Give the path of a program as PATH finds it; a name with a slash is itself, found or not."""
    if "/" in name:
        return name
    unusable = None
    for directory in env.get("PATH", DEFAULT_PATH).split(":"):
        path = os.path.join(directory, name)
        if os.access(path, os.X_OK):
            if not os.path.isdir(path):
                return path
        elif unusable is None and os.path.isfile(path):
            unusable = path
    return unusable


def _refused(argv: Sequence[str], number: Optional[int], why: str, hint: str) -> ProcedureFailed:
    return ProcedureFailed(
        "cannot start %s: %s" % (ends(argv[0], SHOWN_CHARS) if argv else "nothing", why),
        kind="not_started",
        hint=hint,
        errno=errno.errorcode.get(number or 0, str(number)),
        argv=[beginning(str(word), 1000) for word in argv[:100]],
    )


def _explained(argv: Sequence[str], program: str, error: OSError) -> ProcedureFailed:
    """Say what the kernel's refusal means for this program."""
    why, hint = error.strerror or str(error), ""
    if error.errno == errno.ENOENT:
        interpreter = _interpreter(program)
        if interpreter:
            why = "its interpreter %s is missing" % interpreter
            hint = "see the first line of %s, or its ELF header" % program
        else:
            why, hint = (
                "%s does not exist" % ends(program, SHOWN_CHARS),
                "a relative path starts at the agent's home directory",
            )
    elif error.errno == errno.EACCES:
        if os.path.isdir(program):
            hint = "%s is a directory" % program
        elif not os.access(program, os.X_OK):
            hint = "%s is not executable: chmod +x it" % program
        else:
            hint = "the file system may be mounted noexec, or its interpreter %s not be executable" % (
                _interpreter(program) or "(none)"
            )
    elif error.errno == errno.ENOEXEC:
        built_for = _machine(program)
        if built_for and built_for != os.uname().machine:
            why = "it is built for %s, and this machine is %s" % (built_for, os.uname().machine)
            hint = "bring the one that is built for this machine"
        else:
            hint = "it is neither a program nor a script whose first line is #! and an interpreter"
    elif error.errno == errno.E2BIG:
        why, hint = "its arguments and environment are too long", "pass large values by a file or by stdin"
    elif error.errno in (errno.EAGAIN, errno.ENOMEM):
        hint = "this machine is out of processes or memory: see ulimit -u"
    elif error.errno == errno.ETXTBSY:
        hint = "somebody has it open for writing"
    return _refused(argv, error.errno, why, hint)


def _head(program: str) -> bytes:
    try:
        with open(program, "rb") as file:
            return file.read(4096)
    except OSError:
        return b""


def _machine(program: str) -> str:
    """Give the machine that an ELF file is built for, as `uname -m` calls it; empty when it is no ELF file."""
    head = _head(program)
    if head[:4] != b"\x7fELF":
        return ""
    number = int.from_bytes(head[18:20], "little" if head[5:6] == b"\1" else "big")
    return MACHINES.get(number, "machine number %d" % number)


def _interpreter(program: str) -> str:
    """Give what a script's first line names, or the loader that an ELF file asks for; empty when there is none."""
    head = _head(program)
    if head.startswith(b"#!"):
        words = head[2:].split(b"\n")[0].split()
        return os.fsdecode(words[0]) if words else ""
    start = head.find(b"/lib")
    if head[:4] == b"\x7fELF" and start > 0:
        return os.fsdecode(head[start : head.index(b"\0", start)])
    return ""
