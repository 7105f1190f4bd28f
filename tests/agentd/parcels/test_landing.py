"""What a parcel may hold, how it may be cut, and what is refused of it while it lands."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parcel_parts import ROOT, file_parts

from octogram_agentd.parcels.landing import Landing
from octogram_agentd.parcels.parcel import error_piece, pack
from octogram_agentd.procedures.base import ProcedureFailed
from octogram_agentd.wire.lines import encode

ONE_BYTE = encode({"t": "file", "name": "", "mode": 0o644, "size": 1})


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([b"not json\n"], "broken"),
        ([ONE_BYTE, b"\0\0\0\1x\0\0\0\0", b"0" * 32], "arrived damaged"),
        ([ONE_BYTE, b"\x7f\xff\xff\xff"], "a piece of"),
        ([ROOT, encode({"t": "end", "entries": 7})], "1 entries arrived of 7"),
        ([encode({"t": "end", "entries": 0})], "0 entries arrived of 0"),
        ([ROOT, ROOT], "two roots"),
        ([ROOT, b"\0\0\0\1\n"], "broken"),
        ([error_piece(ProcedureFailed("the disk is broken", kind="io"))], "the disk is broken"),
        ([ROOT, file_parts("f", b"x")[:-20], b"x" * 20], "arrived damaged"),
        ([ROOT, encode({"t": "end", "entries": 1}), b"more"], "bytes after the end"),
        ([b"x" * 70_000], "too long"),
        ([encode({"t": "file", "name": "", "mode": 0o644, "size": -1})], "broken"),
        ([encode({"t": "file", "name": "", "mode": 0o644, "size": "\u0663"})], "broken"),
        ([encode({"t": "file", "name": "", "mode": 1e300, "size": 1})], "broken"),
        ([encode({"t": "kept", "name": "", "mode": 0o644, "size": 5, "at": "/etc/hosts", "sha256": ""})], "broken"),
    ],
)
@pytest.mark.fault(83, 92)
async def test_broken_parcels(tmp_path: Path, parts: list[bytes], words: str) -> None:
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    landing = Landing(fd, b"target")
    with pytest.raises(ProcedureFailed, match=words):
        landing.feed(b"".join(parts))
    landing.close()
    assert [p.name for p in tmp_path.iterdir()] in ([], ["target"] if "after the end" in words else [])


@pytest.mark.fault(83)
def test_more_bytes_than_announced_are_refused(tmp_path: Path) -> None:
    fd = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    landing = Landing(fd, b"target", max_bytes=10)
    landing.feed(encode({"t": "file", "name": "", "mode": 0o644, "size": 0}))
    with pytest.raises(ProcedureFailed, match="more than 10 bytes"):
        landing.feed(b"\0\0\0\x0b" + b"x" * 11)
    landing.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault(83)
def test_a_link_that_appears_meanwhile_is_not_followed(tmp_path: Path) -> None:
    """What is written to are descriptors of directories that were made or checked: no path is looked up again."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "in/target").mkdir(parents=True)
    landing = Landing(os.open(tmp_path / "in", os.O_RDONLY | os.O_DIRECTORY), b"target")
    landing.feed(ROOT)
    (tmp_path / "in/target").rename(tmp_path / "in/moved")
    (tmp_path / "in/target").symlink_to(tmp_path / "elsewhere")
    landing.feed(file_parts("f", b"x") + encode({"t": "end", "entries": 2}))
    landing.close()
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert (tmp_path / "in/moved/f").read_bytes() == b"x"


@given(cuts=st.lists(st.integers(0, 3000), max_size=20))
@settings(max_examples=50)
def test_a_parcel_may_be_cut_anywhere(tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    place = tmp_path_factory.mktemp("cut")
    (place / "from/sub").mkdir(parents=True)
    (place / "from/sub/a").write_bytes(bytes(range(256)) * 4)
    (place / "from/empty").touch()
    data = b"".join(pack(os.fsencode(place / "from")))
    landing = Landing(os.open(place, os.O_RDONLY | os.O_DIRECTORY), b"to")
    points = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in pairwise(points):
        landing.feed(data[start:end])
    landing.close()
    assert landing.result is not None
    assert landing.result["bytes"] == 1024
    assert (place / "to/sub/a").read_bytes() == bytes(range(256)) * 4
