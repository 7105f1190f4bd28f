"""Archives that nobody vouches for: what is unpacked of them, and that nothing lands where it was not meant to."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interpreters import interpreters

from octogram_agentd.parcels import archive as archive_reader
from octogram_agentd.parcels import unpack as unpacking
from octogram_agentd.parcels.unpack import unpack
from octogram_agentd.procedures.values import ProcedureFailed
from octogram_agentd.processes import origin


def member(
    name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"", **more: object
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.size = len(content)
    for field, value in more.items():
        setattr(info, field, value)
    return info, content


def packed(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=form) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def unpacked(place: Path, data: bytes) -> Path:
    (place / "in").mkdir(exist_ok=True)
    (place / "a.tgz").write_bytes(data)
    unpack(os.fsencode(place / "a.tgz"), os.fsencode(place / "in"))
    return place / "in"


LONG = "/".join(["d" * 90] * 4) + "/" + "n" * 200


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format_is_read(tmp_path: Path, form: int) -> None:
    long = LONG if form != tarfile.USTAR_FORMAT else "p" * 90 + "/" + "n" * 90
    place = unpacked(
        tmp_path,
        packed(
            member("./", tarfile.DIRTYPE, mode=0o777),
            member("d/", tarfile.DIRTYPE, mode=0o750),
            member("d/tool", content=b"x" * 70_000, mode=0o755, mtime=1_000_000_000),
            member("/absolute", content=b"a", mode=0o600),
            member(long, content=b"long"),
            member("d/again", tarfile.LNKTYPE, linkname="d/tool"),
            member("current", tarfile.SYMTYPE, linkname="d/tool"),
            member("d/up", tarfile.SYMTYPE, linkname="../absolute"),
            form=form,
        ),
    )
    assert (place / "d/tool").read_bytes() == b"x" * 70_000
    assert stat.S_IMODE((place / "d/tool").stat().st_mode) == 0o755
    assert stat.S_IMODE((place / "d").stat().st_mode) == 0o750
    assert (place / "d/tool").stat().st_mtime == 1_000_000_000
    assert (place / "absolute").read_bytes() == (place / "d/up").read_bytes() == b"a"
    assert (place / long).read_bytes() == b"long"
    assert (place / "d/again").samefile(place / "d/tool")
    assert os.readlink(place / "current") == "d/tool"


def test_what_the_systems_tar_packs_is_what_comes_out(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep/er").mkdir(parents=True)
    for name in ("f", "deep/g", "deep/er/new\nline", "ünï", "x" * 200):
        (source / name).write_text(name)
    (source / "link").symlink_to("deep/g")
    os.link(source / "f", source / "hard")
    (source / "deep").chmod(0o500)
    subprocess.run(["tar", "czf", tmp_path / "s.tgz", "-C", source, "."], check=True)
    place = unpacked(tmp_path, (tmp_path / "s.tgz").read_bytes())
    assert subprocess.run(["diff", "-r", source, place], check=False).returncode == 0
    assert sorted(p.relative_to(place) for p in place.rglob("*")) == sorted(
        p.relative_to(source) for p in source.rglob("*")
    )
    for path in (source / "deep", place / "deep"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o500
        path.chmod(0o700)


@pytest.mark.fault(83, 84)
@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ([member("../out", content=b"x")], "path"),
        ([member("d/../../out", content=b"x")], "path"),
        ([member("l", tarfile.SYMTYPE, linkname="/etc/passwd")], "path"),
        ([member("l", tarfile.SYMTYPE, linkname="..")], "path"),
        ([member("d/l", tarfile.SYMTYPE, linkname="../../out")], "path"),
        ([member("l", tarfile.SYMTYPE, linkname="d/../x")], "path"),
        ([member("l", tarfile.LNKTYPE, linkname="../out")], "path"),
        ([member("l", tarfile.LNKTYPE, linkname="there")], "path"),  # through the link that is there
        ([member("through/x", content=b"x")], "path"),
        ([member("d/", tarfile.DIRTYPE), member("through/", tarfile.DIRTYPE, mode=0o777)], "path"),
        ([member("dev", tarfile.CHRTYPE, devmajor=1, devminor=5)], "not_a_file"),
        ([member("dev", tarfile.BLKTYPE, devmajor=8, devminor=0)], "not_a_file"),
        ([member("pipe", tarfile.FIFOTYPE)], "not_a_file"),
        ([member("sparse", b"S")], "not_a_file"),
        ([member("f", content=b"x"), member("f/x", content=b"x")], "not_directory"),
        ([member("directory", content=b"x")], "is_directory"),
        ([member("d/" * 300 + "f", content=b"x")], "too_large"),
        ([member(".", content=b"x")], "damaged"),
        # A chain of links, each harmless alone, that would turn the next one upwards.
        ([member("a", tarfile.SYMTYPE, linkname="."), member("a/b", tarfile.SYMTYPE, linkname="..")], "path"),
        ([member("a", tarfile.SYMTYPE, linkname="directory"), member("a/x", content=b"x")], "is_directory"),
    ],
)
def test_what_leads_elsewhere_is_refused(
    tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]], kind: str
) -> None:
    (tmp_path / "in/directory").mkdir(parents=True)
    (tmp_path / "out").write_text("untouched")
    (tmp_path / "in/through").symlink_to("..")
    (tmp_path / "in/there").symlink_to("../out")
    before = tmp_path.stat().st_mode
    with pytest.raises(ProcedureFailed) as raised:
        unpacked(tmp_path, packed(*members))
    if (kind, raised.value.kind) != ("path", "damaged"):  # another name of what is no file
        assert raised.value.kind == kind
    assert (tmp_path / "out").read_text() == "untouched"
    assert sorted(os.listdir(tmp_path)) == ["a.tgz", "in", "out"]
    assert tmp_path.stat().st_mode == before
    assert not [name for _, _, names in os.walk(tmp_path) for name in names if name.endswith(".part")]


@pytest.mark.fault(83, 84)
def test_nothing_gains_rights_by_being_unpacked(tmp_path: Path) -> None:
    """Not as root either, for whom `tar` keeps owners and setuid."""
    place = unpacked(
        tmp_path,
        packed(
            member("suid", content=b"x", mode=0o6755, uid=1234, gid=1234),
            member("sticky", tarfile.DIRTYPE, mode=0o7777, uid=1234),
        ),
    )
    assert stat.S_IMODE((place / "suid").stat().st_mode) == 0o755
    assert stat.S_IMODE((place / "sticky").stat().st_mode) == 0o777
    assert {path.stat().st_uid for path in place.iterdir()} == {os.getuid()}


def test_what_is_there_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").write_text("untouched")
    (tmp_path / "in/link").symlink_to("../out")
    os.link(tmp_path / "out", tmp_path / "in/hard")
    place = unpacked(tmp_path, packed(member("link", content=b"new"), member("hard", content=b"new")))
    assert (place / "link").read_bytes() == (place / "hard").read_bytes() == b"new"
    assert not (place / "link").is_symlink()
    assert (tmp_path / "out").read_text() == "untouched"


@pytest.mark.fault(83)
def test_there_is_a_limit_to_how_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MAX_ENTRIES", 3)
    with pytest.raises(ProcedureFailed, match="more than 3 entries"):
        unpacked(tmp_path, packed(*(member(f"f{number}") for number in range(4))))
    monkeypatch.setattr(unpacking, "MAX_BYTES", 1000)
    with pytest.raises(ProcedureFailed, match="more than 1000 bytes"):
        unpacked(tmp_path, packed(member("a", content=b"x" * 600), member("b", content=b"x" * 600)))
    huge, _ = member("huge")
    huge.size = 1 << 42
    with pytest.raises(ProcedureFailed, match="more than 1000 bytes"):
        unpacked(tmp_path, gzip.compress(huge.tobuf()))
    name = tarfile.TarInfo("x")
    name.type, name.size = tarfile.GNUTYPE_LONGNAME, 1 << 33
    with pytest.raises(ProcedureFailed, match="a name or a record of"):
        unpacked(tmp_path, gzip.compress(name.tobuf(tarfile.GNU_FORMAT)))


def test_the_disk_is_not_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "_SPARE_BYTES", 1 << 60)
    with pytest.raises(ProcedureFailed, match="there is no space for a") as raised:
        unpacked(tmp_path, packed(member("a", content=b"x")))
    assert raised.value.kind == "no_space"


WHOLE = packed(
    member("a", content=b"x" * 3000), member("d/b", content=b"y"), member("l", tarfile.SYMTYPE, linkname="a")
)
HEADERS = gzip.decompress(WHOLE)


@given(st.data())
@settings(max_examples=60, deadline=None)
@pytest.mark.fault(84, 92)
def test_a_damaged_archive_is_an_error_in_words_and_leaves_nothing_half(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    place = tmp_path_factory.mktemp("damaged")
    at = data.draw(st.integers(0, len(HEADERS) - 1))
    changed = data.draw(st.binary(min_size=1, max_size=8))
    raw = HEADERS[:at] + changed + HEADERS[at + len(changed) :]
    whole = gzip.compress(raw)
    if data.draw(st.booleans()):
        whole = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with contextlib.suppress(ProcedureFailed):
        unpacked(place, whole)
    assert sorted(os.listdir(place)) == ["a.tgz", "in"]
    assert not [name for _, _, names in os.walk(place) for name in names if name.endswith(".part")]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"no archive", "not a gzipped file"),
        (gzip.compress(b"no archive"), "it ends too early"),
        (gzip.compress(b"x" * 512), "no number where one should be"),
        (WHOLE[:-4], "it ends too early"),
        (WHOLE[:-6] + b"\0\0" + WHOLE[-4:], "crc"),
        (b"", "it ends too early"),
    ],
    ids=["no gzip", "no archive", "no header", "cut", "wrong sum", "empty"],
)
def test_what_is_no_archive(tmp_path: Path, data: bytes, words: str) -> None:
    if not data:
        assert list(unpacked(tmp_path, data).iterdir()) == []  # an empty stream is an empty archive, as for `tar`
        return
    with pytest.raises(ProcedureFailed) as raised:
        unpacked(tmp_path, data)
    assert words in raised.value.message.lower()


def test_what_follows_the_end_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_reader, "_MAX_REST_BYTES", 10_000)
    with pytest.raises(ProcedureFailed, match="too much after its end"):
        unpacked(tmp_path, gzip.compress(HEADERS + bytes(200_000)))


@pytest.mark.parametrize("python", interpreters(), ids=lambda path: Path(path).parent.parent.name)
def test_as_a_program(tmp_path: Path, python: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "a.tgz").write_bytes(packed(member("d/f", content=b"x"), member("l", tarfile.SYMTYPE, linkname="/x")))
    argv = [python, *origin.argv("parcels.unpack", str(tmp_path / "a.tgz"), str(tmp_path / "in"))[1:]]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "d/f\nl\n"
    assert done.stderr.splitlines()[0] == "l in the archive is a link to /x, which leads out of the directory"
    assert done.returncode == unpacking.FIRST_STATUS + unpacking.KINDS.index("path")
