"""Addresses and keys are real ones; names and versions decide who a stand-in is."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from stand_in_rig import BOOTSTRAP_SECRETS, STAND_INS, Sandbox, environment, install, module


@pytest.mark.parametrize(
    ("kind", "text", "payload"),
    [
        ("rollup", "sr1RYurGZtN8KNSpkMcCt9CgWeUaNkzsAfXf", "d601f22256d2ad1faec0c64374e527c6e62f2e5a"),
        ("rollup", "sr1Ghq66tYK9y3r8CC1Tf8i8m5nxh8nTvZEf", "74f8952e7a287d78e8dceec67547bd00a278abbf"),
        ("contract", "KT1BuEZtb68c1Q4yjtckcNjGELqWt56Xyesc", "246667a931fe0bd2fb1cb604f714601e88284550"),
        ("ed25519_pkh", "tz1KqTpEZ7Yob7QbPE4Hy4Wo8fHG8LhKxZSx", "02298c03ed7d454a101eb7022bc95f7e5f41ac78"),
    ],
)
def test_addresses_read_and_write(kind: str, text: str, payload: str) -> None:
    base58 = module("base58")
    assert base58.decode(kind, text).hex() == payload
    assert base58.encode(kind, bytes.fromhex(payload)) == text
    assert not base58.is_valid(kind, text[:-1] + ("1" if text[-1] != "1" else "2"))


def test_keys_belong_together() -> None:
    base58, ed25519 = module("base58"), module("ed25519")
    public = ed25519.public_key(BOOTSTRAP_SECRETS["bootstrap1"])
    assert public == "edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav"
    assert base58.pkh_of(public) == "tz1KqTpEZ7Yob7QbPE4Hy4Wo8fHG8LhKxZSx"
    assert (
        ed25519.public_key(BOOTSTRAP_SECRETS["activator"]) == "edpkuSLWfVU1Vq7Jg9FucPyKmma6otcMHac9zG4oU1KMHSTBpJuGQ2"
    )


def test_every_protocol_hash_is_well_formed() -> None:
    releases, base58 = module("releases"), module("base58")
    for protocol in (*releases.NUMBERED, releases.OXFORD_FIRST, releases.ALPHA):
        assert base58.is_valid("protocol", protocol.hash)


@pytest.mark.parametrize(
    ("release", "shown"),
    [
        ("v17", "(17.0)"),
        ("v19", "(19.0)"),
        ("v20", "(Octez 20.0)"),
        ("v21.3", "(Octez 21.3)"),
        ("v24.0~rc1", "(Octez 24.0~rc1)"),
        ("v25", "(Octez 25.1 (build: 0))"),
        ("v26", "(Octez 26.0 (build: 0))"),
        ("dev", "(Octez 0.0+dev (build: 0))"),
    ],
)
def test_version_has_the_form_of_its_release(release: str, shown: str) -> None:
    done = subprocess.run(
        [sys.executable, STAND_INS / "octez.py", "--version"],
        env=environment(OCTEZ_STAND_IN_PROGRAM="octez-node", OCTEZ_STAND_IN_RELEASE=release),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("1a2b3c4d (20")
    assert done.stdout.endswith(f") {shown}\n")
    assert done.stderr == ""


def test_the_release_comes_from_the_name_the_environment_or_a_directory(tmp_path: Path) -> None:
    unbaked = install(tmp_path / "any", "--program", "octez-node") / "octez-node"
    other = tmp_path / "v20" / "octez-client"
    other.parent.mkdir()
    shutil.copy(unbaked, other)
    named = tmp_path / "octez-node-v18"
    shutil.copy(unbaked, named)

    def version(path: Path, **env: str) -> str:
        return subprocess.run([path, "--version"], env=environment(**env), capture_output=True, text=True).stdout

    assert "(Octez 25.1" in version(unbaked)
    assert "(19.0)" in version(unbaked, OCTEZ_STAND_IN_RELEASE="v19")
    assert "(Octez 20.0)" in version(other)
    assert "(18.0)" in version(named, OCTEZ_STAND_IN_RELEASE="v19")


def test_a_copy_keeps_who_it_is_under_any_name(programs_of: Callable[[str], Path], tmp_path: Path) -> None:
    downloaded = tmp_path / "0f3a9c"
    shutil.copy(programs_of("v21") / "octez-dal-node", downloaded)
    done = subprocess.run([downloaded, "--version"], env=environment(), capture_output=True, text=True)
    assert "(Octez 21.0)" in done.stdout
    done = subprocess.run([downloaded, "run", "--verbose"], env=environment(), capture_output=True, text=True)
    assert (done.returncode, "unknown option '--verbose'" in done.stderr) == (124, True)
    assert "stand-in" in done.stderr


def test_equal_installs_are_equal_files(tmp_path: Path) -> None:
    first = install(tmp_path / "a", "--release", "v22", "--program", "octez-client")
    second = install(tmp_path / "b", "--release", "v22", "--program", "octez-client")
    assert (first / "octez-client").read_bytes() == (second / "octez-client").read_bytes()
    with zipfile.ZipFile(first / "octez-client") as archive:
        assert "octez_stand_in/client.pyc" in archive.namelist()


@pytest.mark.parametrize(
    ("release", "present", "absent"),
    [
        ("v17", "octez-baker-PtNairob", "octez-dal-node"),
        ("v18", "octez-smart-rollup-node-Proxford", "octez-baker"),
        ("v19", "octez-smart-rollup-node", "octez-smart-rollup-node-alpha"),
        ("v21", "octez-baker-PsParisC", "octez-experimental-agnostic-baker"),
        ("v22", "octez-experimental-agnostic-baker", "octez-baker"),
        ("v24", "octez-baker-PtTALLiN", "octez-baker-PsQuebec"),
        ("v25", "octez-baker", "octez-baker-alpha"),
    ],
)
def test_each_release_has_its_programs(release: str, present: str, absent: str) -> None:
    releases = module("releases")
    names = releases.program_names(releases.parse(release))
    assert present in names
    assert absent not in names


def test_a_program_that_the_release_lacks_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    unbaked = install(tmp_path / "any", "--program", "octez-baker") / "octez-baker"
    done = subprocess.run(
        [unbaked, "--version"], env=environment(OCTEZ_STAND_IN_RELEASE="v19"), capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "has no program octez-baker" in done.stderr
