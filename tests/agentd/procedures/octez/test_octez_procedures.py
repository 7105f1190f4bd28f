"""What each procedure has run, written and announced, with an agent that only takes notes."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest
from fake_octez_agent import VERSIONS, FakeAgent, FakeProcess
from ports import free_port

from octogram_agentd.procedures.base import ProcedureFailed, Uri
from octogram_agentd.procedures.octez.bakers import StartBaker
from octogram_agentd.procedures.octez.daemons import explain_end
from octogram_agentd.procedures.octez.dal import PublishDalSlot, StartDalNode
from octogram_agentd.procedures.octez.keys import GenerateKeys
from octogram_agentd.procedures.octez.nodes import ActivateProtocol, StartNode, WaitForBootstrapped
from octogram_agentd.procedures.octez.operations import (
    AddMessages,
    OriginateSmartContract,
    OriginateSmartRollup,
    Transfer,
)
from octogram_agentd.procedures.octez.parameters import GenerateProtocolParametersFile, merge, mutez
from octogram_agentd.procedures.octez.rollups import PrepareKernelInstaller, StartRollupNode
from octogram_agentd.procedures.octez.wallets import ACTIVATOR_PUBLIC_KEY

RELEASES = sorted(VERSIONS)
ADDRESS = "sr1RYurGZtN8KNSpkMcCt9CgWeUaNkzsAfXf"
CONTRACT = "KT1BuEZtb68c1Q4yjtckcNjGELqWt56Xyesc"
BOOTSTRAP1 = "tz1KqTpEZ7Yob7QbPE4Hy4Wo8fHG8LhKxZSx"
PUBLIC1 = "edpkuBknW28nW72KG6RoHtYW7p12T6GKc7nAbwYX5m8Wd9sDVC9yav"
CRYPTOBOX = {"number_of_shards": "64", "page_size": "128", "slot_size": "4096", "redundancy_factor": "8"}
DAL = {
    **CRYPTOBOX,
    "feature_enable": "true",
    "attestation_lag": "4",
    "attestation_threshold": "50",
    "number_of_slots": "8",
}


@pytest.fixture(params=RELEASES, ids=lambda release: f"v{release[0]}.{release[1]}")
def agent(request: pytest.FixtureRequest, tmp_path: Path) -> FakeAgent:
    """An agent of each release, which has the programs and a node."""
    agent = FakeAgent(tmp_path, request.param)
    agent.services["node", "main"] = {"rpc": 8732, "metrics": 9932, "net": 9732}
    return agent


@pytest.fixture
def newest(tmp_path: Path) -> FakeAgent:
    agent = FakeAgent(tmp_path)
    agent.services["node", "main"] = {"rpc": 8732, "metrics": 9932, "net": 9732}
    return agent


def release_of(agent: FakeAgent) -> tuple[int, int]:
    return next(release for release, text in VERSIONS.items() if text == agent.version)


def node(agent: FakeAgent, **more: Any) -> StartNode:
    return StartNode({"path_node": agent.program("octez-node"), "network": "sandbox", **more})


async def refused(agent: FakeAgent, procedure: Any) -> ProcedureFailed:
    with pytest.raises(ProcedureFailed) as caught:
        await procedure.run(agent)
    assert "\n" not in caught.value.message
    return caught.value


# -- nodes


async def test_node(agent: FakeAgent) -> None:
    result = await node(agent, name="n", synchronization_threshold=0).run(agent)
    data, program = os.path.join(agent.root, "data", "n"), agent.inside("octez-node")
    metrics = f"0.0.0.0:{result['metrics_port']}"
    rpc = f"0.0.0.0:{result['rpc_port']}"
    limit = ["--max-active-rpc-connections", "500"] if release_of(agent) >= (20, 0) else []
    assert agent.commands == [
        [
            program,
            "config",
            "init",
            "--data-dir",
            data,
            "--metrics-addr",
            metrics,
            "--network",
            "sandbox",
            "--synchronisation-threshold",
            "0",
            "--expected-pow",
            "0",
        ]
    ]
    assert agent.started[0].argv == [
        program,
        "run",
        "--data-dir",
        data,
        "--net-addr",
        f"0.0.0.0:{result['net_port']}",
        "--metrics-addr",
        metrics,
        "--rpc-addr",
        rpc,
        *limit,
        "--allow-all-rpc",
        rpc,
    ]
    assert agent.services["node", "n"] == {which: result[f"{which}_port"] for which in ("rpc", "metrics", "net")}
    assert agent.versions_asked == [program]


async def test_nodes_without_a_name_count_and_a_rerun_has_the_same_name_and_ports(newest: FakeAgent) -> None:
    first = await node(newest).run(newest)
    newest.again()
    second = await node(newest).run(newest)
    newest.attempt = "s/other@a#1"
    third = await node(newest).run(newest)
    assert [first["name"], second["name"], third["name"]] == ["node1", "node1", "node2"]
    assert first == second
    assert newest.stopped == ["node1"]
    assert len(newest.versions_asked) == 1  # once per file


async def test_ports_of_a_scenario_are_taken_as_text_too(newest: FakeAgent) -> None:
    port = free_port()
    assert (await node(newest, rpc_port=str(port)).run(newest))["rpc_port"] == port


@pytest.mark.fault(50)
async def test_a_port_in_use_names_its_holder(newest: FakeAgent) -> None:
    with socket.socket() as busy:
        busy.bind(("0.0.0.0", 0))
        busy.listen()
        port = busy.getsockname()[1]
        error = await refused(newest, node(newest, rpc_port=port))
    assert error.kind == "port"
    assert f"port {port} (rpc of node1) is in use by" in error.message
    assert f"(pid {os.getpid()})" in error.message


@pytest.mark.parametrize("port", ["many", 0, 70000, "-1"])
async def test_what_is_no_port(newest: FakeAgent, port: object) -> None:
    assert "is not a port" in (await refused(newest, node(newest, net_port=port))).message


@pytest.mark.parametrize("network", ["sandbox", "mainnet", "Ghostnet", "file.json"])
async def test_cryptobox_parameters_up_to_v22_make_any_network_the_sandbox(agent: FakeAgent, network: str) -> None:
    await node(agent, name="n", network=network, dal_cryptobox_parameters=CRYPTOBOX).run(agent)
    found = json.loads(Path(agent.root, "data", "n", "config.json").read_text()).get("network")
    dal: dict[str, Any] = {"activated": True, "bootstrap_peers": []}
    release = release_of(agent)
    if release < (20, 0):
        dal["use_mock_srs_for_testing"] = {name: int(value) for name, value in CRYPTOBOX.items()}
    elif release < (21, 0):
        dal["use_mock_srs_for_testing"] = True
    said = "\n".join(agent.logged)
    if release < (23, 0):
        assert found["chain_name"] == "TEZOS"
        assert found["genesis_parameters"]["values"]["genesis_pubkey"] == ACTIVATOR_PUBLIC_KEY
        assert found["dal_config"] == dal
        assert (f"the network is the sandbox, with DAL, in place of {network}" in said) is (network != "sandbox")
    elif network == "file.json":
        assert found == {"chain_name": "X", "dal_config": dal}
    else:
        assert found == {"sandbox": "sandbox", "mainnet": None, "Ghostnet": "Ghostnet"}[network]
        assert (f"the network {network} stays" in said) is (network != "sandbox")


async def test_a_malformed_peer_is_told_as_such(newest: FakeAgent) -> None:
    fault = "failed to parse address '::1:9732' in field 'p2p.bootstrap-peers': IPv6 addresses must be bracketed."
    end = "Error:\n  The node configuration is invalid, use `octez-node config validate [options]`\n"
    newest.answers.append(("config init", (1, f"Nov 25 15:00:00.000 ERROR │ {fault}\n", end)))
    error = await refused(newest, node(newest, peers=[Uri(remote="h:1")]))
    assert error.message == f"octez-node: {fault}"
    assert "with IPv6 hosts in brackets" in error.hint
    error = await refused(newest, node(newest, peers=[Uri(remote="::1:9732")]))
    assert "peers: '::1:9732' is no peer: it needs brackets around an IPv6 address" in error.message


async def test_a_chain_that_is_not_the_sandbox_s_is_not_activated(newest: FakeAgent) -> None:
    newest.answers.append(("activate protocol", (1, "", "Error:\n  Invalid signature for the genesis key\n")))
    given = {"endpoint": Uri(owned="main"), "path_client": newest.program("octez-client"), "protocol": "alpha"}
    newest.file("p.json", "{}")
    error = await refused(newest, ActivateProtocol({**given, "parameter_file": Uri(owned="p.json")}))
    assert error.message == "octez-client: Invalid signature for the genesis key"
    assert "start the node with `network: sandbox`" in error.hint


@pytest.mark.parametrize(
    "said",
    [
        "Another tezos node is probably running on one of these addresses (0.0.0.0:PORT). Please choose another.",
        "An error occured while initializing P2P server on this address: 0.0.0.0:PORT. Reason: Address already in use.",
    ],
)
def test_a_port_that_was_taken_meanwhile_names_its_holder(said: str) -> None:
    with socket.socket() as busy:
        busy.bind(("0.0.0.0", 0))
        busy.listen()
        port = busy.getsockname()[1]
        lines = ["Error:", f"  {said.replace('PORT', str(port))}"]
        error = explain_end(FakeProcess("node1", [], lines, 1), [port])
    assert f"(port {port} is held by" in error.message
    assert "another process has that port" in error.hint


async def test_a_network_without_cryptobox_parameters_stays(agent: FakeAgent) -> None:
    await node(agent, name="n", network="mainnet").run(agent)
    assert "network" not in json.loads(Path(agent.root, "data", "n", "config.json").read_text())
    assert agent.logged == []


async def test_a_snapshot_is_imported_into_an_empty_node_only(newest: FakeAgent) -> None:
    snapshot = newest.file("head.full", b"...")
    await node(newest, name="n", snapshot=snapshot).run(newest)
    data = os.path.join(newest.root, "data", "n")
    assert newest.commands[-1] == [
        newest.inside("octez-node"),
        "snapshot",
        "import",
        "--data-dir",
        data,
        "--no-check",
        newest.inside("head.full"),
    ]
    os.mkdir(os.path.join(data, "store"))
    await node(newest, name="n", snapshot=snapshot).run(newest)
    assert sum("import" in words for words in newest.commands) == 1


async def test_a_node_that_ends_tells_why(newest: FakeAgent) -> None:
    newest.dies_with = ["Error:", "  Unable to connect to the node: address already in use"]
    error = await refused(newest, node(newest))
    assert error.kind == "exit"
    assert error.message == (
        "node1 ended before it was ready (exit status 1): Unable to connect to the node: address already in use"
    )
    assert "another process has that port" in error.hint


async def test_a_program_that_is_not_there(newest: FakeAgent) -> None:
    error = await refused(newest, StartNode({"path_node": Uri(owned="nowhere"), "network": "sandbox"}))
    assert error.kind == "not_started"
    assert "No such file" in error.message
    assert "self://" in error.hint


async def test_a_refused_configuration_carries_the_programs_own_message(newest: FakeAgent) -> None:
    newest.answers.append(("config init", (124, "", "octez-node: option '--network': unknown network moonnet\n")))
    error = await refused(newest, node(newest, network="moonnet"))
    assert error.message == "octez-node: option '--network': unknown network moonnet"
    assert error.detail["exit_code"] == 124


async def test_an_unknown_program_counts_as_the_newest(newest: FakeAgent) -> None:
    newest.version = "Octopus 3"
    await node(newest).run(newest)
    assert "--max-active-rpc-connections" in newest.started[0].argv
    assert "taken for the newest" in newest.logged[0]


@pytest.mark.parametrize("name", ["a/b", "..", "/etc"])
async def test_a_name_that_leads_elsewhere(newest: FakeAgent, name: str) -> None:
    assert "names a directory" in (await refused(newest, node(newest, name=name))).message


async def test_daemons_of_two_kinds_may_have_one_name(newest: FakeAgent) -> None:
    await node(newest, name="n").run(newest)
    await dal_node(newest, name="n").run(newest)
    assert [process.name for process in newest.started] == ["n", "n.dal_node"]
    assert {("node", "n"), ("dal_node", "n")} <= set(newest.services)


async def test_activation(agent: FakeAgent) -> None:
    agent.file("p.json", "{}")
    await ActivateProtocol(
        {
            "endpoint": Uri(owned="main"),
            "path_client": agent.program("octez-client"),
            "protocol": "alpha",
            "parameter_file": Uri(owned="p.json"),
        }
    ).run(agent)
    wallet = os.path.join(agent.root, "data", "octez-client-activator")
    words = agent.commands[0]
    assert words[:-1] == [
        agent.inside("octez-client"),
        "--endpoint",
        "http://127.0.0.1:8732",
        "--base-dir",
        wallet,
        "activate",
        "protocol",
        "ProtoALphaALphaALphaALphaALphaALphaALphaALphaDdp3zK",
        "with",
        "fitness",
        "1",
        "and",
        "key",
        "activator",
        "and",
        "parameters",
        agent.inside("p.json"),
        "--timestamp",
    ]
    assert json.loads(Path(wallet, "secret_keys").read_text())[0]["name"] == "activator"
    assert agent.environments[0] == {"TEZOS_CLIENT_UNSAFE_DISABLE_DISCLAIMER": "Y"}


async def test_activation_without_its_file(newest: FakeAgent) -> None:
    procedure = ActivateProtocol(
        {
            "endpoint": Uri(owned="main"),
            "path_client": newest.program("octez-client"),
            "protocol": "alpha",
            "parameter_file": Uri(owned="p.json"),
        }
    )
    assert "there is no parameter file" in (await refused(newest, procedure)).message


async def test_bootstrapped_shows_how_far_the_node_is(agent: FakeAgent) -> None:
    agent.pages["/network/connections"] = [1, 2, 3]
    agent.pages["/head/header"] = {"level": 17}
    states = [{"bootstrapped": False, "sync_state": "unsynced"}, {"bootstrapped": True, "sync_state": "synced"}]
    real = agent.http

    async def http(method: str, url: str, **more: Any) -> Any:
        if url.endswith("is_bootstrapped"):
            agent.pages["/is_bootstrapped"] = states.pop(0)
        return await real(method, url, **more)

    agent.http = http  # type: ignore[method-assign]
    await WaitForBootstrapped(
        {
            "path_client": agent.program("octez-client"),
            "endpoint": Uri(remote="198.51.100.9:8732"),
        }
    ).run(agent)
    assert agent.said == ["0 s: level 17, 3 peers, unsynced"]
    assert agent.commands == [
        [
            agent.inside("octez-client"),
            "--endpoint",
            "http://198.51.100.9:8732",
            "--base-dir",
            os.path.join(agent.root, "data", "octez-client"),
            "bootstrapped",
        ]
    ]


@pytest.mark.parametrize("endpoint", ["nowhere", "http://host", ""])
async def test_an_endpoint_needs_a_port(newest: FakeAgent, endpoint: str) -> None:
    procedure = WaitForBootstrapped({"path_client": newest.program("octez-client"), "endpoint": Uri(remote=endpoint)})
    assert "it needs a port" in (await refused(newest, procedure)).message


# -- keys and parameters


async def test_default_keys_are_for_their_owner_alone(newest: FakeAgent) -> None:
    await GenerateKeys({"base_dir": Uri(owned="a/wallet")}).run(newest)
    wallet = Path(newest.home, "a/wallet")
    assert stat.S_IMODE(wallet.stat().st_mode) == 0o700
    assert {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in wallet.iterdir()} == {
        "public_key_hashs": 0o600,
        "public_keys": 0o600,
        "secret_keys": 0o600,
    }
    assert json.loads((wallet / "public_keys").read_text())[1] == {
        "name": "bootstrap1",
        "value": "unencrypted:" + PUBLIC1,
    }


async def test_fresh_keys(agent: FakeAgent) -> None:
    client = agent.program("octez-client")
    agent.file("w/secret_keys", "[]")
    os.chmod(agent.inside("w"), 0o755)
    await GenerateKeys(
        {
            "base_dir": Uri(owned="w"),
            "kind": {"fresh": {"count": 3, "path_client": {"owned": client.owned}}},
        }
    ).run(agent)
    assert agent.commands == [
        [
            agent.inside("octez-client"),
            "--base-dir",
            agent.inside("w"),
            "stresstest",
            "gen",
            "keys",
            "3",
            "--alias-prefix",
            "boot",
        ]
    ]
    assert stat.S_IMODE(os.stat(agent.inside("w")).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(agent.inside("w/secret_keys")).st_mode) == 0o600


async def test_a_wallet_of_another_agent_is_refused(newest: FakeAgent) -> None:
    error = await refused(newest, GenerateKeys({"base_dir": Uri(remote="http://h:1/w")}))
    assert "base_dir must be on the agent" in error.message
    assert "self://" in error.hint


def shown(words: list[str]) -> tuple[int, str, str]:
    alias = words[words.index("address") + 1]
    return 0, f"Hash: hash_{alias}\nPublic Key: key_{alias}\nSecret Key: unencrypted:edsk{alias}\n", ""


def parameters(agent: FakeAgent, **more: Any) -> GenerateProtocolParametersFile:
    dal = {"incentives_enable": False, "attestation_lags": [1, 2, 8], **dict.fromkeys(DAL, 1)}
    base = {"keep": 1, "dal_parametric": {**dal, "attestation_lag": 8}}
    return GenerateProtocolParametersFile(
        {
            "base_file": agent.file("base.json", json.dumps(base)),
            "wallet": Uri(owned="w"),
            "dal": dict(DAL),
            "path_client": agent.program("octez-client"),
            **more,
        }
    )


async def test_parameters(agent: FakeAgent) -> None:
    agent.answers += [
        ("list known addresses", (0, "boot0: tz1a (unencrypted sk known)\nboot1: tz1b\nbake0: tz1c\n", "")),
        ("show address", shown),
    ]
    result = await parameters(
        agent,
        pk_revealed_accounts_prefix="boot",
        pk_unrevealed_accounts_prefix="bake",
        output_file_name="out/p.json",
        balance_updates=[["boot1", "5_000"], ["boot1", "6"]],
        minimal_block_delay="1",
        default_balance="4_000_000_000_000",
    ).run(agent)
    client = [agent.inside("octez-client"), "--base-dir", agent.inside("w")]
    assert agent.commands == [
        [*client, "list", "known", "addresses"],
        *([*client, "show", "address", alias, "--show-secret"] for alias in ("boot0", "boot1", "bake0")),
    ]
    assert result == {"filename": "out/p.json"}
    assert json.loads(Path(agent.inside("out/p.json")).read_text()) == {
        "keep": 1,
        "bootstrap_accounts": [["key_boot0", "4000000000000"], ["key_boot1", "5000"], ["hash_bake0", "4000000000000"]],
        "minimal_block_delay": "1",
        "dal_parametric": {
            "incentives_enable": False,
            "attestation_lags": [1, 2, 4],
            "page_size": 128,
            "number_of_shards": 64,
            "slot_size": 4096,
            "redundancy_factor": 8,
            "feature_enable": True,
            "attestation_lag": 4,
            "attestation_threshold": 50,
            "number_of_slots": 8,
        },
    }


@pytest.mark.parametrize(
    ("section", "kept"),
    [
        (dict.fromkeys([*DAL, "blocks_per_epoch"], 1), True),
        (dict.fromkeys([*DAL, "incentives_enable"], 1), False),
        ({}, True),
        (None, True),
    ],
)
async def test_a_parameter_that_the_protocol_does_not_have(newest: FakeAgent, section: Any, kept: bool) -> None:
    newest.answers += [("list known addresses", (0, "boot0: tz1a\n", "")), ("show address", shown)]
    procedure = parameters(newest, dal={**DAL, "blocks_per_epoch": "32"})
    newest.file("base.json", json.dumps({"dal_parametric": section} if section is not None else {}))
    await procedure.run(newest)
    written = json.loads(Path(newest.inside("parameters.json")).read_text())["dal_parametric"]
    assert written.get("blocks_per_epoch") == (32 if kept else None)
    assert written["number_of_shards"] == 64
    said = "dal.blocks_per_epoch is left out: the protocol of the base_file has no such parameter"
    assert newest.logged == ([] if kept else [said])


async def test_an_empty_wallet(newest: FakeAgent) -> None:
    error = await refused(newest, parameters(newest))
    assert "is empty" in error.message
    assert "generate_keys" in error.hint


async def test_an_alias_without_its_secret_key(newest: FakeAgent) -> None:
    newest.answers += [
        ("list known", (0, "a: tz1a\n", "")),
        ("show address", (0, "Hash: tz1a\nPublic Key: edpk1\n", "")),
    ]
    assert "no secret key for a" in (await refused(newest, parameters(newest))).message


@pytest.mark.parametrize("text", ["", "_1", "1.5", "-3", "many"])
def test_what_is_no_balance(text: str) -> None:
    with pytest.raises(ProcedureFailed, match="not a balance"):
        mutez(text)


def test_lags_that_fit_stay() -> None:
    base = {"dal_parametric": {"attestation_lags": [2, 4]}}
    assert merge(base, accounts=[], dal={"attestation_lag": 4})["dal_parametric"]["attestation_lags"] == [2, 4]
    assert base == {"dal_parametric": {"attestation_lags": [2, 4]}}


@pytest.mark.parametrize(("content", "said"), [("{", "is not JSON"), ("[]", "not a JSON object")])
async def test_a_base_file_that_is_none(newest: FakeAgent, content: str, said: str) -> None:
    procedure = parameters(newest)
    newest.file("base.json", content)
    assert said in (await refused(newest, procedure)).message


# -- operations


def operation(agent: FakeAgent, **more: Any) -> dict[str, Any]:
    return {
        "path_client": agent.program("octez-client"),
        "endpoint": Uri(owned="main"),
        "wallet": "w",
        "source": "boot0",
        **more,
    }


def injected(agent: FakeAgent, wait: str, *words: str) -> list[str]:
    return [
        agent.inside("octez-client"),
        "--endpoint",
        "http://127.0.0.1:8732",
        "--base-dir",
        agent.inside("w"),
        "--wait",
        wait,
        *words,
    ]


@pytest.mark.parametrize(("content", "is_rewritten"), [("00ff", False), ("00ff\n", True), (b"\0asm", True)])
async def test_rollup_origination(agent: FakeAgent, content: str | bytes, is_rewritten: bool) -> None:
    agent.answers.append(("originate smart rollup", (0, f"...\n    Address: {ADDRESS}\n", "")))
    kernel = agent.file("k.hex", content)
    result = await OriginateSmartRollup(operation(agent, kernel_path=kernel, parameters_type="bytes")).run(agent)
    assert result == {"address": ADDRESS, "hex_address": "d601f22256d2ad1faec0c64374e527c6e62f2e5a"}
    path = agent.temporary("kernel.hex") if is_rewritten else agent.inside("k.hex")
    assert agent.commands == [
        injected(
            agent,
            "0",
            "originate",
            "smart",
            "rollup",
            "rollup",
            "from",
            "boot0",
            "of",
            "kind",
            "wasm_2_0_0",
            "of",
            "type",
            "bytes",
            "with",
            "kernel",
            f"file:{path}",
            "--burn-cap",
            "2",
        )
    ]
    assert not Path(path).read_bytes().endswith(b"\n")


@pytest.mark.parametrize("content", ["", "0", "xyz", "00 ff"])
async def test_a_kernel_that_is_none(newest: FakeAgent, content: str) -> None:
    kernel = newest.file("k.hex", content)
    procedure = OriginateSmartRollup(operation(newest, kernel_path=kernel, parameters_type="bytes"))
    assert "neither hexadecimal text nor" in (await refused(newest, procedure)).message


async def test_contract_origination(agent: FakeAgent) -> None:
    agent.answers.append(("originate contract", (0, f"New contract {CONTRACT} originated.\n", "")))
    script = agent.file("c.tz", "parameter unit;")
    result = await OriginateSmartContract(
        operation(agent, script_path=script, init="Unit", amount=500_000, alias="c")
    ).run(agent)
    assert result["hex_address"] == "246667a931fe0bd2fb1cb604f714601e88284550"
    assert agent.commands == [
        injected(
            agent,
            "1",
            "originate",
            "contract",
            "c",
            "transferring",
            "0.5",
            "from",
            "boot0",
            "running",
            f"file:{agent.inside('c.tz')}",
            "--init",
            "Unit",
            "--burn-cap",
            "2",
        )
    ]


async def test_an_origination_that_prints_no_address(newest: FakeAgent) -> None:
    script = newest.file("c.tz", "")
    error = await refused(newest, OriginateSmartContract(operation(newest, script_path=script, init="Unit")))
    assert "printed no address of the new contract" in error.message


async def test_transfer(agent: FakeAgent) -> None:
    await Transfer(operation(agent, destination="d", amount=3_000_000, entrypoint="e", arg="Unit", wait="none")).run(
        agent
    )
    assert agent.commands == [
        injected(
            agent,
            "none",
            "transfer",
            "3",
            "from",
            "boot0",
            "to",
            "d",
            "--burn-cap",
            "2",
            "--entrypoint",
            "e",
            "--arg",
            "Unit",
        )
    ]


@pytest.mark.parametrize(
    ("stderr", "said", "hint"),
    [
        ("Error:\n  no contract or key named nobody\n", "no contract or key named nobody", ""),
        (
            "Fatal error:\n  Specified --base-dir does not exist: /w\n",
            "Specified --base-dir does not exist: /w",
            "generate_keys",
        ),
        ("Warning: x\nError:\n  Empty implicit contract (tz1)\n\n", "Empty implicit contract (tz1)", "more tez"),
        ("", "ended with exit status 1, saying nothing", ""),
    ],
)
async def test_the_clients_own_message_comes_through(newest: FakeAgent, stderr: str, said: str, hint: str) -> None:
    newest.answers.append(("transfer", (1, "", stderr)))
    error = await refused(newest, Transfer(operation(newest, destination="d")))
    assert error.message == f"octez-client: {said}"
    assert hint in error.hint
    assert error.detail["exit_code"] == 1


async def test_messages(agent: FakeAgent) -> None:
    file = agent.file("m.bin", b"\x00\xff")
    messages = [{"text": "Hello"}, {"hex": "00"}, {"file": {"owned": file.owned}}, {"text": "é"}]
    procedure = AddMessages({**operation(agent), "messages": messages})
    await procedure.run(agent)
    assert agent.commands == [
        injected(
            agent,
            "0",
            "send",
            "smart",
            "rollup",
            "message",
            'hex:["48656c6c6f","00","00ff","c3a9"]',
            "from",
            "boot0",
        )
    ]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"text": "x" * 4096}, "message 1 has 4096 bytes; at most 4095"),
        ({"hex": "0G"}, "an even number of the digits"),
        ({"hex": "abc"}, "an even number of the digits"),
        ({"hex": "AB"}, "an even number of the digits"),
        ({"hex": "00\n"}, "an even number of the digits"),
        ({"file": {"owned": "missing"}}, "message 1: file"),
    ],
)
async def test_messages_that_cannot_be_sent(newest: FakeAgent, message: dict[str, Any], said: str) -> None:
    error = await refused(newest, AddMessages({**operation(newest), "messages": [message]}))
    assert said in error.message


async def test_more_messages_than_an_operation_can_carry(newest: FakeAgent) -> None:
    error = await refused(newest, AddMessages({**operation(newest), "messages": [{"text": "x" * 4095}] * 20}))
    assert "more than an operation can carry" in error.message


# -- DAL and bakers


def dal_node(agent: FakeAgent, **more: Any) -> StartDalNode:
    return StartDalNode({"path_node": agent.program("octez-dal-node"), "l1_node_uri": Uri(owned="main"), **more})


async def test_dal_node(agent: FakeAgent) -> None:
    release = release_of(agent)
    agent.services["dal_node", "other"] = {"net": 21732, "rpc": 21733}
    result = await dal_node(
        agent,
        name="d",
        attester_profiles=[BOOTSTRAP1],
        producer_profiles=["0", "2"],
        peers=[Uri(remote="h:1"), Uri(remote="h"), Uri(owned="other")],
    ).run(agent)
    data, program = os.path.join(agent.root, "data", "d"), agent.inside("octez-dal-node")
    addresses = [
        "--rpc-addr",
        f"0.0.0.0:{result['rpc_port']}",
        "--net-addr",
        f"0.0.0.0:{result['net_port']}",
        "--metrics-addr",
        f"0.0.0.0:{result['metrics_port']}",
    ]
    assert agent.commands == [
        [
            program,
            "config",
            "init",
            "--data-dir",
            data,
            *addresses,
            "--expected-pow",
            "0.",
            "--peers",
            "h:1,h,127.0.0.1:21732",
            "--attester-profiles" if release >= (19, 0) else "--attestor-profiles",
            BOOTSTRAP1,
            "--operator-profiles" if release >= (22, 0) else "--producer-profiles",
            "0,2",
        ]
    ]
    assert agent.started[0].argv == [
        program,
        "run",
        "--data-dir",
        data,
        "--endpoint",
        "http://127.0.0.1:8732",
        *addresses,
    ]
    configuration = json.loads(Path(data, "config.json").read_text())
    if release >= (25, 0):
        assert configuration["acl"] == [{"address": f"0.0.0.0:{result['rpc_port']}", "blacklist": []}]
    else:
        assert "acl" not in configuration
    assert agent.services["dal_node", "d"]["metrics"] == result["metrics_port"]


async def test_attesters_may_be_aliases(newest: FakeAgent) -> None:
    newest.answers.append(("show address", shown))
    client = newest.program("octez-client")
    await dal_node(newest, attester_profiles=["me"], path_client=client, base_dir=Uri(owned="w")).run(newest)
    assert newest.commands[0] == [
        newest.inside("octez-client"),
        "--base-dir",
        newest.inside("w"),
        "show",
        "address",
        "me",
        "--show-secret",
    ]
    assert newest.commands[1][-2:] == ["--attester-profiles", "hash_me"]


async def test_an_alias_needs_a_wallet(newest: FakeAgent) -> None:
    assert "`path_client` and `base_dir`" in (await refused(newest, dal_node(newest, attester_profiles=["me"]))).message


@pytest.mark.parametrize("index", ["-1", "one", ""])
async def test_what_is_no_slot_index(newest: FakeAgent, index: str) -> None:
    assert "is not a slot index" in (await refused(newest, dal_node(newest, producer_profiles=[index]))).message


async def test_too_little_history_explains_the_ways_out(newest: FakeAgent) -> None:
    newest.dies_with = [
        "Error:",
        "  The L1 node's history mode stores block data for 2 cycles, but the minimum required is 19.",
    ]
    error = await refused(newest, dal_node(newest))
    assert "stores block data for 2 cycles" in error.message
    assert "history_mode: archive" in error.hint
    assert "ignore_l1_history_check" in error.hint


async def test_the_history_check_may_be_left_out_where_it_can_be(agent: FakeAgent) -> None:
    await dal_node(agent, ignore_l1_history_check=True).run(agent)
    assert ("--ignore-l1-history-check" in agent.started[0].argv) == (release_of(agent) >= (25, 0))
    assert bool(agent.logged) == (release_of(agent) < (25, 0))


def baker(agent: FakeAgent, **more: Any) -> StartBaker:
    return StartBaker({"base_dir": Uri(owned="w"), "node_uri": Uri(owned="main"), **more})


async def test_baker(agent: FakeAgent) -> None:
    agent.services["dal_node", "d"] = {"rpc": 10732}
    agent.program("octez-baker")
    assert await baker(agent, delegates=["boot0"], dal_node_uri=Uri(owned="d")).run(agent) == {
        "name": "agnostic-baker1"
    }
    await baker(agent, name="b").run(agent)
    start = [
        agent.inside("octez-baker"),
        "--endpoint",
        "http://127.0.0.1:8732",
        "--base-dir",
        agent.inside("w"),
        "run",
        "with",
        "local",
        "node",
        os.path.join(agent.root, "data", "main"),
    ]
    vote = ["--liquidity-baking-toggle-vote", "pass"]
    assert agent.started[0].argv == [*start, "boot0", *vote, "--dal-node", "http://127.0.0.1:10732"]
    assert agent.started[1].argv == [*start, *vote, *(["--without-dal"] if release_of(agent) >= (21, 3) else [])]


async def test_a_baker_of_one_protocol_is_found_by_its_name(newest: FakeAgent) -> None:
    newest.program("octez-baker-PsQuebec")
    await baker(newest, protocol="quebec").run(newest)
    assert newest.started[0].argv[0] == newest.inside("octez-baker-PsQuebec")


async def test_a_baker_of_a_node_elsewhere_uses_its_rpc_alone_or_the_directory_it_is_given(newest: FakeAgent) -> None:
    newest.program("octez-baker")
    remote = Uri(remote="http://198.51.100.9:8732")
    await baker(newest, node_uri=remote).run(newest)
    await baker(newest, name="b2", node_uri=remote, node_data_dir=Uri(owned="/data/n")).run(newest)
    assert newest.started[0].argv[5:7] == ["run", "remotely"]
    assert newest.started[1].argv[5:10] == ["run", "with", "local", "node", "/data/n"]


async def test_the_directory_of_an_own_node_is_known(newest: FakeAgent) -> None:
    newest.program("octez-baker")
    assert "is known" in (await refused(newest, baker(newest, node_data_dir=Uri(owned="x")))).message


async def test_a_baker_that_ends_at_once(newest: FakeAgent) -> None:
    newest.program("octez-baker")
    newest.dies_with = ["Error:", "  The node's version is older than the baker's"]
    assert "older than the baker's" in (await refused(newest, baker(newest))).message


async def test_at_the_end_bakers_go_before_dal_nodes_before_nodes(newest: FakeAgent) -> None:
    newest.program("octez-baker")
    for procedure in (baker(newest), dal_node(newest), node(newest)):
        await procedure.run(newest)
    assert [options["stop_order"] for options in newest.options] == [0, 5, 10]


# -- publication


def publication(agent: FakeAgent, **more: Any) -> PublishDalSlot:
    agent.services["dal_node", "d"] = {"rpc": 10732}
    return PublishDalSlot(
        {
            "slot_info": {"slot_index": "3", "slot_size": "8", "payload": "abc"},
            "l1_node_uri": Uri(owned="main"),
            "dal_node_uri": Uri(owned="d"),
            "base_dir": Uri(owned="w"),
            "source": "boot0",
            "path_client": agent.program("octez-client"),
            **more,
        }
    )


async def test_publication(agent: FakeAgent) -> None:
    release = release_of(agent)
    if release < (18, 0):
        assert "cannot publish DAL slots" in (await refused(agent, publication(agent))).message
        return
    answer = {"commitment": "sh1c", "commitment_proof": "00ab"}
    agent.pages = {
        "/slots?slot_index=3": answer,
        "/slot": answer,
        "/commitments": "sh1c",
        "/commitments/sh1c/proof": "00ab",
        "/commitments/sh1c/shards": {},
    }
    if release >= (19, 0):
        agent.pages["/version"] = {"version": {"major": release[0], "minor": release[1], "additional_info": "release"}}
    agent.heads = [6, 7, 8]
    assert await publication(agent, target_published_level="9").run(agent) == {
        "commitment": "sh1c",
        "published": True,
        "level": 8,
    }
    dal, content = "http://127.0.0.1:10732", [97, 98, 99, 0, 0, 0, 0, 0]
    if release < (20, 0):
        calls = [
            ("POST", dal + "/commitments", "6162630000000000"),
            ("PUT", dal + "/commitments/sh1c/shards", {"with_proof": True}),
            ("GET", dal + "/commitments/sh1c/proof", None),
        ]
    else:
        path = "/slot" if release < (21, 0) else "/slots?slot_index=3"
        calls = [("POST", dal + path, {"invalid_utf8_string": content})]
    assert agent.requests == [
        ("GET", dal + "/version", None),
        *calls,
        ("GET", "http://127.0.0.1:8732/monitor/heads/main", None),
    ]
    level = ["at", "level", "9"] if release < (19, 0) else []
    assert agent.commands == [
        injected(
            agent,
            "none",
            "publish",
            "dal",
            "commitment",
            "sh1c",
            "from",
            "boot0",
            "for",
            "slot",
            "3",
            *level,
            "with",
            "proof",
            "00ab",
        )
    ]
    assert agent.said == ["level 6, waiting for 8", "level 7, waiting for 8"]


async def test_without_a_target_the_next_level_is_waited_for(newest: FakeAgent) -> None:
    newest.pages = {
        "/slots?slot_index=3": {"commitment": "sh1c", "commitment_proof": "00"},
        "/version": {"version": {}},
    }
    newest.heads = [6, 7, 8]
    assert (await publication(newest).run(newest))["level"] == 7


async def test_a_level_that_has_passed(newest: FakeAgent) -> None:
    newest.pages = {
        "/slots?slot_index=3": {"commitment": "sh1c", "commitment_proof": "00"},
        "/version": {"version": {}},
    }
    newest.heads = [9]
    result = await publication(newest, target_published_level="9").run(newest)
    assert result == {"commitment": "sh1c", "published": False, "level": 9}
    assert newest.commands == []
    assert newest.logged == ["level 9 is reached: too late to publish slot 3 at level 9: not published"]
    error = await refused(newest, publication(newest, target_published_level="9", if_level_passed="fail"))
    assert error.kind == "late"


CONFLICT = (
    "Error:\n  The operation ooX cannot be added because the mempool already contains a conflicting operation. "
    "To replace the latter, this particular operation would need a total fee of at least 1050 mutez."
)


def an_earlier_operation_waits(agent: FakeAgent, times: int) -> None:
    """Let the client be refused so often because of an earlier operation, while the chain goes on."""
    left = iter(range(times))

    def answer(words: list[str]) -> tuple[int, str, str]:
        agent.heads = [agent.heads[-1], agent.heads[-1] + 1]
        return (1, "", CONFLICT) if next(left, None) is not None else (0, "", "")

    agent.answers.append(("publish dal commitment", answer))


async def test_an_earlier_operation_of_the_source_is_waited_for(newest: FakeAgent) -> None:
    newest.pages = {
        "/slots?slot_index=3": {"commitment": "sh1c", "commitment_proof": "00"},
        "/version": {"version": {}},
    }
    newest.heads = [6, 7]
    an_earlier_operation_waits(newest, 5)
    assert await publication(newest).run(newest) == {"commitment": "sh1c", "published": True, "level": 12}
    assert newest.logged == ["an earlier operation of boot0 waits for its block: so do we"] * 5


async def test_a_source_whose_operation_never_enters_a_block(newest: FakeAgent) -> None:
    newest.pages = {
        "/slots?slot_index=3": {"commitment": "sh1c", "commitment_proof": "00"},
        "/version": {"version": {}},
    }
    newest.heads = [6, 7]
    an_earlier_operation_waits(newest, 100)
    error = await refused(newest, publication(newest))
    assert "conflicting operation" in error.message
    assert "one operation of a source" in error.hint
    assert len(newest.commands) == 6


async def test_a_level_that_passes_while_an_earlier_operation_waits(newest: FakeAgent) -> None:
    newest.pages = {
        "/slots?slot_index=3": {"commitment": "sh1c", "commitment_proof": "00"},
        "/version": {"version": {}},
    }
    newest.heads = [8]
    an_earlier_operation_waits(newest, 1)
    result = await publication(newest, target_published_level="9").run(newest)
    assert result == {"commitment": "sh1c", "published": False, "level": 9}
    assert newest.logged[-1] == "level 9 is reached: too late to publish slot 3 at level 9: not published"


@pytest.mark.parametrize(
    ("page", "said", "hint"),
    [
        ((400, "Cannot_publish_on_slot_index 3"), "Cannot_publish_on_slot_index 3", ""),
        ((401, ""), "(401): it said nothing", "read access only"),
    ],
)
async def test_a_slot_that_the_dal_node_refuses(newest: FakeAgent, page: tuple[int, str], said: str, hint: str) -> None:
    newest.pages = {"/slots?slot_index=3": page, "/version": {"version": {"major": 25}}}
    error = await refused(newest, publication(newest))
    assert said in error.message
    assert hint in error.hint


async def test_a_node_that_ends_its_stream_of_heads(newest: FakeAgent) -> None:
    newest.pages = {
        "/slots?slot_index=3": {"commitment": "sh1c", "commitment_proof": "00"},
        "/version": {"version": {}},
    }
    newest.heads = []
    assert "closed its stream of heads" in (await refused(newest, publication(newest))).message


# -- rollups


def rollup(agent: FakeAgent, **more: Any) -> StartRollupNode:
    return StartRollupNode(
        {
            "path_rollup_node": agent.program("octez-smart-rollup-node"),
            "path_client": agent.program("octez-client"),
            "wallet": "w",
            "endpoint": Uri(owned="main"),
            "operator": "boot0",
            "kind": "wasm_2_0_0",
            "mode": "operator",
            "address": ADDRESS,
            **more,
        }
    )


async def test_rollup_node(agent: FakeAgent) -> None:
    agent.heads = [5]
    agent.pages["/global/tezos_level"] = 5
    result = await rollup(agent, name="r", data_dir_path="rollup", kernel_log_path="k.log").run(agent)
    history = ["--no-degraded", "--gc-frequency", "1", "--history-mode", "full"]
    assert agent.started[0].argv == [
        agent.inside("octez-smart-rollup-node"),
        "--endpoint",
        "http://127.0.0.1:8732",
        "--base-dir",
        agent.inside("w"),
        "run",
        "operator",
        "for",
        ADDRESS,
        "with",
        "operators",
        "boot0",
        *(history if release_of(agent) >= (19, 0) else []),
        "--rpc-port",
        str(result["rpc_port"]),
        "--rpc-addr",
        "0.0.0.0",
        "--metrics-addr",
        f"0.0.0.0:{result['metrics_port']}",
        "--data-dir",
        agent.inside("rollup"),
        "--log-kernel-debug",
        "--log-kernel-debug-file",
        agent.inside("k.log"),
    ]
    assert agent.services["rollup_node", "r"] == {"rpc": result["rpc_port"], "metrics": result["metrics_port"]}


async def test_a_rollup_node_without_its_rpc_is_read_from_its_lines(newest: FakeAgent) -> None:
    newest.heads = [5]
    procedure = rollup(newest)
    start = newest.start

    async def talkative(name: str, argv: Any, **more: Any) -> Any:
        process: Any = await start(name, argv, **more)
        process.lines = ["Finished processing layer 1 head BLx9 at level 4", "Processed head BLx7 at level 5"]
        return process

    newest.start = talkative  # type: ignore[method-assign]
    assert (await procedure.run(newest))["name"] == "sc-rollup-node1"


async def test_riscv_rollups_may_be_two_levels_behind(newest: FakeAgent) -> None:
    newest.heads = [5]
    newest.pages["/global/tezos_level"] = 3
    await rollup(newest, kind="riscv").run(newest)


async def test_installer(agent: FakeAgent) -> None:
    has_setup = release_of(agent) > (17, 0)
    kernel = agent.file("k.wasm", b"\0asm")
    await PrepareKernelInstaller(
        {
            "installer_generator_path": agent.program("smart-rollup-installer"),
            "kernel_path": kernel,
            "preimages_directory_path": "rollup",
            "installer_kernel_path": "out/deep/installer.hex",
            **({"setup": "instructions: []"} if has_setup else {}),
        }
    ).run(agent)
    setup = agent.temporary("setup.yaml")
    assert agent.commands == [
        [
            agent.inside("smart-rollup-installer"),
            "get-reveal-installer",
            "-u",
            agent.inside("k.wasm"),
            "-P",
            agent.inside("rollup/wasm_2_0_0"),
            "-o",
            agent.inside("out/deep/installer.hex"),
            *(["-S", setup] if has_setup else []),
        ]
    ]
    assert not has_setup or Path(setup).read_text() == "instructions: []"
    assert os.path.isdir(agent.inside("out/deep"))
    assert os.path.isdir(agent.inside("rollup/wasm_2_0_0"))


@pytest.mark.parametrize("field", ["preimages_directory_path", "installer_kernel_path"])
async def test_the_installer_writes_inside_the_home_only(newest: FakeAgent, field: str) -> None:
    arguments: dict[str, Any] = {
        "installer_generator_path": newest.program("smart-rollup-installer"),
        "kernel_path": newest.file("k.wasm", b""),
        "preimages_directory_path": "rollup",
        "installer_kernel_path": "installer.hex",
        field: "/etc/x",
    }
    assert (await refused(newest, PrepareKernelInstaller(arguments))).kind == "path"
