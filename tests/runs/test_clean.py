"""`octogram-tui clean`: it shows what is left, removes what it was told to, and nothing that a daemon uses."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest
from fixtures_program import PROGRAM, Place, wait_for

SLOW = """agents: [{name: a, transport: local}, {name: b, transport: local}]
stages: [{name: s, jobs: [{name: j, builtins.wait_for: {file: go, timeout: 60}}]}]
"""


def test_what_a_daemon_uses_is_left_alone_until_it_has_ended(place: Place) -> None:
    path = str(place.write("s.yml", SLOW))
    running = place.start(path)
    wait_for(lambda: len(list(place.home.glob(".octogram/runs/*/*/home"))) == 2)
    (run,) = place.home.glob(".octogram/runs/*")
    old = place.home / ".octogram/runs/20200101-000000-old-xx"
    (old / "a" / "home" / "shut").mkdir(parents=True)
    (old / "a" / "home" / "shut" / "f").write_text("x" * 2048)
    (old / "a" / "home" / "shut").chmod(0)
    (place.home / "elsewhere").mkdir()
    (old / "a" / "link").symlink_to(place.home / "elsewhere")
    done = place.run("clean", path, "--yes")
    assert done.returncode == 0, done.stderr
    assert f"    {run}  (files of a run, " in done.stdout
    assert "in use: left alone)" in done.stdout
    assert done.stdout.endswith("removed 1 of 1\n")
    assert not old.exists()
    assert (place.home / "elsewhere").is_dir()
    os.kill(running.pid, signal.SIGTERM)
    out, _ = running.communicate(timeout=60)
    assert running.returncode == 143, out
    assert "there is nothing to remove" in place.run("clean", path, "--yes").stdout


def test_a_machine_that_cannot_be_reached_is_named_and_the_others_are_cleaned(place: Place) -> None:
    path = str(place.write("s.yml", SLOW.replace("name: b, transport: local", "name: b, address: 127.0.0.1, port: 1")))
    (place.home / ".octogram/runs/20200101-000000-old-xx/a").mkdir(parents=True)
    done = place.run("clean", path, "--yes")
    assert done.returncode == 4
    assert "b: " in done.stdout
    assert done.stdout.endswith("removed 1 of 1\n")
    assert not (place.home / ".octogram").exists()


MOUNTED = """mount -t tmpfs -o mode=1777 tmpfs /var/tmp && mkdir -p -m 700 "$1" && mkdir "$1/a" && shift && "$@"
find /var/tmp -mindepth 1"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
def test_what_went_elsewhere_when_the_home_could_not_be_written_is_found_when_it_can(place: Place) -> None:
    path = str(place.write("s.yml", SLOW))
    old = f"/var/tmp/octogram-{os.getuid()}/runs/20200101-000000-old-xx"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", MOUNTED, "sh", old, *PROGRAM, "clean", path, "--yes"],
        env=place.environment, cwd=place.home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"    {old}  (files of a run, " in done.stdout
    assert done.stdout.endswith("removed 1 of 1\n")  # and `find` found nothing
