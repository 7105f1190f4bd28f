"""The whole way, with a real daemon and the strict stand-ins: they refuse what the release would refuse."""

from __future__ import annotations

import json
import os
import signal
import stat
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from octez_agent import Agent, Failed, base_parameters, install

RELEASES = ["v17", "v18", "v19", "v20", "v21", "v21.3", "v22", "v23", "v24", "v25"]
DAL = {
    "feature_enable": "true", "number_of_shards": "64", "page_size": "128", "slot_size": "4096", "redundancy_factor": "8",
    "attestation_lag": "4", "attestation_threshold": "50", "number_of_slots": "8",
}
CLIENT = {"owned": "octez-client"}
NODE = {"owned": "node"}
WALLET = {"owned": "wallet"}


class Chain:
    """A sandbox chain on one agent, brought up step by step."""

    def __init__(self, agent: Agent, release: str) -> None:
        self.agent = agent
        self.release = release
        self.major = int(release[1:].split(".")[0])

    async def start_node(self, **more: Any) -> dict[str, Any]:
        result = await self.agent.run(
            "tezos.start_node", name="node", path_node={"owned": "octez-node"}, network="sandbox",
            synchronization_threshold=0, history_mode="archive",
            **{"dal_cryptobox_parameters": {name: DAL[name] for name in (
                "number_of_shards", "page_size", "slot_size", "redundancy_factor")}, **more},
        )
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
            "tezos.generate_protocol_parameters_file", base_file={"owned": "base.json"}, wallet=WALLET, dal=dal,
            pk_revealed_accounts_prefix="bootstrap", minimal_block_delay="1", path_client=CLIENT,
        )
        await self.start_node()
        await agent.run(
            "tezos.activate_protocol", endpoint=NODE, path_client=CLIENT, protocol="alpha",
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
    await agent.open()
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
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        return answer.read().decode()


async def test_from_keys_to_blocks(chain: Chain) -> None:
    await chain.activate()
    agent = chain.agent
    assert stat.S_IMODE((agent.home / "wallet").stat().st_mode) == 0o700
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
