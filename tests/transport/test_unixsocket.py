"""A Unix socket as a channel: what comes after the end is dropped, and the end is said once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fixtures_ssh import DEADLINE_S, Recorder

from octogram_tui.transport.unixsocket import SocketChannel, connect


async def test_what_is_written_after_the_end_is_dropped(tmp_path: Path) -> None:
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set_result(await reader.read())
        writer.close()

    path, recorder = str(tmp_path / "s"), Recorder()
    channels: set[SocketChannel] = set()
    async with await asyncio.start_unix_server(listen, path):
        channel = await connect(path, recorder, channels)
        channel.write(b"all")
        channel.write_eof()
        channel.write(b"late")
        channel.write_eof()
        async with asyncio.timeout(DEADLINE_S):
            assert await heard == b"all"
            await channel.wait_closed()
        await recorder.end()
    channel.write(b"later")
    assert not channels
