"""`octogram-tui serve` in a real browser: the console is drawn, takes keys, and nothing of it is left."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp
import pytest
from browser import Browser, browser, colours, program
from fixtures_program import Place

SCENARIO = """
agents: [{name: 'one', transport: local}, {name: two, transport: local}]
vars: {stock: 3}
stages:
  - {name: greet, jobs: [{name: hello, builtins.shell: echo hello}]}
"""


async def address(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while line := (await process.stdout.readline()).decode():
            if "http://" in line:
                return line.split()[-1]
    raise AssertionError("it ended without an address")


async def serve(place: Place, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "octogram_tui",
        "serve",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=place.environment,
        cwd=place.home,
    )


def consoles(place: Place) -> list[str]:
    return [line for line in place.processes() if " page " in line]


async def until(tab: Browser, expression: str, wanted: str) -> None:
    async with asyncio.timeout(60):
        while wanted not in str(await tab.says(expression)):
            await asyncio.sleep(0.02)


@pytest.mark.browser
@pytest.mark.skipif(program() is None, reason="there is no Chromium here")
async def test_the_console_is_drawn_and_takes_keys(place: Place, tmp_path: Path) -> None:
    place.write("s.yml", SCENARIO)
    server = await serve(place, "s.yml", "-e", "stock=7")
    try:
        url = await address(server)
        async with browser(tmp_path / "profile") as tab:
            await tab.open(url)
            await tab.until("All stages are done")
            await tab.press("4")
            await tab.until("stock")
            await tab.press("E")  # the terminal cannot be lent out: that is said, and nothing else happens
            await tab.until("no terminal")
            async with asyncio.timeout(60):  # the browser draws when it likes to
                while colours(await tab.picture()) < 100:
                    await asyncio.sleep(0.05)
            await tab.press("q")
            await tab.until("Leave the run?")
            await tab.press("d")
            await until(tab, "document.body.className", "-closed")
            async with asyncio.timeout(60):
                while consoles(place):
                    await asyncio.sleep(0.02)
            await tab.do("Page.navigate", url=url)  # again
            await tab.until("All stages are done", gone="Leave the run?")
            assert tab.troubles == []
            token = url.split("/")[3]
            assert all(token in asked or asked.startswith("data:") for asked in tab.requested), tab.requested
            await tab.do("Page.navigate", url=url.replace(token, "x" * len(token)))
            await until(tab, "document.body.innerText", "the token is missing or wrong")
            await tab.do("Page.navigate", url=url)
            server.send_signal(signal.SIGINT)
            assert await asyncio.wait_for(server.wait(), 30) == 0
        assert consoles(place) == []
    finally:
        if server.returncode is None:
            server.kill()
            await server.wait()
        place.run("ask", "last", "stop")


async def test_the_server_alone(place: Place) -> None:
    """Without a browser: what begins, watches and ends is the same."""
    place.write("s.yml", SCENARIO)
    assert place.run("s.yml", "--headless").returncode == 0
    server = await serve(place, "last", "--read-only", "--ascii")
    url = await address(server)
    seen = b""
    async with aiohttp.ClientSession() as client, client.ws_connect(f"{url}ws?width=100&height=30") as socket:
        async with asyncio.timeout(60):
            while b"greet" not in seen or b"replay" not in seen:
                message = await socket.receive()
                assert message.type is aiohttp.WSMsgType.BINARY, message
                seen += message.data
        assert len(consoles(place)) == 1
        os.kill(server.pid, signal.SIGKILL)  # not even time to say goodbye
        await server.wait()
        async with asyncio.timeout(60):
            while consoles(place):
                await asyncio.sleep(0.05)
