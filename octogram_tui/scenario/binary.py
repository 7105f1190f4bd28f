"""Reads `octogram_binary`: how an agent gets the daemon. Also tells our own bundles from other programs."""

from __future__ import annotations

import os
import re

from octogram_agentd.network.urls import sendable
from octogram_tui.model.scenario import BinarySource
from octogram_tui.scenario.findings import Findings, kind_of
from octogram_tui.scenario.keys import KeyReader
from octogram_tui.scenario.shapes import BINARY
from octogram_tui.scenario.tree import MapNode, Place

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_NAME = "octogram"
_ORIGINAL = re.compile(r"(?:.*/)?octogram(?:_main\.exe)?(?:[?#].*)?")
"""The original's program, as its users named it in a URL or a path; `octogram_main.exe` is what its build makes."""


def read_binary(keys: KeyReader, node: MapNode, directory: str) -> BinarySource:
    """Read one of push, pull and installed."""
    findings = keys.findings
    if not node:
        return _ours(findings, node.place, _NAME)
    keys.check_known(node, BINARY, "`octogram_binary`")
    given = [kind for kind in ("push", "pull", "installed") if kind in node]
    if len(given) != 1:
        findings.error(node.place, "`octogram_binary` takes exactly one of `push`, `pull` and `installed`")
        return BinarySource()
    kind = given[0]
    place = node.value_place(kind)
    mark = findings.mark(node.key_place(kind))
    sha256 = keys.word(node, "sha256")
    if sha256 is not None and not _SHA256.fullmatch(sha256):
        findings.error(node.value_place("sha256"), f"`sha256` takes 64 hexadecimal digits, not {kind_of(sha256)}")
    if sha256 is not None and kind != "pull":
        findings.warning(node.key_place("sha256"), "`sha256` is for `pull` only: what is pushed is ours")
    if kind == "installed" and isinstance(node[kind], MapNode) and not node[kind]:
        return _ours(findings, place, _NAME)
    value = keys.word(node, kind)
    if value is None:
        return BinarySource()
    if kind == "pull" and not value.startswith(("http://", "https://")):
        findings.error(place, f"`pull` takes a URL, not {kind_of(value)}", "http:// or https://")
        return BinarySource()
    if kind == "push":
        for path in (value, os.path.join(directory, value)):
            if is_bundle(path):
                return BinarySource("push", path, mark=mark)
        return _ours(findings, place, value)
    if sha256 is None and _ORIGINAL.fullmatch(value):
        return _ours(findings, place, value)
    return (
        BinarySource("pull", sendable(value), sha256, mark)
        if kind == "pull"
        else BinarySource("installed", value, mark=mark)
    )


def _ours(findings: Findings, place: Place, value: str) -> BinarySource:
    """Say that something else is named, and send our own daemon."""
    what = "the original's program" if _ORIGINAL.fullmatch(value) else "not a bundle of this program"
    findings.warning(place, f"`{value}` is {what}; our own daemon is sent instead", "leave `octogram_binary` out")
    return BinarySource(mark=findings.mark(place))


def is_bundle(path: str) -> bool:
    """Tell whether a file is one of our daemon's bundles: a zip with the daemon's protocol in it."""
    import zipfile

    try:
        with zipfile.ZipFile(path) as bundle:
            return "octogram_agentd/wire/lines.py" in bundle.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
