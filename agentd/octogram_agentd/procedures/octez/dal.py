"""`tezos.start_dal_node` and `tezos.publish_dal_slot`: the data availability layer."""

from __future__ import annotations

import json
import os
import re

from octogram_agentd.network.endpoint import is_loopback
from octogram_agentd.procedures.base import Field, Procedure, ProcedureFailed
from octogram_agentd.procedures.octez import (
    argv,
    base58,
    daemons,
    endpoints,
    failures,
    levels,
    programs,
    slots,
    wallets,
)
from octogram_agentd.procedures.octez.releases import SINCE, has, show
from octogram_agentd.procedures.octez.roster import roster

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from octogram_agentd.procedures.base import Uri
    from octogram_agentd.procedures.context import Context

_BLOCKS_FOR_AN_EARLIER_OPERATION = 5


class StartDalNode(Procedure):
    """Start a DAL node and wait until it is ready, which needs an L1 node in step and a protocol with DAL.

    A rerun stops the former DAL node of that name, writes a new configuration and keeps its data.
    """

    procedure = "tezos.start_dal_node"
    services = ("dal_node",)
    result = {
        "name": "str: the DAL node's name, for `AGENT://NAME`",
        "rpc_port": "int: where its RPC server listens",
        "metrics_port": "int: where Prometheus reads its metrics",
        "net_port": "int: where its peers connect",
    }

    name: Field[Optional[str]] = Field(
        "str", "The DAL node's name on its agent; `octez-dal-node1`, ... when left out.", form="file_name"
    )
    path_node: Field[Uri] = Field("str", "The octez-dal-node program.", required=True, uri="file")
    rpc_port: Field[Any] = Field("int", "The RPC port; a free one when left out.", minimum=1, maximum=65535)
    metrics_port: Field[Any] = Field("int", "The metrics port; a free one when left out.", minimum=1, maximum=65535)
    net_port: Field[Any] = Field("int", "The peer-to-peer port; a free one when left out.", minimum=1, maximum=65535)
    l1_node_uri: Field[Uri] = Field("str", "The L1 node.", required=True, uri="node")
    peers: Field[List[Uri]] = Field(
        "list",
        "DAL nodes to connect to, as `host:port` or `AGENT://NAME`.",
        default=[],
        of=Field("str", uri="dal_peer"),
    )
    bootstrap_profile: Field[bool] = Field(
        "bool", "Whether it only brings others together.", default=False, template=False
    )
    attester_profiles: Field[List[str]] = Field(
        "list",
        "Addresses or aliases to attest for.",
        default=[],
        of=Field("str"),
        formerly=("attestor_profiles", "attestors", "attesters"),
    )
    producer_profiles: Field[List[str]] = Field(
        "list", "Slot indexes to publish on.", default=[], of=Field("str"), formerly=("producers",)
    )
    path_client: Field[Optional[Uri]] = Field(
        "str", "The octez-client program, when an attester is an alias.", uri="file"
    )
    base_dir: Field[Optional[Uri]] = Field("str", "The wallet's directory, when an attester is an alias.", uri="file")
    ignore_l1_history_check: Field[bool] = Field(
        "bool",
        "Start although the L1 node keeps too little of the past (v25 and later; others have no such option).",
        default=False,
    )
    ready_timeout: Field[float] = Field("float", "Seconds to wait until it is ready.", default=600.0, above=0)

    async def run(self, context: Context) -> Dict[str, Any]:
        producers = [_slot_index(text, "producer_profiles") for text in self.producer_profiles]
        program = await programs.program(context, self.path_node, "octez-dal-node")
        release = await programs.release_of(context, program)
        endpoint = endpoints.endpoint(context, self.l1_node_uri, "node")
        attesters = [await self._attester(context, each) for each in self.attester_profiles]
        names = roster(context)
        name = names.name("dal_node", context.attempt, self.name)
        process_name = names.process_name("dal_node", name)
        await daemons.make_way(context, process_name)
        data_dir = context.data_dir(process_name)
        ports = {
            which: names.port(context, "dal_node", name, which, wanted)
            for which, wanted in (("rpc", self.rpc_port), ("metrics", self.metrics_port), ("net", self.net_port))
        }
        address = {which: str(context.to_bind(port)) for which, port in ports.items()}
        configuration = os.path.join(data_dir, "config.json")
        if os.path.exists(configuration):  # of a former life; v25 refuses to replace it
            os.remove(configuration)
        await programs.run(
            context,
            argv.dal_config_init(
                program,
                release,
                data_dir=data_dir,
                rpc_addr=address["rpc"],
                net_addr=address["net"],
                metrics_addr=address["metrics"],
                peers=endpoints.peers(context, self.peers, "dal_node"),
                attesters=attesters,
                producers=producers,
                is_bootstrap=self.bootstrap_profile,
            ),
        )
        if has(release, "dal acl") and not is_loopback(context.bind):
            _open_rpcs(configuration, address["rpc"])
        if self.ignore_l1_history_check and not has(release, "dal --ignore-l1-history-check"):
            context.log(
                "%s has no --ignore-l1-history-check (%s has): left out"
                % (show(release), show(SINCE["dal --ignore-l1-history-check"]))
            )
        process = await daemons.start(
            context,
            "dal_node",
            process_name,
            argv.dal_run(
                program,
                release,
                data_dir=data_dir,
                endpoint=endpoint,
                rpc_addr=address["rpc"],
                net_addr=address["net"],
                metrics_addr=address["metrics"],
                ignores_l1_history=self.ignore_l1_history_check,
            ),
        )
        url = context.to_reach(ports["rpc"]).url + "/health"

        async def is_up() -> bool:
            health = await daemons.answer(context, url)
            return isinstance(health, dict) and health.get("status") == "up"

        await daemons.wait_ready(
            context,
            process,
            text=r"[Tt]he DAL node is ready|dal_(node_)?is_ready",
            probe=is_up if has(release, "dal health") else None,
            waiting_for="%s (%s) and the L1 node %s" % (name, show(release), endpoint),
            timeout_s=self.ready_timeout,
            used_ports=list(ports.values()),
        )
        context.announce("dal_node", name, ports, process=process)
        return {"name": name, "rpc_port": ports["rpc"], "metrics_port": ports["metrics"], "net_port": ports["net"]}

    async def _attester(self, context: Context, text: str) -> str:
        """Give an attester's public key hash; an alias is looked up in the wallet."""
        if base58.is_public_key_hash(text):
            return text
        if self.path_client is None or self.base_dir is None:
            raise ProcedureFailed(
                "attester_profiles: %r is no address, and to look up an alias `path_client` and `base_dir` are needed"
                % text,
                kind="refused",
            )
        client = await programs.program(context, self.path_client, "octez-client")
        wallet = endpoints.own_path(context, self.base_dir, "base_dir")
        shown = await programs.client(context, client, argv.show_address(text), base_dir=wallet, log=False)
        return wallets.parse_key(text, shown.stdout).hash


def _slot_index(text: Any, field: str) -> int:
    try:
        index = int(str(text))
    except ValueError:
        index = -1
    if index < 0:
        raise ProcedureFailed("%s: %r is not a slot index (0, 1, 2 ...)" % (field, text), kind="refused")
    return index


def _open_rpcs(path: str, rpc_addr: str) -> None:
    """Let every machine use all RPCs: since v25 an address that is not loopback serves reads only."""
    with open(path, encoding="utf-8") as file:
        configuration = json.load(file)
    configuration["acl"] = [{"address": rpc_addr, "blacklist": []}]
    wallets.write_private(path, json.dumps(configuration, indent=2))


class PublishDalSlot(Procedure):
    """Give a slot's content to a DAL node and publish its commitment on L1.

    With `target_published_level` it waits for the level before; when the chain is past that already nothing is
    published, as in the original, and a log line and `published` say so. While an earlier operation of the same source
    waits for its block, which holds one of a source, it waits for the next blocks too, five at most.
    """

    procedure = "tezos.publish_dal_slot"
    result = {
        "commitment": "str: the slot's commitment",
        "published": "bool: whether it was published",
        "level": "int: the chain's level when that was decided",
    }

    slot_info: Field[Dict[str, Any]] = Field(
        "record",
        "What to publish.",
        required=True,
        fields={
            "slot_index": Field("str", "The slot's index.", required=True),
            "slot_size": Field("str", "Bytes of a slot; the payload is filled up with zero bytes.", required=True),
            "payload": Field("str", "The content.", required=True),
        },
    )
    target_published_level: Field[Optional[str]] = Field(
        "str", "The level whose block is to hold the commitment; the one after next when left out."
    )
    l1_node_uri: Field[Uri] = Field("str", "The L1 node.", required=True, uri="node")
    dal_node_uri: Field[Uri] = Field(
        "str", "The DAL node; its operator profile has to hold the slot index.", required=True, uri="dal_node"
    )
    base_dir: Field[Uri] = Field("str", "The wallet's directory, on this agent.", required=True, uri="file")
    source: Field[str] = Field("str", "Alias or address of who signs and pays.", required=True)
    path_client: Field[Uri] = Field("str", "The octez-client program.", required=True, uri="file")
    if_level_passed: Field[str] = Field(
        "str",
        "What to do when the target level cannot be met any more: skip, or fail the job.",
        default="skip",
        choices=("skip", "fail"),
    )

    async def run(self, context: Context) -> Dict[str, Any]:
        index = _slot_index(self.slot_info["slot_index"], "slot_info.slot_index")
        size_bytes = _slot_index(self.slot_info["slot_size"], "slot_info.slot_size")
        target = None
        if self.target_published_level not in (None, ""):
            target = _slot_index(self.target_published_level, "target_published_level")
        client = await programs.program(context, self.path_client, "octez-client")
        release = await programs.release_of(context, client)
        if not has(release, "client publishes DAL slots"):
            raise ProcedureFailed(
                "octez-client %s cannot publish DAL slots; %s and later can"
                % (show(release), show(SINCE["client publishes DAL slots"])),
                kind="refused",
            )
        wallet = endpoints.own_path(context, self.base_dir, "base_dir")
        endpoint = endpoints.endpoint(context, self.l1_node_uri, "node")
        dal = endpoints.endpoint(context, self.dal_node_uri, "dal_node")
        payload = str(self.slot_info["payload"]).encode("utf-8", "surrogateescape")
        commitment, proof = await slots.post(context, dal, index, payload.ljust(size_bytes, b"\0"))
        level = await levels.wait_for_level(
            context, endpoint, None if target is None else target - 1, further=1, owned=self.l1_node_uri
        )
        for further in range(_BLOCKS_FOR_AN_EARLIER_OPERATION, -1, -1):
            if target is not None and level != target - 1:
                said = "level %d is reached: too late to publish slot %d at level %d" % (level, index, target)
                if self.if_level_passed == "fail":
                    raise ProcedureFailed(
                        said, kind="late", hint="choose a later `target_published_level`", level=level
                    )
                context.log(said + ": not published")
                return {"commitment": commitment, "published": False, "level": level}
            words = argv.publish_commitment(
                release, commitment, source=self.source, slot_index=index, level=level + 1, proof=proof
            )
            try:
                await programs.client(context, client, words, base_dir=wallet, endpoint=endpoint, wait="none")
                break
            except ProcedureFailed as error:
                if not further or not re.search(failures.CONFLICT, error.message):
                    raise
            context.log("an earlier operation of %s waits for its block: so do we" % self.source)
            level = await levels.wait_for_level(context, endpoint, level + 1, owned=self.l1_node_uri)
        return {"commitment": commitment, "published": True, "level": level}
