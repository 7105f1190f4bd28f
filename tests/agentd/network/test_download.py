"""The child that downloads one URL: what it leaves, and how it says why not."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from interpreters import interpreters
from ports import free_port

from octogram_agentd.network import download as module
from octogram_agentd.processes import origin


class Answers(BaseHTTPRequestHandler):
    """Answers by path."""

    def do_GET(self) -> None:
        if self.path == "/file":
            self.send_response(200)
            self.send_header("Content-Length", str(1 << 20))
            self.end_headers()
            self.wfile.write(b"x" * (1 << 20))
        elif self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/file")
            self.end_headers()
        elif self.path == "/local":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * 10_000)
            except OSError:
                self.close_connection = True
        elif self.path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"x" * 10)
        else:
            self.send_error(404, "Nothing Here")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="module")
def url() -> Generator[str, None, None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


Download = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(params=interpreters(), ids=lambda path: Path(path).parent.parent.name)
def download(request: pytest.FixtureRequest, tmp_path: Path) -> Download:
    def run(url: str, *more: str) -> subprocess.CompletedProcess[str]:
        argv = [request.param, *origin.argv("network.download", str(tmp_path / "target"), *more)[1:]]
        return subprocess.run(argv, input=url + "\n", capture_output=True, text=True, timeout=60, check=False)

    return run


def test_a_file_is_downloaded(download: Download, url: str, tmp_path: Path) -> None:
    for path in ("/file", "/moved"):
        assert download(url + path).returncode == 0
        assert (tmp_path / "target").read_bytes() == b"x" * (1 << 20)
    assert [p.name for p in tmp_path.iterdir()] == ["target"]


@pytest.mark.fault(92)
def test_why_not(download: Download, url: str, tmp_path: Path) -> None:
    port = free_port()
    expected = {
        url + "/none": "the server answered 404 Nothing Here",
        url + "/short": "the connection ended after 10 of 100 bytes",
        f"http://127.0.0.1:{port}/x": "the server refused the connection: nothing listens there",
        "http://no-such-host.invalid/x": "the name of the server is unknown",
        "file:///etc/passwd": "file is not a scheme that is downloaded",
        "http://127.0.0.1:notaport/": "nonnumeric port",
    }
    for target, words in expected.items():
        done = download(target)
        assert done.returncode == 1
        assert words in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert download(url + "/local").returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_a_proxy_is_asked_for_what_is_in_the_web_and_named_when_it_fails(
    download: Download, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        proxy = f"127.0.0.1:{closed.getsockname()[1]}"
        monkeypatch.setenv("http_proxy", f"http://{proxy}")
        assert f"through the proxy {proxy}: the server refused" in download(url + "/file").stderr
    monkeypatch.setenv("http_proxy", url)
    assert f"through the proxy {url[7:]}: the server answered 404" in download("http://elsewhere.example/x").stderr
    assert list(tmp_path.iterdir()) == []


def test_no_proxy_is_asked_for_a_file_of_another_agent(
    download: Download, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert download(url + "/file", "direct").returncode == 0
    assert (tmp_path / "target").stat().st_size == 1 << 20


def test_a_disk_that_cannot_be_written(url: str, tmp_path: Path) -> None:
    argv = origin.argv("network.download", str(tmp_path / "no/such/directory"))
    done = subprocess.run(argv, input=url + "/file\n", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "no such file or directory" in done.stderr
    assert sys.executable == argv[0]


@pytest.mark.fault(97)
@pytest.mark.parametrize("path", ["/file", "/endless"])
def test_a_download_leaves_space_to_the_others(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 100_000)
    with pytest.raises(module._DownloadFailed, match="room for"):
        module._fetch(url + path, str(tmp_path / "target"), is_direct=True)
    monkeypatch.setattr(module, "_SPARE_BYTES", 1 << 60)
    with pytest.raises(module._DownloadFailed, match="room for"):
        module._fetch(url + path, str(tmp_path / "target"), is_direct=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault(89)
def test_a_url_stands_in_no_command_line(tmp_path: Path) -> None:
    """Others of the machine can read command lines, and a URL may have a ticket or a password in it."""
    argv = origin.argv("network.download", str(tmp_path / "target"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        child = subprocess.Popen(argv, stdin=subprocess.PIPE)
        assert child.stdin is not None
        child.stdin.write(f"http://127.0.0.1:{server.getsockname()[1]}/~hidden\n".encode())
        child.stdin.close()
        connection, _ = server.accept()
        with connection:
            assert b"hidden" not in Path(f"/proc/{child.pid}/cmdline").read_bytes()
            assert b"/~hidden" in connection.recv(1000)
        child.wait()
