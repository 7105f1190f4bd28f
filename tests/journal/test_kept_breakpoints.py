"""Breakpoints are kept for a scenario's file, whatever happens to it, to theirs, or at the same time elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from octogram_tui.engine.breakpoint_table import BY_KEPT
from octogram_tui.engine.events import BreakpointRemoved, BreakpointSet
from octogram_tui.journal.breakpoints import DIRECTORY, KeptBreakpoints
from octogram_tui.model.breakpoint import Breakpoint


def kept(place: Path, name: str = "s.yml") -> KeptBreakpoints:
    """What a run of a scenario's file keeps."""
    return KeptBreakpoints(place / "state", str(place / name))


def texts(place: Path, name: str = "s.yml") -> list[str]:
    return [one.pattern if one.is_on else f"{one.pattern} off" for one in kept(place, name).load()]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "s.yml").write_text("stages: []\n")
    return tmp_path


def test_what_an_operator_does_of_them_is_there_in_the_next_run(place: Path) -> None:
    run = kept(place)
    assert run.load() == []
    run.apply(
        [
            BreakpointSet(number=1, pattern="*", when="failed", by="run"),
            BreakpointSet(number=2, pattern="a/b", condition="vars.x > 1", hits="=3", log="{{ item }} é"),
            BreakpointSet(number=3, pattern="cli", by="command line"),
            BreakpointSet(number=4, pattern="once", is_once=True),
            BreakpointSet(number=5, pattern="gone"),
            BreakpointSet(number=6, pattern="*", when="variable", name="x"),
            BreakpointSet(number=6, pattern="*", when="variable", name="x", is_off=True),
            BreakpointRemoved(number=5),
            BreakpointRemoved(number=3),
        ]
    )
    assert kept(place).load() == [
        Breakpoint("a/b", condition="vars.x > 1", hits="=3", log="{{ item }} é"),
        Breakpoint("*", "variable", name="x", is_on=False),
    ]
    later = kept(place)
    later.load()
    later.apply(
        [BreakpointSet(number=1, pattern="a/b", condition="vars.x > 1", hits="=3", log="{{ item }} é", by=BY_KEPT)]
    )
    later.apply(
        [BreakpointSet(number=1, pattern="a/c", by="operator"), BreakpointSet(number=2, pattern="*", when="lost")]
    )
    assert texts(place) == ["a/c", "* off", "*"]


def test_runs_of_the_same_scenario_at_the_same_time_keep_each_others(place: Path) -> None:
    first, second = kept(place), kept(place)
    first.apply([BreakpointSet(number=1, pattern="a")])
    second.apply([BreakpointSet(number=1, pattern="b"), BreakpointSet(number=2, pattern="a")])
    first.apply([BreakpointSet(number=2, pattern="c"), BreakpointSet(number=1, pattern="a", is_off=True)])
    assert texts(place) == ["a off", "b", "c"]
    second.apply([BreakpointRemoved(number=2)])  # the other run has switched it since: it is the same one
    assert texts(place) == ["b", "c"]
    first.apply([BreakpointRemoved(number=1)])
    assert texts(place) == ["b", "c"]


def test_each_scenario_has_its_own_and_a_link_is_no_other_one(place: Path) -> None:
    (place / "other.yml").write_text("")
    (place / "link.yml").symlink_to(place / "s.yml")
    kept(place).apply([BreakpointSet(number=1, pattern="a")])
    kept(place, "other.yml").apply([BreakpointSet(number=1, pattern="b")])
    assert (texts(place), texts(place, "other.yml"), texts(place, "link.yml")) == (["a"], ["b"], ["a"])


def test_they_follow_a_file_that_is_renamed_and_stay_with_one_that_is_copied(place: Path) -> None:
    kept(place).apply([BreakpointSet(number=1, pattern="a")])
    (place / "copy.yml").write_bytes((place / "s.yml").read_bytes())
    assert texts(place, "copy.yml") == []
    (place / "s.yml").rename(place / "new.yml")
    assert texts(place, "new.yml") == ["a"]
    assert texts(place) == []
    (place / "draft").write_text("stages: []  # an editor writes beside, and renames\n")
    (place / "draft").rename(place / "new.yml")
    assert texts(place, "new.yml") == ["a"]


def test_what_cannot_be_read_is_told_once_put_aside_and_a_new_one_is_kept(place: Path) -> None:
    kept(place).apply([BreakpointSet(number=1, pattern="a")])
    [file] = (place / "state" / DIRECTORY).glob("*.json")
    file.write_text('{"breakpoints": [{"pattern": 3}]}')
    said: list[str] = []
    run = kept(place)
    assert run.load() == []
    run.tell_to(said.append)
    run.apply([BreakpointSet(number=1, pattern="b")])
    assert len(said) == 1
    assert said[0].startswith("the breakpoints kept for s.yml cannot be read: pattern is 3; ")
    assert said[0].endswith(f"what there was is {file.with_suffix('.damaged')}")
    assert texts(place) == ["b"]
    assert json.loads(file.with_suffix(".damaged").read_text())["breakpoints"] == [{"pattern": 3}]


def test_what_a_newer_program_wrote_is_left_as_it_is(place: Path) -> None:
    kept(place).apply([BreakpointSet(number=1, pattern="a")])
    [file] = (place / "state" / DIRECTORY).glob("*.json")
    newer = '{"v": 2, "breakpoints": [{"pattern": {"any": ["a", "b"]}}]}'
    file.write_text(newer)
    said: list[str] = []
    run = kept(place)
    assert run.load() == []
    run.tell_to(said.append)
    run.apply([BreakpointSet(number=1, pattern="b")])
    assert said == [
        f"the breakpoints of s.yml cannot be read: {file}: a newer octogram-tui wrote it; it is left as it is"
    ]
    assert file.read_text() == newer


def test_where_nothing_can_be_written_that_is_told_once(place: Path) -> None:
    (place / "state").write_text("a file where a directory has to be")
    said: list[str] = []
    run = kept(place)
    assert run.load() == []
    run.tell_to(said.append)
    run.apply([BreakpointSet(number=1, pattern="b"), BreakpointSet(number=2, pattern="c")])
    assert len(said) == 1
    assert said[0].startswith(f"the breakpoints of s.yml cannot be read: {place / 'state'}")
    assert said[0].endswith("Not a directory")


ANY_JSON = st.recursive(
    st.none() | st.text(max_size=8) | st.integers() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["pattern", "when", "hits", "is_on", "new"]), inner, max_size=3)
    ),
)


@given(st.binary(max_size=60) | ANY_JSON.map(lambda value: json.dumps({"breakpoints": value}).encode()), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_breaks_a_run(place: Path, data: bytes, loads: bool) -> None:
    run = kept(place)
    run.apply([BreakpointSet(number=1, pattern="a")])
    [file] = (place / "state" / DIRECTORY).glob("*.json")
    file.write_bytes(data)
    if loads:
        assert all(isinstance(one, Breakpoint) for one in kept(place).load())
    run.apply([BreakpointSet(number=2, pattern="b")])
    assert "b" in texts(place)
