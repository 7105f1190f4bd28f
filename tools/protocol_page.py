"""The page agentd/PROTOCOL.md, made from the daemon's table of messages."""

from __future__ import annotations

from octogram_agentd import PROTOCOL
from octogram_agentd.wire import lines as wire
from octogram_agentd.wire.backlog import BEHIND_S
from octogram_agentd.wire.messages import MESSAGES
from octogram_agentd.wire.pace import LEAST_BYTES
from octogram_agentd.wire.spool import MOST_SEGMENTS, SEGMENT_BYTES
from octogram_tui.runtime import conduct

INTRODUCTION = """\
# The channel between orchestrator and agent

Version {major}.{minor}. Written by `make docs` from `octogram_agentd/wire/messages.py`: edit that.

One JSON object a line, ASCII, at most {line} bytes, nested at most {depth} deep; a result at most {result} bytes.
Numbers beyond what JSON knows (NaN, infinities), those too large for a float, and halves of characters are refused.
Fields that are not listed are ignored; so are messages of an unknown type, up to a hundred from one connection.

The orchestrator speaks first: `hello`. The agent answers `welcome`, or `reject` and closes. A second connection that
says a valid `hello` takes the place of the first.

Messages with a `seq` are numbered from 1, each direction for itself, and kept by their sender until acknowledged. Both
greetings say what was seen (`rx`); what follows it is sent again. A number that was seen already is dropped, a gap ends
the connection. An attempt is executed once, however often its `run` arrives: a repeated one is answered with what is
known. The orchestrator acknowledges what is on its disk.

An agent may be given its next attempt while it has one, by a `run` with `after`: it begins when the other has ended
well, without the way there and back. `recall` takes it back in time, or is answered that it had begun. What is not to
begin any more, since the other failed or it was taken back, was never executed: its name may be sent again.

Log lines (`output`) are sent while there is credit: {credit} bytes may be under way after each greeting, then as many
as `credit` says, which comes when they are written. An agent begins with {least} and doubles that as long as they are
quickly taken. What has to wait goes to a spool on its disk (at most {spool} MiB); what would wait for more than
{behind} s there, at the speed that is seen, is left out, the oldest first: the next message says how many lines, and
`left_out` gives them while the spool has them. Results go before log lines. Lines that were under way when a
connection broke are sent again, as far as `taken` says that they did not arrive. The orchestrator holds credit back
when an agent, or all of them, fill the run's journal.

An agent speaks of what it was told to run, and of nothing else: other messages count for nothing. A hundred of them,
more lines than there was credit for, more than {messages} other messages or {rate} MiB a second, or more than {names}
names of services and processes ({per_attempt} more for each attempt that it was told to run) put it in quarantine, as
do services that come and go without end: its connection is closed, and its lease not renewed. All that it says and the
journal keeps counts as a part of its share; beyond that, credit for lines is held back and progress is left out.

A connection is made again to the daemon that was there, by its `birth`: `attach --birth NAME --at HOME` starts another
one in its place only when it certainly has ended, and nobody holds its lock.

Any line from the orchestrator renews the lease. When it is over the agent stops everything that it started, removes its
directory and ends.

Kinds of errors in `finished` that the agent itself gives: `timeout`, `cancelled` (by the orchestrator: nothing else
ends an attempt so), `stopped` (the agent had to end, and nobody asked for that), `argument` (a timeout of zero or
less), `bug` (an exception that the procedure did not mean to raise), `result_too_large`, `unknown_procedure`,
`forgotten` (executed before, its result no longer kept; or to begin after one whose result is not kept), and from the
process procedures `not_started`, `exit`, `unkillable`; each procedure has its own besides.
"""


def page() -> str:
    """Give the text of the page."""
    parts = [
        INTRODUCTION.format(
            major=PROTOCOL[0],
            messages=f"{conduct.MESSAGES_PER_S:.0f}",
            rate=conduct.BYTES_PER_S >> 20,
            names=conduct.MOST_NAMES,
            per_attempt=conduct.NAMES_OF_ATTEMPT,
            minor=PROTOCOL[1],
            line=wire.MAX_LINE_BYTES,
            depth=wire.MAX_DEPTH,
            result=wire.MAX_RESULT_BYTES,
            credit=wire.OUTPUT_CREDIT_BYTES,
            least=LEAST_BYTES,
            spool=SEGMENT_BYTES * MOST_SEGMENTS >> 20,
            behind=f"{BEHIND_S:.0f}",
        )
    ]
    for direction in ("to agent", "from agent", "both"):
        parts.append(f"## {direction.capitalize()}{' ways' if direction == 'both' else ''}\n")
        for name, (way, meaning, fields) in MESSAGES.items():
            if way == direction:
                rows = "\n".join(f"| `{field}` | {text} |" for field, text in fields.items())
                parts.append(f"### {name}\n\n{meaning.capitalize()}.\n\n| field | meaning |\n| --- | --- |\n{rows}\n")
    return "\n".join(parts)
