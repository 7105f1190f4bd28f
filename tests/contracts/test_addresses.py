"""Nobody puts a host and a port together by hand, or takes them apart: `Endpoint` does, once for both sides.

What is looked for are texts that are made: f-strings, `%`, `format`, `join` and `+`, read as if each value in them were
its own name. The exceptions have a reason each, and are of a function, not of a file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("octogram_tui", "agentd", "tools", "bench", "sample_scenarios")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))

EXCEPTIONS = {
    ("agentd/octogram_agentd/network/endpoint.py", "Endpoint"): "the one place",
    ("agentd/octogram_agentd/network/endpoint.py", "as_url"): "puts a scheme before what was written as one text",
    ("octogram_tui/transport/knownhosts.py", "written_name"): "known_hosts brackets every host whose port is not 22",
    ("sample_scenarios/stand_ins/octez_stand_in/addresses.py", "shown"): "a program of its own, as Octez is",
    ("sample_scenarios/stand_ins/octez_stand_in/addresses.py", "parse"): "a program of its own, as Octez is",
    ("agentd/octogram_agentd/network/ports.py", "_listeners"): "the hexadecimal table of /proc/net/tcp",
    ("octogram_tui/transport/destination.py", "Destination"): "user@ before an Endpoint",
}

_PORT = r"<[^<>]*\b(?:\w+_)?ports?\b[^<>]*>|\d{1,5}\b(?![-.])"
_HOST = r"<[^<>]*(?:host|addr|ip|bind|machine|authority|server|LOOPBACK)[^<>]*>"
MADE = re.compile(
    rf"""
      (?: {_HOST} | \] | localhost | [0-9]\.[0-9]+ ) : (?: {_PORT} )   # HOST:PORT, [V6]:PORT
    | <[^<>]*> : (?: <[^<>]*\b(?:\w+_)?ports?\b[^<>]*> )                 # whatever it is called, before a port
    | \[ (?!<[^<>]*join) {_HOST} \]                                                     # brackets around a host
    | https?:// \[? <                                                   # a URL begun with what is no Endpoint
    | https?:// \[? [\w.:]+ \]? : <                                     # or with a host that is written out
    | :// {_HOST}
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ABOUT_HOSTS = re.compile(r"host|addr|endpoint|authority|netloc|hop|target|where|peer", re.IGNORECASE)
_CUTS = {"partition", "rpartition", "split", "rsplit"}


def made_texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Give every text that code makes, with its line; a value in it stands as `<its source>`."""
    inner = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.BinOp, ast.JoinedStr, ast.Call)) and id(node) not in inner:
            text = read(node)
            if text is not None:
                inner |= {id(below) for below in ast.walk(node) if isinstance(below, ast.BinOp)}
                yield node.lineno, text


def read(node: ast.AST) -> str | None:
    """Read code as the text that it makes; None when it makes none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(read(part) or "" for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return shown(node.value)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = read(node.left), read(node.right)
        if left is None and right is None:
            return None
        return (left or shown(node.left)) + (right or shown(node.right))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        template = templates(node.left)
        if template is None:
            return None
        values = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        return filled(template, r"%(?:\(\w+\))?[-+ 0#]*[\d*]*(?:\.\d+)?[a-zA-Z]", values)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "format" and isinstance(node.func.value, ast.Constant):
            return filled(str(node.func.value.value), r"\{[^{}]*\}", [*node.args, *(k.value for k in node.keywords)])
        if node.func.attr == "join" and isinstance(node.func.value, ast.Constant) and node.args:
            listed = node.args[0]
            if isinstance(listed, (ast.Tuple, ast.List)):
                return str(node.func.value.value).join(read(each) or shown(each) for each in listed.elts)
    return None


def templates(node: ast.AST) -> str | None:
    """Give the template of a `%`: also one that is chosen from two."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.IfExp):
        both = templates(node.body), templates(node.orelse)
        return " ".join(each for each in both if each) or None
    return None


def filled(template: str, mark: str, values: list[ast.expr]) -> str:
    """Put values into a template, in order; when there are too few of them they begin anew."""
    names = [read(value) if isinstance(value, ast.Constant) else shown(value) for value in values] or ["<>"]
    numbers = iter(range(10_000))
    return re.sub(mark, lambda _: str(names[next(numbers) % len(names)]), template)


def shown(node: ast.AST) -> str:
    """Show a value of a text. An Endpoint knows how to write itself, and so counts as nothing."""
    source = ast.unparse(node)
    if "Endpoint(" in source or "Endpoint.parse(" in source:
        return ""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str" and node.args:
        return shown(node.args[0])
    return "<" + re.sub(r"[<>]", "", source) + ">"


def taken_apart(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Give where a text that is called after a host is cut at a colon."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _CUTS
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and node.args[0].value in (":", b":")
        ):
            source = ast.unparse(node.func.value)
            if _ABOUT_HOSTS.search(source) or (node.func.attr in ("rpartition", "rsplit") and "port" in source.lower()):
                yield node.lineno, ast.unparse(node)


def faults(source: str) -> list[str]:
    """List what is made or taken apart by hand."""
    tree = ast.parse(source)
    found = [(line, text) for line, text in made_texts(tree) if MADE.search(text)]
    return [f"line {line}: {text}" for line, text in sorted(found + list(taken_apart(tree)))]


def without_exceptions(path: Path) -> str:
    """Give a file's code; what may do it by hand is left out, and has to be there."""
    tree = ast.parse(path.read_text())
    allowed = {name for file, name in EXCEPTIONS if file == str(path.relative_to(ROOT))}
    found = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    assert allowed <= found, "an exception for what is not there any more"
    tree.body = [node for node in tree.body if getattr(node, "name", None) not in allowed]
    return ast.unparse(tree)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_host_and_port_are_put_together_by_hand(path: Path) -> None:
    assert not faults(without_exceptions(path))


@pytest.mark.parametrize(
    "code",
    [
        'f"{host}:{port}"',
        'f"[{host}]:{port}"',
        'f"http://{address}"',
        "f\"http://{a.address}:{service.ports['rpc']}/x\"",
        "f\"{where}:{ports['net']}\"",
        'f"{name}:{self.net_port}"',
        'f"127.0.0.1:{port}"',
        'f"localhost:{rpc_port}"',
        'f"{host}:8732"',
        'f"http://127.0.0.1:{n}"',
        'f"http://[::1]:{n}"',
        'f"{scheme}://{host}"',
        '"%s:%d" % (host, port)',
        '"%s:%s" % (self.address, ports["rpc"])',
        '"[%s]:%d" % (a, port)',
        '"http://%s" % address',
        '"http://%s:%d/" % (a, b)',
        '"--rpc-addr=%s:%s" % (context.bind, self.port)',
        '("[%s]:%d" if ":" in h else "%s:%d") % (h, port)',
        '"{}:{}".format(host, port)',
        '"{h}:{p}".format(h=host, p=port)',
        '":".join((host, str(port)))',
        'host + ":" + str(port)',
        '"http://" + host',
        'address + ":8732"',
        '"[" + host + "]"',
        'host, _, port = address.rpartition(":")',
        'endpoint.split(":")',
        'text.authority.rsplit(":", 1)',
    ],
)
def test_every_way_to_do_it_by_hand_is_seen(code: str) -> None:
    assert faults(code)


@pytest.mark.parametrize(
    "code",
    [
        'f"{mark.file}:{mark.line}"',
        'f"{path}:{number}: {reason}"',
        'f"{Endpoint(host, port)}"',
        'f"{Endpoint(host, port).url}/{path}"',
        '"%s:%d:%d" % (file, line, column)',
        'f"port {port} of {host}"',
        'f"-p {port} {host}"',
        'f"{user}: {port}"',
        'name.partition(":")',
        'line.partition(":")',
        '"at 12:30"',
        'f"{hours}:{minutes:02}"',
        'f"write {owner}://NAME"',
    ],
)
def test_what_only_looks_like_it_is_left_alone(code: str) -> None:
    assert not faults(code)
