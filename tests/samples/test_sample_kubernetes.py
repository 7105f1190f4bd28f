"""The sample in pods: its words and its manifest as the real kubectl reads them, with a stand-in for the cluster."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from fixtures_program import ROOT, Place

SAMPLE = ROOT / "sample_scenarios" / "kubernetes.yml"
MANIFEST = ROOT / "sample_scenarios" / "kubernetes" / "pods.yml"
STAND_IN = ROOT / "tests" / "kubectl_stand_in.py"

pytestmark = pytest.mark.kubectl


@pytest.fixture
def kubectl() -> str:
    """Give the path of the real one."""
    found = shutil.which("kubectl")
    if found is None:
        pytest.skip("no kubectl on this machine")
    return found


@pytest.fixture
def place(tmp_path: Path, kubectl: str) -> Place:
    """Give a home, and the pods of the manifest by way of a stand-in that is called kubectl."""
    programs, pods = tmp_path / "bin", tmp_path / "pods"
    programs.mkdir()
    wrapper = programs / "kubectl"
    wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} -IS {STAND_IN} "$@"\n')
    wrapper.chmod(0o755)
    for pod in documents("Pod"):
        for container in pod["spec"]["containers"]:
            (pods / "default" / pod["metadata"]["name"] / container["name"]).mkdir(parents=True)
    home = tmp_path / "operator"
    home.mkdir()
    extra = {"POD_HOMES": str(pods), "REAL_KUBECTL": kubectl}
    made = Place(home, extra)
    made.extra["PATH"] = f"{programs}:{made.environment['PATH']}"
    return made


def documents(kind: str) -> list[dict[str, Any]]:
    """Give what the manifest has of a kind."""
    return [each for each in yaml.safe_load_all(MANIFEST.read_text()) if each["kind"] == kind]


def lacking(written: Any, read: Any, path: str = "") -> list[str]:
    """Name what is written and was not read, by its path."""
    if isinstance(written, dict):
        return [
            name
            for key, value in written.items()
            for name in (lacking(value, read[key], f"{path}.{key}") if key in read else [f"{path}.{key}"])
        ]
    if isinstance(written, list):
        return [
            name for number, value in enumerate(written) for name in lacking(value, read[number], f"{path}[{number}]")
        ]
    return [] if written == read else [f"{path}: {written!r} is read as {read!r}"]


@pytest.mark.parametrize(("kind", "words"), [("Pod", ["set", "env", "A=b"]), ("Service", ["set", "selector", "a=b"])])
def test_the_real_client_knows_every_word_of_the_manifest(
    kubectl: str, tmp_path: Path, kind: str, words: list[str]
) -> None:
    """A change that needs no cluster has the client take the object apart by its own types: what these lack is lost."""

    def read(document: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [kubectl, *words[:2], "--local", "-o", "json", "-f", "-", *words[2:]],
            input=yaml.safe_dump(document),
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "KUBECONFIG": str(tmp_path / "none")},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    for document in documents(kind):
        done = read(document)
        assert done.returncode == 0, done.stderr
        changed = [".spec.selector.app"] if kind == "Service" else []
        assert lacking(document, json.loads(done.stdout)) == changed
    mistaken = {**document, "spec": {**document["spec"], "deadline": 5}}
    assert lacking(mistaken, json.loads(read(mistaken).stdout)) == [*changed, ".spec.deadline"]


def test_the_sample_runs_by_what_the_real_client_asks_of_a_cluster(place: Place) -> None:
    here = "[{name: octogram-server, data_address: 127.0.0.1}, {name: octogram-client, data_address: 127.0.0.1}]\n"
    place.write("here.yml", here)  # no cluster's names are known on this machine
    done = place.run(str(SAMPLE), "--agents", "here.yml", "--headless", "--events", "-", "--var", "name=World")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert {event["state"] for event in events if event["type"] == "job_finished"} == {"ok"}
    assert [event["is_clean"] for event in events if event["type"] == "agent_stopped"] == [True, True]
    homes = {event["agent"]: event["home"] for event in events if event["type"] == "agent_ready"}
    assert "/pods/default/octogram-server/machine/" in homes["octogram-server"]
    [greeting] = place.runs_dir.rglob("artifacts/**/greeting.txt")
    assert greeting.read_text() == "Hello World, this is pod octogram-server.\n"


def test_what_the_real_client_refuses_is_told(place: Place) -> None:
    place.write(
        "s.yml",
        "defaults: {transport: command}\n"
        "agents:\n"
        "- {name: a, command: [kubectl, exec, -i, nobody, --]}\n"
        "- {name: b, command: [kubectl, exec, --interactive, octogram-server, --]}\n"
        "- {name: c, command: [kubectl, exec, -i, octogram-server, -n, elsewhere, --]}\n"
        "stages: [{name: s, jobs: [{name: j, builtins.command: 'true'}]}]\n",
    )
    done = place.run("s.yml", "--headless")
    assert done.returncode == 6, done.stderr
    told = done.stdout + done.stderr
    for said in ('pods "nobody" not found', "unknown flag: --interactive", "elsewhere", "try it by hand: kubectl exec"):
        assert said in told
