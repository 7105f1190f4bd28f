"""Which lines of known_hosts are about a server, which are skipped, and what is written."""

from __future__ import annotations

import base64
import hashlib
import hmac
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octogram_tui.transport.knownhosts import HostKey, KnownHosts, describe


def key_of(seed: str, kind: str = "ssh-ed25519") -> HostKey:
    name = kind.encode()
    raw = len(name).to_bytes(4, "big") + name + hashlib.sha256(seed.encode()).digest()
    return HostKey(kind, base64.b64encode(raw).decode())


A, B, C = (key_of(seed) for seed in "abc")


def hosts(tmp_path: Path, *lines: str) -> KnownHosts:
    path = tmp_path / "known_hosts"
    path.write_text("".join(f"{line}\n" for line in lines))
    return KnownHosts([str(path)])


def trusted(known: KnownHosts, host: str, port: int = 22, address: str = "") -> list[HostKey]:
    return [entry.key for entry in known.match(host, port, address).trusted]


@pytest.mark.parametrize(
    ("pattern", "host", "port", "is_match"),
    [
        ("web", "web", 22, True),
        ("web", "WEB", 22, True),
        ("Web", "web", 22, True),
        ("web", "web2", 22, False),
        ("web", "web", 2222, True),  # a line for the bare host counts for other ports too
        ("[web]:2222", "web", 2222, True),
        ("[web]:2222", "web", 22, False),
        ("[127.0.*.*]:30022", "127.0.3.4", 30022, True),
        ("[127.0.*.*]:30022", "127.1.3.4", 30022, False),
        ("web?,db", "web1", 22, True),
        ("web?,db", "web10", 22, False),
        ("web*,!web9", "web8", 22, True),
        ("web*,!web9", "web9", 22, False),
        ("!web9,web*", "web9", 22, False),
        ("!web9", "web8", 22, False),
        ("w[ae]b", "wab", 22, False),  # brackets are for ports only
        ("::1", "::1", 22, True),
        ("[::1]:2222", "::1", 2222, True),
    ],
)
def test_patterns(tmp_path: Path, pattern: str, host: str, port: int, is_match: bool) -> None:
    assert trusted(hosts(tmp_path, f"{pattern} {A.text} comment here"), host, port) == ([A] if is_match else [])


def test_hashed_names(tmp_path: Path) -> None:
    salt = b"0123456789abcdef0123"
    digest = hmac.new(salt, b"[web]:2222", hashlib.sha1).digest()
    line = f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()} {A.text}"
    known = hosts(tmp_path, line)
    assert trusted(known, "web", 2222) == [A]
    assert trusted(known, "web", 22) == []
    assert known.problems == []


def test_a_port_of_its_own_hides_the_bare_host(tmp_path: Path) -> None:
    known = hosts(tmp_path, f"web {A.text}", f"[web]:2222 {B.text}")
    assert trusted(known, "web", 2222) == [B]
    assert trusted(known, "web", 22) == [A]


def test_markers(tmp_path: Path) -> None:
    known = hosts(tmp_path, f"@cert-authority *.org {A.text}", f"@revoked * {B.text}", f"a.org {B.text}")
    match = known.match("a.org", 2222)
    assert [entry.key for entry in match.authorities] == [A]
    assert [entry.key for entry in match.revoked] == [B]
    assert known.algorithms("a.org", 22)[0] == "ssh-ed25519-cert-v01@openssh.com"


def test_an_address_never_vouches_for_a_name(tmp_path: Path) -> None:
    known = hosts(tmp_path, f"10.0.0.7 {A.text}")
    assert trusted(known, "web", address="10.0.0.7") == []
    assert not known.match("web", 22, "10.0.0.7").is_unknown
    assert [entry.key for entry in known.contradicting("web", 22, "10.0.0.7")] == [A]
    assert known.contradicting("web", 22, "10.0.0.8") == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("web", "not a known_hosts entry"),
        ("web ssh-ed25519", "not a known_hosts entry"),
        ("web ssh-ed25519 ***", "not base64"),
        (f"web ssh-rsa {A.blob}", "not of the type"),
        ("web ssh-ed25519 AAAA", "not of the type"),
        (f"@nonsense web {A.text}", "unknown marker"),
        (f"@revoked {A.text}", "not a known_hosts entry"),
        (f"|2|xx|yy {A.text}", "unknown form"),
        (f"|1|*|* {A.text}", "not base64"),
        (f", {A.text}", "names no host"),
    ],
)
@pytest.mark.fault(26)
def test_a_malformed_line_is_reported_and_hides_nothing(tmp_path: Path, line: str, reason: str) -> None:
    known = hosts(tmp_path, "# comment", "", line, f"web {A.text}")
    assert trusted(known, "web") == [A]
    [problem] = known.problems
    assert problem.startswith(f"{tmp_path}/known_hosts:3: ")
    assert reason in problem


@given(st.text(max_size=60))
def test_no_line_raises(tmp_path_factory: pytest.TempPathFactory, line: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any_known_hosts"
    path.write_text(f"{line}\nweb {A.text}\n", encoding="utf-8", errors="surrogatepass")
    known = KnownHosts([str(path)])
    assert A in trusted(known, "web")


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    directory = tmp_path / "a_directory"
    directory.mkdir()
    known = KnownHosts([str(tmp_path / "missing"), str(directory)])
    assert trusted(known, "web") == []
    assert known.match("web", 22).is_unknown
    assert [problem.split(":")[0] for problem in known.problems] == [str(directory)]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    known = hosts(tmp_path, f"web {A.text}")
    assert trusted(known, "web") == [A]
    (tmp_path / "known_hosts").write_text(f"web {B.text}\nweb {C.text}\n")
    assert trusted(known, "web") == [B, C]


def test_accepting_appends_one_line_with_private_modes(tmp_path: Path) -> None:
    path = tmp_path / "ssh" / "known_hosts"
    known = KnownHosts([str(path)], record_to=str(path))
    assert known.accept("web", 2222, A) == ""
    assert known.accept("db", 22, B) == ""
    assert path.read_text() == f"[web]:2222 {A.text}\ndb {B.text}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert A in trusted(KnownHosts([str(path)]), "web", 2222)


def test_accepting_hashes_names_where_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    known = KnownHosts([str(path)], record_to=str(path), hashes=True)
    assert known.accept("web", 2222, A) == known.accept("web", 22, B) == ""
    assert "web" not in path.read_text()
    assert [line[:3] for line in path.read_text().splitlines()] == ["|1|", "|1|"]
    assert trusted(KnownHosts([str(path)]), "web", 2222) == [A]
    assert trusted(KnownHosts([str(path)]), "web") == [B]


def test_accepting_without_a_file_holds_for_this_run(tmp_path: Path) -> None:
    path = tmp_path / "system"
    path.write_text("")
    known = KnownHosts([str(path)])
    assert known.accept("web", 22, A) == ""
    assert trusted(known, "web") == [A]
    assert path.read_text() == ""


def test_lines_with_a_marker_contradict_no_other_key(tmp_path: Path) -> None:
    known = hosts(tmp_path, f"@cert-authority *.lab {A.text}", f"@revoked * {B.text}", f"web.lab {C.text}")
    assert known.contradicting("db.lab", 22) == ()
    assert [entry.key for entry in known.contradicting("web.lab", 22)] == [C]


def test_accepting_starts_a_new_line_and_keeps_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "known_hosts"
    path.write_text(f"db {B.text}")
    path.chmod(0o640)
    KnownHosts([str(path)], record_to=str(path)).accept("web", 22, A)
    assert path.read_text() == f"db {B.text}\nweb {A.text}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_file_that_cannot_be_written_is_told_and_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = str(tmp_path / "file" / "known_hosts")
    known = KnownHosts([path], record_to=path)
    assert "was not recorded" in known.accept("web", 22, A)
    assert trusted(known, "web") == [A]
    assert describe(known.match("web", 22).trusted) == f"{A.fingerprint} (accepted in this run)"


def test_keys_on_file_are_asked_for_first(tmp_path: Path) -> None:
    known = hosts(tmp_path, f"web {key_of('r', 'ssh-rsa').text}")
    assert known.algorithms("web", 22)[:2] == ["rsa-sha2-512", "rsa-sha2-256"]
    assert known.algorithms("other", 22)[0] == "ssh-ed25519"
    assert not any("cert" in name for name in known.algorithms("web", 22))
