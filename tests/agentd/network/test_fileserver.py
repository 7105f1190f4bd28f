"""The file server over real sockets: what it gives out, and what it never does."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import resource
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from agent_harness import is_alive, until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from interpreters import interpreters

from octogram_agentd.network import exchange, fileserver
from octogram_agentd.network.tickets import with_ticket
from octogram_agentd.processes import origin


class Server:
    """A running file server."""

    def __init__(
        self,
        directory: Path,
        python: str = sys.executable,
        address: str = "127.0.0.1",
        port: int = 0,
        key: str = "",
        **more: Any,
    ) -> None:
        self.process = subprocess.Popen(
            [python, *origin.argv("network.fileserver", address, str(port), str(directory))[1:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{key or 'open'}\n")
        self.process.stdin.close()
        found = re.match(r"serving on port (\d+)\n", self.process.stdout.readline())
        self.port = int(found.group(1)) if found else 0

    def ask(
        self, target: str, method: str = "GET", address: str = "127.0.0.1", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(address, self.port, timeout=60)
        try:
            connection.putrequest(method, target, skip_host=False)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def raw(self, data: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("served")
    (place / "secret").write_text("secret")
    (place / "outer").mkdir()
    (place / "outer/secret").write_text("secret")
    www = place / "www"
    (www / "sub").mkdir(parents=True)
    (www / "f.txt").write_bytes(b"0123456789")
    (www / "sub/with space").write_text("spaced")
    (www / "ünïcode").write_text("u")
    (www / "empty").touch()
    (www / "big").write_bytes(os.urandom(1 << 20) * 8)
    (www / "inner-link").symlink_to("f.txt")
    (www / "outer-link").symlink_to("../secret")
    (www / "outer-directory").symlink_to("../outer")
    (www / "absolute-link").symlink_to("/etc/passwd")
    os.mkfifo(www / "pipe")
    return place


@pytest.fixture(scope="module", params=interpreters(), ids=lambda path: Path(path).parent.parent.name)
def server(request: pytest.FixtureRequest, place: Path) -> Generator[Server, None, None]:
    server = Server(place / "www", request.param)
    yield server
    server.close()


def test_files_are_served(server: Server, place: Path) -> None:
    status, headers, body = server.ask("/f.txt")
    assert (status, body) == (200, b"0123456789")
    assert headers["content-length"] == "10"
    assert headers["accept-ranges"] == "bytes"
    assert server.ask("/sub/with%20space?x=1#y")[2] == b"spaced"
    assert server.ask("/%C3%BCn%c3%afcode")[2] == b"u"
    assert server.ask("//sub///./with%20space")[2] == b"spaced"
    assert server.ask("/empty")[::2] == (200, b"")
    assert server.ask("/inner-link")[2] == b"0123456789"
    assert server.ask("/big")[2] == (place / "www/big").read_bytes()
    assert server.ask("http://whatever/f.txt")[2] == b"0123456789"


def test_head_says_the_same_without_the_content(server: Server) -> None:
    status, headers, body = server.ask("/f.txt", "HEAD")
    assert (status, headers["content-length"], body) == (200, "10", b"")


@pytest.mark.parametrize(
    ("wanted", "status", "body"),
    [
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=0-99", 206, b"0123456789"),
        ("bytes=-99", 206, b"0123456789"),
        ("bytes=10-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=5-2", 416, None),
        ("bytes=1-2,4-5", 200, b"0123456789"),
        ("lines=1-2", 200, b"0123456789"),
        ("bytes=-", 200, b"0123456789"),
        ("bytes=\xb2-", 200, b"0123456789"),
        ("bytes=-\xb9", 200, b"0123456789"),
    ],
)
@pytest.mark.fault(89)
def test_ranges(server: Server, wanted: str, status: int, body: bytes | None) -> None:
    got, headers, content = server.ask("/f.txt", Range=wanted)
    assert got == status
    if body is not None:
        assert content == body
    if status == 206:
        assert headers["content-range"].endswith("/10")
    if status == 416:
        assert headers["content-range"] == "bytes */10"


def test_a_range_on_a_condition(server: Server) -> None:
    tag = server.ask("/f.txt")[1]["etag"]
    assert server.ask("/f.txt", Range="bytes=0-0", If_Range=tag)[0] == 206
    assert server.ask("/f.txt", Range="bytes=0-0", If_Range='"other"')[0] == 200


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/", 403),
        ("/sub", 403),
        ("/sub/", 403),
        ("/f.txt/", 404),
        ("/missing", 404),
        ("/sub/../../secret", 403),
        ("/../secret", 403),
        ("/%2e%2e/secret", 403),
        ("/..%2fsecret", 403),
        ("/sub/%2e%2e/%2e%2e/secret", 403),
        ("/outer-link", 403),
        ("/outer-directory/secret", 403),
        ("/absolute-link", 403),
        ("/pipe", 403),
        ("/f.txt%00", 400),
        ("f.txt", 400),
        ("/%zz", 404),
        ("//etc/passwd", 404),
        pytest.param("/" + "x" * 5000, 404, id="long"),
        ("/proc/self/environ", 404),
    ],
)
@pytest.mark.fault(89)
def test_what_is_not_served(server: Server, target: str, status: int) -> None:
    got, _, body = server.ask(target)
    assert got == status
    assert b"secret" not in body
    assert b"root:" not in body


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /f.txt HTTP/1.1\r\n\r\n", b"405"),
        (b"PUT /f.txt HTTP/1.1\r\n\r\n", b"405"),
        (b"GET\r\n\r\n", b"400"),
        (b"GET /f.txt\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\r\n\r\n", b"400"),
        (b"GET /f.txt SPDY/1\r\n\r\n", b"400"),
        pytest.param(b"GET /f HTTP/1.1\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", b"431", id="long"),
        (b"GET /f.txt HTTP/1.0\n\n", b"200"),
    ],
)
@pytest.mark.fault(89)
def test_odd_requests(server: Server, request_bytes: bytes, status: bytes) -> None:
    assert server.raw(request_bytes).split(b" ")[1] == status


def test_the_log_is_one_clean_line_a_request(server: Server, place: Path) -> None:
    one = Server(place / "www")
    try:
        one.raw(b"GET /\x1b[31m\xff HTTP/1.1\r\n\r\n")
        one.ask("/f.txt")
        assert one.process.stdout is not None
        assert one.process.stdout.readline() == "GET /\\x1b[31m\\xff 404 0\n"
        assert one.process.stdout.readline() == "GET /f.txt 200 10\n"
    finally:
        one.close()


def test_a_directory_may_come_later(tmp_path: Path) -> None:
    one = Server(tmp_path / "later")
    try:
        assert one.ask("/f")[0] == 404
        (tmp_path / "later").mkdir()
        (tmp_path / "later/f").write_text("x")
        assert one.ask("/f")[2] == b"x"
    finally:
        one.close()


KEY = "k" * 64


@pytest.fixture(scope="module")
def keyed(place: Path) -> Generator[Server, None, None]:
    server = Server(place / "www", key=KEY)
    yield server
    server.close()


def signed(path: str, key: str = KEY) -> str:
    return with_ticket(f"http://h{path}", key)[len("http://h") :]


@pytest.mark.fault(89)
def test_a_ticket_is_good_for_its_file_and_for_no_other(keyed: Server) -> None:
    assert keyed.ask(signed("/f.txt"))[::2] == (200, b"0123456789")
    assert keyed.ask(signed("/sub/with%20space?x=1"))[2] == b"spaced"
    assert keyed.ask(signed("/f.txt"), "HEAD")[::2] == (200, b"")
    assert keyed.ask(signed("/f.txt"), Range="bytes=2-4")[::2] == (206, b"234")
    of_another = signed("/f.txt").replace("f.txt", "sub/with%20space")
    for target in (
        "/f.txt",
        "/missing",
        "/../secret",
        of_another,
        signed("/f.txt", "other"),
        f"/~{KEY}/f.txt",
        "/~/f.txt",
    ):
        status, _, body = keyed.ask(target)
        assert status == 401, target
        assert b"AGENT://PATH" in body


@pytest.mark.fault(89)
def test_a_ticket_leads_out_of_the_directory_no_more_than_none(keyed: Server) -> None:
    for path in (
        "/../secret",
        "/%2e%2e/secret",
        "/outer-link",
        "/outer-directory/secret",
        "/absolute-link",
        "/",
        "/sub",
    ):
        status, _, body = keyed.ask(signed(path))
        assert status == 403, path
        assert b"secret" not in body
    assert keyed.ask(signed("/f.txt"), "POST")[0] == 405


@given(st.binary(max_size=80))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.fault(89)
def test_nothing_is_given_out_to_whoever_guesses(keyed: Server, path: bytes) -> None:
    target = path.replace(b"\n", b"").replace(b"\r", b"").replace(b" ", b"")
    status = keyed.raw(b"GET /" + target + b" HTTP/1.1\r\n\r\n").split(b" ")[1]
    assert status in (b"400", b"401")


@pytest.mark.fault(89)
def test_a_ticket_stands_in_no_log_and_a_key_in_no_command_line(place: Path) -> None:
    one = Server(place / "www", key=KEY)
    try:
        one.ask(signed("/f.txt"))
        assert one.process.stdout is not None
        assert one.process.stdout.readline() == "GET /f.txt 200 10\n"
        assert KEY.encode() not in Path(f"/proc/{one.process.pid}/cmdline").read_bytes()
    finally:
        one.close()


def test_without_a_key_or_the_word_for_none_nothing_is_served(tmp_path: Path) -> None:
    argv = origin.argv("network.fileserver", "127.0.0.1", "0", str(tmp_path))
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs a key" in done.stderr


def limited() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))  # room for sixteen


@pytest.mark.fault(89)
def test_idle_and_half_open_connections_shut_nobody_out(place: Path) -> None:
    one = Server(place / "www", preexec_fn=limited)
    idle = []
    try:
        for number in range(48):
            idle.append(socket.create_connection(("127.0.0.1", one.port), timeout=60))
            idle[-1].sendall([b"", b"GET /f.txt HTTP/1.1\r\n", b"\x16"][number % 3])
        assert one.ask("/f.txt")[2] == b"0123456789"
        with contextlib.suppress(ConnectionResetError):
            assert idle[0].recv(100) == b""  # the oldest made room
    finally:
        for connection in idle:
            connection.close()
        one.close()


@pytest.mark.fault(89)
def test_transfers_under_way_are_not_sent_away_and_who_comes_waits(place: Path) -> None:
    one = Server(place / "www", preexec_fn=limited)
    busy = []
    try:
        for _ in range(16):
            busy.append(socket.create_connection(("127.0.0.1", one.port), timeout=60))
            busy[-1].sendall(b"GET /big HTTP/1.1\r\n\r\n")
            assert busy[-1].recv(8).startswith(b"HTTP")
        with socket.create_connection(("127.0.0.1", one.port), timeout=60) as waiting:
            waiting.sendall(b"GET /f.txt HTTP/1.1\r\n\r\n")
            busy.pop().close()
            assert select.select([waiting], [], [], 20)[0]
            assert waiting.recv(100).startswith(b"HTTP/1.1 200")
        assert len(b"".join(iter(lambda: busy[0].recv(1 << 20), b""))) > 8 << 20
    finally:
        for connection in busy:
            connection.close()
        one.close()


class Late(fileserver.Server):
    """Looks at its deadlines as if so much time had passed."""

    def __init__(self, directory: Path) -> None:
        self.listener = fileserver.listen("127.0.0.1", 0)
        super().__init__([self.listener], os.fsencode(directory), "", 8)
        self.is_over = False
        self.thread = threading.Thread(target=self.serve, args=(lambda: self.is_over,))
        self.thread.start()

    def connect(self, sent: bytes) -> socket.socket:
        connection = socket.create_connection(self.listener.getsockname(), timeout=60)
        connection.sendall(sent)
        return connection

    def close(self) -> None:
        self.is_over = True
        self.connect(b"").close()
        self.thread.join()
        self.listener.close()


@pytest.mark.fault(89)
def test_whoever_is_slow_is_sent_away(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then is no request, and an answer that nobody takes is not sent for ever."""
    monkeypatch.setattr(fileserver, "HEAD_S", 0.2)
    monkeypatch.setattr(fileserver, "STALL_S", 0.3)
    monkeypatch.setattr(fileserver, "_LOOK_S", 0.05)
    server = Late(place / "www")
    try:
        with server.connect(b"GET /f.txt HT") as dripping:
            for byte in b"TP/1.1":
                if select.select([dripping], [], [], 0.1)[0]:
                    break
                dripping.send(bytes([byte]))
            assert dripping.recv(100).startswith(b"HTTP/1.1 408")
        with server.connect(b"GET /big HTTP/1.1\r\n\r\n") as taking_nothing:
            poll = select.poll()
            poll.register(taking_nothing, select.POLLRDHUP)
            assert poll.poll(20_000)
            got = 0
            with contextlib.suppress(ConnectionResetError):
                while data := taking_nothing.recv(1 << 20):
                    got += len(data)
            assert got < 8 << 20
    finally:
        server.close()


@pytest.mark.fault(89)
def test_what_we_fail_at_costs_its_connection_only(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Odd(exchange.Answer):
        def __init__(self, request: exchange.Request, directory: bytes, key: str) -> None:
            if request.target == "/odd":
                raise KeyError("a defect")
            super().__init__(request, directory, key)

    monkeypatch.setattr(fileserver, "Answer", Odd)
    server = Late(place / "www")
    try:
        with server.connect(b"GET /odd HTTP/1.1\r\n\r\n") as odd:
            assert odd.recv(1000).startswith(b"HTTP/1.1 500")
        with server.connect(b"GET /f.txt HTTP/1.1\r\n\r\n") as usual:
            assert usual.recv(1000).startswith(b"HTTP/1.1 200")
    finally:
        server.close()
    assert "GET /odd failed: KeyError: 'a defect'\n" in capfd.readouterr().out


@pytest.mark.fault(89)
def test_it_ends_when_its_daemon_is_gone(tmp_path: Path) -> None:
    """A server whose parent was killed, by whatever, serves nobody."""
    argv = origin.argv("network.fileserver", "127.0.0.1", "0", str(tmp_path))
    script = 'echo open | "$@" & echo $!; wait'
    parent = subprocess.Popen(
        ["bash", "-c", f"exec bash -c '{script}' x \"$@\"", "x", *argv], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    lines = [parent.stdout.readline(), parent.stdout.readline()]
    server = next(int(line) for line in lines if line.strip().isdigit())
    parent.kill()
    parent.wait()
    with parent.stdout as rest:
        assert rest.read() == ""  # at the end of its life
    until(lambda: not is_alive(server), "the server ends")


def test_all_interfaces_means_both_families(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    one = Server(tmp_path, address="::")
    try:
        assert one.ask("/f")[2] == b"x"
        assert one.ask("/f", address="::1")[2] == b"x"
    finally:
        one.close()


@pytest.mark.fault(50)
@pytest.mark.parametrize(("address", "written"), [("127.0.0.1", "127.0.0.1"), ("::", "[::]")])
def test_a_port_in_use_names_its_holder(tmp_path: Path, address: str, written: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        one = Server(tmp_path, address=address, port=port)
        one.process.wait(timeout=60)
        assert one.process.stderr is not None
        err = one.process.stderr.read()
        one.close()
    assert one.process.returncode == 1
    place = re.escape(f"{written}:{port}")
    assert re.fullmatch(rf"cannot serve on {place}: it is in use by \S+ \(pid {os.getpid()}\)\n", err)
