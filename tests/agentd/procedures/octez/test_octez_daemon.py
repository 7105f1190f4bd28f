"""The whole way, with a real daemon and the strict stand-ins: they refuse what the release would refuse."""

from __future__ import annotations

import json
import os
import stat
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import recorded_calls
from octez_agent import Agent, Failed, base_parameters, install

from octogram_agentd.network.endpoint import Endpoint

RELEASES = ["v17", "v18", "v19", "v20", "v21", "v21.3", "v22", "v23", "v24", "v25"]
DAL = {
    "feature_enable": "true",
    "number_of_shards": "64",
    "page_size": "128",
    "slot_size": "4096",
    "redundancy_factor": "8",
    "attestation_lag": "4",
    "attestation_threshold": "50",
    "number_of_slots": "8",
}
NODE_ARGUMENTS: dict[str, Any] = {
    "name": "node",
    "path_node": {"owned": "octez-node"},
    "network": "sandbox",
    "synchronization_threshold": 0,
    "history_mode": "archive",
    "dal_cryptobox_parameters": {
        name: DAL[name] for name in ("number_of_shards", "page_size", "slot_size", "redundancy_factor")
    },
}
CLIENT = {"owned": "octez-client"}
NODE = {"owned": "node"}
WALLET = {"owned": "wallet"}


class Chain:
    """A sandbox chain on one agent, brought up step by step."""

    def __init__(self, agent: Agent, release: str) -> None:
        self.agent = agent
        self.release = release
        major, _, minor = release[1:].partition(".")
        self.number = int(major), int(minor or 0)
        self.major = self.number[0]

    def calls(self) -> list[str]:
        """Give what the programs were called with so far."""
        return recorded_calls.recorded(self.agent, self.agent.root / "calls.jsonl")

    async def start_node(self, **more: Any) -> dict[str, Any]:
        result = await self.agent.run("tezos.start_node", {**NODE_ARGUMENTS, **more})
        assert isinstance(result, dict)
        return result

    async def activate(self) -> None:
        """Bring a node, a wallet and parameters, and activate a protocol."""
        agent = self.agent
        await agent.run("tezos.generate_keys", base_dir=WALLET)
        (agent.home / "base.json").write_text(base_parameters("alpha", self.release))
        dal = dict(DAL)
        if self.major <= 18:
            dal["blocks_per_epoch"] = "2"
        await agent.run(
            "tezos.generate_protocol_parameters_file",
            base_file={"owned": "base.json"},
            wallet=WALLET,
            dal=dal,
            pk_revealed_accounts_prefix="bootstrap",
            minimal_block_delay="1",
            path_client=CLIENT,
        )
        await self.start_node()
        await agent.run(
            "tezos.activate_protocol",
            endpoint=NODE,
            path_client=CLIENT,
            protocol="alpha",
            parameter_file={"owned": "parameters.json"},
        )

    async def bake(self, **more: Any) -> None:
        path = "octez-baker" if self.major >= 23 else "octez-baker-alpha"
        await self.agent.run(
            "tezos.start_baker", name="baker", base_dir=WALLET, node_uri=NODE, baker_path={"owned": path}, **more
        )


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Agent]:
    agent = Agent(tmp_path / "root")
    calls = str(tmp_path / "root" / "calls.jsonl")
    await agent.open({"OCTEZ_STAND_IN_RECORD": calls, "OCTEZ_STAND_IN_BLOCK_DELAY_S": "0.2"})
    yield agent
    await agent.close()


@pytest.fixture(params=RELEASES)
async def chain(request: pytest.FixtureRequest, agent: Agent) -> Chain:
    """A chain of each release, nothing started yet."""
    install(agent.home, request.param)
    return Chain(agent, request.param)


@pytest.fixture
async def newest(agent: Agent) -> Chain:
    install(agent.home, "v25")
    return Chain(agent, "v25")


async def failure(job: Any) -> Failed:
    with pytest.raises(Failed) as caught:
        await job
    assert "\n" not in caught.value.message
    return caught.value


def page(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return answer.read().decode()


async def test_from_keys_to_blocks(chain: Chain) -> None:
    await chain.activate()
    agent = chain.agent
    assert stat.S_IMODE((agent.home / "wallet").stat().st_mode) == 0o700
    fresh = {"fresh": {"count": 2, "path_client": CLIENT, "alias_prefix": "p"}}
    await agent.run("tezos.generate_keys", base_dir=WALLET, kind=fresh)
    names = [entry["name"] for entry in json.loads((agent.home / "wallet" / "public_key_hashs").read_text())]
    assert set(names) > {"activator", *(["p0", "p1"] if chain.major >= 19 else ["p000000", "p000001"])}
    await agent.run("tezos.wait_for_bootstrapped", path_client=CLIENT, endpoint=NODE)
    await chain.bake()
    ports = agent.services["node", "node"]["ports"]
    assert "octez" in page(ports["metrics"], "/metrics")
    transfer = {"path_client": CLIENT, "endpoint": NODE, "wallet": "wallet", "source": "bootstrap1"}
    await agent.run("tezos.operations.transfer", transfer, destination="bootstrap2", amount=1_500_000)
    await agent.run("tezos.operations.add_messages", transfer, messages=[{"text": "hello"}, {"hex": "00ff"}])
    (agent.home / "c.tz").write_text("parameter unit; storage unit; code { CDR ; NIL operation ; PAIR }")
    contract = await agent.run(
        "tezos.operations.originate_smart_contract", transfer, script_path={"owned": "c.tz"}, init="Unit", alias="c"
    )
    assert contract["address"].startswith("KT1")
    assert len(contract["hex_address"]) == 40
    assert chain.calls() == recorded_calls.operations(chain.number)


def slot(index: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "slot_info": {"slot_index": str(index), "slot_size": DAL["slot_size"], "payload": "hello"},
        "l1_node_uri": NODE,
        "dal_node_uri": {"owned": "dal"},
        "base_dir": WALLET,
        "source": "bootstrap2",
        "path_client": CLIENT,
        **more,
    }


async def publish(chain: Chain, arguments: dict[str, Any]) -> Any:
    """Publish a slot; v18's client is told the level too, and is refused when that has gone by on the way."""
    for _ in range(40 if chain.major == 18 else 1):
        try:
            return await chain.agent.run("tezos.publish_dal_slot", arguments)
        except Failed as error:
            late = error
            if chain.major != 18 or "but the block has level" not in error.message:
                break
    raise late


async def start_dal_node(chain: Chain, **more: Any) -> dict[str, Any]:
    result = await chain.agent.run(
        "tezos.start_dal_node",
        {
            "name": "dal",
            "path_node": {"owned": "octez-dal-node"},
            "l1_node_uri": NODE,
            "producer_profiles": ["0", "3"],
            "attester_profiles": ["bootstrap1"],
            "path_client": CLIENT,
            "base_dir": WALLET,
            **more,
        },
    )
    assert isinstance(result, dict)
    return result


@pytest.mark.parametrize("chain", RELEASES[1:], indirect=True)  # v17 has no DAL node
async def test_slots_are_published(chain: Chain) -> None:
    await chain.activate()
    await chain.bake()
    agent = chain.agent
    started = await start_dal_node(chain)
    assert "dal_node" in page(started["metrics_port"], "/metrics")
    await chain.bake(dal_node_uri={"owned": "dal"})  # again, with the DAL node: it replaces the first
    published = await publish(chain, slot())
    assert published["commitment"].startswith("sh")
    assert published["published"] is True
    reached = published["level"]
    for blocks in (4, 12, 36):  # blocks are short, and a machine that stands still meanwhile lets one go by
        wanted = reached + blocks
        again = await publish(chain, slot(3, target_published_level=str(wanted)))
        reached = again["level"]
        assert again["published"] is (reached == wanted - 1)
        if again["published"]:
            break
    assert again["published"]
    late = await agent.run("tezos.publish_dal_slot", slot(target_published_level="2"))
    assert (late["published"], late["commitment"]) == (False, published["commitment"])
    if chain.major >= 21:  # older DAL nodes are not told the index
        refused = await failure(agent.run("tezos.publish_dal_slot", slot(1)))
        assert "the DAL node refused" in refused.message
        assert "1" in refused.message
    calls = chain.calls()
    assert [call for call, before in zip(calls, ["", *calls], strict=False) if call != before] == recorded_calls.slots(
        chain.number
    )


async def test_rollups_run_and_read_messages(chain: Chain) -> None:
    await chain.activate()
    await chain.bake()
    agent = chain.agent
    (agent.home / "kernel.wasm").write_bytes(b"\0asm\1\0\0\0" + bytes(range(256)) * 40)
    setup: dict[str, Any] = {} if chain.major < 18 else {"setup": "instructions: []"}
    await agent.run(
        "smart_rollup.prepare_kernel_installer",
        installer_generator_path={"owned": "smart-rollup-installer"},
        kernel_path={"owned": "kernel.wasm"},
        preimages_directory_path="rollup",
        installer_kernel_path="out/installer.hex",
        **setup,
    )
    assert os.listdir(agent.home / "rollup" / "wasm_2_0_0")
    operation = {"path_client": CLIENT, "endpoint": NODE, "wallet": "wallet", "source": "bootstrap1"}
    origination: dict[str, Any] = {
        **operation,
        "kernel_path": {"owned": "out/installer.hex"},
        "parameters_type": "bytes",
    }
    rollup = await agent.run("tezos.operations.originate_smart_rollup", origination)
    assert rollup["address"].startswith("sr1")
    twice = await failure(agent.run("tezos.operations.originate_smart_rollup", origination))
    assert "already exists" in twice.message
    assert "another `alias`" in twice.hint
    program = "octez-smart-rollup-node" if chain.major >= 19 else "octez-smart-rollup-node-alpha"
    started = await agent.run(
        "smart_rollup.start_node",
        name="rollup",
        path_rollup_node={"owned": program},
        path_client=CLIENT,
        wallet="wallet",
        endpoint=NODE,
        operator="bootstrap1",
        kind="wasm_2_0_0",
        mode="operator",
        address=rollup["address"],
        data_dir_path="rollup",
        kernel_log_path="kernel.log",
    )
    assert rollup["address"] in page(started["rpc_port"], "/global/smart_rollup_address")
    page(started["metrics_port"], "/metrics")
    await agent.run("tezos.operations.add_messages", operation, source="bootstrap2", messages=[{"text": "hello"}])
    assert agent.services["rollup_node", "rollup"]["state"] == "up"
    assert chain.calls() == recorded_calls.rollups(chain.number)


# -- reruns and ends


async def test_a_rerun_replaces_the_node_and_keeps_its_chain(newest: Chain) -> None:
    await newest.activate()
    await newest.bake()
    before = newest.agent.services["node", "node"]["ports"]
    again = await newest.start_node()
    assert {which: again[f"{which}_port"] for which in ("rpc", "metrics", "net")} == before
    head = json.loads(page(again["rpc_port"], "/chains/main/blocks/head/header"))
    assert head["level"] >= 1


async def test_a_node_that_dies_later_is_down_and_says_why(newest: Chain) -> None:
    agent = newest.agent
    (agent.home / "octez-node.behaviour.json").write_text(
        json.dumps(
            {
                "crash_at_level": 2,
                "crash_exit": 126,
                "crash_lines": ["Fatal error:", "  the context is broken"],
            }
        )
    )
    await newest.activate()
    await newest.bake()
    down = await agent.service("node", "node", "down")
    assert "126" in down["reason"]
    assert "the context is broken" in down["reason"]
    with pytest.raises(Failed, match="the context is broken") as caught:
        await agent.run("tezos.wait_for_bootstrapped", path_client=CLIENT, endpoint=NODE)
    assert caught.value.error["kind"] == "service"


async def test_stop_process_ends_a_daemon(newest: Chain) -> None:
    await newest.start_node()
    assert await newest.agent.run("builtins.stop_process", name="node") == {"exit_code": 127}
    await newest.agent.service("node", "node", "down")


# -- bad input, in the programs' own words


async def test_a_program_that_cannot_be_executed(agent: Agent) -> None:
    (agent.home / "octez-node").write_text("#!/bin/sh\n")
    error = await failure(agent.run("tezos.start_node", path_node={"owned": "octez-node"}, network="sandbox"))
    assert error.error["kind"] == "not_started"
    assert "octez-node" in error.message
    os.chmod(agent.home / "octez-node", 0o755)
    (agent.home / "octez-node").write_bytes(b"\x7fELF" + bytes(60))
    error = await failure(agent.run("tezos.start_node", path_node={"owned": "octez-node"}, network="sandbox"))
    assert error.error["kind"] == "not_started"


async def test_an_unknown_network(newest: Chain) -> None:
    error = await failure(newest.start_node(network="moonnet"))
    assert "moonnet" in error.message
    assert error.error["detail"]["exit_code"] == 124


async def test_what_the_client_refuses(newest: Chain) -> None:
    agent = newest.agent
    await newest.activate()
    transfer = {"path_client": CLIENT, "endpoint": NODE, "wallet": "wallet", "source": "bootstrap1", "wait": "none"}
    cases: dict[str, dict[str, Any]] = {
        "alias": {**transfer, "source": "nobody", "destination": "bootstrap2"},
        "wallet": {**transfer, "wallet": "nowhere", "destination": "bootstrap2"},
        "balance": {**transfer, "source": "activator", "destination": "bootstrap2", "amount": 1},
    }
    errors = {name: await failure(agent.run("tezos.operations.transfer", case)) for name, case in cases.items()}
    assert "nobody" in errors["alias"].message
    assert "base-dir" in errors["wallet"].message
    assert "generate_keys" in errors["wallet"].hint
    assert all(error.message.startswith("octez-client: ") for error in errors.values())
    (agent.home / "bad.json").write_text(json.dumps({"bootstrap_accounts": []}))
    again = await failure(
        agent.run(
            "tezos.activate_protocol",
            endpoint=NODE,
            path_client=CLIENT,
            protocol="alpha",
            parameter_file={"owned": "parameters.json"},
        )
    )
    assert "genesis" in again.hint or "activate" in again.message


async def test_parameters_that_the_protocol_refuses(newest: Chain) -> None:
    await newest.start_node()
    (newest.agent.home / "bad.json").write_text(json.dumps({"bootstrap_accounts": []}))
    error = await failure(
        newest.agent.run(
            "tezos.activate_protocol",
            endpoint=NODE,
            path_client=CLIENT,
            protocol="alpha",
            parameter_file={"owned": "bad.json"},
        )
    )
    assert error.message.startswith("octez-client: ")


async def test_an_empty_wallet(newest: Chain) -> None:
    (newest.agent.home / "base.json").write_text("{}")
    os.mkdir(newest.agent.home / "empty")
    error = await failure(
        newest.agent.run(
            "tezos.generate_protocol_parameters_file",
            base_file={"owned": "base.json"},
            wallet={"owned": "empty"},
            dal=DAL,
        )
    )
    assert "is empty" in error.message


async def test_a_dal_node_without_enough_history(newest: Chain) -> None:
    await newest.activate()
    await newest.start_node(history_mode=None)
    await newest.bake()
    error = await failure(start_dal_node(newest, producer_profiles=[]))
    assert "history mode stores block data for" in error.message
    assert "history_mode: archive" in error.hint
    started = await start_dal_node(newest, producer_profiles=[], ignore_l1_history_check=True)
    assert started["name"] == "dal"


async def test_a_node_that_is_slow_to_start_shows_progress_and_can_be_given_up(newest: Chain) -> None:
    agent = newest.agent
    (agent.home / "octez-node.behaviour.json").write_text(json.dumps({"start_delay_s": 30}))
    error = await failure(newest.start_node(ready_timeout=5))
    assert error.error["kind"] == "timeout"
    assert any("waiting for node (v25.1) to answer" in text for text in agent.progress)


# -- on a machine that others reach


@pytest.mark.parametrize("bind", ["::", "0.0.0.0", "::1"])
async def test_every_daemon_listens_where_others_can_reach_it(tmp_path: Path, bind: str) -> None:
    agent = Agent(tmp_path / "root")
    await agent.open(bind=bind)
    try:
        install(agent.home, "v25")
        chain = Chain(agent, "v25")
        await chain.activate()
        await chain.bake()
        await start_dal_node(chain)
        operation = {"path_client": CLIENT, "endpoint": NODE, "wallet": "wallet", "source": "bootstrap1"}
        (agent.home / "kernel.hex").write_text("00" * 16)
        rollup = await agent.run(
            "tezos.operations.originate_smart_rollup",
            operation,
            kernel_path={"owned": "kernel.hex"},
            parameters_type="bytes",
        )
        await agent.run(
            "smart_rollup.start_node",
            path_rollup_node={"owned": "octez-smart-rollup-node"},
            path_client=CLIENT,
            wallet="wallet",
            endpoint=NODE,
            operator="bootstrap1",
            kind="wasm_2_0_0",
            mode="operator",
            address=rollup["address"],
        )
        published = await agent.run("tezos.publish_dal_slot", slot())
        assert published["published"] is True
        hosts = ["::1"] if bind == "::1" else ["127.0.0.1", "::1"]
        for service in agent.services.values():
            for port in service["ports"].values():
                for host in hosts:
                    await agent.run("builtins.wait_for", port=str(Endpoint(host, port)), timeout=60)
    finally:
        await agent.close()
