"""SSH for tests: fresh keys, an asyncssh server in the process, a real OpenSSH server on loopback, a channel recorder.

Everything lives in temporary directories; the user's own configuration, keys, agent and known hosts are never used.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import selectors
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
import pytest
from ports import free_port

from octogram_tui.errors import LinkLost, TransportError
from octogram_tui.model.ids import AgentName
from octogram_tui.model.scenario import AgentSpec
from octogram_tui.transport.local import ProcessChannel, end_processes, start_process

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/sbin")
START_S = 60.0
DEADLINE_S = 60.0


class Recorder:
    """A receiver that remembers, and that can be waited for."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.err = bytearray()
        self.error: TransportError | None = None
        self.closed = False
        self.calls_after_close = 0
        self._changed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self.calls_after_close += self.closed
        self.out += data
        self._changed.set()

    def stderr_received(self, data: bytes) -> None:
        self.calls_after_close += self.closed
        self.err += data
        self._changed.set()

    def channel_closed(self, error: TransportError | None) -> None:
        self.calls_after_close += self.closed
        self.closed = True
        self.error = error
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition on what was received holds."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def end(self) -> None:
        """Wait for the last call."""
        await self.until(lambda: self.closed)


@dataclass(frozen=True)
class Keys:
    """Key files of the test session: one that servers accept, one that they do not, and one with a passphrase."""

    user: Path
    stranger: Path
    locked: Path

    @property
    def user_public(self) -> str:
        """The accepted key, as a line of authorized_keys."""
        return self.user.with_name(self.user.name + ".pub").read_text()


@pytest.fixture(scope="session")
def ssh_keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    """Make the user's keys once; they are only ever read."""
    directory = tmp_path_factory.mktemp("keys")
    locked = directory / "locked"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(locked, "pkcs8-pem", passphrase="sesame")
    locked.chmod(0o600)
    return Keys(new_key(directory / "user"), new_key(directory / "stranger"), locked)


def new_key(path: Path, kind: str = "ssh-ed25519") -> Path:
    """Write a fresh key pair with the modes that OpenSSH insists on."""
    key = asyncssh.generate_private_key(kind)
    key.write_private_key(path)
    key.write_public_key(f"{path}.pub")
    path.chmod(0o600)
    return path


def public_line(path: Path) -> str:
    """Give a key pair's public half: type and base64, no comment."""
    return " ".join(Path(f"{path}.pub").read_text().split()[:2])


@dataclass
class SshServer:
    """A running server and the client's side of it: a configuration file that knows its key and our identity."""

    port: int
    directory: Path
    host_key: Path
    keys: Keys
    user: str = field(default_factory=getpass.getuser)
    pid: int = 0
    log: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)  # asyncssh only: the users who came as far as asking to log in

    @property
    def ssh_config(self) -> Path:
        """What `--ssh-config` is to be given."""
        return self.directory / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        """The known_hosts file that the configuration names."""
        return self.directory / "known_hosts"

    @property
    def home(self) -> Path:
        """The home directory of whoever logs in."""
        return self.directory / "home"

    def spec(self, name: str = "one", address: str = "127.0.0.1", **changes: object) -> AgentSpec:
        """Describe an agent on this server; port, user and identity are left to the configuration."""
        return AgentSpec(AgentName(name), address, **changes)  # type: ignore[arg-type]

    def write_client(self, extra: str = "", *, known: str | None = None) -> None:
        """Write the client's configuration; `known` replaces the contents of known_hosts."""
        if known is None:
            known = f"[127.0.*.*]:{self.port} {public_line(self.host_key)}\n"
        self.known_hosts.write_text(known)
        self.ssh_config.write_text(
            f"{extra}\nHost *\n  Port {self.port}\n  User {self.user}\n  IdentityFile {self.keys.user}\n"
            f"  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile {self.known_hosts}\n"
            "  GlobalKnownHostsFile none\n"
        )

    def sessions(self) -> list[int]:
        """List the processes of the server that serve one connection each."""
        with contextlib.suppress(OSError):
            return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]
        return []

    def left_behind(self) -> list[int]:
        """List what commands of a real server started and SSH let go on: all that has its home directory."""
        mark = f"HOME={self.home}".encode()
        found = []
        for directory in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if directory.name.isdigit() and mark in (directory / "environ").read_bytes().split(b"\0"):
                    found.append(int(directory.name))
        return found


ServerFactory = Callable[..., SshServer]


@pytest.fixture
def openssh_servers(request: pytest.FixtureRequest, tmp_path: Path, ssh_keys: Keys) -> Iterator[ServerFactory]:
    """Give a function that starts real OpenSSH servers: `start(options={"MaxSessions": "1"}, host_key=…, port=…)`."""
    assert request.node.get_closest_marker("sshd"), "this needs a real OpenSSH server: mark it with pytest.mark.sshd"
    if SSHD is None:
        pytest.skip("no sshd on this machine")
    running: list[tuple[SshServer, subprocess.Popen[str], threading.Thread]] = []

    def start(
        options: Mapping[str, str] | None = None,
        *,
        host_key: Path | None = None,
        extra_host_keys: Sequence[Path] = (),
        port: int = 0,
    ) -> SshServer:
        directory = tmp_path / f"sshd{len(running)}"
        (directory / "home").mkdir(parents=True)
        for _ in range(5):
            server = SshServer(port or free_port(), directory, host_key or new_key(directory / "host_key"), ssh_keys)
            try:
                process, reader = _start_sshd(server, options or {}, extra_host_keys)
            except OSError:
                if port:
                    raise
                host_key = server.host_key
                continue
            running.append((server, process, reader))
            server.write_client()
            return server
        raise OSError("no port could be had")

    yield start
    for server, process, reader in running:
        stop_sshd(process.pid)
        for pid in server.left_behind():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(START_S)
        reader.join(START_S)
        assert process.stderr is not None
        process.stderr.close()


@pytest.fixture
def openssh_server(openssh_servers: ServerFactory) -> SshServer:
    """Start one real OpenSSH server with the defaults of its distribution's limits."""
    return openssh_servers()


@pytest.fixture
async def asyncssh_server(tmp_path: Path, ssh_keys: Keys) -> AsyncIterator[SshServer]:
    """Start a server in the test's own event loop, which runs commands with `sh -c`."""
    directory = tmp_path / "asyncssh"
    (directory / "home").mkdir(parents=True)
    server = SshServer(0, directory, new_key(directory / "host_key"), ssh_keys)
    (directory / "authorized_keys").write_text(ssh_keys.user_public)
    sessions: set[ProcessChannel] = set()
    listener = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[str(server.host_key)],
        encoding=None,
        config=None,
        authorized_client_keys=str(directory / "authorized_keys"),
        server_factory=lambda: _Server(sessions, server),
    )
    server.port = listener.get_port()
    server.write_client()
    yield server
    listener.close()
    await listener.wait_closed()
    await end_processes(sessions)


def stop_sshd(pid: int) -> None:
    """End a server of ours with its sessions and what they started in them."""
    family = _family(pid)
    for member in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)


class _Server(asyncssh.SSHServer):
    """Lets whoever has the key run commands with `sh -c`."""

    def __init__(self, processes: set[ProcessChannel], server: SshServer) -> None:
        self._processes = processes
        self._server = server

    def begin_auth(self, username: str) -> bool:
        self._server.logins.append(username)
        return True

    def session_requested(self) -> asyncssh.SSHServerSession[bytes]:
        return _CommandSession(self._processes, self._server.home)


class _CommandSession(asyncssh.SSHServerSession[bytes]):
    """One command of a client: a process of ours between two channels, each of which holds the other back."""

    def __init__(self, processes: set[ProcessChannel], home: Path) -> None:
        self._processes = processes
        self._home = home
        self._process: ProcessChannel | None = None
        self._chan: asyncssh.SSHServerChannel[bytes]
        self._draining: asyncio.Task[None] | None = None

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._chan = chan

    def exec_requested(self, command: str) -> bool:
        at_home = 'cd "$0" && HOME=$0 exec /bin/sh -c "$1"'
        self._process = start_process(
            ["/bin/sh", "-c", at_home, str(self._home), command], _Output(self, self._chan), self._processes
        )
        return True

    def status(self) -> int | None:
        """Give the ended command's exit status, None after a signal."""
        return self._process.exit_status if self._process is not None else None

    def data_received(self, data: bytes, datatype: asyncssh.DataType = None) -> None:
        assert self._process is not None
        self._process.write(data)
        self._chan.pause_reading()
        self._draining = asyncio.ensure_future(self._drain(self._process))

    async def _drain(self, process: ProcessChannel) -> None:
        with contextlib.suppress(LinkLost):
            await process.drain()
        self._chan.resume_reading()

    def eof_received(self) -> bool:
        if self._process is not None:
            self._process.write_eof()
        return True

    def pause_writing(self) -> None:
        if self._process is not None:
            self._process.pause_reading()

    def resume_writing(self) -> None:
        if self._process is not None:
            self._process.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._process is not None:
            self._process.abort()


class _Output:
    """Takes what a command prints, for the client."""

    def __init__(self, session: _CommandSession, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._session = session
        self._chan = chan

    def data_received(self, data: bytes) -> None:
        self._chan.write(data)

    def stderr_received(self, data: bytes) -> None:
        self._chan.write_stderr(data)

    def channel_closed(self, error: TransportError | None) -> None:
        status = self._session.status()
        if not self._chan.is_closing():
            if status is None:
                self._chan.exit_with_signal("KILL")
            else:
                self._chan.exit(status)


def _start_sshd(
    server: SshServer, options: Mapping[str, str], extra_host_keys: Sequence[Path]
) -> tuple[subprocess.Popen[str], threading.Thread]:
    """Start sshd in the foreground and wait until it says that it listens. Raises OSError when it does not."""
    assert SSHD is not None
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd started by root insists on it
    directory = server.directory
    authorized = directory / "authorized_keys"
    authorized.write_text(server.keys.user_public)
    settings = {
        "Port": str(server.port),
        "ListenAddress": "0.0.0.0",
        "AllowUsers": "*@127.*",
        "HostKey": str(server.host_key),
        "AuthorizedKeysFile": str(authorized),
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "UseDNS": "no",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "PermitRootLogin": "yes",
        "PrintMotd": "no",
        "SetEnv": f"HOME={server.home}",
        "LogLevel": "VERBOSE",
        **options,
    }
    config = directory / "sshd_config"
    lines = [f"{name} {value}\n" for name, value in settings.items()]
    config.write_text("".join([*lines, *(f"HostKey {path}\n" for path in extra_host_keys)]))
    process = subprocess.Popen(
        [SSHD, "-D", "-e", "-f", str(config)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    server.pid = process.pid
    assert process.stderr is not None
    give_up_at = time.monotonic() + START_S
    with selectors.DefaultSelector() as selector:
        selector.register(process.stderr, selectors.EVENT_READ)
        while not any("Server listening on" in line for line in server.log):
            if not selector.select(max(0.0, give_up_at - time.monotonic())):
                stop_sshd(process.pid)
            line = process.stderr.readline()
            if not line:
                process.wait(START_S)
                process.stderr.close()
                raise OSError(f"sshd did not start: {''.join(server.log)}")
            server.log.append(line)
    reader = threading.Thread(target=server.log.extend, args=(iter(process.stderr.readline, ""),), daemon=True)
    reader.start()
    return process, reader


def _family(pid: int) -> Sequence[int]:
    """List a process and its descendants, parents first: one that is killed forks no more."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        children = []
    return [pid, *(member for child in children for member in _family(int(child)))]
