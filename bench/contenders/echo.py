"""The floor of a round trip over SSH: `cat` at the other end of one channel gives back what it is sent.

python bench/contenders/echo.py SERVER_FOLDER PORT TIMES

Prints the median, in seconds.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time

import asyncssh
from shared import options

LINE = b'{"id": 1, "argv": []}\n'


class Echo(asyncssh.SSHClientSession):
    """Waits for what it has sent."""

    def __init__(self) -> None:
        self._got = 0
        self.whole = asyncio.Event()

    def data_received(self, data, datatype) -> None:
        self._got += len(data)
        if self._got == len(LINE):
            self._got = 0
            self.whole.set()


async def main(folder: str, port: int, times: int) -> None:
    async with asyncssh.connect("127.0.1.1", port, options=options(folder)) as connection:
        channel, echo = await connection.create_session(Echo, "exec cat", encoding=None)
        took_s = []
        for _ in range(times):
            sent_s = time.perf_counter()
            channel.write(LINE)
            await echo.whole.wait()
            echo.whole.clear()
            took_s.append(time.perf_counter() - sent_s)
        channel.close()
    print(statistics.median(took_s))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:4])))
