"""The locks hold what pyproject.toml asks for, to the hash, and say nothing of where it came from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("demo", "dev", "lowest", "site")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUNTIME: list[str] = PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["build"]
SITE: list[str] = PROJECT["dependency-groups"]["site"]
DEVELOPMENT: list[str] = PROJECT["project"]["optional-dependencies"]["dev"]
MACHINES = [
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": machine}
    | {"python_version": version, "python_full_version": f"{version}.0"}
    | {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    for machine in ("x86_64", "aarch64")
    for version in ("3.11", "3.12", "3.13", "3.14")
]


class Locked(NamedTuple):
    """One requirement of a lock."""

    version: Version
    marker: Marker | None
    hashes: list[str]


def read(lock: str) -> dict[str, list[Locked]]:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    found: dict[str, list[Locked]] = {}
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("#"):
            continue
        spoken, *hashes = re.split(r"\s+--hash=", line.strip())
        requirement = Requirement(spoken)
        [pin] = requirement.specifier
        assert pin.operator == "=="
        locked = Locked(Version(pin.version), requirement.marker, hashes)
        found.setdefault(canonicalize_name(requirement.name), []).append(locked)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_version_has_hashes(lock: str) -> None:
    for name, versions in read(lock).items():
        for locked in versions:
            assert locked.hashes, name
            assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", found) for found in locked.hashes), name


@pytest.mark.parametrize("lock", LOCKS)
def test_no_address_is_in_a_lock(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    assert not re.search(r"://|^\s*-[a-z-]|index|find-links| @ ", re.sub(r"^ +--hash=", "", text, flags=re.M), re.M)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: f"{m['platform_machine']}-{m['python_version']}")
@pytest.mark.parametrize(
    ("lock", "wanted"),
    [("demo", RUNTIME), ("dev", RUNTIME + DEVELOPMENT), ("lowest", RUNTIME + DEVELOPMENT), ("site", SITE)],
)
def test_every_requirement_is_locked_once_within_its_range(
    lock: str, wanted: list[str], machine: dict[str, str]
) -> None:
    locked = read(lock)
    for spoken in wanted:
        requirement = Requirement(spoken)
        if requirement.marker is not None and not requirement.marker.evaluate(machine):
            continue
        name = canonicalize_name(requirement.name)
        fitting = [one for one in locked.get(name, []) if one.marker is None or one.marker.evaluate(machine)]
        assert len(fitting) == 1, f"{name} is not in requirements/{lock}.txt: `make lock`"
        assert fitting[0].version in requirement.specifier, f"{name} is out of its range: `make lock`"


def test_the_demo_has_nothing_that_the_tests_have_otherwise() -> None:
    demo, dev = read("demo"), read("dev")
    assert {name: dev[name] for name in demo} == demo


def test_the_lowest_are_the_lowest() -> None:
    locked = read("lowest")
    lower: dict[str, list[Version]] = {}
    for spoken in PROJECT["project"]["dependencies"]:
        requirement = Requirement(spoken)
        name = canonicalize_name(requirement.name)
        floors = [Version(one.version) for one in requirement.specifier if one.operator == ">="]
        lower[name] = floors
        assert [one.version.release[:2] for one in locked[name]] == [floor.release[:2] for floor in floors], name
    assert all(lower.values()), "every requirement has a lowest version"


def test_every_range_has_both_ends() -> None:
    for spoken in RUNTIME + DEVELOPMENT:
        operators = {one.operator for one in Requirement(spoken).specifier}
        assert {">=", "<"} <= operators, spoken
