"""The faults that a run may meet, what is to come of each, and within which bound: the rows of docs/faults.md.

The numbers are those that tests name with `pytest.mark.fault`. They stay what they are; new rows come at the end.
"""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """One row. outcome: what is to come of it; bound: how soon, or how much; empty where there is none."""

    what: str
    outcome: str
    bound: str = ""


SECTIONS: dict[int, str] = {
    1: "Network",
    11: "SSH server and keys",
    27: "Clocks and machines",
    28: "Daemon and guard",
    41: "Processes of jobs",
    56: "Orchestrator and terminal",
    64: "Disk and journal",
    70: "Scenario while it runs",
    75: "Lines and values from agents",
    80: "Lines and values from the author",
    83: "Files and servers",
    103: "Slurm",
    85: "What reaches the screen",
    88: "Secrets",
    89: "Servers, places and modes",
    93: "Agents' machines",
    98: "Size and time",
}
"""Headings, by the first row under each."""

FAULTS: dict[int, Fault] = {
    1: Fault(
        "the network swallows everything for 30 s in the middle of a job",
        "attached again, the job ran once",
        "silent at 10 s, cut at 20 s",
    ),
    2: Fault("the connection is reset during a request", "made again, the request is not done twice", "2 s"),
    3: Fault("one direction of the connection is closed", "taken as a loss, in both directions", ""),
    4: Fault("30 cuts within a minute", "one daemon, one execution; pauses grow", ""),
    5: Fault(
        "a cut longer than the lease", "the machine ends the tree; the agent is lost, and only then", "lease + grace"
    ),
    6: Fault("the network is back before the lease is over", "the job lives, once", ""),
    7: Fault("what the agent sends is lost, and nothing else", "both sides close by themselves", "20 s; the lease"),
    8: Fault("2 s there and back, 5 % loss", "no agent is given up", ""),
    9: Fault("8 kB/s and a flood of log lines", "signs of life and cancelling get through", "2 s"),
    10: Fault("large packets vanish (path MTU)", "given up with a hint", "greeting limit"),
    11: Fault("the SSH server is started again", "sessions live on, new ones are tried again", ""),
    12: Fault("the server's session process is killed", "attached again, jobs untouched", ""),
    13: Fault("the server's session process is stopped", "attached again by a new connection", "20 s"),
    14: Fault("the server allows one session a connection", "further connections, said once", ""),
    15: Fault("the server throttles new connections, 50 agents", "all come up", ""),
    16: Fault("the server punishes a source for a while", "waited for, with a hint", ""),
    17: Fault("new keys for each MiB, under a flood", "nothing is lost", ""),
    18: Fault("the host key has changed", "refused, nothing sent, both fingerprints shown", "exit 5"),
    19: Fault("an unknown host key", "refused; with accept-new kept once", "exit 5"),
    20: Fault("a wrong key, one with a passphrase, twenty in the agent", "one attempt, and what to do", "exit 5"),
    21: Fault(
        "a name that does not exist, is malformed, or leads nowhere",
        "this agent fails, the others do not",
        "exit 4 or 3",
    ),
    22: Fault("the port speaks HTTP, is silent, or closes", "said for what it is", "greeting limit"),
    23: Fault("the jump host dies", "its agents are attached again, not all at once", ""),
    24: Fault("a forced command, nologin, a restricted shell", "refused with the server's words", "exit 6"),
    25: Fault("a MiB of noise at login, csh, fish", "found behind it, or said", "64 KiB"),
    26: Fault(
        "known_hosts with a damaged line, or none", "the line is passed over, and doctor tells it; none is refused", ""
    ),
    27: Fault("one side sleeps for ten minutes", "the lease decides, by a clock that goes on meanwhile", ""),
    28: Fault("the daemon is killed", "its guard ends the whole tree", "1 s"),
    29: Fault("the guard is killed", "the daemon ends or has a new one", "1 s"),
    30: Fault(
        "both are killed at once",
        "what the record or its marks tell of is ended by the next one; else it is said",
        "exit 10",
    ),
    31: Fault("the daemon is stopped", "shorter than the lease: goes on; longer: the guard ends the tree", "lease"),
    32: Fault("the daemon is out of memory, and killed", "as if killed", "1 s"),
    33: Fault("an exception in the daemon", "that message fails, the daemon lives", ""),
    34: Fault("the daemon dies at any point of its record", "nothing is executed twice", ""),
    35: Fault("the bridge is killed, the socket removed", "attached again; the socket is made again", ""),
    36: Fault("two orchestrators, an old attachment, a wrong token", "refused, with which of these", ""),
    37: Fault("a daemon of an older or newer build", "understood or refused; what runs is not ended", ""),
    38: Fault("the agent's machine starts again", "another boot: lost; old numbers of processes are not signalled", ""),
    39: Fault("the clock on the wall jumps", "no timer notices", ""),
    40: Fault("the login manager ends a user's processes", "`doctor` tells it beforehand; else a lost agent", ""),
    41: Fault("a job ignores TERM", "killed after the grace", "grace"),
    42: Fault("the leader ends on TERM, its child does not", "stopped means the child too", "grace"),
    43: Fault("a job detaches twice, without environment, in its own session", "ended with the rest", ""),
    44: Fault("processes that make more processes", "ended faster than they come", "5 s"),
    45: Fault("a grandchild holds the output", "the result does not wait for it", "2 s"),
    46: Fault("a stopped job", "continued and ended", ""),
    47: Fault("a process of another user", "said to be left, with its number", "exit 10"),
    48: Fault("a process that cannot end (frozen, or in the kernel)", "said to be left", "5 s; exit 10"),
    49: Fault(
        "no such program, not allowed, no format, no directory, too long, none left", "not started, and why", "1 s"
    ),
    50: Fault("the port is in use", "said with who holds it", ""),
    51: Fault("the number of a dead process belongs to another one", "that one is never signalled", ""),
    52: Fault("10,000 short jobs", "no zombie, descriptors and memory as before", ""),
    53: Fault(
        "a million lines, a gigabyte", "memory and disk are bounded, what was dropped is counted", "the log's limit"
    ),
    54: Fault(
        "100 MB without a line end, bytes that are no text", "cut into lines; the log has the bytes as they came", ""
    ),
    55: Fault("a job's time is over; it dies by a signal", "ended, and both told apart", ""),
    56: Fault("the orchestrator is killed, anywhere", "resume ends as an undisturbed run, nothing twice", ""),
    57: Fault("TERM, INT, HUP in any phase", "a clean end, with its exit code", "30 s"),
    58: Fault("the terminal is closed", "as HUP; the run goes on where there was a console", ""),
    59: Fault(
        "Ctrl-C once, twice, thrice; also while nothing answers", "stops in order; kills; leaves", "30 s, 5 s, at once"
    ),
    60: Fault("Ctrl-Z and continuing", "refused, or harmless", ""),
    61: Fault("the reader of the output goes away, its disk is full", "the run goes on, the journal is whole", ""),
    62: Fault("a terminal of 0x0 or 1x1, a dumb one, none", "no crash; where nothing can be drawn, no console", ""),
    63: Fault("an exception in any part of the screen", "the run goes on without it", ""),
    64: Fault(
        "the orchestrator's disk is full, a sync fails, a read-only place", "no new job; agents are cleaned", "exit 74"
    ),
    65: Fault("64 descriptors for 100 agents", "the limit is raised, or said at once", ""),
    66: Fault("a second run in the same directory", "refused", "exit 9"),
    67: Fault("the journal is cut at any byte of its last line", "the rest is put aside, the run resumes", ""),
    68: Fault("damage in the middle of the journal", "refused; what is before it can be saved", "exit 9"),
    69: Fault("a journal of another version", "refused or read", ""),
    70: Fault("the scenario becomes invalid, or is half written", "the old one stays, and it is told", ""),
    71: Fault(
        "the scenario is removed, a directory, a loop of links, unreadable", "the old one stays, and it is told", ""
    ),
    72: Fault("an edit removes what runs", "that goes on, and it is told", ""),
    73: Fault("100 saves a second", "read a few times", ""),
    74: Fault("verbs while agents are cut off", "done once, and journalled", ""),
    75: Fault("answers twice, late, out of order", "no change", ""),
    76: Fault(
        "an answer for another agent's attempt, or for none", "dropped and counted, then the agent is given up", ""
    ),
    77: Fault("a result that is too large", "fails as that", ""),
    78: Fault(
        "a line of a gigabyte, 10^5 brackets, numbers without end", "this agent is given up, others are not touched", ""
    ),
    79: Fault("JSON of the wrong shape", "counted as a breach", ""),
    80: Fault("YAML that grows, is nested deeply, repeats keys", "refused with its place", "1 s, 100 MB; exit 3"),
    81: Fault("expressions without end, of any size", "refused within the bound", "exit 3"),
    82: Fault("a result that looks like a template, a command, a line end", "stays a text", ""),
    83: Fault(
        "fetched files with `..`, absolute, links, devices, holes, millions", "refused one by one, within caps", ""
    ),
    84: Fault("an archive with malice in it", "refused", ""),
    85: Fault("escape sequences in anything that agents say", "none reaches the terminal", ""),
    86: Fault("markup in every field of the screen", "shown as it is", ""),
    87: Fault("lines that a CI service takes for commands", "made harmless", ""),
    88: Fault("a secret in pieces, encoded, over several lines", "masked everywhere", ""),
    89: Fault("the file server: no token, `..`, links, slow clients", "nothing is given, nobody is shut out", ""),
    90: Fault("somebody else made the directory in a shared place", "refused, the next place is taken", ""),
    91: Fault("umask 000 and 077", "modes are exact", ""),
    92: Fault("what arrives is not what was sent", "not executed, removed", ""),
    93: Fault("no Python, an old one, one under another name", "found, or said", "exit 6"),
    94: Fault("a home that is read-only, noexec, full", "the next place, or said", "exit 6"),
    95: Fault(
        "no HOME, LANG=C, a huge environment, hidden processes, an old kernel", "works, or says what is missing", ""
    ),
    96: Fault("a container without init, busybox", "works", ""),
    97: Fault("the agent's disk is full in the middle of a job", "the job fails as that, the daemon lives", ""),
    98: Fault("1,000 agents", "come up, work, stop", "20 s, 150 MB"),
    99: Fault("100 agents that flood", "memory stays bounded", "250 MB"),
    100: Fault("days, with a cut each minute", "nothing grows (`bench/soak.py` lets a real run go on for hours)", ""),
    101: Fault("a console that does not read", "the run does not wait; it reads on where it was", ""),
    102: Fault("a crash while cleaning up", "the next resume or clean ends it", ""),
    103: Fault("an `srun` is killed, alone or with its second process", "attached again, the job runs on", ""),
    104: Fault("Slurm's controller does not answer", "the allocation is held, whatever its lease", "its time limit"),
    105: Fault("`sbatch` is killed, or hears no answer", "what it may have left is looked for and ended", ""),
    106: Fault("a node is drained, or fails", "told; the agents of the others go on", "the lease"),
    107: Fault("the allocation is cancelled, or put back into the queue", "told; its agents are lost", ""),
    108: Fault("the allocation is suspended", "told; it goes on with it, if the lease is not over", "the lease"),
    109: Fault("its time is nearly over", "told", "a tenth of it, or ten minutes"),
    110: Fault("Ctrl-C, in the queue and after", "nothing is left in the queue", ""),
    111: Fault("the run is killed in the queue", "its place there is given up (with `login`, when it is its turn)", ""),
    112: Fault("the run is killed while its agents work", "resume goes on; else the allocation ends", "lease + 30 s"),
    113: Fault("what Slurm never gives", "said in a line, not waited for", "exit 6"),
    114: Fault("SLURM_*, SBATCH_* and the like around us", "change nothing of what our commands do", ""),
    115: Fault(
        "the run is started in a part of a job, or has the GPUs of several nodes", "each agent has its node's", ""
    ),
}

BY_HAND: dict[int, str] = {}
"""Why a row has no test of its own, by its number. docs/faults.md says so; there may be ten at most."""

IN_PART: dict[int, str] = {
    7: "the loss is made by a proxy of TCP; the kernels that CI has know no lossy cable",
    8: "a piece that arrives late stands for a lost packet, as TCP shows it",
    16: "the servers that CI has know no penalties: their words are tried, from a stand-in",
    30: "what hid from the guard, from its marks and from the record is not found by anybody; the run says so",
    32: "the kernel's own kill for want of memory is that of row 28, and is not made",
    47: "a process of another user is a stand-in that refuses the signal",
    48: "a process in the kernel is a stand-in that does not end",
    91: "default ACLs are not tried",
    95: "processes that are hidden by the mount of /proc are not tried",
    98: "a thousand daemons are of the test's own process, a hundred are real",
    100: "hours were tried by hand, by the program that is named; in tests, minutes",
    104: "the one that does not answer is a stand-in: a real one was away for longer than the lease by hand",
}
"""What of a row its tests do not show, or show by something that stands for it."""
