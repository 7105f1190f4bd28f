"""asyncssh as most use it: one connection for each host, one channel for each job.

python bench/contenders/exec_each.py SERVER_FOLDER PORT HOSTS JOBS
"""

from __future__ import annotations

import asyncio
import sys

import asyncssh
from shared import addresses, options


async def main(folder: str, port: int, hosts: int, jobs: int) -> None:
    how = options(folder)
    gate = asyncio.Semaphore(16)

    async def connect(address: str):
        async with gate:
            return await asyncssh.connect(address, port, options=how)

    connections = await asyncio.gather(*map(connect, addresses(hosts)))

    async def work(connection) -> None:
        for _ in range(jobs):
            assert (await connection.run("true")).returncode == 0

    await asyncio.gather(*map(work, connections))
    for connection in connections:
        connection.close()
    await asyncio.gather(*(connection.wait_closed() for connection in connections))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:5])))
