"""builtins.http and start_http_server on a real daemon."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from ports import free_port
from real_agent import RealAgent


class Echo(BaseHTTPRequestHandler):
    """Answers with what was asked; counts what is asked for by path."""

    counts: dict[str, int]

    def _answer(self) -> None:
        self.counts[self.path] = self.counts.get(self.path, 0) + 1
        length = int(self.headers.get("Content-Length") or 0)
        told = {
            "method": self.command,
            "path": self.path,
            "body": self.rfile.read(length).decode(),
            "type": self.headers.get("Content-Type"),
            "x": self.headers.get("X-Test"),
        }
        status = int(self.path[1:4]) if self.path[1:4].isdigit() else 200
        data = {"/long": b"x" * 200_000, "/text": b"not \xff json", "/nan": b"NaN"}.get(
            self.path, json.dumps(told).encode()
        )
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Answer", "yes")
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = _answer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def echo() -> Generator[str, None, None]:
    Echo.counts = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_request_and_its_answer(any_agent: RealAgent, echo: str) -> None:
    result = await any_agent.ok("builtins.http", url={"remote": f"http://{echo}/a?b=1"})
    assert result["status"] == 200
    assert result["headers"]["x-answer"] == "yes"
    assert result["json"]["method"] == "GET"
    assert json.loads(result["body"])["path"] == "/a?b=1"


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/a b?c=é d", "/a%20b?c=%C3%A9%20d"),
        ("/a%20b%2f%zz?c=+&d=[1]|{2}", "/a%20b%2f%zz?c=+&d=[1]|{2}"),
        ("/x\ny#part", "/x%0Ay"),
        ("?only=/query", "/?only=/query"),
    ],
)
async def test_a_url_is_sent_as_it_was_written(agent: RealAgent, echo: str, path: str, sent: str) -> None:
    result = await agent.ok("builtins.http", url={"remote": f"http://{echo}{path}"})
    assert result["json"]["path"] == sent
    waited = await agent.ok("builtins.wait_for", http={"remote": f"http://{echo}{path}"})
    assert waited["seen"] == f"200 http://{echo}{path}"
    port = echo.partition(":")[2]
    await agent.ok("builtins.start_process", name="echo", argv=["sleep", "60"], ports={"http": port})
    assert (await agent.ok("builtins.http", url={"owned": f"echo{path}"}))["json"]["path"] == sent


async def test_what_is_sent(agent: RealAgent, echo: str) -> None:
    url = {"remote": echo + "/x"}  # a URL without a scheme is http
    sent = await agent.ok("builtins.http", url=url, json={"a": [1]}, headers={"X-Test": 5})
    assert sent["json"] == {"method": "POST", "path": "/x", "body": '{"a": [1]}', "type": "application/json", "x": "5"}
    sent = await agent.ok("builtins.http", url=url, body="é", method="PUT", headers={"content-type": "text/plain"})
    assert (sent["json"]["method"], sent["json"]["body"], sent["json"]["type"]) == ("PUT", "é", "text/plain")
    error = await agent.error("builtins.http", url=url, body="x", json={})
    assert error["kind"] == "argument"


async def test_statuses(agent: RealAgent, echo: str) -> None:
    error = await agent.error("builtins.http", url={"remote": f"http://{echo}/404"})
    assert error["kind"] == "status"
    assert error["message"] == f"GET http://{echo}/404 was answered with status 404"
    assert error["detail"]["status"] == 404
    assert (await agent.ok("builtins.http", url={"remote": f"http://{echo}/404"}, expect=404))["status"] == 404
    await agent.ok("builtins.http", url={"remote": f"http://{echo}/503"}, expect=[200, 503])
    error = await agent.error("builtins.http", url={"remote": f"http://{echo}/ok"}, expect=[201, 202])
    assert "expected: [201, 202]" in error["message"]


async def test_bodies_that_are_no_json_or_too_long(agent: RealAgent, echo: str) -> None:
    text = await agent.ok("builtins.http", url={"remote": f"http://{echo}/text"})
    assert (text["body"], text["json"]) == ("not \ufffd json", None)
    assert (await agent.ok("builtins.http", url={"remote": f"http://{echo}/nan"}))["json"] is None
    long = await agent.ok("builtins.http", url={"remote": f"http://{echo}/long"})
    assert len(long["body"]) == 65536
    await agent.seen("the answer is cut: it has 200000 characters")


async def test_no_answer(agent: RealAgent) -> None:
    port = free_port()
    error = await agent.error("builtins.http", url={"remote": f"http://127.0.0.1:{port}/"})
    assert error["kind"] == "http"
    assert str(port) in error["message"]
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        error = await agent.error(
            "builtins.http", url={"remote": f"http://127.0.0.1:{silent.getsockname()[1]}/"}, timeout=0.2
        )
    assert error["kind"] == "http"


async def test_services_that_are_not_there(agent: RealAgent) -> None:
    await agent.ok("builtins.start_process", argv="sleep 1000", name="two", ports={"a": 1, "b": 2})
    error = await agent.error("builtins.http", url={"owned": "nobody/x"})
    assert error["kind"] == "service"
    assert "no service named nobody" in error["message"]
    assert "two" in error["hint"]
    error = await agent.error("builtins.http", url={"owned": "two"})
    assert "several ports and none is named http: a, b" in error["message"]
    await agent.ok("builtins.start_process", argv="sleep 1000", name="one", ports={"a": 1})
    await agent.ok("builtins.stop_process", name="one")
    await agent.service("one", "down")
    error = await agent.error("builtins.http", url={"owned": "one"})
    assert "one is down" in error["message"]


async def test_files_are_served(any_agent: RealAgent) -> None:
    (any_agent.home / "f").write_text("content")
    (any_agent.root / "secret").write_text("secret")
    result = await any_agent.ok("builtins.start_http_server")
    service = await any_agent.service("http", "up")
    assert (service["kind"], service["ports"]) == ("http", {"http": result["port"]})
    answer = await any_agent.ok("builtins.http", url={"remote": any_agent.url(result, "f")})
    assert answer["body"] == "content"
    error = await any_agent.error("builtins.http", url={"owned": "http/../secret"})
    assert error["detail"]["status"] == 403


async def test_one_server_an_agent(agent: RealAgent) -> None:
    (agent.home / "sub").mkdir()
    (agent.home / "sub/f").write_text("1")
    first = await agent.ok("builtins.start_http_server", "s/j@a", directory="sub")
    error = await agent.error("builtins.start_http_server", "s/other@a")
    assert error["kind"] == "conflict"
    assert f"running already: {agent.home}/sub on port {first['port']}, started by s/j@a" in error["message"]
    again = await agent.ok("builtins.start_http_server", "s/j@a", directory="sub")
    assert again == first
    assert (await agent.ok("builtins.http", url={"owned": "http/f"}))["body"] == "1"


async def test_a_server_that_ended_is_replaced_by_any_job(agent: RealAgent) -> None:
    first = await agent.ok("builtins.start_http_server", "s/j@a")
    await agent.ok("builtins.stop_process", name="http-server")
    await agent.service("http", "down")
    await agent.ok("builtins.start_http_server", "s/other@a", http_port=str(first["port"]))


async def test_a_port_that_is_taken_or_none(agent: RealAgent) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        error = await agent.error("builtins.start_http_server", http_port=str(port))
    assert error["kind"] == "port"
    assert f"on 127.0.0.1:{port}: it is in use by" in error["message"]
    assert f"(pid {os.getpid()})" in error["message"]
    assert "http_port" in error["hint"]
    assert (await agent.error("builtins.start_http_server", http_port="http"))["kind"] == "refused"
    assert agent.services == []
    await agent.ok("builtins.start_http_server", http_port=str(port))


async def test_a_directory_that_comes_later(agent: RealAgent) -> None:
    await agent.ok("builtins.start_http_server", directory="later")
    await agent.seen("does not exist yet")
    (agent.home / "later").mkdir()
    (agent.home / "later/f").write_text("x")
    assert (await agent.ok("builtins.http", url={"owned": "http/f"}))["body"] == "x"


async def test_a_download_is_done_once_also_by_several_at_once(any_agent: RealAgent, echo: str) -> None:
    uri = {"remote": f"http://{echo}/tool"}
    ends = [any_agent.start("builtins.prefetch", file=uri)[1] for _ in range(5)]
    for end in await asyncio.gather(*ends):
        assert end.state == "ok", end
    assert Echo.counts == {"/tool": 1}
    await any_agent.ok("builtins.prefetch", file=uri)
    assert Echo.counts == {"/tool": 1}
    assert os.access(any_agent.home / "tool", os.X_OK)


async def test_a_download_goes_on_when_the_first_who_asked_is_cancelled(agent: RealAgent) -> None:
    with socket.socket() as listener, contextlib.ExitStack() as open_until_the_end:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        loop = asyncio.get_running_loop()
        uri = {"remote": f"http://127.0.0.1:{listener.getsockname()[1]}/f"}
        first, first_end = agent.start("builtins.prefetch", file=uri)
        connection, _ = await asyncio.wait_for(loop.sock_accept(listener), 60)
        open_until_the_end.enter_context(connection)
        _, second_end = agent.start("builtins.prefetch", file=uri)
        agent.cancel(first)
        assert (await first_end).state == "cancelled"
        second, _ = await asyncio.wait_for(loop.sock_accept(listener), 60)
        open_until_the_end.enter_context(second)
        await loop.sock_sendall(second, b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nself")
        assert (await asyncio.wait_for(second_end, 30)).state == "ok"
    assert (agent.home / "f").read_text() == "self"


async def test_a_failed_download_is_tried_anew(agent: RealAgent, echo: str, tmp_path: Path) -> None:
    uri = {"remote": f"http://{echo}/500"}
    error = await agent.error("builtins.prefetch", file=uri)
    assert error["kind"] == "download"
    assert error["message"] == f"cannot download http://{echo}/500: the server answered 500 Internal Server Error"
    await agent.error("builtins.prefetch", file=uri)
    assert Echo.counts == {"/500": 2}
