"""Finds where a secret would be seen by more people than it is for: in the arguments of processes, in open files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from octogram_tui.scenario.findings import Findings
from octogram_tui.scenario.tree import ListNode, MapNode, Place, texts_in
from octogram_tui.template.analysis import uses

ARGV = {"builtins.command": "argv", "builtins.shell": "script", "builtins.start_process": "argv"}
"""Which argument becomes words that everybody reads who lists the processes of the machine."""

_NAME_OF_ONE = re.compile(
    r"(?:.*_)?(?:password|passwd|passphrase|secret|token|api_?key|secret_?key|private_?key|credentials?)", re.IGNORECASE
)
_SHORTEST = 6


def warn_of_exposed(
    findings: Findings, procedure: str, node: MapNode, arguments: Mapping[str, Any], secrets: Mapping[str, Any]
) -> None:
    """Warn of secrets in the arguments of a job. node: the job, which has the procedure for a key."""
    field = ARGV.get(procedure, "")
    shown = sorted(_secrets_in(arguments.get(field), secrets))
    if shown:
        message = f"`{shown[0]}` is a secret, and everybody on the agent's machine can read the arguments of a process"
        name = shown[0].upper()
        hint = f"give it in `env`, as `{name}: '{{{{ vars.{shown[0]} }}}}'`, and write ${name}"
        findings.warning(place_of_argument(node, procedure, field), message, hint)
    if procedure == "builtins.write_file" and _is_open(arguments.get("mode")):
        written = sorted(_secrets_in(arguments.get("content"), secrets))
        if written:
            message = f"`{written[0]}` is a secret, and others on the agent's machine may read this file"
            findings.warning(place_of_argument(node, procedure, "mode"), message, "leave `mode` out: it is 0600 then")


def names_a_secret(name: str) -> bool:
    """Tell whether a name is one that values have which nobody should read."""
    return _NAME_OF_ONE.fullmatch(name) is not None


def warn_of_plain(findings: Findings, name: str, value: Any, place: Place) -> None:
    """Warn of a variable with a value that its name calls a secret."""
    if isinstance(value, str) and len(value) >= _SHORTEST and names_a_secret(name):
        findings.warning(
            place,
            f"`{name}` will stand in the journal, in reports and on the screen",
            f"if it is secret, write under `secrets` where it comes from: `{name}: {{env: {name.upper()}}}`",
        )


def _secrets_in(value: Any, secrets: Mapping[str, Any]) -> Iterator[str]:
    for text in texts_in(value):
        if "{" in text:
            yield from (name for name in uses(text).variables if name in secrets)


def _is_open(mode: Any) -> bool:
    """Tell whether a mode, as it is written, lets others in."""
    return isinstance(mode, str) and re.fullmatch("0o?[0-7]00", mode) is None and "{" not in mode


def place_of_argument(node: MapNode, procedure: str, field: str) -> Place:
    """Give the place of an argument, which may stand alone."""
    within = node[procedure]
    if isinstance(within, MapNode) and field in within:
        node, procedure = within, field
        within = node[field]
    if isinstance(within, ListNode):
        return node.key_place(procedure)
    return node.value_place(procedure)
