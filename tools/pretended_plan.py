"""What the pretended run does: plausible stages and jobs of an experiment with a network of nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from octogram_tui.model.failure import TIMEOUT, Failure


class Work(NamedTuple):
    """One job of the pretended plan."""

    name: str
    procedure: str
    seconds: tuple[float, float]
    lines: tuple[str, ...]
    items: int = 0
    sets: str = ""


class Act(NamedTuple):
    """One stage of the pretended plan. `who` picks its agents by their number."""

    name: str
    jobs: tuple[Work, ...]
    who: Callable[[int], bool] = lambda number: True
    asks: bool = False
    always: bool = False


_SYNC_LINES = ("connecting to 10.0.0.7:8732", "head is {n} blocks behind", "chain validated up to level {n}")
ACTS = (
    Act(
        "deploy binaries",
        (
            Work("copy binaries", "copy", (0.4, 1.6), ("sent octez-node, {n} KiB", "sha256 agrees")),
            Work("unpack", "builtins.tar", (0.2, 0.7), ("{n} files",)),
        ),
    ),
    Act(
        "start nodes",
        (
            Work("generate identity", "builtins.command", (0.3, 1.2), ("identity written",), sets="identities"),
            Work("start node", "builtins.start_process", (0.8, 2.5), ("listening on 0.0.0.0:{n}", "peers: {n}")),
        ),
    ),
    Act(
        "activate protocol",
        (
            Work("copy parameters", "copy", (0.2, 0.5), ("sent parameters.json, 12 KiB",)),
            Work(
                "activate", "builtins.shell", (1.0, 2.0), ("operation injected", "block {n} applied"), sets="protocol"
            ),
        ),
        lambda number: number == 0,
    ),
    Act(
        "wait until synchronised",
        (Work("wait_for_bootstrapped", "builtins.wait_for", (1.5, 6.0), _SYNC_LINES, sets="level"),),
    ),
    Act(
        "start bakers",
        (
            Work("import keys", "builtins.command", (0.3, 0.8), ("key {n} imported",)),
            Work("start baker", "builtins.start_process", (0.6, 1.4), ("waiting for block {n}",)),
        ),
        lambda number: number % 2 == 1,
    ),
    Act(
        "inject operations",
        (Work("inject", "builtins.command", (0.3, 1.5), ("injected {n}", "included in block {n}"), items=4),),
        lambda number: number % 2 == 1,
    ),
    Act(
        "measure",
        (Work("read metrics", "builtins.http", (0.5, 1.0), ("{n} samples",), sets="throughput"),),
        lambda number: number == 0,
        asks=True,
    ),
    Act("collect", (Work("fetch logs", "builtins.fetch", (0.3, 1.2), ("fetched node.log, {n} KiB",)),), always=True),
)
FAILING_ACT = 3
FAILURE = Failure(
    TIMEOUT,
    "timeout after 30 s: the node is 41 blocks behind",
    "give it longer (`timeout: 2m`), or look at the node's peers",
    {"exit_code": 1, "last_lines": ["head is 41 blocks behind", "error: timeout after 30 s"]},
)
