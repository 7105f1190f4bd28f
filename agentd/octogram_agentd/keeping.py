"""Keeps the program of this machine as code in one file, which the next boot reads at once: see compiled.py.

It is written by a bridge, which has nothing else to do, and by one of them only.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from typing import Any, Callable, Dict, Iterator, List, Tuple

RARELY_USED = ("boot", "far_shell", "keeping", "leftovers", "network", "parcels", "patterns", "procedures")
"""What most agents do without, but for OFTEN_USED of it."""
OFTEN_USED = (
    "network",
    "network.endpoint",
    "network.interfaces",
    "network.ports",
    "procedures",
    "procedures.base",
    "procedures.builtin",
    "procedures.builtin.running",
    "procedures.context",
    "procedures.values",
)
ABANDONED_S = 600.0  # after which somebody who was writing is taken to have ended before the end
LEAST_URGENT = 19


def keep(what: str, is_wanted: Callable[[], bool]) -> None:
    """Write the file of code of the bundle that we are from, unless somebody else does so.

    what: the bytes of all sources, as many as there have to be, a colon, and the file's name.
    is_wanted: asked again and again, as it takes long.
    """
    total, _, name = what.partition(":")
    place = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    path = "%s/%s" % (place, name)
    part = path + ".part"
    try:
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError:
        _remove_abandoned(part)
        return
    try:
        os.nice(LEAST_URGENT)
        with open(fd, "wb") as file:
            data = _compiled(place, int(total), is_wanted)
            if not data:
                raise InterruptedError
            file.write(data)
            file.flush()
            os.fsync(fd)
        os.rename(part, path)
    except Exception:  # also damage in what Python has kept: a bridge that ended of it would cut its agent off
        _remove(part)


def _remove(part: str) -> None:
    try:
        os.unlink(part)
    except OSError:
        pass  # the whole program was put aside meanwhile


def _remove_abandoned(part: str) -> None:
    try:
        if abs(time.time() - os.lstat(part).st_mtime) > ABANDONED_S:  # either way: clocks are set back
            os.unlink(part)
    except OSError:
        pass


def _compiled(place: str, total: int, is_wanted: Callable[[], bool]) -> bytes:
    """Give the content of the file of code; nothing when it is not wanted any more, or a source is missing."""
    import ast
    from binascii import crc32
    from marshal import dumps

    parts: List[Dict[str, Tuple[str, bytes, List[str]]]] = [{}, {}]
    size = 0
    sources = dict(_sources(place + "/octogram_agentd", "octogram_agentd"))
    for name, inner in sources.items():
        if not is_wanted():
            return b""
        with open("%s/%s" % (place, inner), "rb") as file:
            text = file.read()
        size += len(text)
        tree = ast.parse(text)
        tree.body[1:] = _bare(tree.body[1:])  # its docstring may be what is told of how it is used
        code = compile(tree, "%s/%s" % (place, inner), "exec", dont_inherit=True)
        needed = [one for one in _needed(tree) if one in sources]
        parts[_is_rare(name)][name] = inner, dumps(code), needed
    if size + os.stat(place + "/__main__.py").st_size != total:
        return b""
    texts = [dumps(part) for part in parts]
    head = [*map(len, texts), *map(crc32, texts)]
    return b"".join(number.to_bytes(4, "little") for number in head) + b"".join(texts)


def _bare(body: List[Any]) -> List[Any]:
    """Leave out what is for readers and their tools: docstrings, annotations, what is imported for these."""
    import ast

    kept: List[Any] = []
    for node in body:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            kept += _bare(node.orelse)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                kept.append(ast.copy_location(ast.Assign([node.target], node.value), node))
        elif not (
            (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
            or (isinstance(node, ast.ImportFrom) and node.module == "__future__")
        ):
            for inner in ("body", "orelse", "finalbody", "handlers"):
                if getattr(node, inner, None):
                    setattr(node, inner, _bare(getattr(node, inner)) or [ast.copy_location(ast.Pass(), node)])
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                node.returns = None
                of = node.args
                for each in (*of.posonlyargs, *of.args, *of.kwonlyargs, of.vararg, of.kwarg):
                    if each is not None:
                        each.annotation = None
            kept.append(node)
    return kept


def _needed(tree: ast.Module) -> Iterator[str]:
    """Give what a module may import of ours as soon as it is imported itself."""
    import ast

    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            for each in node.names:
                yield "%s.%s" % (node.module, each.name)


def _sources(directory: str, package: str) -> Iterator[Tuple[str, str]]:
    """Give the name of each module, and where its source is below the bundle's directory."""
    inner = package.replace(".", "/")
    kinds: Dict[str, bool] = {entry.name: entry.is_dir(follow_symlinks=False) for entry in os.scandir(directory)}
    for name, is_directory in sorted(kinds.items()):
        if is_directory and name != "__pycache__":
            yield from _sources("%s/%s" % (directory, name), "%s.%s" % (package, name))
        elif name == "__init__.py":
            yield package, "%s/%s" % (inner, name)
        elif name.endswith(".py"):
            yield "%s.%s" % (package, name[:-3]), "%s/%s" % (inner, name)


def _is_rare(name: str) -> bool:
    inner = name.partition(".")[2]
    return inner not in OFTEN_USED and inner.partition(".")[0] in RARELY_USED
