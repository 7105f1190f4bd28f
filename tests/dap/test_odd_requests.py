"""What a client may send that is no part of the protocol, or makes no sense: it is refused, and nothing changes."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from adapter_client import InMemory, in_memory

from octogram_tui.dap.incoming import MOVES, STANDING
from tools.debugged_run import SCENARIO


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /a:b HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
        b"Host: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}",
        b"Content-Length: 99999999999\r\n\r\n",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        b"Content-Length : 2\r\n\r\n{}",
        b"x" * 10_000,
        b"Content-Length: 20\r\n\r\n{",
    ],
)
async def test_what_is_not_the_protocol_is_not_listened_to(sent: bytes) -> None:
    async with in_memory(InMemory()) as client:
        client.write(sent)
        if sent.endswith(b"{"):
            await client.hang_up()
        else:
            assert (await client.event("output"))["category"] == "important"
            await client.reading  # it hangs up
        assert len(client.told) <= 1


NAMES = (
    "threadId frameId variablesReference expression context name value line column text source breakpoints filters "
    "filterOptions levels startFrame start count filter targetId singleThread requestId endLine lines dataId"
).split()
VALUES: list[Any] = [
    None, True, 0, 1, 2, 3, 7, 40, 41, -1, 2**40, 1.5, 2.0, "", "vars", "vars.level", "level", "repl", "hover", "watch",
    "\x1b[2J\r\n", "\ud800", "*" * 5000, "{{", "1 +", "n_1", "measure/probe@n_1", "failed", "where", "earlier 5", "now",
    "rerun .", "set level = 2", "b * failed", "args . env={}", [], {}, [{}], ["failed"], {"path": str(SCENARIO)},
    [{"line": 28}], [{"line": "x"}], [{"name": "*"}], [{"dataId": "a*", "condition": "true"}], "indexed", "named",
    [{"filterId": "failed", "condition": "1 +"}], {"sourceReference": 1},
]  # fmt: skip
ASKED = sorted(
    (MOVES | STANDING | {"cancel", "modules", "\x00"}) - {"launch", "attach", "disconnect", "restart", "terminate"}
)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_asked_is_answered_once_and_breaks_nothing(seed: int) -> None:
    rng = random.Random(seed)
    async with in_memory(InMemory()) as client:
        await client.begin(program=str(SCENARIO), stopOnEntry=True)
        answers = []
        for _ in range(250):
            given = {name: rng.choice(VALUES) for name in rng.sample(NAMES, rng.randrange(8))}
            arguments: Any = rng.choice([given, given, given, given, None, [], "x"])
            answers.append(client.send(rng.choice(ASKED), arguments))
            if rng.random() < 0.3:
                await asyncio.sleep(0)
        told = await asyncio.wait_for(asyncio.gather(*answers), 60)
        assert not [each for each in told if "defect" in str(each.get("message"))]
        assert any(each["success"] for each in told)
        assert (await client.do("threads"))["threads"][39]["id"] == 40
        await client.do("disconnect")
