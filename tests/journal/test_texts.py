"""The texts of a scenario that a run keeps."""

from pathlib import Path

from octogram_tui.journal import texts


def test_each_version_is_found_by_its_digest_and_the_first_by_being_it(tmp_path: Path) -> None:
    texts.keep_first(tmp_path, "dir/fleet.yaml", "a: 1\n")
    texts.keep(tmp_path, "dir/fleet.yaml", "beef01", "a: 2\r\n")
    assert texts.find(tmp_path, "f00d", True) == "a: 1\n"
    assert texts.find(tmp_path, "beef01", False) == "a: 2\r\n"
    assert texts.find(tmp_path, "f00d", False) is None
    assert texts.find(tmp_path / "nowhere", "f00d", True) is None


def test_a_version_is_written_once_and_its_digest_is_no_path(tmp_path: Path) -> None:
    texts.keep(tmp_path, "fleet.yml", "../../x", "a")
    texts.keep(tmp_path, "fleet.yml", "../../x", "b")
    assert [place.name for place in tmp_path.iterdir()] == ["scenario-x.yml"]
    assert texts.find(tmp_path, "../../x", False) == "a"


def test_a_disk_that_refuses_costs_the_copy_only(tmp_path: Path) -> None:
    texts.keep_first(tmp_path / "gone", "fleet.yml", "a")
    texts.keep(tmp_path / "gone", "fleet.yml", "beef", "a")
    assert texts.find(tmp_path / "gone", "beef", True) is None
