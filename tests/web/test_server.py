"""Who may have the console in a browser, and that nothing of it is left behind."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientSession, WSServerHandshakeError
from aiohttp.test_utils import TestServer

from octogram_tui.web import session
from octogram_tui.web.server import BrowserServer, CannotServe, is_loopback

CONSOLE = Path(__file__).parent / "pretended_console.py"


@asynccontextmanager
async def serving(*arguments: str) -> AsyncIterator[tuple[ClientSession, str, BrowserServer]]:
    server = BrowserServer([sys.executable, str(CONSOLE), *arguments], "octogram-tui <b>run</b>")
    async with TestServer(server.app(), host="127.0.0.1") as running, ClientSession() as client:
        yield client, f"http://127.0.0.1:{running.port}", server


async def heard(socket: aiohttp.ClientWebSocketResponse) -> Any:
    return (await socket.receive(timeout=60)).data


async def gone(pid: int) -> None:
    async with asyncio.timeout(60):
        while Path(f"/proc/{pid}").exists():
            await asyncio.sleep(0.01)


async def test_with_the_token_there_is_a_page_that_needs_nothing_from_elsewhere() -> None:
    async with serving() as (client, root, server):
        async with client.get(f"{root}/{server.token}/") as answer:
            page = await answer.text()
            assert answer.status == 200
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "octogram-tui &lt;b&gt;run&lt;/b&gt;" in page
        assert "https://" not in page
        for path in ("static/css/xterm.css", "textual.js", "own/page.js", "own/page.css"):
            assert path in page or path.startswith("own")
            async with client.get(f"{root}/{server.token}/{path}") as answer:
                assert answer.status == 200
                assert f"/{server.token}/download/" in await answer.text() or path != "textual.js"


@pytest.mark.parametrize("token", ["", "x", "{token}x", "static", "..", "%00", "é"])
async def test_without_the_token_nothing_is_answered(token: str) -> None:
    async with serving() as (client, root, server):
        given = token.replace("{token}", server.token)
        for path in ("", "ws", "static/css/xterm.css", "own/page.js", "textual.js", "download/x"):
            async with client.get(f"{root}/{given}/{path}" if given else f"{root}/{path}") as answer:
                assert answer.status == 403
                assert server.token not in await answer.text()
        with pytest.raises(WSServerHandshakeError, match="403"):
            await client.ws_connect(f"{root}/{given or 'x'}/ws")


ODD = [
    "OPTIONS * HTTP/1.1",
    "GET * HTTP/1.1",
    "CONNECT 127.0.0.1:80 HTTP/1.1",
    "CONNECT x HTTP/1.1",
    "GET x HTTP/1.1",
    "GET ? HTTP/1.1",
    "GET # HTTP/1.1",
    "GET // HTTP/1.1",
    "GET //[ HTTP/1.1",
    "GET http://[ HTTP/1.1",
    "GET http://127.0.0.1:99999/ HTTP/1.1",
    "GET http:/// HTTP/1.1",
    "GET mailto:x HTTP/1.1",
    "GET /%ff%fe HTTP/1.1",
    "GET /%ed%a0%80 HTTP/1.1",
    "GET /\udcff HTTP/1.1",
    "WEIRD / HTTP/1.1",
    "GET / HTTP/1.1\r\nOrigin: http://[",
    "GET * HTTP/1.1\r\nOrigin: null",
    "GET * HTTP/1.1\r\nExpect: what",
    "GET / HTTP/1.1\r\nHost: [",
    "GET / HTTP/1.1\r\nX: " + "x" * 100_000,
    "GET /" + "x" * 100_000 + " HTTP/1.1",
    "GET / HTTP/1.1\r\nContent-Length: 1\xb2",
    "\x16\x03\x01",
]


@pytest.mark.parametrize("head", ODD, ids=lambda head: ascii(head[:40]))
async def test_odd_requests_are_refused_as_all_without_the_token_are(
    head: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving() as (_client, root, _server), asyncio.timeout(60):
        host = root.removeprefix("http://")
        reader, writer = await asyncio.open_connection(*host.split(":"))
        asked = f"{head}\r\n{'' if 'Host:' in head else f'Host: {host}'}\r\nConnection: close\r\n\r\n"
        writer.write(asked.encode("utf-8", "surrogateescape"))
        answer = await reader.read()
        writer.close()
    assert answer.split(b" ")[1][:1] == b"4", answer
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost@evil.example"},
        {"Host": "192.0.2.1"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_other_names_and_other_pages_are_refused_also_with_the_token(headers: dict[str, str]) -> None:
    async with serving() as (client, root, server):
        for path in ("", "static/css/xterm.css"):
            async with client.get(f"{root}/{server.token}/{path}", headers=headers) as answer:
                assert answer.status in (400, 403)
        with pytest.raises(WSServerHandshakeError, match=r"40[03]"):
            await client.ws_connect(f"{root}/{server.token}/ws", headers=headers)


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        *((host, True) for host in ("127.0.0.1", "127.0.0.1:80", "localhost:9", "[::1]:80")),
        *((host, False) for host in ("::1", "localhost.", "0.0.0.0", "127.0.0.1:x", "[::1", "a@localhost")),
    ],
)
def test_loopback_names(host: str, is_ours: bool) -> None:
    assert is_loopback(host) is is_ours


async def test_a_page_has_a_console_whose_keys_and_size_are_its_own_and_that_ends_with_it() -> None:
    async with serving() as (client, root, server):
        url = f"{root}/{server.token}/ws?width=123&height=99999999"
        async with client.ws_connect(url, headers={"Origin": root}) as socket:
            pid, *size = json.loads(await heard(socket))
            assert size == ["123", "1000"]
            for odd in ("", "{", "7", "[]", '["resize"]', '["resize", 3]', '["stdin"]', '["what", {}]', "[1, 2, 3]"):
                await socket.send_str(odd)
            await socket.send_json(["stdin", "é\ud800"])
            while not (typed := await heard(socket)).startswith("typed é".encode()):
                pass
            assert typed == "typed é?".encode()
            await socket.send_json(["resize", {"width": 50, "height": "x"}])
            assert json.loads(await heard(socket)) == {"type": "resize", "width": 50, "height": 24}
        await gone(pid)


async def test_a_console_that_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "GRACE_S", 0.2)
    async with serving("deaf") as (client, root, server):
        async with client.ws_connect(f"{root}/{server.token}/ws") as socket:
            pid, *_ = json.loads(await heard(socket))
        await gone(pid)


async def test_a_console_that_is_left_closes_its_page() -> None:
    async with serving() as (client, root, server):
        async with client.ws_connect(f"{root}/{server.token}/ws") as socket:
            pid, *_ = json.loads(await heard(socket))
            os.kill(pid, signal.SIGKILL)
            assert (await socket.receive(timeout=60)).type is aiohttp.WSMsgType.CLOSE


async def test_a_console_that_cannot_start_closes_its_page(capsys: pytest.CaptureFixture[str]) -> None:
    server = BrowserServer([sys.executable, "-c", "raise SystemExit('no theme pink')"], "x")
    async with TestServer(server.app(), host="127.0.0.1") as running, ClientSession() as client:
        async with client.ws_connect(f"http://127.0.0.1:{running.port}/{server.token}/ws") as socket:
            assert (await socket.receive(timeout=60)).type is aiohttp.WSMsgType.CLOSE
    assert "no theme pink" in capsys.readouterr().err


async def test_it_ends_in_order_with_its_pages_and_says_which_port_it_cannot_have() -> None:
    server = BrowserServer([sys.executable, str(CONSOLE)], "x")
    told: list[str] = []
    serving = asyncio.create_task(server.run(0, told.append))
    async with asyncio.timeout(60):
        while not told:
            await asyncio.sleep(0.01)
    other = BrowserServer([sys.executable], "x")
    with pytest.raises(CannotServe, match=f"cannot listen on port {server.port} of 127.0.0.1"):
        await other.run(server.port, told.append)
    async with ClientSession() as client, client.ws_connect(f"{told[0]}ws") as socket:
        pid, *_ = json.loads(await heard(socket))
        server.end()
        assert (await socket.receive(timeout=60)).data == 1001
    await serving
    assert not Path(f"/proc/{pid}").exists()
    assert server.token != other.token
    assert len(server.token) >= 32
