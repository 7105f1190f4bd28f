"""Writes a changed value back into a file, where comments and layout stay. The only importer of ruamel.yaml.

What comes out is read again before it replaces the file: an edit that would change anything else is refused.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from octogram_tui import filing
from octogram_tui.errors import OctogramError, Problem, ScenarioError
from octogram_tui.scenario.comment_columns import keep_gaps
from octogram_tui.scenario.documents import document_of, read_document, read_text
from octogram_tui.scenario.scalars import read_plain
from octogram_tui.scenario.tree import plain
from octogram_tui.secrecy.names import holds_mask

Path = Sequence[str | int]
SHORT = 60


def change_variable(path: str, name: str, value: Any) -> None:
    """Set a variable of a scenario's file. Raises ScenarioError."""
    change(path, ("vars", name), value)


def change(path: str, keys: Path, value: Any) -> None:
    """Set the value at a path of keys and positions, adding the last key when it is missing.

    The file is replaced in one step and keeps its mode. Raises ScenarioError when it is not what it must be.
    """
    change_all(path, {tuple(keys): value})


def change_all(path: str, values: Mapping[tuple[str | int, ...], Any]) -> None:
    """Set several values at once, as `change` does one. Raises ScenarioError."""
    before = read_document(path)
    if before.errors:
        flaw = before.errors[0]
        raise ScenarioError([Problem(path, flaw.place.line, flaw.place.column, flaw.message, flaw.hint)])
    wanted = plain(before.root)
    for keys, value in values.items():
        _keep_secret(path, wanted, keys, value)
        wanted = _with_value(path, wanted, keys, value)
    text = _json_text(before.text, wanted) if path.lower().endswith(".json") else _yaml_text(path, values)
    for in_one_line in (False, True):  # what needs quotes where it stands, and nowhere else; or breaks behind a comment
        if _exact(plain(document_of(path, text).root)) != _exact(wanted) and not path.lower().endswith(".json"):
            text = _yaml_text(path, values, quotes_all=True, in_one_line=in_one_line)
    if _exact(plain(document_of(path, text).root)) != _exact(wanted):
        shared = "an anchor of the file is read elsewhere too; " if "&" in before.text and "*" in before.text else ""
        raise _refused(
            path, "this change cannot be written without changing other parts", f"{shared}edit the file by hand"
        )
    _replace(path, text)


def _keep_secret(path: str, root: Any, keys: Path, value: Any) -> None:
    """Refuse to write what is secret, or stands for it. Raises ScenarioError."""
    secrets = root.get("secrets") if isinstance(root, dict) else None
    is_one = len(keys) == 2 and keys[0] == "vars" and isinstance(secrets, dict) and keys[1] in secrets
    if is_one or holds_mask(value):
        what = f"`{keys[-1]}` is" if is_one else f"`{keys[-1]}` holds"
        raise _refused(path, f"{what} a secret, and no secret stands in a file", "set it for this run only")


def _exact(value: Any) -> str:
    """Write a value to compare it: 1, 1.0 and true are equal, and not the same."""
    return json.dumps(value, sort_keys=True, default=repr)


def _with_value(path: str, root: Any, keys: Path, value: Any) -> Any:
    """Give the document as it is to be."""
    node: Any = root
    try:
        for key in keys[:-1]:
            if isinstance(node, dict) and key not in node and key == "vars":
                node[key] = {}
            node = node[key]
        if not isinstance(node, dict):
            node[keys[-1]]  # there must be such an element
        node[keys[-1]] = value
    except (LookupError, TypeError):
        dotted = ".".join(map(str, keys))
        raise _refused(path, f"there is no `{dotted}` in this file") from None
    return root


def _yaml_text(
    path: str,
    values: Mapping[tuple[str | int, ...], Any],
    *,
    quotes_all: bool = False,
    in_one_line: bool = False,
) -> str:
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.util import load_yaml_guess_indent

    source = read_text(path)
    try:
        _, indent, offset = load_yaml_guess_indent(source)
        yaml = YAML(typ="rt")
        yaml.preserve_quotes = True
        yaml.width = 1 << 16
        yaml.indent(mapping=2, sequence=indent or 2, offset=offset or 0)
        root = yaml.load(source)
        comments: list[str] = []
        for keys, value in values.items():
            node = root
            for key in keys[:-1]:
                if key == "vars" and key not in node:
                    node.insert(0, "vars", CommentedMap())
                comments += _comments(node, key)  # of a map in one line it stands behind its end
                node = node[key]
            comments += _comments(node, keys[-1])
            old = node.get(keys[-1]) if isinstance(node, dict) else None
            node[keys[-1]] = _like(old, value, quotes_all=quotes_all, in_one_line=in_one_line)
        out = io.StringIO()
        yaml.dump(root, out)
    except YAMLError as error:
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise _refused(path, f"this file cannot be rewritten: {problem}", "edit the file by hand") from error
    return keep_gaps(source, out.getvalue(), comments)


def _comments(node: Any, key: object) -> list[str]:
    """Give the comment behind a value, as ruamel.yaml keeps it with what holds the value."""
    tokens = node.ca.items.get(key) or ()
    texts = [str(getattr(token, "value", "")) for token in tokens if token is not None and not isinstance(token, list)]
    return [text.split("\n")[0].rstrip() for text in texts if text.startswith("#")]


def _like(old: Any, value: Any, *, quotes_all: bool, in_one_line: bool) -> Any:
    """Write a text of several lines as a block, where that was one or is easier to read."""
    from ruamel.yaml.scalarstring import LiteralScalarString

    if isinstance(value, (dict, list)):
        return _styled(_quoted(value, quotes_all=quotes_all), old, in_one_line=in_one_line)
    is_block = isinstance(value, str) and "\n" in value.rstrip("\n") and value == value.strip(" \t")
    if is_block and not isinstance(old, (dict, list)) and not quotes_all:
        return LiteralScalarString(value)
    return _scalar(value, quotes_all=quotes_all)


def _styled(value: Any, old: Any, *, in_one_line: bool) -> Any:
    """Write a list or a map in the style of the one before; where that was none, a short one in one line."""
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    new: Any = CommentedMap(value) if isinstance(value, dict) else CommentedSeq(value)
    if isinstance(old, (CommentedMap, CommentedSeq)):
        is_flow = bool(old.fa.flow_style())
    else:
        inner = value.values() if isinstance(value, dict) else value
        is_flow = not any(isinstance(each, (dict, list)) for each in inner) and len(repr(value)) <= SHORT
    if is_flow or in_one_line:
        new.fa.set_flow_style()
    return new


def _scalar(value: Any, *, quotes_all: bool = False) -> Any:
    """Quote a text that would read as something else, or every text."""
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, SingleQuotedScalarString

    if quotes_all and isinstance(value, str):
        return DoubleQuotedScalarString(value)
    if isinstance(value, str) and (read_plain(value)[:2] != (value, "") or value != value.strip()):
        return SingleQuotedScalarString(value)
    return value


def variables_text(values: Mapping[str, Any], path: PurePath) -> str:
    """Write variables as a file of them has it, which reads as the same values: JSON for a name that says so."""
    if path.suffix.lower() == ".json":
        return json.dumps(dict(values), indent=2, ensure_ascii=False)
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.width = 1 << 16
    out = io.StringIO()
    yaml.dump(_quoted(dict(values)), out)
    text = out.getvalue().rstrip("\n")
    if plain(document_of("variables.yml", text).root) != dict(values):
        return json.dumps(dict(values), indent=2, ensure_ascii=False)  # which is YAML too
    return text


def _quoted(value: Any, *, quotes_all: bool = False) -> Any:
    """Quote what would read as something else, however deep; or every text."""
    if isinstance(value, dict):
        return {
            _scalar(key, quotes_all=quotes_all): _quoted(each, quotes_all=quotes_all) for key, each in value.items()
        }
    if isinstance(value, list):
        return [_quoted(each, quotes_all=quotes_all) for each in value]
    return _scalar(value, quotes_all=quotes_all)


def _json_text(source: str, wanted: Any) -> str:
    indented = "\n" in source.strip()
    ending = "\n" if source.endswith("\n") else ""
    return json.dumps(wanted, indent=2 if indented else None, ensure_ascii=False) + ending


def _refused(path: str, message: str, hint: str = "") -> ScenarioError:
    return ScenarioError([Problem(path, 0, 0, message, hint)])


class NotWritten(OctogramError):
    """The file could not be replaced."""

    exit_code = ScenarioError.exit_code


def _replace(path: str, text: str) -> None:
    """Put a new text in the place of a file. Raises NotWritten."""
    try:
        filing.write_whole(path, text.encode("utf-8"), durable=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise NotWritten(f"{path} cannot be written: {reason}", hint="check its permissions") from error
