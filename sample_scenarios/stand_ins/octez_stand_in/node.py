"""The stand-in of octez-node: its commands, and the run of a node."""

from __future__ import annotations

import json
import os
import threading

from . import (
    addresses,
    arguments,
    chain_store,
    data_dir,
    events,
    lifecycle,
    metrics,
    networks,
    node_config,
    p2p,
    releases,
)
from .arguments import UsageError
from .chain import Chain
from .http_server import Server
from .lifecycle import Failure
from .node_rpc import NodeRpc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List

    Json = Dict[str, Any]

DEFAULT_RPC_PORT = 8732
DEFAULT_SYNC_THRESHOLD = 4
# Without the option, releases that have a limit apply this one.
DEFAULT_RPC_CONNECTIONS = 100
STORE_VERSION = {"version": "3.2"}


def main(words: List[str], release: releases.Release, behaviour: lifecycle.Behaviour) -> int:
    """Run one command; gives the exit code."""
    commands: Dict[tuple[str, ...], tuple[List[arguments.Option], Callable[..., int]]] = {
        ("config", "init"): (node_config.SETTINGS, _config_init),
        ("config", "reset"): (node_config.SETTINGS, _config_reset),
        ("config", "update"): (node_config.SETTINGS, _config_update),
        ("config", "show"): (node_config.SETTINGS, _config_show),
        ("identity", "generate"): (node_config.IDENTITY, _identity_generate),
        ("identity", "show"): (node_config.IDENTITY, _identity_show),
        ("snapshot", "import"): (node_config.SNAPSHOT_IMPORT, _snapshot_import),
        ("snapshot", "export"): (node_config.SNAPSHOT_EXPORT, _snapshot_export),
    }
    if words[:1] == ["run"]:
        values, positionals = arguments.unix(words[1:], node_config.SETTINGS + node_config.RUN_ONLY, release)
        _refuse(positionals)
        return Run(values, release, behaviour).main()
    found = commands.get(tuple(words[:2]))
    if found is None:
        raise UsageError(f"unknown command {' '.join(words[:2])!r}" if words else "missing command")
    options, run = found
    values, positionals = arguments.unix(words[2:], options, release)
    return run(values, positionals, release)


def _refuse(positionals: List[str]) -> None:
    if positionals:
        raise UsageError(f"too many arguments, don't know what to do with '{positionals[0]}'")


def _network_name(config: Json) -> str:
    network = config.get("network", "mainnet")
    return str(network if isinstance(network, str) else network["chain_name"])


def _config_init(values: Json, positionals: List[str], release: releases.Release) -> int:
    _refuse(positionals)
    path = node_config.path_of(values)
    if os.path.exists(path):
        raise Failure(f"Pre-existing configuration file at {path}, use `reset`.")
    return _write_config(values, release, "Created")


def _config_reset(values: Json, positionals: List[str], release: releases.Release) -> int:
    _refuse(positionals)
    return _write_config(values, release, "Reset")


def _write_config(values: Json, release: releases.Release, verb: str) -> int:
    config = node_config.build(values, release)
    node_config.validate(config)
    path = node_config.path_of(values)
    node_config.write(path, config)
    events.complain(f"{verb} {path} for network: {_network_name(config)}.")
    return 0


def _config_update(values: Json, positionals: List[str], release: releases.Release) -> int:
    _refuse(positionals)
    path = node_config.path_of(values)
    config = node_config.load(path, release)
    node_config.overlay(config, values)
    node_config.validate(config)
    node_config.write(path, config)
    events.complain(f"Updated {path}.")
    return 0


def _config_show(values: Json, positionals: List[str], release: releases.Release) -> int:
    _refuse(positionals)
    config = node_config.load(node_config.path_of(values), release)
    node_config.overlay(config, values)
    events.say(json.dumps(config, indent=2))
    return 0


def _identity_generate(values: Json, positionals: List[str], release: releases.Release) -> int:
    if len(positionals) > 1:
        _refuse(positionals[1:])
    directory = node_config.data_dir_of(values)
    if os.path.exists(os.path.join(directory, "identity.json")):
        raise Failure(f"Cannot generate a new identity file in {directory}: one exists already")
    target = arguments.number(positionals[0]) if positionals else 26.0
    node_config.identity(directory, target)
    events.complain(f"Stored the new identity into '{os.path.join(directory, 'identity.json')}'.")
    return 0


def _identity_show(values: Json, positionals: List[str], release: releases.Release) -> int:
    _refuse(positionals)
    directory = node_config.data_dir_of(values)
    if not os.path.exists(os.path.join(directory, "identity.json")):
        raise Failure(f"Cannot read the identity file in {directory}: run 'identity generate' first")
    events.say(f"Peer_id: {node_config.identity(directory, 0)['peer_id']}.")
    return 0


def _snapshot_export(values: Json, positionals: List[str], release: releases.Release) -> int:
    if len(positionals) > 1:
        _refuse(positionals[1:])
    directory = node_config.data_dir_of(values)
    store = chain_store.ChainStore(directory)
    if not store.exists():
        raise Failure(f"No chain to export in {directory}")
    state, blocks = store.load()
    config = node_config.load(node_config.path_of(values), release)
    head = state["head"]
    path = positionals[0] if positionals else f"{_network_name(config)}-{head['hash']}-{head['level']}.full"
    if os.path.exists(path):
        raise Failure(f"{path} exists already")
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(
            {
                "stand_in_snapshot": networks.chain_name(config.get("network", "mainnet")),
                "state": state,
                "blocks": blocks,
            },
            stream,
        )
    events.complain(f"Successful export: {path}")
    return 0


def _snapshot_import(values: Json, positionals: List[str], release: releases.Release) -> int:
    if not positionals:
        raise UsageError("missing argument: the snapshot to import")
    _refuse(positionals[1:])
    directory = node_config.data_dir_of(values)
    config = node_config.load(node_config.path_of(values), release)
    try:
        with open(positionals[0], encoding="utf-8") as stream:
            snapshot = json.load(stream)
        network, state, blocks = snapshot["stand_in_snapshot"], snapshot["state"], snapshot["blocks"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failure(f"Cannot read the snapshot {positionals[0]}: {error}") from None
    chain_name = networks.chain_name(config.get("network", "mainnet"))
    if network != chain_name:
        raise Failure(f"The snapshot is of the network {network}, the node is for {chain_name}")
    if values.get("block", state["head"]["hash"]) != state["head"]["hash"]:
        raise Failure(f"The snapshot's block is {state['head']['hash']}, not {values['block']}")
    store = chain_store.ChainStore(directory)
    if store.exists() and store.load()[0]["head"]["level"] > 0:
        raise Failure(f"The data directory {directory} is not empty: a snapshot needs a fresh one")
    store.replace(state, blocks)
    events.complain(f"Successful import from file {positionals[0]}")
    return 0


class Run:
    """One run of a node, from its configuration to its end."""

    def __init__(self, values: Json, release: releases.Release, behaviour: lifecycle.Behaviour) -> None:
        self.release = release
        self.data_dir = node_config.data_dir_of(values)
        self.config = node_config.load(node_config.path_of(values), release)
        self._check_network(values)
        node_config.overlay(self.config, values)
        node_config.validate(self.config)
        self.log = events.Log(release, "node.main")
        self.life = lifecycle.Life(behaviour, self.log)

    def _check_network(self, values: Json) -> None:
        if "network" not in values:
            return
        try:
            asked = networks.read(values["network"], self.release)
        except networks.Invalid as error:
            raise UsageError(f"option '--network': {error}") from None
        if asked != self.config.get("network", "mainnet"):
            raise Failure(f"The data directory is for {_network_name(self.config)}, not for {values['network']}")

    def main(self) -> int:
        """Run until something ends the process."""
        self.life.begin()
        self.life.run(self._work)
        return 0

    def _work(self) -> None:
        self.log.notice("starting_node", f"starting the Octez node v{self.release.text} ({releases.COMMIT})")
        data_dir.lock(self.data_dir)
        with open(os.path.join(self.data_dir, "version.json"), "w", encoding="utf-8") as stream:
            json.dump(STORE_VERSION, stream)
        network_file = self.config.get("network", "mainnet")
        self.chain = Chain(chain_store.ChainStore(self.data_dir), networks.Genesis(network_file), self.release)
        self._listen()
        self.chain.on_head.append(self._on_head)
        threading.Thread(target=self.chain.bake_forever, daemon=True).start()
        self.log.notice("node_is_ready", "the Tezos node is now running")

    def _listen(self) -> None:
        shell, peer_to_peer = self.config["shell"], self.config["p2p"]
        identity = node_config.identity(self.data_dir, peer_to_peer.get("expected-proof-of-work", 26.0))
        listen = peer_to_peer.get("listen-addr", addresses.shown("::", p2p.DEFAULT_PORT))
        try:
            self.network = p2p.Network(self.chain, identity["peer_id"], peer_to_peer.get("bootstrap-peers", []), listen)
        except addresses.CannotListen as error:
            raise Failure(_no_peers(error, listen)) from None
        threshold = shell.get("chain_validator", {}).get("synchronisation_threshold", DEFAULT_SYNC_THRESHOLD)
        history = shell.get("history_mode", "full")
        self.rpc = NodeRpc(self.chain, self.network, self.release, threshold, history)
        self._open_rpc()
        for address in self.config.get("metrics_addr", []):
            try:
                metrics.serve(address, self._metrics)
            except ValueError as error:
                raise Failure(f"Failed to parse address '{address}': {error}") from None
            except addresses.CannotListen as error:
                raise Failure(f"Cannot serve metrics on {error}") from None
        self.network.start()

    def _open_rpc(self) -> None:
        rpc = self.config["rpc"]
        limit = rpc.get("max_active_rpc_connections", DEFAULT_RPC_CONNECTIONS)
        if self.release.level < 20:
            limit = None
        allowed = {entry["address"] for entry in rpc.get("acl", [])}
        for address in [*rpc.get("listen-addrs", []), *rpc.get("external-listen-addrs", [])]:
            host, port = addresses.parse(address, DEFAULT_RPC_PORT)
            allow_all = addresses.is_loopback(host) or address in allowed
            try:
                Server(host, port, self.rpc.guarded(allow_all), limit).start()
            except addresses.CannotListen as error:
                raise Failure(_no_rpc(error, address)) from None
            self.log.notice("starting_rpc_server", f"starting RPC server on {address} (acl = {_acl_name(allow_all)})")

    def _on_head(self, head: Json) -> None:
        value = {"view": {"hash": head["hash"], "level": head["level"]}, "level": head["level"]}
        self.log.notice("head_increment", f"head is now {head['hash'][:12]} ({head['level']})", value)
        self.life.reached(head["level"])

    def _metrics(self) -> List[metrics.Metric]:
        version = {"version": self.release.text, "chain_id": self.chain.chain_id(), "commit_hash": releases.COMMIT}
        level = self.chain.head["level"]
        synced = float(self.rpc.is_bootstrapped())
        peers = len(self.network.connections())
        pending = len(self.chain.pending())
        return [
            metrics.Metric("octez_version", "Node version", 0, version),
            metrics.Metric("octez_validator_chain_head_level", "Level of the current node's head", level),
            metrics.Metric("octez_validator_chain_is_bootstrapped", "Returns 1 if the node has bootstrapped", synced),
            metrics.Metric("octez_p2p_connections_active", "Number of active connections", peers),
            metrics.Metric("octez_mempool_pending_validated", "Mempool validated operations count", pending),
        ]


def _no_peers(error: addresses.CannotListen, address: str) -> str:
    """Say why peers cannot call; that another node has the port is said only when it is so."""
    if error.is_unknown:
        return f'Cannot resolve P2P listening address: "{address}"'
    text = (
        f"An error occured while initializing P2P server on this address: {error.address}.\n  Reason: {error.reason}."
    )
    if error.is_taken:
        text += "\n  Another tezos node is probably running on this address."
        text += "\n  Please choose another P2P port using --net-addr."
    return text


def _no_rpc(error: addresses.CannotListen, address: str) -> str:
    """Say why there is no RPC server."""
    if error.is_unknown:
        return f'Cannot resolve listening address: "{address}"'
    if error.is_taken:
        text = f"Another tezos node is probably running on one of these addresses ({error.address})."
        return f"{text} Please choose another RPC port."
    return f"Cannot serve RPCs on {error}"


def _acl_name(allow_all: bool) -> str:
    return "AllowAll" if allow_all else "Secure"
