"""The stand-in of octez-dal-node: its commands, its start, and what it does at each head."""

from __future__ import annotations

import os
import socket

from . import addresses, arguments, dal_config, data_dir, events, follower, http_client, lifecycle, metrics, releases
from .arguments import UsageError
from .dal_rpc import DalRpc
from .http_server import Server
from .lifecycle import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    Json = Dict[str, Any]

MISSING_SRS_VARIABLE = "OCTEZ_STAND_IN_MISSING_SRS"
ATTESTER_PERIOD_LEVELS = 150
DEFAULT_ADDITIONAL_CYCLES = 1


def main(words: List[str], release: releases.Release, behaviour: lifecycle.Behaviour) -> int:
    """Run one command; gives the exit code."""
    command = tuple(words[:1] if words[:1] == ["run"] else words[:2])
    since = {("run",): 18, ("config", "init"): 18, ("config", "update"): 22, ("config", "reset"): 25}
    if since.get(command, 999) > release.level:
        raise UsageError(f"unknown command {' '.join(command)!r}" if command else "missing command")
    options = dal_config.SETTINGS + (dal_config.RUN_ONLY if command == ("run",) else [])
    values, positionals = arguments.unix(words[len(command) :], options, release)
    if positionals:
        raise UsageError(f"too many arguments, don't know what to do with '{positionals[0]}'")
    if command == ("run",):
        return Run(values, release, behaviour).main()
    return _configure(command[1], values, release)


def _configure(verb: str, values: Json, release: releases.Release) -> int:
    path = dal_config.path_of(values)
    if verb == "update":
        config = dal_config.load(path, release)
        dal_config.overlay(config, values)
    else:
        if verb == "init" and release.level >= 25 and os.path.exists(path):
            raise Failure(f"The configuration file {path} exists already, use `config reset`")
        config = dal_config.build(values)
    dal_config.write(path, config)
    events.say(f"DAL node configuration written to {path}")
    return 0


class Run:
    """One run of a DAL node."""

    def __init__(self, values: Json, release: releases.Release, behaviour: lifecycle.Behaviour) -> None:
        self.release = release
        self.values = values
        self.data_dir = dal_config.data_dir_of(values)
        self.config = dal_config.load(dal_config.path_of(values), release)
        dal_config.overlay(self.config, values)
        try:
            self.node = http_client.Client(self.config["endpoint"])
        except ValueError as error:
            raise UsageError(f"option '--endpoint': {error}") from None
        self.log = events.Log(release, "dal.node")
        self.life = lifecycle.Life(behaviour, self.log)

    def main(self) -> int:
        """Run until something ends the process."""
        self.life.begin()
        self.life.run(self._work)
        return 0

    def _work(self) -> None:
        self.log.notice("starting_dal_node", f"starting the DAL node v{self.release.text}")
        data_dir.lock(self.data_dir)
        self._check_trusted_setup()
        for peer in self.config["peers"]:
            try:
                addresses.peer(peer)
            except ValueError as error:
                raise Failure(f"Failed to parse address '{peer}': {error}") from None
        self.rpc = DalRpc(self.node, self.config["profiles"], self.release)
        try:
            self._listen()
        except addresses.CannotListen as error:
            raise Failure(f"Cannot listen: {error}") from None
        is_ready = False
        for head in follower.heads(self.node, self.log):
            is_ready = is_ready or self._try_to_start()
            self.rpc.level = head["level"]
            if is_ready:
                self.log.info("layer1_node_new_head", f"processed head {head['level']}", {"level": head["level"]})
            self.life.reached(head["level"])

    def _check_trusted_setup(self) -> None:
        """Those who prove need a file that no stand-in has; a test may ask for its absence to be noticed."""
        profiles = self.config["profiles"]
        proves = bool(profiles["operators"] or profiles["observers"]) or self.release.level <= 19
        may_fetch = self.release.level >= 22 and self.config.get("fetch_trusted_setup", True)
        if not os.environ.get(MISSING_SRS_VARIABLE) or not proves:
            return
        if not may_fetch:
            raise Failure(
                "cannot find the trusted setup: no srsu_zcash_g1 and srsu_zcash_g2 in any of the usual places"
            )
        self.log.notice("fetching_trusted_setup", "downloading the trusted setup")

    def _listen(self) -> None:
        host, port = addresses.parse(self.config["rpc-addr"], 10732)
        allow_all = self.release.level < 25 or dal_config.allows_all(self.config, host)
        Server(host, port, self.rpc.guarded(allow_all)).start()
        self.log.notice("rpc_server_is_ready", f"the DAL node RPC server is listening on {self.config['rpc-addr']}")
        # Nothing is gossiped between stand-ins: the address is only taken.
        net_host, net_port = addresses.parse(self.config["net-addr"], 11732)
        self._peers: socket.socket = addresses.listen(net_host, net_port)
        if "metrics-addr" in self.config:
            metrics.serve(self.config["metrics-addr"], self._metrics)

    def _try_to_start(self) -> bool:
        """Become ready if the L1 node is: a protocol with a DAL, and synchronised. Tried at each head."""
        try:
            protocols = self.node.get("/chains/main/blocks/head/protocols")
            if protocols["next_protocol"] == releases.GENESIS_HASH:
                return False
            constants = self.node.get("/chains/main/blocks/head/context/constants")
            history = self.node.get("/config/history_mode")["history_mode"]
            bootstrapped = self.node.get("/chains/main/is_bootstrapped")["bootstrapped"]
        except (http_client.Unreachable, http_client.Refused):
            return False
        if not constants["dal_parametric"]["feature_enable"] or not bootstrapped:
            return False
        self._check_history(constants, history)
        self._check_profiles(constants["dal_parametric"])
        self.rpc.parameters = constants["dal_parametric"]
        event = "dal_node_is_ready" if self.release.level <= 21 else "dal_is_ready"
        suffix = f" (network, v{self.release.text})" if self.release.text == "23.0" else ""
        self.log.notice(event, f"the DAL node is ready{suffix}")
        return True

    def _check_history(self, constants: Json, history: str | Json) -> None:
        """Refuse an L1 node that forgets blocks sooner than this node's profiles may need them (v21 and later)."""
        if self.release.level < 21 or history == "archive" or "ignore-l1-history-check" in self.values:
            return
        modes = list(history.values()) if isinstance(history, dict) else []
        additional = modes[0]["additional_cycles"] if modes else DEFAULT_ADDITIONAL_CYCLES
        kept = additional + int(constants.get("blocks_preservation_cycles", 1))
        needed = -(-self._period_levels(constants) // int(constants["blocks_per_cycle"]))
        if kept < needed:
            text = (
                f"The L1 node's history mode stores block data for {kept} cycles, but the minimum required by the DAL"
            )
            text += f" node is {needed} cycles. Increase the number of cycles the L1 node stores using the CLI argument"
            raise Failure(f"{text} `--history-mode rolling:{needed}`.")

    def _period_levels(self, constants: Json) -> int:
        lag = int(constants["dal_parametric"]["attestation_lag"])
        profiles = self.config["profiles"]
        if profiles["operators"]:
            return 3 * lag + 1
        if profiles["bootstrap"] or self.release.level == 21:
            return 2 * lag
        return ATTESTER_PERIOD_LEVELS

    def _check_profiles(self, parameters: Json) -> None:
        slots = parameters["number_of_slots"]
        for index in (*self.config["profiles"]["operators"], *self.config["profiles"]["observers"]):
            if index >= slots:
                raise Failure(f"The slot index ({index}) should be smaller than the number of slots ({slots})")

    def _metrics(self) -> List[metrics.Metric]:
        version = {"version": self.release.text, "commit_hash": releases.COMMIT}
        return [
            metrics.Metric("octez_version", "DAL node version", 0, version),
            metrics.Metric("dal_node_new_layer1_head", "Level of the last L1 head", self.rpc.level),
            metrics.Metric("dal_node_is_ready", "1 once the node is ready", float(self.rpc.parameters is not None)),
            metrics.Metric(
                "dal_node_slots_received", "Slots posted since the start", self.rpc.received, None, "counter"
            ),
        ]
