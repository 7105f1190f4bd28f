"""Reads the Python files beside a scenario that define further procedures. Their text travels to the agents.

The files are read, not run: that is the agents' part. Only who trusts them has them run here too, where what they
declare cannot be told otherwise.
"""

from __future__ import annotations

import os

from octogram_agentd.procedures import FAMILIES, load_own
from octogram_agentd.procedures.base import REGISTRY
from octogram_tui.errors import ScenarioError
from octogram_tui.model.scenario import OwnProcedures
from octogram_tui.scenario.documents import ReadFile, read_text
from octogram_tui.scenario.findings import Findings
from octogram_tui.scenario.keys import KeyReader
from octogram_tui.scenario.tree import MapNode, Mark

OWN_MODULE = "octogram_own_"  # what the modules of such files are called, here and on the agents


def read_own(
    keys: KeyReader, node: MapNode, directory: str, read_file: ReadFile | None, *, is_trusted: bool
) -> list[OwnProcedures]:
    """Read every file of `procedures`; what goes wrong in one of them is reported at its name."""
    result = []
    for name, place in keys.words(node, "procedures"):
        loaded = _load(keys, name, place, os.path.join(directory, name), read_file, is_trusted)
        if loaded is not None:
            result.append(loaded)
    return result


def _load(
    keys: KeyReader, name: str, place: Mark, path: str, read_file: ReadFile | None, is_trusted: bool
) -> OwnProcedures | None:
    findings = keys.findings
    if not name.endswith(".py"):
        findings.error(place, f"`{name}` is not a Python file", "procedures are written in files named .py")
        return None
    try:
        source = read_text(path, read_file)
    except ScenarioError as error:
        findings.error(place, f"{path}: {error.problems[0].message}", "the path is taken from the scenario's directory")
        return None
    before = dict(REGISTRY)
    if not _define(findings, place, path, source, is_trusted):
        REGISTRY.clear()
        REGISTRY.update(before)
        return None
    names = tuple(n for n, procedure in REGISTRY.items() if before.get(n) is not procedure)
    for own in names:
        if REGISTRY[own].where != "agent":
            hint = "leave `where` out; copy, fetch and assert, which are done elsewhere, cannot be derived from"
            findings.error(place, f"{path}: `{own}` has to run on the agent, as all own procedures do", hint)
    for taken in names:
        if taken.split(".")[0] in FAMILIES:
            findings.error(place, f"{path} defines `{taken}`, whose family is ours", "choose another first word")
            if taken in before:
                REGISTRY[taken] = before[taken]
            else:
                del REGISTRY[taken]
    if not names:
        hint = "subclass octogram_agentd.procedures.base.Procedure and set `procedure = 'family.verb'`"
        findings.warning(place, f"{path} defines no procedure", hint)
    return OwnProcedures(path, source, names)


def _define(findings: Findings, place: Mark, path: str, source: str, is_trusted: bool) -> bool:
    """Define what a file declares; tells whether that could be done."""
    from octogram_tui.scenario.declarations import Unreadable, outdated_import, read_declarations

    try:
        outdated = outdated_import(source)
        if outdated is not None:
            line, instead = outdated
            findings.error(place, f"{path}:{line}: the package is called octogram_agentd now", f"write `{instead}`")
            return False
        read_declarations(source, path, OWN_MODULE + "".join(c if c.isalnum() else "_" for c in path))
    except SyntaxError as error:
        findings.error(place, f"{path}:{error.lineno or 1}: {error.msg}", "the agents run Python 3.8 or later")
        return False
    except (ValueError, RecursionError, MemoryError) as error:
        findings.error(place, f"{path}: this is no Python: {str(error) or type(error).__name__}")
        return False
    except Unreadable as error:
        if error.is_wrong:
            findings.error(place, f"{path}:{error.line}: {error.message}")
            return False
        if not is_trusted:
            hint = "write it out, or have the file run on this machine with --trust-procedures"
            findings.error(place, f"{path}:{error.line}: {error.message}, and the file is not run to find out", hint)
            return False
        return _run(findings, place, path, source)
    return True


def _run(findings: Findings, place: Mark, path: str, source: str) -> bool:
    """Run a file that its user trusts."""
    try:
        load_own(path, source)
    except Exception as error:  # whatever a user's file may raise
        import traceback

        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
        where = f"{path}:{lines[-1]}" if lines else path
        findings.error(place, f"{where}: {type(error).__name__}: {error}")
        return False
    return True
