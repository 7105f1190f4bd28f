"""Files: brought to an agent and from it, written, packed, downloaded."""

from __future__ import annotations

import os
from errno import ENOTDIR

from octogram_agentd.procedures.base import Field, Procedure, ProcedureFailed, Uri
from octogram_agentd.procedures.builtin.running import instance
from octogram_agentd.procedures.placing import is_special, put_in_place
from octogram_agentd.processes import origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Set, Tuple

    from octogram_agentd.procedures.context import CommandResult, Context


class Copy(Procedure):
    """Copy a file, or a directory with all that is in it, from the orchestrator's machine to the agent.

    When `remote_path` names a directory that exists, or ends in `/` or `.`, what is copied lands in it under its own
    name. Parents are made. A directory is merged into one that is there already. Symbolic links are followed here, and
    never on the agent; modes are kept, except for setuid, setgid and sticky. A file appears under its name only when
    all of it has arrived and its SHA-256 is right, and so does a new directory. A rerun goes where the job went before.
    """

    procedure = "copy"
    where = "orchestrator"

    local_path: Field[str] = Field(
        "str",
        "What to copy: taken from the working directory, then from the scenario's directory. What a template adds leads"
        " no further than into the directory that is written before it.",
        required=True,
        form="local_path",
    )
    remote_path: Field[str] = Field(
        "str", "Where to: a relative path, from the agent's home directory.", required=True, form="inner_path"
    )


class Fetch(Procedure):
    """Copy a file, or a directory with all that is in it, from the agent to the orchestrator's machine.

    When `local_path` names a directory that exists, or ends in `/` or `.`, what is fetched lands in it under its own
    name; a rerun goes where the job went before. End it in `/` to have every run put a directory into the same place.
    At most 100,000 files and directories and 64 GiB are taken. What another agent's fetch has brought is never
    replaced, nor what another item's has: write `{{ agent.name }}` or `{{ item }}` into `local_path`.
    """

    procedure = "builtins.fetch"
    where = "orchestrator"
    short = "remote_path"
    result = {
        "local_path": "str: where it is now, absolute; null when there was nothing, and it was `optional`",
        "bytes": "int: the size of all files",
        "files": "int: how many files there are",
        "sha256": "str: of the file; of a directory, the SHA-256 over each file's name, a zero byte and its digest",
    }

    remote_path: Field[str] = Field(
        "str", "What to fetch, taken from the agent's home directory.", required=True, form="path"
    )
    local_path: Field[Optional[str]] = Field(
        "str",
        "Where to, from the working directory; by default the run's artifacts, in a directory for each agent. What a"
        " template adds leads no further than into the directory that is written before it.",
        form="local_path",
    )
    optional: Field[bool] = Field(
        "bool",
        "Whether it may be that there is nothing of that name: then nothing is fetched, and the job has not failed.",
        default=False,
    )


class WriteFile(Procedure):
    """Write a text into a file. Parents are made; the file is replaced as a whole."""

    procedure = "builtins.write_file"
    result = {"path": "str: where it is, absolute", "sha256": "str: of what was written"}

    path: Field[str] = Field("str", "Which file, inside the agent's home directory.", required=True, form="inner_file")
    content: Field[str] = Field("str", "The text, written as UTF-8.", required=True)
    mode: Field[str] = Field(
        "str",
        "Who may do what with it: octal, quoted, with a leading 0 (a bare number would be read as decimal).",
        default="0600",
        pattern=r"0o?[0-7]{3}",
    )

    async def run(self, context: Context) -> Dict[str, Any]:
        """Write it beside its place, then give it its name."""
        from hashlib import sha256

        path = context.inner_path(self.path)
        if os.path.isdir(path) or self.path.endswith("/"):
            raise ProcedureFailed("%s is a directory, not a file" % self.path, kind="is_directory")
        content = self.content.encode("utf-8", "surrogateescape")
        try:
            _make_directory(os.path.dirname(path))
            draft = _draft(path, content, int(self.mode.replace("o", ""), 8))
            try:
                await put_in_place(context, draft, path)
            except BaseException:
                os.unlink(draft)
                raise
        except OSError as error:
            raise _failed("write", path, error) from None
        return {"path": path, "sha256": sha256(content).hexdigest()}


class Tar(Procedure):
    """Pack files into a compressed archive (`.tar.gz`), or unpack one.

    Both write into the home directory only. What is unpacked are files, directories and links, all of them ours:
    owners, setuid, setgid and sticky are dropped. An entry that would lead out of the directory, a link that does, a
    device or a pipe is an error, and so are more than a million entries or 64 GiB.
    """

    procedure = "builtins.tar"

    contents: Field[str] = Field(
        "str",
        "What to pack, taken from the home directory; or the directory in it to unpack into.",
        required=True,
        form="path",
    )
    archive: Field[Uri] = Field(
        "str",
        "The archive: `self://PATH`, and to extract also one of another agent or a URL.",
        required=True,
        uri="file",
    )
    action: Field[str] = Field("str", "What to do.", required=True, choices=("create", "extract"))

    async def run(self, context: Context) -> None:
        """Call `tar` in the home directory."""
        if self.action == "create":
            await self._create(context)
        else:
            await self._extract(context)

    async def _create(self, context: Context) -> None:
        if self.archive.remote is not None:
            raise ProcedureFailed("Cannot create a remote archive", kind="argument", hint="write self://PATH")
        archive = context.inner_path(self.archive.owned or "")
        partial = context.temporary(os.path.basename(archive))  # elsewhere, as the archive may lie in what is packed
        try:
            _make_directory(os.path.dirname(archive))
        except OSError as error:
            raise _failed("create", archive, error) from None
        words, stdin = _as_operand(self.contents)
        await _tar(context, ["tar", "czvf", partial, *words], stdin)
        try:
            os.chmod(partial, 0o644)
            await put_in_place(context, partial, archive)
        except OSError as error:
            raise _failed("create", archive, error) from None

    async def _extract(self, context: Context) -> None:
        archive = context.path(await context.fetch(self.archive))
        if not os.path.isfile(archive):
            raise ProcedureFailed("there is no archive %s" % archive, kind="missing")
        directory = context.inner_path(self.contents)
        try:
            _make_directory(directory)
        except OSError as error:
            raise _failed("create the directory", directory, error) from None
        result = await context.command(origin.argv("parcels.unpack", archive, directory), cwd=context.root, check=False)
        if result.exit_code != 0:
            raise _told(result)


class Moved:
    """What jobs have moved into the home directory: each by its instance, and where the file was."""

    def __init__(self) -> None:
        self.by: Set[Tuple[str, str]] = set()


class Prefetch(Procedure):
    """Bring a file into the home directory under its own name, and make it executable.

    The name is what follows the last `/`, of a URL as it is written. A file that is there under that name is replaced.
    What this agent has already in its home directory (`self://PATH`) is moved; a rerun finds it moved already. What it
    has elsewhere is copied. Written as a text: `builtins.prefetch: 'https://example.org/tool'`.
    """

    procedure = "builtins.prefetch"
    short = "file"

    file: Field[Uri] = Field("str", "Which file: `AGENT://PATH`, `self://PATH` or a URL.", required=True, uri="file")
    sha256: Field[Optional[str]] = Field(
        "str", "The SHA-256 that it must have: it is not put in place otherwise.", pattern=r"[0-9A-Fa-f]{64}"
    )

    async def run(self, context: Context) -> None:
        """Download it, unless that was done already, and put it in place."""
        source = self.file.path or self.file.remote or self.file.owned or ""
        name = source.rpartition("/")[2]
        if name in ("", ".", ".."):
            raise ProcedureFailed("%s names no file" % source, kind="argument", hint="it must end with a file's name")
        path = context.path(await context.fetch(self.file))
        target = os.path.join(context.home, name)
        try:
            if not os.path.isfile(path):
                if (instance(context), path) in context.state(Moved).by and os.path.isfile(target):
                    return
                raise ProcedureFailed("there is no file %s" % path, kind="missing")
            if is_special(target):
                raise ProcedureFailed("%s is no file, and stays as it is" % target, kind="not_a_file")
            await self._check(context, path)
            mode = os.stat(path).st_mode & 0o777 | 0o111
            if self.file.remote is not None:
                os.chmod(path, mode)
                await _link(context, path, target)
            elif _is_inside(context, path):
                os.chmod(path, mode)
                os.replace(path, target)
                context.state(Moved).by.add((instance(context), path))
            else:
                partial = context.temporary(name)
                await context.command(["cp", "--", path, partial], log=False)
                os.chmod(partial, mode)
                os.replace(partial, target)
        except OSError as error:
            raise _failed("put into the home directory", target, error) from None

    async def _check(self, context: Context, path: str) -> None:
        """Hold the file's SHA-256 against what is asked for. A download that has another is removed."""
        if self.sha256 is None:
            return
        found = await context.command(origin.argv("parcels.digest", path), cwd=context.root, log=False)
        if found.stdout.strip() != self.sha256.lower():
            if self.file.remote is not None:
                os.unlink(path)
            raise ProcedureFailed(
                "%s has the SHA-256 %s, not %s" % (path, found.stdout.strip(), self.sha256.lower()), kind="damaged"
            )


def _is_inside(context: Context, path: str) -> bool:
    """Tell whether a path is one of the home directory, links included."""
    try:
        context.inner_path(os.path.relpath(path, context.home))
    except ProcedureFailed:
        return False
    return True


async def _link(context: Context, source: str, target: str) -> None:
    """Give a file a second name, replacing what has it; the download stays for whoever asks for it next."""
    partial = "%s/.octogram-%s.part" % (os.path.dirname(target), os.urandom(8).hex())
    try:
        try:
            os.link(source, partial)
        except OSError:  # a file system without hard links
            await context.command(["cp", "-p", "--", source, partial], log=False)
        os.rename(partial, target)
    finally:
        try:
            os.unlink(partial)  # still there when it failed, and when both names were one file already
        except OSError:
            pass


async def _tar(context: Context, argv: List[str], stdin: Optional[bytes] = None) -> None:
    result = await context.command(argv, stdin=stdin, check=False)
    if result.exit_code != 0:
        lines = result.stderr.strip().splitlines()
        said = [
            line for line in lines if not line.startswith("tar: Exiting with failure status")
        ]  # the reason is above
        raise ProcedureFailed(
            "tar ended with exit status %d%s" % (result.exit_code, ": " + said[-1] if said else ""),
            kind="exit",
            exit_code=result.exit_code,
            argv=argv,
            last_lines=lines[-20:],
        )


def _told(result: CommandResult) -> ProcedureFailed:
    """Give the reason that the program which unpacks has told last."""
    from octogram_agentd.parcels.unpack import FIRST_STATUS, KINDS

    lines = result.stderr.rstrip().splitlines() or ["unpacking ended with exit status %d" % result.exit_code]
    hint = lines.pop().strip() if lines[-1].startswith("  ") and len(lines) > 1 else ""
    number = result.exit_code - FIRST_STATUS
    kind = KINDS[number] if 0 <= number < len(KINDS) else "exit"
    return ProcedureFailed(lines[-1], kind=kind, hint=hint, exit_code=result.exit_code)


def _as_operand(name: str) -> Tuple[List[str], Optional[bytes]]:
    """Keep `tar` from taking a file's name for anything else; gives words, and what to say on its standard input."""
    if "\\" in name:  # GNU's reads escapes in words, but not in what ends in a zero byte
        return ["--null", "-T", "-"], os.fsencode(name) + b"\0"
    if name.startswith("@"):  # BSD's takes in another archive
        return ["./" + name], None
    return (["--", name] if name.startswith("-") else [name]), None


def _draft(path: str, content: bytes, mode: int) -> str:
    """Write a file beside the one that it is to become, and give its path."""
    partial = "%s/.octogram-%s.part" % (os.path.dirname(os.path.realpath(path)), os.urandom(8).hex())
    fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb", buffering=0) as file:
            view = memoryview(content)
            while view:
                view = view[file.write(view) or 0 :]
            os.fchmod(fd, mode)
    except BaseException:
        os.unlink(partial)
        raise
    return partial


def _make_directory(path: str) -> None:
    try:
        os.makedirs(path, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR), path) from None


def _failed(doing: str, path: str, error: OSError) -> ProcedureFailed:
    from octogram_agentd.parcels.parcel import failure

    return failure(doing, os.fsencode(path), error)
