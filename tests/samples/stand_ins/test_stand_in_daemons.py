"""How the daemons live: addresses, locks, access, peers, events, restarts, signals, and misbehaviour on demand."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Callable

import pytest
from ports import free_port
from stand_in_rig import DEADLINE_S, MakeSandbox, Sandbox, call, get, heads, wait_for_level


def test_a_node_is_configured_once_and_runs_only_when_configured(sandbox: Sandbox) -> None:
    missing = sandbox.run("octez-node", "run", "--data-dir", sandbox.data_dir)
    assert (missing.returncode, "config init" in missing.stderr) == (1, True)
    words = ["config", "init", "--data-dir", sandbox.data_dir, "--network", "Sandbox"]
    done = sandbox.run("octez-node", *words)
    assert f"Created {sandbox.data_dir}/config.json for network: sandbox." in done.stderr
    again = sandbox.run("octez-node", *words)
    assert (again.returncode, "Pre-existing configuration file" in again.stderr) == (1, True)
    assert json.loads((sandbox.data_dir / "config.json").read_text())["network"] == "sandbox"


def test_a_second_node_finds_the_directory_locked_and_the_port_taken(sandbox: Sandbox) -> None:
    sandbox.bring_up_node()
    ports = ["--net-addr", f"127.0.0.1:{free_port()}"]
    locked = sandbox.run("octez-node", "run", "--data-dir", sandbox.data_dir, *ports)
    assert (locked.returncode, "locked" in locked.stderr) == (1, True)
    other = sandbox.place / "other"
    sandbox.configure_node(other, "--network", "sandbox")
    rpc = sandbox.url[len("http://") :]
    taken = sandbox.run("octez-node", "run", "--data-dir", other, "--rpc-addr", rpc, *ports)
    said = f"Another tezos node is probably running on one of these addresses ({rpc}). Please choose another RPC port."
    assert (taken.returncode, said in taken.stderr) == (1, True)
    taken = sandbox.run("octez-node", "run", "--data-dir", other, "--net-addr", rpc)
    said = "Another tezos node is probably running on this address."
    assert (taken.returncode, said in taken.stderr) == (1, True)


MALFORMED = "failed to parse address '{text}' in field '{field}': {why}"


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        ("--rpc-addr", ":::8732", MALFORMED.format(text=":::8732", field="rpc.listen-addrs", why="invalid address")),
        ("--rpc-addr", "localhost:http", "invalid port in 'localhost:http'"),
        ("--net-addr", "::1:9732", MALFORMED.format(text="::1:9732", field="p2p.listen-addr", why="invalid address")),
        ("--net-addr", "0.0.0.0:65536", "invalid port in '0.0.0.0:65536'"),
        ("--net-addr", "[::1", "failed to parse address '[::1' in field 'p2p.listen-addr'"),
        ("--peer", "::1:9732", "in field 'p2p.bootstrap-peers'"),
        ("--peer", "10.0.0.1:net", "in field 'p2p.bootstrap-peers'"),
        ("--expected-pow", "257", "the expected proof-of-work must be between 0 and 256"),
    ],
)
def test_a_malformed_address_makes_the_configuration_invalid(
    sandbox: Sandbox, option: str, text: str, said: str
) -> None:
    words = ["config", "init", "--data-dir", sandbox.data_dir, "--network", "sandbox", option, text]
    done = sandbox.run("octez-node", *words)
    assert (done.returncode, said in done.stderr) == (1, True)
    assert done.stderr.endswith("The node configuration is invalid, use `octez-node config validate [options]`\n")
    assert not sandbox.data_dir.joinpath("config.json").exists()


@pytest.mark.parametrize(
    ("option", "text", "said"),
    [
        (
            "--net-addr",
            "no.such.name.invalid:9732",
            'Cannot resolve P2P listening address: "no.such.name.invalid:9732"',
        ),
        ("--rpc-addr", "no.such.name.invalid:8732", 'Cannot resolve listening address: "no.such.name.invalid:8732"'),
        ("--net-addr", "192.0.2.1:9732", "Reason: Cannot assign requested address"),
        ("--rpc-addr", "192.0.2.1:8732", "Cannot assign requested address"),
        ("--metrics-addr", ":::9932", "Failed to parse address ':::9932'"),
        ("--rpc-addr", ":::8732", "failed to parse address ':::8732' in field 'rpc.listen-addrs'"),
    ],
)
def test_an_address_that_is_not_ours_is_no_other_node(sandbox: Sandbox, option: str, text: str, said: str) -> None:
    sandbox.configure_node(sandbox.data_dir, "--network", "sandbox")
    ports = {name: f"127.0.0.1:{free_port()}" for name in ("--net-addr", "--rpc-addr")}
    words = [word for name, address in {**ports, option: text}.items() for word in (name, address)]
    done = sandbox.run("octez-node", "run", "--data-dir", sandbox.data_dir, *words)
    assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert "probably running" not in done.stderr


def test_peers_of_a_dal_node_are_read_when_it_starts(sandbox: Sandbox) -> None:
    words = ["--data-dir", sandbox.place / "dal", "--peers", "10.0.0.1:11732,::1:11732"]
    assert sandbox.run("octez-dal-node", "config", "init", *words).returncode == 0
    done = sandbox.run("octez-dal-node", "run", "--data-dir", sandbox.place / "dal")
    assert (done.returncode, "Failed to parse address '::1:11732'" in done.stderr) == (1, True)


def test_metrics_have_an_address_of_their_own(sandbox: Sandbox) -> None:
    port = free_port()
    sandbox.bring_up_node("--metrics-addr", f"127.0.0.1:{port}")
    text = call(f"http://127.0.0.1:{port}/metrics")[1]
    assert "# TYPE octez_validator_chain_head_level gauge\noctez_validator_chain_head_level 0\n" in text
    assert 'octez_version{version="25.1"' in text
    assert call(f"{sandbox.url}/metrics")[0] == 404


def test_a_node_open_to_all_lets_only_those_change_it_whom_the_acl_names(sandbox: Sandbox) -> None:
    sandbox.configure_node(sandbox.data_dir, "--network", "sandbox", "--synchronisation-threshold", "0")
    rpc = f"0.0.0.0:{free_port()}"
    words = ["run", "--data-dir", sandbox.data_dir, "--net-addr", f"127.0.0.1:{free_port()}", "--rpc-addr", rpc]
    sandbox.url = f"http://127.0.0.1:{rpc.rpartition(':')[2]}"
    strict = sandbox.start("octez-node", *words, "--allow-all-rpc", "127.0.0.1:1")
    strict.wait_line("the Tezos node is now running")
    refused = sandbox.activate("alpha", sandbox.parameters("alpha"))
    assert (refused.returncode, "ACL filtering" in refused.stderr) == (1, True)
    assert get(f"{sandbox.url}/version")["version"]["major"] == 25
    assert strict.stop() == 127
    sandbox.start("octez-node", *words, "--allow-all-rpc", rpc).wait_line("the Tezos node is now running")
    assert sandbox.activate("alpha", sandbox.parameters("alpha")).returncode == 0


def test_connections_beyond_the_limit_wait(sandbox: Sandbox) -> None:
    sandbox.bring_up_node("--max-active-rpc-connections", "1")
    stream = heads(sandbox.url)
    assert next(stream)["level"] == 0
    host, _, port = sandbox.url[len("http://") :].partition(":")
    with socket.create_connection((host, int(port)), DEADLINE_S) as waiting:
        waiting.sendall(b"GET /version HTTP/1.1\r\nConnection: close\r\n\r\n")
        waiting.settimeout(0.2)
        with pytest.raises(TimeoutError):
            waiting.recv(1)
        stream.close()  # type: ignore[attr-defined]
        # The node notices a reader that has gone when it has something to say to it.
        sandbox.daemons[0].signal()
        sandbox.daemons[0].wait()


def test_a_restarted_node_continues_its_chain(sandbox: Sandbox) -> None:
    node, baker = sandbox.bring_up_chain()
    head = wait_for_level(sandbox.url, 4)
    node.signal(signal.SIGKILL)
    node.wait()
    assert baker.wait() == 1
    assert "Cannot connect to the node" in "\n".join(baker.lines)
    _, sandbox.url = sandbox.start_node(sandbox.data_dir)
    sandbox.start_baker()
    assert get(f"{sandbox.url}/chains/main/blocks/{head['level']}")["hash"] == head["hash"]
    wait_for_level(sandbox.url, get(f"{sandbox.url}/chains/main/blocks/head/header")["level"] + 2)


def test_a_baker_with_keep_alive_waits_for_its_node(sandbox: Sandbox) -> None:
    sandbox.url = f"http://127.0.0.1:{free_port()}"
    words = ["--base-dir", sandbox.wallet, "run", "remotely", "--liquidity-baking-toggle-vote", "pass", "--without-dal"]
    refused = sandbox.run("octez-baker", "--endpoint", sandbox.url, *words)
    assert (refused.returncode, "Cannot connect to the node" in refused.stderr) == (1, True)
    patient = sandbox.start("octez-baker", "--endpoint", sandbox.url, *words, "--keep-alive")
    patient.wait_line("retrying in 1.0 seconds")
    assert patient.stop() == 127


def test_a_baker_refuses_an_older_node(make_sandbox: MakeSandbox) -> None:
    older, newer = make_sandbox("v23"), make_sandbox("v25")
    older.bring_up_node()
    words = ["--endpoint", older.url, "--base-dir", newer.wallet, "run", "remotely", "--without-dal"]
    words += ["--liquidity-baking-toggle-vote", "pass"]
    refused = newer.run("octez-baker", *words)
    assert (refused.returncode, "is older than the baker's" in refused.stderr) == (1, True)
    newer.start("octez-baker", *words, "--node-version-check-bypass").wait_line("Waiting for protocol")


def test_nodes_follow_one_another(sandbox: Sandbox) -> None:
    sandbox.configure_node(sandbox.data_dir, "--network", "sandbox", "--synchronisation-threshold", "1")
    net = f"127.0.0.1:{free_port()}"
    _, sandbox.url = sandbox.start_node(sandbox.data_dir, "--net-addr", net)
    assert get(f"{sandbox.url}/chains/main/is_bootstrapped") == {"bootstrapped": False, "sync_state": "unsynced"}
    second = sandbox.place / "second"
    sandbox.configure_node(second, "--network", "sandbox", "--synchronisation-threshold", "1", "--peer", net)
    _, url = sandbox.start_node(second)
    assert "Node is bootstrapped." in sandbox.client_ok("bootstrapped")
    assert sandbox.activate("alpha", sandbox.parameters("alpha")).returncode == 0
    wait_for_level(url, 1)
    # The baker of the second node makes the blocks of both, whichever of them is the root.
    first, sandbox.url, sandbox.data_dir = sandbox.url, url, second
    sandbox.start_baker()
    wait_for_level(first, 3)
    sandbox.client_ok("--wait", "1", *["transfer", "1", "from", "bootstrap1", "to", "bootstrap2"])
    level = get(f"{url}/chains/main/blocks/head/header")["level"]
    wait_for_level(first, level)
    blocks = [get(f"{node}/chains/main/blocks/{level}/hash") for node in (first, url)]
    assert blocks[0] == blocks[1]
    path = f"/chains/main/blocks/head/context/contracts/{sandbox.address('bootstrap2')}/balance"
    assert {get(f"{node}{path}") for node in (first, url)} == {"4000001000000"}


def test_an_isolated_node_with_a_threshold_is_never_bootstrapped(sandbox: Sandbox) -> None:
    sandbox.configure_node(sandbox.data_dir, "--network", "sandbox", "--synchronisation-threshold", "2")
    _, sandbox.url = sandbox.start_node(sandbox.data_dir)
    waiting = sandbox.start("octez-client", "--endpoint", sandbox.url, "--base-dir", sandbox.wallet, "bootstrapped")
    waiting.wait_line("Waiting for the node to be bootstrapped...")
    assert waiting.stop() == 127


def test_a_snapshot_moves_a_chain(sandbox: Sandbox) -> None:
    node, _ = sandbox.bring_up_chain()
    head = wait_for_level(sandbox.url, 3)
    node.stop()
    snapshot, other = sandbox.place / "snapshot", sandbox.place / "other"
    assert sandbox.run("octez-node", "snapshot", "export", "--data-dir", sandbox.data_dir, snapshot).returncode == 0
    sandbox.configure_node(other, "--network", "ghostnet")
    words = ["snapshot", "import", "--data-dir", other, "--no-check", snapshot]
    refused = sandbox.run("octez-node", *words)
    assert (refused.returncode, "of the network TEZOS," in refused.stderr) == (1, True)
    (other / "config.json").unlink()
    sandbox.configure_node(other, "--network", "sandbox")
    assert sandbox.run("octez-node", *words).returncode == 0
    _, url = sandbox.start_node(other)
    assert get(f"{url}/chains/main/blocks/{head['level']}/hash") == head["hash"]
    sandbox.daemons[-1].stop()
    again = sandbox.run("octez-node", *words)
    assert (again.returncode, "not empty" in again.stderr) == (1, True)


SANDBOX = {
    "genesis": {
        "timestamp": "2018-06-30T16:07:32Z",
        "block": "BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2",
        "protocol": "ProtoGenesisGenesisGenesisGenesisGenesisGenesk612im",
    },
    "genesis_parameters": {"values": {"genesis_pubkey": "edpkuSLWfVU1Vq7Jg9FucPyKmma6otcMHac9zG4oU1KMHSTBpJuGQ2"}},
    "chain_name": "TEZOS",
    "sandboxed_chain_name": "SANDBOXED_TEZOS",
}


@pytest.mark.parametrize(
    ("release", "dal_config", "problem"),
    [
        ("v19", {"activated": True, "use_mock_srs_for_testing": {"slot_size": 1}, "bootstrap_peers": []}, ""),
        ("v19", {"activated": True, "bootstrap_peers": []}, "missing field use_mock_srs_for_testing"),
        ("v20", {"use_mock_srs_for_testing": True, "bootstrap_peers": []}, ""),
        ("v21", {"activated": True, "bootstrap_peers": []}, ""),
        ("v21", {"activated": True}, "missing field bootstrap_peers"),
        ("v25", {"use_mock_srs_for_testing": True, "bootstrap_peers": []}, "unexpected field"),
    ],
)
def test_a_network_of_ones_own(
    make_sandbox: MakeSandbox, release: str, dal_config: dict[str, object], problem: str
) -> None:
    sandbox = make_sandbox(release)
    sandbox.place.joinpath("network.json").write_text(json.dumps(SANDBOX))
    words = ["--network", sandbox.place / "network.json", "--synchronisation-threshold", "0"]
    sandbox.configure_node(sandbox.data_dir, *words)
    config = json.loads((sandbox.data_dir / "config.json").read_text())
    config["network"]["dal_config"] = dal_config
    (sandbox.data_dir / "config.json").write_text(json.dumps(config))
    if problem:
        done = sandbox.run("octez-node", "run", "--data-dir", sandbox.data_dir)
        assert (done.returncode, problem in done.stderr) == (1, True)
    else:
        _, sandbox.url = sandbox.start_node(sandbox.data_dir)
        assert sandbox.activate("alpha", sandbox.parameters("alpha")).returncode == 0


@pytest.mark.parametrize("missing", ["chain_name", "sandboxed_chain_name", "genesis"])
def test_a_network_whose_description_is_not_whole(sandbox: Sandbox, missing: str) -> None:
    description = json.loads(json.dumps(SANDBOX))
    del description[missing]
    sandbox.place.joinpath("network.json").write_text(json.dumps(description))
    words = ["config", "init", "--data-dir", sandbox.data_dir, "--network", sandbox.place / "network.json"]
    done = sandbox.run("octez-node", *words)
    assert (done.returncode, missing in done.stderr) == (124, True)


def test_the_sandbox_spelt_out_is_the_sandbox(sandbox: Sandbox) -> None:
    address = f"127.0.0.1:{free_port()}"
    sandbox.bring_up_node("--net-addr", address)
    sandbox.place.joinpath("network.json").write_text(json.dumps(SANDBOX))
    other = sandbox.place / "other"
    sandbox.configure_node(other, "--network", sandbox.place / "network.json", "--peer", address)
    _, url = sandbox.start_node(other)
    assert sandbox.activate("alpha", sandbox.parameters("alpha")).returncode == 0
    wait_for_level(url, 1)


def test_events_go_where_the_environment_says(sandbox: Sandbox) -> None:
    fifo = sandbox.place / "events"
    os.mkfifo(fifo)
    read: list[dict[str, dict[str, object]]] = []

    def follow() -> None:
        with open(fifo, encoding="utf-8") as stream:
            read.extend(json.loads(line) for line in stream)

    reader = threading.Thread(target=follow)
    reader.start()
    node = sandbox.bring_up_node(TEZOS_EVENTS_CONFIG=f"file-descriptor-path://{fifo}?section-prefix=:info")
    assert sandbox.activate("alpha", sandbox.parameters("alpha")).returncode == 0
    wait_for_level(sandbox.url, 1)
    assert node.stop() == 127
    reader.join(DEADLINE_S)
    items = [record["fd-sink-item.v0"] for record in read]
    assert {"hostname", "time_stamp", "section", "event"} == set(items[0])
    names = [name for item in items for name in dict(item["event"])]  # type: ignore[call-overload]
    assert names.index("node_is_ready.v0") < names.index("head_increment.v0")


def test_an_unusable_event_sink_is_an_error(sandbox: Sandbox) -> None:
    sandbox.configure_node(sandbox.data_dir, "--network", "sandbox")
    done = sandbox.run("octez-node", "run", "--data-dir", sandbox.data_dir, TEZOS_EVENTS_CONFIG="syslog://here")
    assert (done.returncode, "unknown event sink" in done.stderr) == (1, True)


def behave(program: str, knobs: dict[str, object]) -> dict[str, str]:
    """Ask one kind of program to misbehave."""
    return {"OCTEZ_STAND_IN_BEHAVIOUR": json.dumps({program: knobs})}


def test_the_first_signal_cleans_up_and_the_second_aborts(sandbox: Sandbox) -> None:
    node = sandbox.bring_up_node(**behave("octez-node", {"stop_delay_s": 15}))
    node.signal()
    node.wait_line("triggering a shutdown")
    with pytest.raises(TimeoutError):
        _within(node.process.wait, 1.2)
    node.signal()
    assert node.wait() == 255


def _within(wait: Callable[[float], int], seconds: float) -> None:
    import subprocess

    try:
        wait(seconds)
    except subprocess.TimeoutExpired:
        raise TimeoutError from None


def test_an_interrupt_ends_as_a_term_does(sandbox: Sandbox) -> None:
    node = sandbox.bring_up_node()
    node.signal(signal.SIGINT)
    assert node.wait() == 127


def test_a_deaf_node_must_be_killed(sandbox: Sandbox) -> None:
    node = sandbox.bring_up_node(**behave("octez-node", {"ignore_term": True}))
    node.signal()
    assert get(f"{sandbox.url}/version")["version"]["major"] == 25
    node.signal(signal.SIGKILL)
    assert node.wait() == -9


def test_a_node_crashes_at_the_level_that_it_was_told(sandbox: Sandbox) -> None:
    behaviour = sandbox.programs / "octez-node.behaviour.json"
    behaviour.write_text(json.dumps({"crash_at_level": 1, "crash_exit": 42, "crash_lines": ["disk on fire"]}))
    try:
        node = sandbox.bring_up_node()
    finally:
        behaviour.unlink()
    assert sandbox.activate("alpha", sandbox.parameters("alpha")).returncode == 1
    assert node.wait() == 42
    assert node.lines[-1] == "disk on fire"


def test_a_slow_node_is_silent_at_first(sandbox: Sandbox) -> None:
    network = ["--network", "sandbox", "--synchronisation-threshold", "0"]
    sandbox.configure_node(sandbox.data_dir, *network)
    env = behave("octez-node", {"start_delay_s": 30})
    slow = sandbox.start("octez-node", "run", "--data-dir", sandbox.data_dir, **env)
    slow.wait_line("slow to start")
    assert slow.stop() == 127
    assert not any("running" in line for line in slow.lines)


def test_an_unknown_behaviour_is_an_error(sandbox: Sandbox) -> None:
    done = sandbox.run("octez-node", "run", OCTEZ_STAND_IN_BEHAVIOUR='{"crash": 1}')
    assert (done.returncode, "unknown crash" in done.stderr) == (1, True)


def test_what_nobody_expected_exits_126(sandbox: Sandbox) -> None:
    sandbox.configure_node(sandbox.data_dir, "--network", "sandbox")
    config = json.loads((sandbox.data_dir / "config.json").read_text())
    (sandbox.data_dir / "config.json").write_text(json.dumps({**config, "p2p": "none"}))
    done = sandbox.run("octez-node", "run", "--data-dir", sandbox.data_dir)
    assert (done.returncode, "Traceback" in done.stderr) == (126, True)
