"""Where a job would write or serve more than it may mean to, as far as one sees before a run."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from octogram_tui.scenario.exposure import place_of_argument
from octogram_tui.scenario.findings import Findings
from octogram_tui.scenario.forms import inner_path
from octogram_tui.scenario.tree import MapNode
from octogram_tui.template.source import is_template

CONFINED = frozenset(("builtins.tar", "builtins.start_http_server"))
"""Procedures of which there may be something to say."""
_OWN = "self://"


def check_confined(findings: Findings, procedure: str, node: MapNode, arguments: Mapping[str, Any]) -> None:
    """Refuse what `tar` could only refuse later, and warn of a home directory that is open to everybody.

    node: the job, which has the procedure for a key.
    """
    if procedure == "builtins.tar":
        field = "archive" if arguments.get("action") == "create" else "contents"
        written = arguments.get(field)
        if not isinstance(written, str) or is_template(written) or arguments.get("action") not in ("create", "extract"):
            return
        if field == "archive" and not written.startswith(_OWN):
            return
        flaw = inner_path(written.removeprefix(_OWN))
        if flaw is not None:
            findings.error(place_of_argument(node, procedure, field), f"`{field}` {flaw.what}", flaw.instead)
    elif procedure == "builtins.start_http_server" and arguments.get("public") is True:
        directory = arguments.get("directory") or "."
        if not is_template(directory) and posixpath.normpath(directory) == ".":
            findings.warning(
                place_of_argument(node, procedure, "public"),
                "everybody who reaches this port may have all of the agent's home directory, keys too",
                "name a `directory` that holds what is meant, or leave `public` out",
            )
