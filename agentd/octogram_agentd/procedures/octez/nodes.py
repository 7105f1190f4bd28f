"""`tezos.start_node`, `tezos.wait_for_bootstrapped`, `tezos.activate_protocol`: an L1 chain comes up."""

from __future__ import annotations

import json
import os
import time

from octogram_agentd.procedures.base import Field, Procedure, ProcedureFailed
from octogram_agentd.procedures.octez import argv, daemons, endpoints, programs, wallets
from octogram_agentd.procedures.octez.releases import PROTOCOLS, has, show
from octogram_agentd.procedures.octez.roster import roster

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from octogram_agentd.procedures.base import Uri
    from octogram_agentd.procedures.context import Context
    from octogram_agentd.procedures.octez.releases import Release

_LOOK_EVERY_S = 2.0
CRYPTOBOX = ("number_of_shards", "page_size", "slot_size", "redundancy_factor")

_SANDBOX_NETWORK = {
    "genesis": {
        "timestamp": "2018-06-30T16:07:32Z",
        "block": "BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2",
        "protocol": "ProtoGenesisGenesisGenesisGenesisGenesisGenesk612im",
    },
    "genesis_parameters": {"values": {"genesis_pubkey": wallets.ACTIVATOR_PUBLIC_KEY}},
    "chain_name": "TEZOS",
    "sandboxed_chain_name": "SANDBOXED_TEZOS",
}
"""What the alias `sandbox` stands for: a DAL section needs it spelt out."""


class StartNode(Procedure):
    """Start an L1 node and wait until it is ready.

    A rerun stops the former node of that name, writes a new configuration and keeps the chain's data.
    """

    procedure = "tezos.start_node"
    services = ("node",)
    result = {
        "rpc_port": "int: where its RPC server listens",
        "metrics_port": "int: where Prometheus reads its metrics",
        "net_port": "int: where its peers connect",
        "name": "str: the node's name, for `AGENT://NAME`",
    }

    name: Field[Optional[str]] = Field(
        "str", "The node's name on its agent; `node1`, `node2`, ... when left out.", form="file_name"
    )
    path_node: Field[Uri] = Field("str", "The octez-node program.", required=True, uri="file")
    network: Field[str] = Field(
        "str",
        "A built-in network, the URL of a network's description, or a file that holds one.",
        default="{{ vars.network }}",
    )
    snapshot: Field[Optional[Uri]] = Field("str", "A snapshot to import before the node starts.", uri="file")
    synchronization_threshold: Field[int] = Field(
        "int",
        "How many peers have to be in step before the node counts itself as synchronised; 0 for a node that is alone.",
        default=2,
        minimum=0,
    )
    peers: Field[List[Uri]] = Field(
        "list",
        "Nodes to connect to, as `host:port` or `AGENT://NAME`.",
        default=[],
        of=Field("str", uri="node_peer"),
    )
    net_port: Field[Any] = Field("int", "The peer-to-peer port; a free one when left out.", minimum=1, maximum=65535)
    metrics_port: Field[Any] = Field("int", "The metrics port; a free one when left out.", minimum=1, maximum=65535)
    rpc_port: Field[Any] = Field("int", "The RPC port; a free one when left out.", minimum=1, maximum=65535)
    dal_cryptobox_parameters: Field[Optional[Dict[str, Any]]] = Field(
        "record",
        "Switches the DAL on in the node's configuration. Up to v22 it also makes the network the sandbox, whatever "
        "`network` names, as in the original; from v23 on the network stays. The numbers matter to releases before "
        "v20 only, which mock the trusted setup with them.",
        fields={name: Field("str", "As in the protocol's parameters.", required=True) for name in CRYPTOBOX},
    )
    history_mode: Field[Optional[str]] = Field(
        "str",
        "How much of the past is kept: archive, full, rolling, or one with a number of cycles (`full:5`). "
        "DAL nodes on chains with short cycles want `archive`.",
        pattern=r"^(archive|(full|rolling)(:\d+)?)$",
    )
    ready_timeout: Field[float] = Field("float", "Seconds to wait until the node is ready.", default=600.0, above=0)

    async def run(self, context: Context) -> Dict[str, Any]:
        program = await programs.program(context, self.path_node, "octez-node")
        snapshot = None if self.snapshot is None else context.path(await context.fetch(self.snapshot))
        release = await programs.release_of(context, program)
        names = roster(context)
        name = names.name("node", context.attempt, self.name)
        process_name = names.process_name("node", name)
        await daemons.make_way(context, process_name)
        data_dir = context.data_dir(process_name)
        ports = {
            which: names.port(context, "node", name, which, wanted)
            for which, wanted in (("net", self.net_port), ("metrics", self.metrics_port), ("rpc", self.rpc_port))
        }
        address = {which: str(context.to_bind(port)) for which, port in ports.items()}
        configuration = os.path.join(data_dir, "config.json")
        if os.path.exists(configuration):  # of a former life; `config init` refuses to replace it
            os.remove(configuration)
        await programs.run(
            context,
            argv.node_config_init(
                program,
                data_dir=data_dir,
                network=self.network,
                threshold=int(self.synchronization_threshold),
                peers=endpoints.peers(context, self.peers, "node"),
                metrics_addr=address["metrics"],
            ),
        )
        if self.dal_cryptobox_parameters is not None:
            _switch_dal_on(context, configuration, self.network, release, self.dal_cryptobox_parameters)
        if snapshot is not None and not os.path.isdir(os.path.join(data_dir, "store")):
            context.progress("importing %s" % os.path.basename(snapshot))
            await programs.run(context, argv.node_snapshot_import(program, data_dir=data_dir, snapshot=snapshot))
        process = await daemons.start(
            context,
            "node",
            process_name,
            argv.node_run(
                program,
                release,
                data_dir=data_dir,
                net_addr=address["net"],
                metrics_addr=address["metrics"],
                rpc_addr=address["rpc"],
                history_mode=self.history_mode,
            ),
        )
        url = context.to_reach(ports["rpc"]).url + "/version"

        async def answers() -> bool:
            return await daemons.answer(context, url) is not None

        await daemons.wait_ready(
            context,
            process,
            text=r"[Tt]he Tezos node is now running|node_is_ready",
            probe=answers,
            waiting_for="%s (%s) to answer on port %d" % (name, show(release), ports["rpc"]),
            timeout_s=self.ready_timeout,
            used_ports=list(ports.values()),
        )
        context.announce("node", name, ports, process=process)
        return {"rpc_port": ports["rpc"], "metrics_port": ports["metrics"], "net_port": ports["net"], "name": name}


def _switch_dal_on(context: Context, path: str, network: str, release: Release, cryptobox: Dict[str, Any]) -> None:
    """Put the DAL's section into a node's configuration file, as the original of that release did.

    Up to v22 that makes the network the sandbox, whatever its name: it is how a chain with mainnet's constants is
    activated by the public key of sandboxes. From v23 on the network stays, and one known by name has the DAL on.
    """
    with open(path, encoding="utf-8") as file:
        configuration = json.load(file)
    if not has(release, "node keeps its network with DAL"):
        if network.lower() != "sandbox":
            context.log(
                "dal_cryptobox_parameters: on %s the network is the sandbox, with DAL, in place of %s"
                % (show(release), network)
            )
        configuration["network"] = dict(_SANDBOX_NETWORK)
    elif not isinstance(configuration.get("network"), dict):
        if network.lower() != "sandbox":
            context.log(
                "dal_cryptobox_parameters: on %s the network %s stays (up to v22 the sandbox took its place), "
                "so the activator of sandboxes cannot activate a protocol on it" % (show(release), network)
            )
        return
    dal: Dict[str, Any] = {"activated": True, "bootstrap_peers": []}
    if not has(release, "node mocks SRS by flag"):
        dal["use_mock_srs_for_testing"] = {name: _integer(name, cryptobox[name]) for name in CRYPTOBOX}
    elif not has(release, "node mocks no SRS"):
        dal["use_mock_srs_for_testing"] = True
    configuration["network"]["dal_config"] = dal
    wallets.write_private(path, json.dumps(configuration, indent=2))


def _integer(name: str, value: Any) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise ProcedureFailed(
            "dal_cryptobox_parameters.%s: %r is not an integer" % (name, value), kind="refused"
        ) from None


class WaitForBootstrapped(Procedure):
    """Wait until a node says that it is synchronised with its network."""

    procedure = "tezos.wait_for_bootstrapped"

    path_client: Field[Uri] = Field("str", "The octez-client program.", required=True, uri="file")
    endpoint: Field[Uri] = Field("str", "The node.", required=True, uri="node")

    async def run(self, context: Context) -> None:
        client = await programs.program(context, self.path_client, "octez-client")
        endpoint = endpoints.endpoint(context, self.endpoint, "node")
        since = time.monotonic()
        while await _is_behind(context, endpoint, time.monotonic() - since):
            await context.sleep(_LOOK_EVERY_S)
        await programs.client(context, client, ["bootstrapped"], endpoint=endpoint)


async def _is_behind(context: Context, endpoint: str, elapsed_s: float) -> bool:
    """Tell whether a node says that it is not in step yet, and report how far it is.

    A node that does not answer is not called behind: the client finds out why.
    """
    state = await daemons.answer(context, endpoint + "/chains/main/is_bootstrapped")
    if not isinstance(state, dict) or (state.get("bootstrapped") and state.get("sync_state") == "synced"):
        return False
    header = await daemons.answer(context, endpoint + "/chains/main/blocks/head/header")
    peers = await daemons.answer(context, endpoint + "/network/connections")
    level = header.get("level") if isinstance(header, dict) else "unknown"
    count = len(peers) if isinstance(peers, list) else 0
    context.progress("%.0f s: level %s, %d peers, %s" % (elapsed_s, level, count, state.get("sync_state")))
    return True


class ActivateProtocol(Procedure):
    """Activate a protocol on a chain at genesis, with the published activator key of sandboxes."""

    procedure = "tezos.activate_protocol"

    endpoint: Field[Uri] = Field("str", "The node.", required=True, uri="node")
    path_client: Field[Uri] = Field("str", "The octez-client program.", required=True, uri="file")
    protocol: Field[str] = Field(
        "str",
        "The protocol; the client and the node have to know it.",
        required=True,
        template=False,
        choices=tuple(PROTOCOLS),
    )
    parameter_file: Field[Uri] = Field("str", "The protocol's parameters, on this agent.", required=True, uri="file")

    async def run(self, context: Context) -> None:
        client = await programs.program(context, self.path_client, "octez-client")
        endpoint = endpoints.endpoint(context, self.endpoint, "node")
        parameters = endpoints.own_path(context, self.parameter_file, "parameter_file")
        if not os.path.isfile(parameters):
            raise ProcedureFailed(
                "there is no parameter file %s" % parameters,
                kind="path",
                hint="`tezos.generate_protocol_parameters_file` makes one: its result names it",
            )
        wallet = context.data_dir("octez-client-activator")
        wallets.write_default(wallet)
        release = await programs.release_of(context, client)
        timestamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 5))
        await programs.client(
            context,
            client,
            argv.activate_protocol(release, protocol=self.protocol, parameter_file=parameters, timestamp=timestamp),
            base_dir=wallet,
            endpoint=endpoint,
        )
