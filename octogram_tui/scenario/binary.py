"""Reads `octogram_binary`: how an agent gets the daemon. Also tells our own bundles from other programs."""

from __future__ import annotations

import os
import re
import zipfile

from octogram_agentd.network.urls import sendable
from octogram_tui.model.scenario import BinarySource
from octogram_tui.scenario.findings import kind_of
from octogram_tui.scenario.keys import KeyReader
from octogram_tui.scenario.shapes import BINARY
from octogram_tui.scenario.tree import MapNode

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


def read_binary(keys: KeyReader, node: MapNode, directory: str) -> BinarySource:
    """Read one of push, pull and installed."""
    findings = keys.findings
    if not node:
        return BinarySource("installed", "octogram", mark=findings.mark(node.place))
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
        return BinarySource("installed", "octogram", mark=mark)
    value = keys.word(node, kind)
    if value is None:
        return BinarySource()
    if kind == "pull":
        if not value.startswith(("http://", "https://")):
            findings.error(place, f"`pull` takes a URL, not {kind_of(value)}", "http:// or https://")
        return BinarySource("pull", sendable(value), sha256, mark)
    if kind == "installed":
        return BinarySource("installed", value, mark=mark)
    for path in (value, os.path.join(directory, value)):
        if is_bundle(path):
            return BinarySource("push", path, mark=mark)
    message = f"`{value}` is not a bundle of this program; its own is sent instead"
    findings.warning(place, message, "leave `octogram_binary` out")
    return BinarySource(mark=mark)


def is_bundle(path: str) -> bool:
    """Tell whether a file is one of our daemon's bundles: a zip with the daemon's protocol in it."""
    try:
        with zipfile.ZipFile(path) as bundle:
            return "octogram_agentd/wire/lines.py" in bundle.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
