"""Which keys a server may have: files in the known_hosts format of OpenSSH, read by line, and appended to on request.

Ours rather than the library's, because a malformed line must not hide the others, because a refusal has to say which
line it rests on, and because nothing here can be configured to mean "do not check".
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fcntl
import hashlib
import hmac
import os
from collections.abc import Iterable, Sequence
from dataclasses import field
from typing import Literal, NamedTuple

from octogram_tui.dataclass import dataclass
from octogram_tui.model.wildcard import Wildcard

DEFAULT_PORT = 22
ALGORITHMS_OF_TYPE = {
    # What a server may sign with when it has a key of this type on file, best first.
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}

Marker = Literal["", "cert-authority", "revoked"]


class HostKey(NamedTuple):
    """A public key as it is written: its type, and its blob in base64."""

    type: str
    blob: str

    @property
    def fingerprint(self) -> str:
        """The key's SHA-256 as `ssh-keygen -l` prints it."""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")

    @property
    def text(self) -> str:
        """The key as a line of a key file."""
        return f"{self.type} {self.blob}"


class Entry(NamedTuple):
    """One usable line of a known_hosts file."""

    file: str
    line: int
    marker: Marker
    patterns: tuple[str, ...]
    key: HostKey

    def covers(self, name: str) -> bool:
        """Tell whether a name, as `host` or `[host]:port`, is meant by this line."""
        if self.patterns[0].startswith("|"):
            return _hash_matches(self.patterns[0], name)
        found = False
        for pattern in self.patterns:
            if pattern.startswith("!"):
                if _pattern_matches(pattern[1:], name):
                    return False
            elif not found:
                found = _pattern_matches(pattern, name)
        return found


@dataclass(frozen=True, slots=True)
class Match:
    """What is on file for one server."""

    trusted: tuple[Entry, ...] = ()
    authorities: tuple[Entry, ...] = ()
    revoked: tuple[Entry, ...] = ()
    for_address: tuple[Entry, ...] = ()  # lines for the address that the name led to: they warn, and never vouch

    @property
    def is_unknown(self) -> bool:
        """Tell whether there is no line of any kind that is about this server."""
        return not (self.trusted or self.authorities or self.revoked or self.for_address)


@dataclass(slots=True)
class ReadFile:
    """A file as it was when it had that stamp."""

    stamp: tuple[int, int, int] | None
    entries: list[Entry] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class KnownHosts:
    """The lines of some known_hosts files, read again when a file has changed.

    New keys are added to `record_to`, their names hashed if `hashes` says so; without a file they last for this run.
    What is accepted here, nobody else has accepted; `read` has the files of all that look into the same.
    """

    def __init__(
        self,
        files: Sequence[str],
        *,
        record_to: str | None = None,
        hashes: bool = False,
        read: dict[str, ReadFile] | None = None,
    ) -> None:
        self.files = tuple(files)
        self.record_to = record_to
        self.hashes = hashes
        self._read = {} if read is None else read
        self._accepted: list[Entry] = []  # of this process, so that a file that cannot be written does not matter

    @property
    def problems(self) -> list[str]:
        """The lines that were skipped, each as `FILE:LINE: reason`."""
        self._refresh()
        return [problem for path in self.files for problem in self._read[path].problems]

    def match(self, host: str, port: int, address: str = "") -> Match:
        """Give what is on file for a server.

        `host` is its name, its address or its alias as the user wrote it. For another port than 22 lines for
        `[host]:port` count; those for the bare host count only where there are none. `address` is what the name led
        to, empty behind a proxy; the same or another key on file for it never makes the server trusted.
        """
        entries = self._entries()
        matching = [entry for entry in entries if entry.covers(written_name(host, port))]
        bare = [entry for entry in entries if port != DEFAULT_PORT and entry.covers(host)]
        if not any(entry.marker != "revoked" for entry in matching):
            matching += [entry for entry in bare if entry.marker != "revoked"]
        matching += [entry for entry in bare if entry.marker == "revoked"]
        by_address: list[Entry] = []
        if address and address != host:
            by_address = [entry for entry in entries if entry.covers(written_name(address, port))]
        return Match(
            trusted=tuple(entry for entry in matching if not entry.marker),
            authorities=tuple(entry for entry in matching if entry.marker == "cert-authority"),
            revoked=tuple(dict.fromkeys(entry for entry in matching + by_address if entry.marker == "revoked")),
            for_address=tuple(entry for entry in by_address if not entry.marker),
        )

    def contradicting(self, host: str, port: int, address: str = "") -> tuple[Entry, ...]:
        """Give the lines that forbid a further key for a server to be accepted as new.

        A line for the bare host says nothing about a server on another port; one with a marker, of an authority or of
        a key that is revoked, says nothing about other keys.
        """
        names = {written_name(host, port)} | ({written_name(address, port)} if address else set())
        return tuple(e for e in self._entries() if not e.marker and any(e.covers(name) for name in names))

    def algorithms(self, host: str, port: int, *, certificates: bool = True) -> list[str]:
        """Order the host key algorithms to offer: those on file for this server first, so that it shows that key.

        Certificates are asked for where an authority is on file.
        """
        match = self.match(host, port)
        types = {entry.key.type for entry in match.trusted}
        on_file = [name for key_type, names in ALGORITHMS_OF_TYPE.items() if key_type in types for name in names]
        every = [name for names in ALGORITHMS_OF_TYPE.values() for name in names]
        plain = list(dict.fromkeys(on_file + every))
        if not match.authorities or not certificates:
            return plain
        return [f"{name}-cert-v01@openssh.com" for name in plain] + plain

    def accept(self, host: str, port: int, key: HostKey) -> str:
        """Add a key, at once for this process and to the file. Gives why that could not be written, or ''."""
        name = written_name(host, port)
        path = self.record_to
        self._accepted.append(Entry(path or "", 0, "", (name,), key))
        if path is not None:
            try:
                _append(path, f"{_hashed(name) if self.hashes else name} {key.text}\n")
            except OSError as error:
                return f"{path}: the host key of {name} was not recorded: {error.strerror or error}"
        return ""

    def _entries(self) -> list[Entry]:
        self._refresh()
        return [entry for path in self.files for entry in self._read[path].entries] + self._accepted

    def _refresh(self) -> None:
        for path in self.files:
            stamp = _stamp(path)
            read = self._read.get(path)
            if read is None or read.stamp != stamp:
                self._read[path] = _read(path, stamp)


def written_name(host: str, port: int) -> str:
    """Give the name under which the file has a server's key: with brackets whenever the port is not the usual one."""
    host = host.lower()
    return host if port == DEFAULT_PORT else f"[{host}]:{port}"


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: str, stamp: tuple[int, int, int] | None) -> ReadFile:
    file = ReadFile(stamp)
    if stamp is None:
        return file
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            lines = stream.read().splitlines()
    except OSError as error:
        file.problems.append(f"{path}:0: not readable: {error.strerror or error}")
        return file
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text and not text.startswith("#"):
            try:
                file.entries.append(_parse(path, number, text))
            except ValueError as error:
                file.problems.append(f"{path}:{number}: {error}; the line is skipped")
    return file


def _parse(path: str, number: int, text: str) -> Entry:
    words = text.split(None, 4)
    marker: Marker = ""
    if words[0].startswith("@"):
        if words[0] == "@cert-authority":
            marker = "cert-authority"
        elif words[0] == "@revoked":
            marker = "revoked"
        else:
            raise ValueError(f"unknown marker {words[0]!r}")
        words = words[1:]
    if len(words) < 3:
        raise ValueError("not a known_hosts entry (names, key type and key are due)")
    names, key_type, blob = words[:3]
    try:
        raw = base64.b64decode(blob, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("its key is not base64") from None
    if len(raw) < 4 or raw[4 : 4 + int.from_bytes(raw[:4], "big")] != key_type.encode("ascii", "replace"):
        raise ValueError(f"its key is not of the type {key_type!r} that it names")
    patterns = tuple(pattern for pattern in names.split(",") if pattern)
    if not patterns:
        raise ValueError("it names no host")
    if patterns[0].startswith("|"):
        _hash_parts(patterns[0])
    return Entry(path, number, marker, patterns, HostKey(key_type, blob))


def _hash_parts(pattern: str) -> tuple[bytes, bytes]:
    parts = pattern.split("|")
    if len(parts) != 4 or parts[1] != "1":
        raise ValueError("its hashed name is of an unknown form")
    try:
        return base64.b64decode(parts[2], validate=True), base64.b64decode(parts[3], validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("its hashed name is not base64") from None


def _hashed(name: str) -> str:
    """Write a name so that it can be recognised, and not be read."""
    salt = os.urandom(hashlib.sha1().digest_size)
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


def _hash_matches(pattern: str, name: str) -> bool:
    salt, digest = _hash_parts(pattern)
    return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), digest)


def _pattern_matches(pattern: str, name: str) -> bool:
    """Compare as OpenSSH does: only `*` and `?` are special, letters' case is not."""
    pattern = pattern.lower()
    if "*" not in pattern and "?" not in pattern:
        return pattern == name
    return Wildcard(pattern.split("*"), one="?").fits(name)


def _append(path: str, line: str) -> None:
    """Add a line in one write, under a lock; the file is made with mode 0600 where there is none."""
    directory = os.path.dirname(path)
    if directory:
        os.makedirs(directory, mode=0o700, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with contextlib.suppress(OSError):  # some file systems have no locks; one short append is atomic anyway
            fcntl.flock(fd, fcntl.LOCK_EX)
        size = os.fstat(fd).st_size
        lacks_newline = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
        os.write(fd, (b"\n" if lacks_newline else b"") + line.encode())
        os.fsync(fd)
    finally:
        os.close(fd)


def describe(entries: Iterable[Entry]) -> str:
    """Say which keys are on file and where: `SHA256:… (FILE:LINE)`, several joined by commas."""
    return ", ".join(
        f"{entry.key.fingerprint} ({entry.file}:{entry.line})"
        if entry.line
        else f"{entry.key.fingerprint} (accepted in this run)"
        for entry in entries
    )
