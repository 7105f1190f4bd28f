"""The messages between orchestrator and agent, as a table: for PROTOCOL.md and for tests. No program reads it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Tuple

MESSAGES: Dict[str, Tuple[str, str, Dict[str, str]]] = {
    # type: (direction, meaning, fields)
    "hello": (
        "to agent",
        "the first message of an attachment",
        {
            "proto": "[major, minor] of the sender",
            "run": "the run's name",
            "agent": "the agent's name",
            "epoch": "counts attachments from 1; each time that the run was taken up again counts for 1048576; a lower "
            "one than seen before is refused",
            "lease_s": "seconds without an orchestrator after which the daemon stops everything and ends",
            "rx": "the highest seq seen from the agent so far, which repeats what follows; null: all that was not "
            "acknowledged, since who asks has nothing of what came before",
            "taken": "how many bytes of output came from the agent so far, as counted in its messages; what was under "
            "way is sent again. Null: that is not known, and it is not",
            "birth": "of the daemon that `rx` and `taken` are about; another one takes them for null. Empty: none has "
            "greeted us yet",
            "token": "a secret of the run; the first one holds, and a hello with another is refused",
            "address": "where other agents reach this one: `data_address` of the scenario, else where SSH led to",
            "env": "environment variables for everything that the agent starts",
            "procedures": "the user's own procedure files: list of {path, source}",
            "keep": "whether the home directory stays when the run ends",
            "bind": "the host that servers of this agent bind, IPv6 without brackets; `::`, `0.0.0.0`: every interface",
        },
    ),
    "run": (
        "to agent",
        "execute an attempt, once",
        {
            "seq": "number",
            "id": "the attempt's name",
            "procedure": "its procedure",
            "args": "expanded arguments",
            "mark": "what stands before `port.` in each `{{ port.NAME }}` of the arguments that is meant; absent: "
            "nothing, all of them are. It is given when a value holds a text of the same look, which stays as it is",
            "timeout_s": "after which the attempt is ended as failed (kind `timeout`); absent: none",
            "after": "the name of another attempt: this one begins as soon as that one has ended well, at once if it "
            "has, and if it ends otherwise never by this message; absent: it begins now",
            "env": "environment variables for everything that this attempt starts, over `hello`'s; may be missing",
        },
    ),
    "recall": (
        "to agent",
        "take back what was sent to begin after another attempt; what has begun goes on",
        {"seq": "number", "id": "the attempt's name", "after": "the other one's"},
    ),
    "cancel": (
        "to agent",
        "end an attempt and everything that it started",
        {"seq": "number", "id": "the attempt's name", "reason": "for the log"},
    ),
    "stop": (
        "to agent",
        "stop every process, answer `stopped`, and end",
        {"seq": "number", "grace_s": "between TERM and KILL", "keep": "whether the home directory stays"},
    ),
    "tail": (
        "to agent",
        "ask for more of a process's log than was sent",
        {
            "request": "echoed in the answer",
            "process": "its name, or the attempt's",
            "bytes": "how much of the end, at most: 65536, less where the line would be too long",
        },
    ),
    "left_out": (
        "to agent",
        "ask for lines that an `output` told to be left out",
        {
            "request": "echoed in the answer",
            "process": "the name of the process, or the attempt's, that wrote them; absent: whoever did",
            "gap": "as told",
            "from": "the first one wanted, counted from 0",
        },
    ),
    "where": (
        "to agent",
        "ask where programs of this agent begin",
        {"request": "echoed in the answer"},
    ),
    "credit": (
        "to agent",
        "output that has been taken",
        {
            "bytes": "as counted in the lines received",
            "window": "how much of it may be under way from here on; absent: 262144",
        },
    ),
    "ack": ("both", "everything up to `seq` has arrived and is safe", {"seq": "number"}),
    "hb": (
        "both",
        "a sign of life; the orchestrator's renews the lease",
        {
            "n": "counts up",
            "load": "from an agent, and may be missing: {cpu: load of the last minute by CPU, memory: share in use, "
            "processes: supervised ones}; what the system does not tell is left out",
        },
    ),
    "welcome": (
        "from agent",
        "the answer to hello",
        {
            "proto": "[major, minor]",
            "agent": "name",
            "pid": "of the daemon",
            "home": "absolute path",
            "host": "the machine's own name",
            "python": "version",
            "build": "the bundle's content hash",
            "boot": "the machine's boot id",
            "cpus": "count",
            "birth": "names this daemon, and no other one",
            "rx": "the highest seq seen from the orchestrator",
            "tx": "the number before the one that follows",
            "taken": "how many bytes of output came before what follows",
            "knows": "attempts that were heard of, {name: running, held, ok, failed, cancelled or forgotten}: those "
            "under way first, and what is held to begin after them, "
            "then the latest ones, as far as the line goes; few of those whose `finished` was acknowledged",
        },
    ),
    "reject": (
        "from agent",
        "the answer to a hello that cannot be",
        {"code": "proto, wrong_run, token, epoch_stale", "detail": "for people"},
    ),
    "output": (
        "from agent",
        "log lines of an attempt or a process; never numbered",
        {
            "id": "the attempt's name, or empty for a process that outlived its attempt",
            "process": "the process's name, for supervised ones; at most 4096 characters",
            "stream": "stdout, stderr or log; at most 256 characters",
            "lines": "texts without line ends, undecodable bytes as U+FFFD",
            "dropped": "lines left out before these",
            "gap": "with `dropped`, and may be missing: under which `left_out` asks for them",
            "bytes": "what this counts against the credit; without lines as much as an empty one",
        },
    ),
    "progress": (
        "from agent",
        "one line that says how far an attempt is",
        {"id": "attempt", "text": "the line, at most 1000 characters"},
    ),
    "service": (
        "from agent",
        "a service came up or went down",
        {
            "seq": "number",
            "id": "the attempt that started it",
            "kind": "node, dal_node, rollup_node, baker, http, process, prometheus",
            "name": "its name on this agent, at most 4096 characters",
            "ports": "map of names to numbers: rpc, metrics, net, http, ...; at most 100",
            "state": "up or down",
            "reason": "why it is down: exit status and last lines",
            "key": "of a file server, what the run makes tickets of for its URLs; kept from everybody else",
        },
    ),
    "finished": (
        "from agent",
        "the end of an attempt",
        {
            "seq": "number",
            "id": "the attempt's name",
            "state": "ok, failed or cancelled",
            "result": "JSON or null",
            "error": "{kind, message, hint, detail} when it did not end well",
            "duration_s": "seconds: a number from 0 to 1e9",
        },
    ),
    "here": (
        "from agent",
        "the answer to where",
        {
            "request": "as asked",
            "home": "the directory that programs begin in, absolute",
            "env": "their environment, but for what is no text, and the longest where the line would be too long",
        },
    ),
    "log": (
        "from agent",
        "the answer to tail and left_out",
        {
            "request": "as asked",
            "lines": "texts",
            "size_bytes": "of the whole log",
            "from": "of lines that were left out: which one is the first, as those before may be gone",
            "next": "of them: from where on there are more; 0: there are not",
            "error": "when there is none",
        },
    ),
    "recalled": (
        "from agent",
        "the answer to recall",
        {
            "seq": "number",
            "id": "as asked",
            "after": "as asked",
            "begun": "whether it had begun, or ended; else it does not begin before it is sent once more",
        },
    ),
    "stopped": (
        "from agent",
        "the answer to stop: the last numbered message",
        {"seq": "number", "remaining": "processes that could not be ended: list of {pid, name, state}"},
    ),
}
"""Every message: the page PROTOCOL.md is made from this table."""
