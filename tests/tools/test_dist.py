"""`make dist`: what is made is the same wherever it is made, and holds what it has to and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import dist

EPOCH = "1700000000"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dist.Made:
    return dist.build(dist.ROOT, tmp_path_factory.mktemp("here"), EPOCH, umask="022", surroundings={})


def test_it_comes_out_the_same_elsewhere(made: dist.Made, tmp_path: Path) -> None:
    source = dist.unpacked(made.sdist, tmp_path / "another folder")
    again = dist.build(source, tmp_path / "there", EPOCH, umask="077", surroundings=dist.ELSEWHERE)
    for one, other in zip(made, again, strict=True):
        assert one.name == other.name
        assert one.read_bytes() == other.read_bytes(), dist.difference(one, other)


def test_the_contents_are_as_they_have_to_be(made: dist.Made) -> None:
    assert dist.check_wheel(dist.names_in_wheel(made.wheel)) == []
    assert dist.check_sdist(dist.names_in_sdist(made.sdist), None) == []


def test_what_is_wrong_with_contents_is_named(made: dist.Made) -> None:
    names = dist.names_in_wheel(made.wheel)
    names.remove("octogram_tui/py.typed")
    wrong = dist.check_wheel([*names, "tests/test_x.py", "octogram_tui/__pycache__/x.pyc", names[0]])
    assert wrong == [
        "the wheel lacks octogram_tui/py.typed",
        "tests/test_x.py has no business in the wheel",
        "octogram_tui/__pycache__/x.pyc has no business in the wheel",
        f"{names[0]} is there twice",
    ]
    known = {*dist.names_in_sdist(made.sdist), "forgotten.py"} - {"README.md"}
    assert dist.check_sdist(dist.names_in_sdist(made.sdist), known) == [
        "README.md is in the archive, and git does not know it",
        "git knows forgotten.py, and the archive lacks it",
    ]


def test_a_folder_that_cannot_be_built_is_said_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(dist.DistError, match="cannot build"):
        dist.build(tmp_path, tmp_path / "to", EPOCH, umask="022", surroundings={})
