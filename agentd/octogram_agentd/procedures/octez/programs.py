"""Octez programs on this agent: where one is, which release it is, and one run of it to its end."""

from __future__ import annotations

import hashlib
import os

from octogram_agentd.procedures.base import ProcedureFailed
from octogram_agentd.procedures.octez import argv as build
from octogram_agentd.procedures.octez import failures
from octogram_agentd.procedures.octez.releases import HEAD, OLDEST, parse_version, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Mapping, Optional, Sequence, Set, Tuple

    from octogram_agentd.procedures.base import Uri
    from octogram_agentd.procedures.context import CommandResult, Context
    from octogram_agentd.procedures.octez.releases import Release

QUIET = {"TEZOS_CLIENT_UNSAFE_DISABLE_DISCLAIMER": "Y"}
_CHUNK_BYTES = 4 << 20
_VERSION_TIMEOUT_S = 60.0


class KnownPrograms:
    """What this agent knows of programs: their digests, and which release each is, by digest and name."""

    def __init__(self) -> None:
        self.digests: Dict[Tuple[str, int, int, int], str] = {}
        self.releases: Dict[Tuple[str, str], Release] = {}
        self.asked: Set[Tuple[str, str]] = set()


async def program(context: Context, uri: Optional[Uri], default: str) -> str:
    """Give the absolute path of a program argument; `default` is its name in the home directory."""
    if uri is None:
        return context.path(default)
    return context.path(await context.fetch(uri, executable=True))


async def release_of(context: Context, path: str) -> Release:
    """Tell which release a program is, asking each file (by content and name) once as long as the daemon lives."""
    key = (await _digest(context, path), os.path.basename(path))
    known = context.state(KnownPrograms)
    while key in known.asked:  # another attempt is asking
        await context.sleep(0.05)
    if key not in known.releases:
        known.asked.add(key)
        try:
            known.releases[key] = await _ask(context, path)
        finally:
            known.asked.discard(key)
    return known.releases[key]


async def _ask(context: Context, path: str) -> Release:
    name = os.path.basename(path)
    result = await context.command([path, "--version"], check=False, log=False, timeout_s=_VERSION_TIMEOUT_S)
    if result.exit_code != 0:
        raise failures.refused("%s --version" % name, result.exit_code, result.argv, result.stdout, result.stderr)
    found = parse_version(result.stdout)
    if found is None:
        said = (result.stdout.strip() or "nothing").splitlines()[0]
        context.log("%s --version says %r, which names no Octez release: taken for the newest" % (name, said))
        return HEAD
    if found < OLDEST:
        context.log("%s is %s; the oldest release known here is %s" % (name, show(found), show(OLDEST)))
    return found


async def _digest(context: Context, path: str) -> str:
    digests = context.state(KnownPrograms).digests
    try:
        status = os.stat(path)
        key = (path, status.st_ino, status.st_size, status.st_mtime_ns)
        if key not in digests:
            digest = hashlib.sha256()
            with open(path, "rb") as content:
                for chunk in iter(lambda: content.read(_CHUNK_BYTES), b""):
                    digest.update(chunk)
                    await context.sleep(0)  # a program may have hundreds of megabytes; others want to go on
            digests[key] = digest.hexdigest()
    except OSError as error:
        raise ProcedureFailed(
            "%s cannot be used: %s" % (path, error.strerror),
            kind="not_started",
            hint="bring it to this agent first, with `copy` or `builtins.prefetch`, or name where it is: self://PATH",
            path=path,
        ) from None
    return digests[key]


async def run(
    context: Context,
    argv: Sequence[str],
    *,
    env: Optional[Mapping[str, str]] = None,
    log: bool = True,
    tail_bytes: int = 65536,
) -> CommandResult:
    """Run a program to its end. Raises ProcedureFailed kind `exit` with the program's own message."""
    result = await context.command(argv, env=env, check=False, log=log, tail_bytes=tail_bytes)
    if result.exit_code != 0:
        raise failures.refused(os.path.basename(argv[0]), result.exit_code, result.argv, result.stdout, result.stderr)
    return result


async def client(
    context: Context,
    path: str,
    words: Sequence[str],
    *,
    base_dir: Optional[str] = None,
    endpoint: Optional[str] = None,
    wait: Optional[str] = None,
    log: bool = True,
    tail_bytes: int = 65536,
) -> CommandResult:
    """Run a command of octez-client, in an empty wallet when none is given. Raises as `run` does."""
    wallet = base_dir or context.data_dir("octez-client")
    argv = build.client(path, words, base_dir=wallet, endpoint=endpoint, wait=wait)
    return await run(context, argv, env=QUIET, log=log, tail_bytes=tail_bytes)
