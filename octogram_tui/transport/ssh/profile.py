"""What the ssh configuration makes of an address: where to connect, as whom, with which keys, trusting what.

Built once per address, port, user and identity. Resolving reads files and may run `Match exec`: it belongs in a thread.
"""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Sequence
from dataclasses import field
from functools import lru_cache
from typing import Any, NamedTuple

import asyncssh

from octogram_agentd.network.endpoint import Endpoint
from octogram_tui.dataclass import dataclass
from octogram_tui.errors import ConnectFailed
from octogram_tui.transport.destination import Destination
from octogram_tui.transport.knownhosts import DEFAULT_PORT, Entry, KnownHosts, ReadFile
from octogram_tui.transport.ssh.directives import Directives, Read, read
from octogram_tui.transport.ssh.faults import unreadable_key

CONNECT_TIMEOUT_S = 12.0
KEEPALIVE_INTERVAL_S = 5
KEEPALIVE_COUNT = 2  # so that a silent peer is given up after 5 s * (2 + 1)
USER_KNOWN_HOSTS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
SYSTEM_KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")
CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)  # the first two cost the orchestrator half of what the third does


class Request(NamedTuple):
    """What the scenario, or a ProxyJump, says of a machine; None is left to the configuration."""

    address: str
    port: int | None = None
    user: str | None = None
    identity: str | None = None


@dataclass(frozen=True, eq=False)
class Profile:
    """One resolved way to a machine."""

    host: str
    port: int
    user: str
    alias: str | None  # HostKeyAlias: the name under which its key is on file
    known_hosts: KnownHosts
    options: asyncssh.SSHClientConnectionOptions
    jumps: tuple[Request, ...] = ()
    proxy_command: str = ""
    connect_timeout_s: float = CONNECT_TIMEOUT_S
    chooses_algorithms: bool = False  # HostKeyAlgorithms is set: ours are then not offered
    accepts_new: bool = False  # StrictHostKeyChecking accept-new
    checks_address: bool = False  # CheckHostIP: lines for the address count against a key, too
    not_recorded: str = ""  # why no key is recorded: the directive, and where it is
    not_strict: str = ""  # a StrictHostKeyChecking that is not honoured, and where it is
    locked_key: str = ""  # an identity with a passphrase, which only the ssh agent can use
    missing_keys: tuple[str, ...] = ()  # when none of the files of `IdentityFile` is there: their names
    runs_commands: bool = False  # the configuration does, to find out what it says
    key: tuple[object, ...] = field(default=())

    def trusted_keys(self, _host: str, _address: str, _port: int | None) -> Any:
        """Give trusted keys, authorities and revoked keys, to the library. The address alone never vouches for a name.

        It is always called, so that checking cannot be configured away.
        """
        match = self.known_hosts.match(self.trust_name, self.trust_port)
        return _keys(match.trusted), _keys(match.authorities), _keys(match.revoked)

    @property
    def place(self) -> Destination:
        """Where this leads, for messages."""
        if self.jumps:
            return Destination(self.user, self.host, self.port, self.jumps[-1].address)
        return Destination(self.user, self.host, self.port, "its proxy command" if self.proxy_command else "")

    @property
    def is_direct(self) -> bool:
        """Tell whether the machine is reached without anybody between."""
        return not self.jumps and not self.proxy_command

    @property
    def trust_name(self) -> str:
        """The name whose key is asked for."""
        return self.alias or self.host

    @property
    def trust_port(self) -> int:
        """The port that belongs to that name: an alias is of no port."""
        return DEFAULT_PORT if self.alias else self.port


class Made(NamedTuple):
    """What machines have in common, and is made once for all of them that the configuration says the same of."""

    options: dict[object, tuple[asyncssh.SSHClientConnectionOptions, str]]
    known_hosts: dict[str, ReadFile]


def resolve(request: Request, config_files: Sequence[str], made: Made | None = None) -> Profile:
    """Read the configuration for a machine. Raises TransportError, or what the library raises (see faults.classify).

    made: what was made for others, and is for those to come.
    """
    made = made or Made({}, {})
    config = read(config_files, request.address, request.port, request.user, getpass.getuser())
    options, locked_key = _options(request, config, made)
    host, port = str(config.get("Hostname", request.address)), request.port or int(str(config.get("Port", 22)))
    known_hosts = _known_hosts(config, options, host, port, request.address, made)
    jump = config.get("ProxyJump")
    command = config.get("ProxyCommand")
    return Profile(
        host=host,
        port=port,
        user=options.username,
        alias=options.host_key_alias,
        known_hosts=known_hosts,
        options=options,
        jumps=_jumps(str(jump)) if jump else (),
        proxy_command=str(command) if command and not jump else "",
        connect_timeout_s=_timeout_s(config),
        chooses_algorithms=config.get("HostKeyAlgorithms") is not None,
        accepts_new=config.get("StrictHostKeyChecking") == "accept-new",
        checks_address=bool(config.get("CheckHostIP")),
        not_recorded=_nowhere(config) if known_hosts.record_to is None else "",
        not_strict=_not_strict(config),
        locked_key=locked_key,
        missing_keys=_missing_keys(request.identity, config.get("IdentityFile")),
        runs_commands=config.runs_commands,
        key=(
            host,
            port,
            options.username,
            request.identity,
            options.host_key_alias,
            jump,
            command,
            str(config.get("IdentityFile")),
            known_hosts.files,
            known_hosts.record_to,
            known_hosts.hashes,
            config.get("StrictHostKeyChecking"),
            config.get("CheckHostIP"),
        ),
    )


def _options(request: Request, config: Directives, made: Made) -> tuple[asyncssh.SSHClientConnectionOptions, str]:
    """Give the library's options, and the identity when it is locked by a passphrase.

    Nothing in them is of one machine alone, so that keys are read, and ciphers looked up, once for all that are alike:
    that takes longer than a handshake. Whoever connects says to where, and whom to trust.
    """
    said = {name: value for name, value in config.get_options(False).items() if name not in ("Hostname", "Port")}
    alike = request.user, request.identity, repr(sorted(said.items()))
    found = made.options.get(alike)
    if found is None:
        found = made.options[alike] = _make_options(request, config)
    return found


def _make_options(request: Request, config: Directives) -> tuple[asyncssh.SSHClientConnectionOptions, str]:
    user: Any = () if request.user is None else request.user
    first = asyncssh.SSHClientConnectionOptions(
        Read(config),
        host=request.address,
        username=user,
        config=None,
        client_keys=None,
        known_hosts=_nobody,
        x509_trusted_certs=None,
        x509_trusted_cert_paths=(),
        canonicalize_hostname=False,
        encoding=None,
        compression_algs=["none"],
        request_pty=False,
        x11_forwarding=False,
        password_auth=False,
        kbdint_auth=False,
    )
    # Again, from what was read: keys and ciphers depend on it.
    keys, locked_key = _keys_to_try(request.identity, config.get("IdentityFile"), config.get("IdentitiesOnly"))
    ciphers: Any = list(CIPHERS) if config.get("Ciphers") is None else ()
    options = asyncssh.SSHClientConnectionOptions(
        first,
        config=None,
        reload=False,
        final=False,
        connect_timeout=None,
        login_timeout=0,  # whoever connects waits so long, and knows of loops that stood still
        encryption_algs=ciphers,
        **keys,
        **_keepalive(config.get("ServerAliveInterval"), config.get("ServerAliveCountMax")),
    )
    return options, locked_key


def _timeout_s(config: Directives) -> float:
    return float(str(config.get("ConnectTimeout") or CONNECT_TIMEOUT_S))


def _nobody(_host: str, _address: str, _port: int | None) -> Any:
    """Trust nobody: whom to trust is said for each connection."""
    return (), (), ()


def _keys_to_try(identity: str | None, configured: object, identities_only: object) -> tuple[dict[str, Any], str]:
    """Choose the keys: the agent's own `identity` and nothing else, or the configured files that exist.

    Gives options, and the identity when it is locked by a passphrase. Raises AuthFailed when it cannot be used.
    """
    if identity is not None:
        path = os.path.expanduser(identity)
        locked = ""
        if path.startswith("~"):
            raise unreadable_key(identity, "No such file: there is no such user")
        try:
            asyncssh.read_private_key(path)
        except OSError as error:
            raise unreadable_key(identity, error.strerror or str(error)) from error
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            if "assphrase" not in str(error) or not os.environ.get("SSH_AUTH_SOCK"):
                raise unreadable_key(identity, str(error)) from error
            locked = identity
        # With no identity to look for, an agent would be asked for all of its keys.
        return {
            "client_keys": [path],
            "ignore_encrypted": True,
            "agent_identities": _public_part(path) or [b""],
        }, locked
    if not isinstance(configured, list) or not configured:
        return {"client_keys": ()}, ""
    files = [path for path in (os.path.expanduser(str(name)) for name in configured) if os.path.isfile(path)]
    chosen: dict[str, Any] = {
        # Where nothing is left, no key is tried, as in ssh: an empty list would mean the usual ones of ~/.ssh.
        "client_keys": [path for path in files if not path.endswith(".pub")] or iter(()),
        "ignore_encrypted": True,
    }
    if identities_only:
        chosen["agent_identities"] = [name for path in files for name in _public_part(path)] or [b""]
    return chosen, ""


def _missing_keys(identity: str | None, configured: object) -> tuple[str, ...]:
    if identity is not None or not isinstance(configured, list):
        return ()
    names = tuple(str(name) for name in configured)
    return () if any(os.path.isfile(os.path.expanduser(name)) for name in names) else names


def _public_part(path: str) -> list[bytes]:
    """Give the public key that belongs to a file, by which an agent knows it; none where it cannot be told."""
    for candidate in (path, f"{path}.pub"):
        try:
            return [asyncssh.read_public_key(candidate).public_data]
        except (OSError, ValueError):
            pass
    try:
        return [asyncssh.read_private_key(path).public_data]
    except (OSError, ValueError):
        return []


def _keepalive(interval: object, count: object) -> dict[str, Any]:
    """Watch the connection at least as closely as we need to; the configuration may ask for more."""
    return {
        "keepalive_interval": min(int(str(interval or 0)) or KEEPALIVE_INTERVAL_S, KEEPALIVE_INTERVAL_S),
        "keepalive_count_max": min(int(str(count)) if count is not None else KEEPALIVE_COUNT, KEEPALIVE_COUNT),
    }


def _known_hosts(
    config: Directives,
    options: asyncssh.SSHClientConnectionOptions,
    host: str,
    port: int,
    address: str,
    made: Made,
) -> KnownHosts:
    """Find the files of host keys. New ones go to the user's first, unless it keeps nothing."""
    tokens = {
        "%": "%",
        "d": os.path.expanduser("~"),
        "h": host,
        "k": options.host_key_alias or host,
        "n": address,
        "p": str(port),
        "r": options.username,
        "u": options.client_username,
        "i": str(os.getuid()),
    }

    def whole(name: str) -> str:
        name = re.sub(r"%(.)", lambda found: tokens.get(found[1], found[0]), name)
        return os.path.expanduser(re.sub(r"\$\{(\w+)\}", lambda found: os.environ.get(found[1], found[0]), name))

    users = [whole(name) for name in _strings(config.get("UserKnownHostsFile"), USER_KNOWN_HOSTS)]
    systems = [whole(name) for name in _strings(config.get("GlobalKnownHostsFile"), SYSTEM_KNOWN_HOSTS)]
    kept = [name for name in users if name != os.devnull]
    record_to = users[0] if users and users[0] != os.devnull else None
    hashes = bool(config.get("HashKnownHosts"))
    return KnownHosts([*kept, *systems], record_to=record_to, hashes=hashes, read=made.known_hosts)


def _nowhere(config: Directives) -> str:
    """Name the directive by which no host key is recorded."""
    files = " ".join(_strings(config.get("UserKnownHostsFile"), ())) or "none"
    return f"`UserKnownHostsFile {files}` ({config.get('UserKnownHostsFile place')})"


def _not_strict(config: Directives) -> str:
    """Name a directive by which ssh would take any host key: that is not done here."""
    verdict = config.get("StrictHostKeyChecking")
    if verdict not in ("no", "off", "false"):
        return ""
    return f"`StrictHostKeyChecking {verdict}` ({config.get('StrictHostKeyChecking place')})"


def _strings(value: object, otherwise: Sequence[str]) -> Sequence[str]:
    return [str(item) for item in value] if isinstance(value, list) else otherwise


def _jumps(text: str) -> tuple[Request, ...]:
    """Take `[user@]host[:port][,…]` apart; the first is the nearest to us."""
    return tuple(_jump(hop.strip()) for hop in text.split(","))


def _jump(text: str) -> Request:
    user, _, host = text.removeprefix("ssh://").rpartition("@")
    try:
        found = Endpoint.parse(host, 0)
        if not found.host:
            raise ValueError("it needs a host")
    except ValueError as error:
        failure = ConnectFailed(
            f"the ssh configuration is wrong: ProxyJump {text!r} is not [user@]host[:port]", code="net.config"
        )
        failure.is_retryable = False
        raise failure from error
    return Request(found.host, found.port or None, user or None)


def _keys(entries: Sequence[Entry]) -> list[asyncssh.SSHKey]:
    """Decode keys; one of a type that the library does not know cannot be offered, and so is left out."""
    return [key for entry in entries if (key := _key(entry.key.text)) is not None]


@lru_cache(maxsize=1024)
def _key(text: str) -> asyncssh.SSHKey | None:
    """Decode a key, once: many machines may have the same one on file, by a pattern."""
    try:
        return asyncssh.import_public_key(text)
    except asyncssh.KeyImportError:
        return None
