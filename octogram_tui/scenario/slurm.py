"""Reads `slurm`: what is asked of the scheduler."""

from __future__ import annotations

import re
from typing import Any

from octogram_tui.model.scenario import SlurmSpec
from octogram_tui.scenario.agents import read_checked, read_identity
from octogram_tui.scenario.forms import shown
from octogram_tui.scenario.hosts import address_problem, user_problem
from octogram_tui.scenario.keys import KeyReader
from octogram_tui.scenario.shapes import SLURM
from octogram_tui.scenario.tree import MapNode

MAX_CHARACTERS = 1000
LONGEST_S = 366 * 86400.0
_MEMORY = re.compile(r"[1-9][0-9]{0,15}[KMGTkmgt]?")
_GPUS = re.compile(r"(?:[A-Za-z0-9_.-]+:)?[1-9][0-9]{0,6}")
_OPTION = re.compile(r"--([a-z0-9][a-z0-9-]*)(?:=.*)?", re.DOTALL)

OURS = {
    **dict.fromkeys(("job-name", "output", "error", "input", "chdir", "export", "wrap", "parsable", "quiet"), ""),
    **dict.fromkeys(("requeue", "no-requeue", "no-kill", "wait", "open-mode", "begin", "hold", "comment"), ""),
    "array": "one allocation is asked for",
    "test-only": "octogram-tui doctor asks that",
    "clusters": "name a machine of that cluster: `login`",
    "signal": "the run tells that its time is nearly over",
    **dict.fromkeys(("help", "usage", "version"), ""),
    **{
        name: f"write `{key}`"
        for name, key in (
            ("partition", "partition"),
            ("nodes", "nodes"),
            ("ntasks", "tasks"),
            ("cpus-per-task", "cpus"),
            ("mem", "memory"),
            ("gpus", "gpus"),
            ("time", "time"),
            ("account", "account"),
            ("constraint", "constraint"),
        )
    },
}
"""Options of sbatch that are not for `options`, each with what to do instead, where there is something."""


def read_slurm(keys: KeyReader, node: MapNode) -> SlurmSpec:
    """Read the map; what is wrong is reported."""
    keys.check_known(node, SLURM, "`slurm`")
    found: dict[str, Any] = {}
    for key in ("partition", "account", "constraint"):
        found[key] = read_checked(keys, node, key, _word_problem)
    found["memory"] = read_checked(keys, node, "memory", _memory_problem)
    found["gpus"] = read_checked(keys, node, "gpus", _gpus_problem)
    found["login"] = read_checked(keys, node, "login", address_problem)
    found["user"] = read_checked(keys, node, "user", user_problem)
    for key in ("nodes", "tasks", "cpus", "port"):
        found[key] = keys.integer(node, key, SLURM[key])
    found["time_s"] = keys.duration_s(node, "time", SLURM["time"])
    if found["time_s"] is not None and found["time_s"] > LONGEST_S:
        keys.findings.error(node.value_place("time"), "`time` is longer than a year", "write for instance 2h or 7d")
    if "identity" in node:
        found["identity"] = read_identity(keys, node)
    found["options"] = _options(keys, node)
    for key in ("user", "port", "identity"):
        if node.get(key) is not None and node.get("login") in (None, ""):
            hint = "name the machine, or leave it out where Slurm's commands are on this one"
            keys.findings.error(node.key_place(key), f"`{key}` is for `login`, which is not there", hint)
    nodes, tasks = found["nodes"], found["tasks"]
    if nodes is not None and tasks is not None and tasks < nodes:
        message = f"{tasks} tasks are not enough for {nodes} nodes"
        keys.findings.error(node.value_place("tasks"), message, "a node has one task at least")
    return SlurmSpec(**{key: value for key, value in found.items() if value is not None})


def _options(keys: KeyReader, node: MapNode) -> tuple[str, ...]:
    options = []
    for text, place in keys.words(node, "options"):
        option = _OPTION.fullmatch(text)
        problem = _word_problem(text)
        if problem is not None:
            keys.findings.error(place, f"`options` {problem[0]}: `{shown(text)}`", problem[1])
        elif option is None:
            hint = "write each as one word: --qos=high, not `-q high`"
            keys.findings.error(place, f"`options` takes long options of sbatch, not `{shown(text)}`", hint)
        elif ours := [name for name in OURS if name.startswith(option[1])]:  # sbatch takes the beginning of a name too
            name = option[1] if option[1] in OURS else ours[0]
            keys.findings.error(place, f"`--{option[1]}` is not for `options`", OURS[name] or "leave it out")
        else:
            options.append(text)
    return tuple(options)


def _word_problem(text: str) -> tuple[str, str] | None:
    if not text or text.isspace():
        return "is empty", "leave it out to have the cluster's own"
    if len(text) > MAX_CHARACTERS:
        return f"has {len(text)} characters", f"it has at most {MAX_CHARACTERS}"
    if not text.isprintable():
        return "holds a control character", "write one line"
    return None


def _memory_problem(text: str) -> tuple[str, str] | None:
    return None if _MEMORY.fullmatch(text) else ("is no amount of memory", "write for instance 4G or 500M")


def _gpus_problem(text: str) -> tuple[str, str] | None:
    return None if _GPUS.fullmatch(text) else ("is no number of GPUs", "write for instance 4 or a100:4")
