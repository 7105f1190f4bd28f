"""A real browser without a screen, told what to do by its debugging protocol, and what its console was sent."""

import asyncio
import base64
import json
import re
import shutil
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pyte

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-extensions --remote-debugging-port=0 --window-size=1000,620"
)
DEADLINE_S = 60.0


def program() -> str | None:
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class Browser:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._count = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.screen = pyte.Screen(300, 100)  # wide enough: the console positions all that it writes
        self._stream = pyte.ByteStream(self.screen)
        self.listening: asyncio.Task[None] | None = None
        self.requested: list[str] = []
        self.troubles: list[str] = []

    async def listen(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told.get("result", told))
                continue
            about = told.get("params", {})
            match told["method"]:
                case "Network.webSocketFrameReceived" if about["response"]["opcode"] == 2:
                    self._stream.feed(base64.b64decode(about["response"]["payloadData"]))
                case "Network.requestWillBeSent":
                    self.requested.append(about["request"]["url"])
                case "Runtime.exceptionThrown":
                    self.troubles.append(json.dumps(about["exceptionDetails"])[:500])
                case "Log.entryAdded" if about["entry"]["level"] == "error":
                    self.troubles.append(about["entry"]["text"])

    async def do(self, method: str, **about: Any) -> dict[str, Any]:
        self._count += 1
        answer = self._answers[self._count] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._count, "method": method, "params": about})
        return await asyncio.wait_for(answer, DEADLINE_S)

    async def open(self, url: str) -> None:
        for part in ("Page", "Network", "Runtime", "Log"):
            await self.do(f"{part}.enable")
        await self.do("Page.navigate", url=url)

    async def says(self, expression: str) -> Any:
        found = await self.do("Runtime.evaluate", expression=expression)
        return found["result"].get("value")

    def text(self) -> str:
        """What the console has drawn, as a terminal would show it."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip()

    async def until(self, seen: str, *, gone: str = "") -> None:
        try:
            async with asyncio.timeout(DEADLINE_S):
                while seen not in self.text() or (gone and gone in self.text()):
                    if self.listening is not None and self.listening.done():
                        self.listening.result()
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"{seen!r} did not come:\n{self.text()}\n{self.troubles}") from None

    async def press(self, *keys: str) -> None:
        for key in keys:
            about: dict[str, Any] = (
                {"key": key, "text": key} if len(key) == 1 else {"key": key, "code": key, **_CODES[key]}
            )
            await self.do("Input.dispatchKeyEvent", type="keyDown", **about)
            await self.do("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def picture(self) -> bytes:
        """What one would see, as PNG."""
        return base64.b64decode((await self.do("Page.captureScreenshot"))["data"])


_CODES: dict[str, dict[str, Any]] = {
    "Escape": {"windowsVirtualKeyCode": 27},
    "Enter": {"windowsVirtualKeyCode": 13, "text": "\r"},
    "Tab": {"windowsVirtualKeyCode": 9},
}


@asynccontextmanager
async def browser(place: Path) -> AsyncIterator[Browser]:
    """Start one with nothing of its user's, and end it."""
    found = program()
    assert found is not None
    process = await asyncio.create_subprocess_exec(
        found, *OPTIONS.split(), f"--user-data-dir={place}", "about:blank",
        stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stderr is not None
    drain = None
    try:
        port = ""
        async with asyncio.timeout(DEADLINE_S):
            while not port:
                line = (await process.stderr.readline()).decode(errors="replace")
                assert line, "the browser ended"
                match = re.search(r"ws://127\.0\.0\.1:(\d+)/", line)
                port = match[1] if match else ""
        drain = asyncio.create_task(process.stderr.read())
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                tabs = await answer.json()
            tab = next(tab for tab in tabs if tab["type"] == "page")
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                one = Browser(socket)
                one.listening = asyncio.create_task(one.listen())
                yield one
                with suppress(Exception):
                    await asyncio.wait_for(one.do("Browser.close"), 5)
                one.listening.cancel()
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if drain is not None:
            await drain


def colours(png: bytes) -> int:
    """How many different bytes a picture's lines are made of: few when nothing is drawn."""
    data, at = b"", 8
    while at < len(png):
        size, kind = int.from_bytes(png[at : at + 4], "big"), png[at + 4 : at + 8]
        data += png[at + 8 : at + 8 + size] if kind == b"IDAT" else b""
        at += size + 12
    return len(set(zlib.decompress(data)))
