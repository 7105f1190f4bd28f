"""The sample over SSH, unchanged, with machines that others name: Ansible's inventories, and Terraform's outputs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from fixtures_program import ROOT, Place
from fixtures_ssh import ServerFactory, SshServer

from octogram_tui.errors import ScenarioError
from octogram_tui.scenario.foresight import plan
from octogram_tui.scenario.load import load_scenario

SAMPLE = ROOT / "sample_scenarios" / "ssh.yml"
OUTPUTS = Path(__file__).parents[1] / "scenario" / "inventory"

INI = """
outside ansible_host=10.255.255.1 ansible_ssh_common_args='-o ProxyJump=gate'

[serving]
server role=front

[asking]
client

[idle]
idle[01:03].example.com

[pair:children]
serving
asking

[everything:children]
pair
idle

[everything:vars]
ansible_host=127.0.0.1
ansible_port={port}
ansible_user={user}
ansible_ssh_private_key_file={key}
site=theirs
"""

YAML = """
all:
  hosts:
    outside: {{ansible_host: 10.255.255.1, ansible_ssh_common_args: '-o ProxyJump=gate'}}
  children:
    everything:
      vars: {{ansible_host: 127.0.0.1, ansible_port: {port}, ansible_user: {user}, site: theirs}}
      children:
        pair:
          vars: {{ansible_ssh_private_key_file: {key}}}
          children:
            serving: {{hosts: {{server: {{role: front, sealed: !vault "$ANSIBLE_VAULT;1.1;AES256\\n30"}}}}}}
            asking: {{hosts: {{client: }}}}
        idle: {{hosts: {{'idle[01:03].example.com': }}}}
"""


@pytest.fixture
def server(openssh_servers: ServerFactory) -> SshServer:
    """Give a server whose port, user and key nothing but an inventory tells."""
    started = openssh_servers()
    started.ssh_config.write_text(
        f"Host *\n  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile {started.known_hosts}\n"
        "  GlobalKnownHostsFile none\n"
    )
    return started


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Give a home."""
    home = tmp_path / "operator"
    home.mkdir()
    return Place(home)


def run(place: Place, server: SshServer, *options: str) -> list[dict[str, object]]:
    """Run the sample to its end; gives its events."""
    done = place.run(str(SAMPLE), "--headless", "--events", "-", "--ssh-config", str(server.ssh_config), *options)
    assert done.returncode == 0, done.stderr
    events: list[dict[str, object]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert {event["state"] for event in events if event["type"] == "job_finished"} == {"ok"}
    return events


@pytest.mark.sshd
@pytest.mark.ansible
@pytest.mark.parametrize(("name", "text"), [("hosts.ini", INI), ("hosts.yml", YAML)])
def test_an_inventory_of_ansible_drives_the_sample(place: Place, server: SshServer, name: str, text: str) -> None:
    if shutil.which("ansible-inventory") is None:
        pytest.skip("no ansible-inventory on this machine")
    place.write(name, text.format(port=server.port, user=server.user, key=server.keys.user))
    (place.home / "host_vars").mkdir()
    place.write("host_vars/client.yml", "zones: [a, b]\n")
    events = run(place, server, "--agents", name, "--limit", "group=pair")
    [agents] = [event["agents"] for event in events if event["type"] == "run_started"]
    assert isinstance(agents, list)
    labels = {each["agent"]: each["labels"] for each in agents}
    common = {"site": "theirs"}
    assert labels["server"] == {
        **common,
        "role": "front",
        "group": ["all", "everything", "pair", "serving"],
        "inventory_hostname": "server",
    }
    assert labels["client"] == {
        **common,
        "zones": ["a", "b"],
        "group": ["all", "everything", "pair", "asking"],
        "inventory_hostname": "client",
    }
    checked = place.run("check", str(SAMPLE), "--agents", f"ansible:{name}")
    assert "`ansible_ssh_common_args` of outside is not honoured" in checked.stdout
    assert "6 agents, no errors" in checked.stdout


@pytest.mark.sshd
def test_outputs_of_terraform_drive_the_sample(place: Place, server: SshServer) -> None:
    printed = (OUTPUTS / "terraform_output.json").read_text()
    place.write("outputs.json", printed.replace("2222", str(server.port)).replace("nobody", server.user))
    server.ssh_config.write_text(f"{server.ssh_config.read_text()}  IdentityFile {server.keys.user}\n")
    given = "outputs.json"
    if shutil.which("terraform") is not None:  # the real one, where it is: it cannot be had everywhere
        infra = place.home / "infra"
        infra.mkdir()
        text = (OUTPUTS / "outputs.tf").read_text()
        (infra / "main.tf").write_text(text.replace("2222", str(server.port)).replace("nobody", server.user))
        env = {**os.environ, "TF_CLI_CONFIG_FILE": os.devnull, "CHECKPOINT_DISABLE": "1"}
        subprocess.run(
            ["terraform", "apply", "-auto-approve"], cwd=infra, env=env, check=True, capture_output=True, timeout=60
        )
        place.extra["TF_CLI_CONFIG_FILE"] = os.devnull
        given = "terraform:infra"
    events = run(place, server, "--agents", given)
    [agents] = [event["agents"] for event in events if event["type"] == "run_started"]
    assert isinstance(agents, list)
    assert {each["agent"]: each["labels"]["group"] for each in agents} == {
        "client": ["all"],
        "server": ["front", "all"],
    }
    events_text = json.dumps(events)
    assert "hunter2" not in events_text


@pytest.mark.ansible
def test_an_inventory_that_ansible_cannot_read_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("ansible-inventory") is None:
        pytest.skip("no ansible-inventory on this machine")
    monkeypatch.chdir(place.home)
    place.write("hosts", "[web\nw\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(str(SAMPLE), agent_files=["hosts"])
    [problem] = caught.value.problems
    assert problem.message == "`ansible-inventory` ended with exit status 1"
    assert "hosts" in problem.hint


@pytest.mark.ansible
def test_a_directory_of_inventories_with_hundreds_of_hosts(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("ansible-inventory") is None:
        pytest.skip("no ansible-inventory on this machine")
    monkeypatch.chdir(place.home)
    (place.home / "inventory" / "group_vars").mkdir(parents=True)
    place.write("inventory/a_hosts", "[web]\nweb[001:400].example.com\n[web:vars]\nansible_port=2200\n")
    place.write("inventory/group_vars/web.yml", "site: lab\nansible_become: true\n")
    more = place.write("inventory/z_cloud", """#!/bin/sh\necho '{"db": ["db1"], "_meta": {"hostvars": {}}}'\n""")
    more.chmod(0o755)
    place.write(
        "s.yml",
        "agents: {from: inventory}\nstages:\n"
        "- {name: a, with_labels: {group: [web, '!db']}, jobs: [{name: j, builtins.command: 'true'}]}\n"
        "- {name: b, with_labels: [{group: all}, {group: '!web'}], jobs: [{name: j, builtins.command: 'true'}]}\n",
    )
    loaded = load_scenario("s.yml", trusts_inventory=True)
    planned = [(each.stage, each.agent) for each in plan(loaded.scenario)]
    assert len(planned) == 401
    assert [agent for stage, agent in planned if stage == "b"] == ["db1"]
    assert {agent.port for agent in loaded.scenario.agents} == {2200, None}
    [told] = [problem.message for problem in loaded.warnings]
    assert told == (
        "`ansible_become` of web001.example.com, web002.example.com, web003.example.com and 397 more is not honoured"
    )
