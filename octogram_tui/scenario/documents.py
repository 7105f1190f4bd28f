"""Reads the files that a scenario consists of: by extension, within limits, one clear line when that is impossible."""

from __future__ import annotations

import os
from collections.abc import Callable

from octogram_tui.errors import Problem, ScenarioError
from octogram_tui.scenario.tree import MAX_BYTES, Document

ReadFile = Callable[[str], str | bytes]
EXTENSIONS = (".yml", ".yaml", ".json")


def read_document(path: str, read_file: ReadFile | None = None) -> Document:
    """Read a file as its extension says. Raises ScenarioError when there is no such text."""
    extension = os.path.splitext(path)[1].lower()
    if extension not in EXTENSIONS:
        if read_file is None and os.path.isdir(path):
            raise refusal(path, "this is a directory", "name the scenario's file")
        raise refusal(
            path,
            f"{extension or 'a file without extension'} is not read: it is neither YAML nor JSON",
            "name the file .yml, .yaml or .json",
        )
    text = read_text(path, read_file)
    if extension == ".json":
        from octogram_tui.scenario.json_reader import read_json

        return read_json(path, text)
    from octogram_tui.scenario.yaml_reader import read_yaml

    return read_yaml(path, text)


def read_text(path: str, read_file: ReadFile | None = None) -> str:
    """Read a file as UTF-8. Raises ScenarioError, saying what stands in the way."""
    try:
        content = read_file(path) if read_file is not None else _read_bytes(path)
    except FileNotFoundError:
        where = f"the working directory is {os.getcwd()}" if not os.path.isabs(path) else ""
        raise refusal(path, "there is no such file", where) from None
    except IsADirectoryError:
        raise refusal(path, "this is a directory", "name the scenario's file") from None
    except PermissionError:
        raise refusal(path, "this file may not be read", "check its permissions") from None
    except OSError as error:
        raise refusal(path, f"this file cannot be read: {error.strerror or error}") from None
    if len(content) > MAX_BYTES:
        raise refusal(path, f"the file has more than {MAX_BYTES >> 20} MiB", "")
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - before.rfind(b"\n")
        message = f"the file is not UTF-8: byte 0x{content[error.start]:02x} in line {line}"
        raise ScenarioError([Problem(path, line, column, message, "save it as UTF-8")]) from None


def _read_bytes(path: str) -> bytes:
    if not os.path.isfile(path) and os.path.exists(path) and not os.path.isdir(path):
        raise OSError(0, "it is not a regular file")
    with open(path, "rb") as file:
        return file.read(MAX_BYTES + 1)


def refusal(path: str, message: str, hint: str = "") -> ScenarioError:
    """Make the error of a file that cannot be read at all."""
    return ScenarioError([Problem(path, 0, 0, message, hint)])
