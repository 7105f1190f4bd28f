"""Lists of agents wherever they are: files, programs that behave and that do not, and what is kept of them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from octogram_tui.commands import loading
from octogram_tui.errors import ScenarioError
from octogram_tui.journal import sources
from octogram_tui.runtime.watch import ScenarioFiles
from octogram_tui.scenario.inventory import asking, reading
from octogram_tui.scenario.inventory.asking import Deadline
from octogram_tui.scenario.inventory.source import read_source
from octogram_tui.scenario.load import Loaded, load_scenario

HERE = Path(__file__).parent
STAGES = "stages: [{name: s, jobs: [{name: j, builtins.command: 'true'}]}]\n"
LISTING = {"_meta": {"hostvars": {"w": {"site": "lab"}}}, "web": {"hosts": ["w"]}}


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a directory with a scenario, which is the working directory; nothing was asked before."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reading, "_asked", {})
    (tmp_path / "s.yml").write_text(STAGES)
    return tmp_path


def program(path: Path, body: str) -> None:
    """Write a program."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def names(loaded: Loaded) -> list[str]:
    return [agent.name for agent in loaded.scenario.agents]


def refused(what: Callable[[], Any]) -> str:
    with pytest.raises(ScenarioError) as caught:
        what()
    [problem] = [each for each in caught.value.problems if not each.is_warning]
    assert problem.message.isprintable()
    assert problem.hint.isprintable()
    return f"{problem.message} = {problem.hint}"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("hosts", ("", "hosts", "")),
        ("ansible:hosts", ("ansible", "hosts", "")),
        ("ansible:a,b", ("ansible", "a,b", "")),
        ("terraform:infra#web", ("terraform", "infra", "web")),
        ("tofu:infra", ("tofu", "infra", "")),
        ("out.json#web", ("", "out.json", "web")),
        ("there#is", ("", "there#is", "")),
        ("terraform:file", ("", "terraform:file", "")),
    ],
)
def test_a_place_is_read_as_it_is_written(at: Path, text: str, source: tuple[str, str, str]) -> None:
    for name in ("there#is", "terraform:file"):
        (at / name).touch()
    assert tuple(read_source(text)) == source
    elsewhere = read_source("terraform:infra#web", "dir")
    assert elsewhere.path == "dir/infra"


def test_files_of_each_kind_are_told_apart(at: Path) -> None:
    (at / "own.json").write_text('{"agents": [{"name": "a", "transport": "local"}]}')
    (at / "listing.json").write_text(json.dumps(LISTING))
    shutil.copy(HERE / "terraform_output.json", at / "out.json")
    loaded = load_scenario("s.yml", agent_files=["own.json", "listing.json", "out.json", "out.json#by_name"])
    assert names(loaded) == ["a", "client", "db", "server", "w", "web_example_com"]
    assert [agent.labels.get("site") for agent in loaded.scenario.agents if agent.name == "w"] == ["lab"]
    assert [agent.mark.file for agent in loaded.scenario.agents if agent.name == "db"] == ["out.json#by_name"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"g": {"hosts": ["a"]}, "g": {"hosts": ["b"]}}', "`g` is given twice"),
        ('{"a": "10.0.0.1"}', "prints without a name"),
        ('{"version": 4, "terraform_version": "1"}', "is a state or a plan of Terraform"),
        ('{"g": {"hosts": ["ü"]}}', "host `ü` cannot be an agent"),
    ],
)
def test_a_file_that_is_no_list_is_refused_by_the_name_it_was_given(at: Path, text: str, said: str) -> None:
    (at / "l.json").write_text(text)
    with pytest.raises(ScenarioError) as caught:
        load_scenario("s.yml", agent_files=["l.json"])
    [problem] = [each for each in caught.value.problems if not each.is_warning]
    assert problem.file == "l.json"
    assert said in f"{problem.message} {problem.hint}"


def test_the_scenario_names_lists_beside_it(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (at / "sub").mkdir()
    (at / "sub" / "l.json").write_text(json.dumps(LISTING))
    (at / "sub" / "s.yml").write_text(
        f"defaults: {{port: 22610, labels: {{tier: x}}}}\nagents: {{from: l.json}}\n{STAGES}"
    )
    loaded = load_scenario("sub/s.yml")
    [agent] = loaded.scenario.agents
    assert (agent.port, agent.labels["tier"], agent.labels["group"]) == (22610, "x", ["all", "web"])
    assert "sub/l.json" in loaded.scenario.files
    (at / "sub" / "s.yml").write_text(f"agents:\n  from: [l.json, no.json]\n{STAGES}")
    with pytest.raises(ScenarioError) as caught:
        load_scenario("sub/s.yml")
    [problem] = caught.value.problems
    assert (problem.file, problem.line, problem.column) == ("sub/s.yml", 2, 18)
    assert "`sub/no.json`: there is no such file" in problem.message


@pytest.mark.parametrize(
    ("agents", "said"),
    [
        ("{form: x.yml}", "did you mean `from`?"),
        ("{from: ''}", "`from` names nothing"),
        ("{from: [{}]}", "takes a text or a list of texts"),
        ("{}", "`from` is missing"),
        ("x.yml", "must be a list"),
    ],
)
def test_what_names_no_list_is_told(at: Path, agents: str, said: str) -> None:
    (at / "s.yml").write_text(f"agents: {agents}\n{STAGES}")
    with pytest.raises(ScenarioError) as caught:
        load_scenario("s.yml")
    assert said in str([problem.message for problem in caught.value.problems])


def test_a_program_is_called_as_ansible_calls_it(at: Path) -> None:
    program(at / "hosts", f"echo called >>calls; [ \"$1\" = --list ] && echo '{json.dumps(LISTING)}'")
    program(
        at / "old.sh",
        """case $1 in --list) echo '{"g": ["h1", "h2"]}' ;; --host) echo "{\\"n\\": \\"$2\\"}" ;; esac""",
    )
    program(at / "own", """echo '[{"name": "mine", "transport": "local"}]'""")
    loaded = load_scenario("s.yml", agent_files=["hosts", "./old.sh", "own"])
    assert {agent.name: agent.labels.get("n") for agent in loaded.scenario.agents} == {
        "w": None,
        "h1": "h1",
        "h2": "h2",
        "mine": None,
    }
    load_scenario("s.yml", agent_files=["hosts"])  # as an edit of the scenario would
    assert (at / "calls").read_text() == "called\n"
    program(at / "hosts", "echo called >>calls; echo '{}'")
    assert names(load_scenario("s.yml", agent_files=["hosts"])) == []
    assert (at / "calls").read_text() == "called\ncalled\n"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("echo no >&2; echo why >&2; exit 3", "`hosts` ended with exit status 3 = no why"),
        ("kill -9 $$", "`hosts` was ended by signal 9"),
        ("echo '<html>'", "prints no JSON: Expecting value = it begins with: <html>"),
        ("printf '\\033[31mred'", "it begins with:"),
        ("printf '\\377'", "prints no UTF-8"),
        (":", "it prints nothing"),
        ("echo '[[['", "prints no JSON"),
        ("echo '{\"a\": NaN}'", "prints no JSON"),
        ('echo \'{"g": [], "g": []}\'', "prints no JSON: `g` is given twice in one object"),
        ('echo \'{"terraform_version": "1", "outputs": {}}\'', "give what `terraform output -json` prints"),
        ("yes", "prints more than 16 MiB"),
        ("yes >&2 & echo 3; sleep 0.1; kill $!", "neither a list of agents"),
        ("head -c 200000 /dev/zero | tr '\\0' '['", "too deep"),
        ("sleep 300", "has not answered within 1 s"),
        ("sleep 300 >&- 2>&-", "has not answered within 1 s"),
        ('echo \'[{"name": "x", "address": "h", "port": 99999}]\'', "agent `x`: `port` must be at most 65535"),
        ("echo '[3]'", "an agent must be a map of keys, not the number 3"),
        ('printf \'[{"name": "a", "\\\\u001b": 1}]\'', "unknown key `\\x1b` in an agent"),
        ('echo \'[{"name": "-x"}]\'', "`-x` cannot be an agent's name"),
    ],
)
def test_programs_that_misbehave_are_refused_in_a_line(
    at: Path, monkeypatch: pytest.MonkeyPatch, body: str, said: str
) -> None:
    monkeypatch.setattr(reading, "Deadline", lambda: Deadline(1.0 if "sleep 300" in body else 60.0))
    program(at / "hosts", body)
    with pytest.raises(ScenarioError) as caught:
        load_scenario("s.yml", agent_files=["hosts"])
    told = [f"{problem.message} = {problem.hint}" for problem in caught.value.problems]
    assert said in "\n".join(told)
    assert all(each.isprintable() for each in told)


def ends(child: int) -> bool:
    """Wait until a process has ended."""
    for _ in range(3000):
        state = subprocess.run(["ps", "-o", "stat=", "-p", str(child)], capture_output=True, text=True, check=False)
        if not state.stdout.strip() or state.stdout.startswith("Z"):
            return True
        os.sched_yield()
    return False


def test_what_is_too_late_is_ended_with_all_that_it_started(at: Path) -> None:
    program(at / "hosts", "sleep 300 & echo $! >child; wait")
    with pytest.raises(ScenarioError, match="has not answered"):
        asking.ask("hosts", ["./hosts", "--list"], Deadline(1.0))
    assert ends(int((at / "child").read_text()))


def test_what_is_asked_ends_with_the_run(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(at / "hosts", "sleep 300")
    monkeypatch.setattr(asking, "_given_up", threading.Event())
    files = ScenarioFiles(
        load_scenario("s.yml").scenario, lambda: load_scenario("s.yml", agent_files=["hosts"]).scenario, print, str
    )

    async def ended() -> str:
        reading = asyncio.create_task(files.take())
        while not reading.done():
            await asyncio.sleep(0.02)
            files.close()
        return reading.result()

    assert "is not asked any more: the run is over" in asyncio.run(ended())


@pytest.mark.parametrize("moment", ["it has begun to print", "it is started"])
def test_what_is_asked_ends_with_whoever_asks(at: Path, moment: str) -> None:
    # More than a pipe holds: somebody reads it by then.
    program(at / "hosts", "sleep 300 & head -c 300000 /dev/zero >&2; echo $! >child; wait")
    read = "from octogram_tui.scenario.load import load_scenario; load_scenario('s.yml', agent_files=['hosts'])"
    if moment == "it is started":
        program(at / "hosts", "sleep 300")
        read = (
            "import os, pathlib, subprocess; start = subprocess.Popen.__init__\n"
            "def killed(popen, *args, **more):\n"
            "    start(popen, *args, **more)\n"
            "    if more.get('stderr') != subprocess.PIPE: return\n"
            "    pathlib.Path('child').write_text(f'{popen.pid}')\n"
            "    os.kill(os.getpid(), 9)\n"
            f"subprocess.Popen.__init__ = killed\n{read}"
        )
    asks = subprocess.Popen([sys.executable, "-c", read])
    while not (at / "child").exists() or not (at / "child").read_text().strip():
        assert asks.poll() is None or (at / "child").exists()
        time.sleep(0.01)
    asks.kill()
    asks.wait()
    assert ends(int((at / "child").read_text()))


def test_what_a_program_leaves_running_is_not_waited_for(at: Path) -> None:
    program(at / "hosts", "sleep 300 & echo $! >child; echo '[]'")
    try:
        assert names(load_scenario("s.yml", agent_files=["hosts"])) == []
    finally:
        os.kill(int((at / "child").read_text()), 9)


def test_programs_of_a_scenario_are_run_only_where_something_is_run(at: Path) -> None:
    program(at / "hosts", f"touch ran; echo '{json.dumps(LISTING)}'")
    (at / "s.yml").write_text(
        "agents: {from: hosts}\nstages: [{name: s, with_agents: w, jobs: [{name: j, builtins.command: "
        "'echo {{ agent.labels.site }}'}, {name: k, builtins.prefetch: 'w://x'}]}]\n"
    )
    said = refused(lambda: load_scenario("s.yml"))
    assert "nothing that a scenario names is run here" in said
    assert "--trust-inventory" in said
    assert not (at / "ran").exists()
    assert names(load_scenario("s.yml", trusts_inventory=True)) == ["w"]
    assert (at / "ran").exists()


def test_a_run_is_gone_on_with_where_no_list_is_any_more(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(at / "hosts", f"echo '{json.dumps(LISTING)}'")
    (at / "out.json").write_text(
        json.dumps({"agents": {"value": ["10.0.0.1"]}, "password": {"value": "hunter2", "sensitive": True}})
    )
    (at / "own.yml").write_text("- {name: mine, transport: local}\n")
    (at / "s.yml").write_text(f"agents: {{from: [hosts, out.json]}}\n{STAGES}")
    given = {"scenario": "s.yml", "var": [], "secret": [], "variables": [], "agents": ["own.yml", "hosts"]}
    args = SimpleNamespace(**given, trust_procedures=False, limit=None, local=False, dry_run=False)
    loaded = loading.load(args)
    run_dir = at / "run"
    run_dir.mkdir()
    loading.keep(run_dir, args, loaded)
    for name in ("hosts", "out.json", "own.yml", "s.yml"):
        (at / name).unlink()
    again = loading.load_kept(run_dir, loaded.scenario.digest)
    assert names(again) == names(loaded) == ["agents_0", "mine", "w"]
    assert again.scenario.agents == loaded.scenario.agents
    kept = b"".join(path.read_bytes() for path in (run_dir / "sources").iterdir())
    assert b"hunter2" not in kept
    # As it is now, with an edit: nobody is asked what the run knows, and what is not there any more is as it was.
    monkeypatch.setattr(reading, "_asked", {})
    monkeypatch.setattr(reading, "_begun", {})
    reading.go_by(sources.find(run_dir, loaded.scenario.digest).texts)
    program(at / "hosts", "exit 3")
    (at / "own.yml").write_text("- {name: other, transport: local}\n")
    (at / "s.yml").write_text(f"agents: {{from: [hosts, out.json]}}\n{STAGES}")
    assert names(loading.load(args)) == ["agents_0", "other", "w"]
    program(at / "hosts", f"echo '{json.dumps({'web': ['new']})}'; exit 0")
    assert names(loading.load(args)) == ["agents_0", "new", "other"]


def test_an_inventory_without_ansible_says_what_to_do(at: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (at / "hosts.ini").write_text("[web]\nw\n")
    monkeypatch.setenv("PATH", str(at))
    said = refused(lambda: load_scenario("s.yml", agent_files=["hosts.ini"]))
    assert "`ansible-inventory` is not installed" in said
    assert "--list" in said
    (at / "noexec").write_text("#!/bin/sh\necho []\n")
    assert "chmod +x noexec" in refused(lambda: load_scenario("s.yml", agent_files=["noexec"]))
    assert "written ansible:a,b" in refused(lambda: load_scenario("s.yml", agent_files=["a,b"]))
    assert "is empty" in refused(lambda: load_scenario("s.yml", agent_files=[""]))
    assert "`tofu` is not installed" in refused(lambda: load_scenario("s.yml", agent_files=["tofu:."]))
