"""What ours would be without an engine: asyncssh, one connection and one bare agent for each host, JSON lines.

python bench/contenders/bare.py SERVER_FOLDER PORT HOSTS JOBS [COMMAND]

COMMAND is what a job runs, `/bin/true`; where it is empty, the agents answer without starting anything. Prints, as
JSON, the seconds from the first connection to the last agent that is ready, those that all jobs took, and the median
of what passed between asking for one and its answer.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path

import asyncssh
from shared import addresses, options

SOURCE = Path(__file__).with_name("bare_agent.py").read_bytes()
BOOT = (
    f"import os;b=b''\nwhile len(b)<{len(SOURCE)}:b+=os.read(0,{len(SOURCE)}-len(b))\nexec(compile(b,'agent','exec'))"
)


class Agent(asyncssh.SSHClientSession):
    """One agent: asks it for one job after the other."""

    def __init__(self) -> None:
        self._rest = b""
        self._waiting: dict[int, asyncio.Future] = {}
        self.ready = asyncio.get_running_loop().create_future()

    async def start(self, connection) -> None:
        self.channel, _ = await connection.create_session(lambda: self, f'exec python3 -IS -c "{BOOT}"', encoding=None)
        self.channel.write(SOURCE)
        await self.ready

    def data_received(self, data, datatype) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            answer = json.loads(line)
            if "ready" in answer:
                self.ready.set_result(None)
            else:
                self._waiting.pop(answer["id"]).set_result(answer["exit"])

    async def work(self, jobs: int, argv: list[str]) -> list[float]:
        took_s = []
        for number in range(jobs):
            asked_s = time.perf_counter()
            done = self._waiting[number] = asyncio.get_running_loop().create_future()
            self.channel.write((json.dumps({"id": number, "argv": argv}) + "\n").encode())
            assert await done == 0
            took_s.append(time.perf_counter() - asked_s)
        return took_s


async def main(folder: str, port: int, hosts: int, jobs: int, argv: list[str]) -> None:
    how = options(folder)
    gate = asyncio.Semaphore(16)
    agents = [Agent() for _ in range(hosts)]

    async def start(agent: Agent, address: str):
        async with gate:
            connection = await asyncssh.connect(address, port, options=how)
            await agent.start(connection)
            return connection

    began_s = time.perf_counter()
    connections = await asyncio.gather(*map(start, agents, addresses(hosts)))
    ready_s = time.perf_counter()
    took_s = await asyncio.gather(*(agent.work(jobs, argv) for agent in agents))
    jobs_s = time.perf_counter() - ready_s
    median_s = statistics.median(one for agent in took_s for one in agent)
    print(json.dumps({"ready_s": ready_s - began_s, "jobs_s": jobs_s, "median_s": median_s}))
    for agent in agents:
        agent.channel.write_eof()
    await asyncio.gather(*(agent.channel.wait_closed() for agent in agents))
    for connection in connections:
        connection.close()
    await asyncio.gather(*(connection.wait_closed() for connection in connections))


if __name__ == "__main__":
    words = sys.argv[5].split() if len(sys.argv) > 5 else ["/bin/true"]
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:5]), words))
