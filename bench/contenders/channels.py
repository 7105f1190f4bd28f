"""A file to many hosts by asyncssh, raw through a channel of `cat` on each.

python bench/contenders/channels.py SERVER_FOLDER PORT HOSTS FILE TARGET

TARGET is the file there, followed by the host's number. Prints how long it took once all connections were there.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import asyncssh
from shared import addresses, options

BLOCK_BYTES = 1 << 18


async def main(folder: str, port: int, hosts: int, file: str, target: str) -> None:
    how = options(folder)
    connections = await asyncio.gather(*(asyncssh.connect(each, port, options=how) for each in addresses(hosts)))
    data = memoryview(Path(file).read_bytes())

    async def send(connection, number: int) -> None:
        process = await connection.create_process(f"exec cat >{target}{number}", encoding=None)
        for start in range(0, len(data), BLOCK_BYTES):
            process.stdin.write(data[start : start + BLOCK_BYTES])
            await process.stdin.drain()
        process.stdin.write_eof()
        assert (await process.wait()).returncode == 0

    started_s = time.perf_counter()
    await asyncio.gather(*(send(connection, number) for number, connection in enumerate(connections)))
    print(time.perf_counter() - started_s)
    for connection in connections:
        connection.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:6]))
