"""The disk of an agent fills up: each job says so, nothing half is left, and the daemon goes on."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile

import pytest
from fixtures_program import Place

SCENARIO = """
agents: [{name: a, transport: local}]
stages:
  - name: fill
    jobs:
      - {name: too big, on_failure: continue, copy: {local_path: big, remote_path: big}}
      - {name: small, copy: {local_path: bomb.tgz, remote_path: bomb.tgz}}
      - {name: bomb, on_failure: continue, builtins.tar: {action: extract, contents: x, archive: 'self://bomb.tgz'}}
      - {name: fill, builtins.shell: 'head -c 100m /dev/zero >fill; true'}
      - {name: write, on_failure: continue, builtins.write_file: {path: f, content: text}}
      - {name: copied, on_failure: continue, copy: {local_path: bomb.tgz, remote_path: again}}
      - {name: left, builtins.shell: 'find . -name ".octogram*"; rm fill'}
      - {name: goes on, builtins.write_file: {path: f, content: text}}
"""


@pytest.mark.fault(97)
@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount")
def test_an_agent_whose_disk_is_full_says_so_and_goes_on(place: Place) -> None:
    with open(place.home / "big", "wb") as big:
        big.truncate(48 << 20)
    with tarfile.open(place.home / "bomb.tgz", "w:gz") as archive:
        info = tarfile.TarInfo("zeros")
        info.size = 64 << 20
        archive.addfile(info, io.BytesIO(bytes(info.size)))
    disk = place.home / ".octogram"
    disk.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=36m,mode=700", "tmpfs", str(disk)], check=True)
    try:
        scenario = place.write("s.yml", SCENARIO)
        done = place.run(str(scenario), "--headless", "--events", "events.jsonl")
        assert done.returncode == 0, done.stdout + done.stderr
        place.wait_clean()
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
    events = [json.loads(line) for line in (place.home / "events.jsonl").read_text().splitlines()]
    ends = {event["job"]: event for event in events if event["type"] == "job_finished"}
    kinds = {job: event["error"]["kind"] for job, event in ends.items() if event["state"] != "ok"}
    assert kinds == {"too big": "no_space", "bomb": "no_space", "write": "no_space", "copied": "no_space"}
    assert ends["left"]["result"]["stdout"] == ""
