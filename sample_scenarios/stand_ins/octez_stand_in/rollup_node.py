"""The stand-in of octez-smart-rollup-node: checks who operates what, then follows the messages on L1."""

from __future__ import annotations

import json
import os
import socket
import threading

from . import (
    addresses,
    arguments,
    base58,
    data_dir,
    events,
    follower,
    http_client,
    lifecycle,
    metrics,
    releases,
    reveal,
)
from .arguments import Sentence, UsageError, flag, natural, one_of, option
from .http_server import NOT_FOUND, UNAUTHORIZED, Request, Response, Server, as_json, chunk, stream
from .lifecycle import Failure
from .session import Session, explain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional

    Json = Dict[str, Any]

BOND_MUTEZ = 10_000_000_000
MODES = ("operator", "batcher", "observer", "maintenance", "accuser", "bailout", "custom")
BONDED_MODES = ("operator", "maintenance")
CUSTOM_OPERATIONS = ("publish", "add_messages", "cement", "timeout", "refute", "recover", "execute_outbox_message")
PURPOSES = (
    "default",
    "operating",
    "batching",
    "cementing",
    "recovering",
    "executing_outbox",
    *CUSTOM_OPERATIONS,
)

OPTIONS = [
    option("--data-dir"),
    option("--rpc-addr"),
    option("--rpc-port", natural),
    option("--metrics-addr", addresses.checked),
    flag("--log-kernel-debug"),
    option("--log-kernel-debug-file"),
    option("--dal-node"),
    option("--boot-sector-file"),
    option("--reconnection-delay", arguments.number),
    option("--injector-retention-period", natural),
    option("--loser-mode"),
    flag("--no-degraded", since=19),
    option("--gc-frequency", natural, since=19),
    option("--history-mode", one_of("archive", "full"), since=19),
    option("--acl-override", one_of("allow-all", "secure"), since=20),
    option("--pre-images-endpoint", since=20),
    flag("--apply-unsafe-patches", since=20),
    option("--config-file", since=23),
]


def main(words: List[str], release: releases.Release, behaviour: lifecycle.Behaviour) -> int:
    """Run until something ends the process."""
    session = Session(words, release)
    sentences = [
        Sentence("run {mode} for {address} with operators {operators...}", OPTIONS, lambda: None),
        Sentence("run {mode} for {address}", OPTIONS, lambda: None),
    ]
    sentence = arguments.choose(sentences, session.words)
    found, values = sentence.parse(session.words, release)
    run = Run(session, _mode(found["mode"], release), found, values, behaviour)
    run.life.begin()
    run.life.run(run.work)
    return 0


def _mode(text: str, release: releases.Release) -> str:
    mode, colon, operations = text.lower().partition(":")
    known = MODES if release.level >= 18 else tuple(name for name in MODES if name != "bailout")
    if mode not in known or (colon and mode != "custom"):
        raise UsageError(f"unknown mode '{text}', expected one of {', '.join(known)}")
    for operation in operations.split(",") if colon else []:
        if operation not in CUSTOM_OPERATIONS:
            raise UsageError(f"unknown operation '{operation}' of the custom mode")
    return mode + (f":{operations}" if colon else "")


def _needs_bond(mode: str) -> bool:
    return mode in BONDED_MODES or (mode.startswith("custom:") and "publish" in mode.split(":")[1].split(","))


class Run:
    """One run of a rollup node."""

    def __init__(self, session: Session, mode: str, found: Json, values: Json, behaviour: lifecycle.Behaviour) -> None:
        self.session = session
        self.node = session.node
        self.release = session.release
        self.mode = mode
        self.address = found["address"]
        self.values = values
        self.operators: List[str] = found.get("operators", [])
        self.data_dir = os.path.abspath(values.get("data-dir", os.path.expanduser("~/.tezos-smart-rollup-node")))
        self.processed: Optional[int] = None
        self.l1_level = 0
        self.messages: List[str] = []
        self.moved = threading.Condition()
        if not base58.is_valid("rollup", self.address):
            raise Failure(f"{self.address} is not the address of a smart rollup")
        self.log = events.Log(self.release, "smart_rollup_node")
        self.life = lifecycle.Life(behaviour, self.log)

    def work(self) -> None:
        """Start, then process every head."""
        try:
            origination = self._check_rollup()
            self._check_operators()
        except (http_client.Unreachable, http_client.Refused) as error:
            raise explain(error) from None
        self._prepare_directory()
        try:
            self._listen()
        except addresses.CannotListen as error:
            raise Failure(f"Cannot listen: {error}") from None
        self._process(origination)

    def _check_rollup(self) -> int:
        """Give the level of the rollup's origination. Raises Failure when the chain does not know it."""
        path = f"/chains/main/blocks/head/context/smart_rollups/smart_rollup/{self.address}"
        try:
            self.kernel = bytes.fromhex(self.node.get(f"{path}/kernel"))
            return int(self.node.get(f"{path}/genesis_info")["level"])
        except http_client.Refused as error:
            if error.status == 404:
                raise Failure(f"Unknown smart rollup {self.address}") from None
            raise

    def _check_operators(self) -> None:
        if not self.operators and self.mode != "observer":
            raise Failure(f"Missing operators for the mode {self.mode}")
        for text in self.operators:
            purpose, colon, name = text.partition(":")
            if colon and purpose not in PURPOSES:
                raise Failure(f"Unknown operator purpose '{purpose}'")
            address, _ = self.session.signer(name if colon else text)
            if _needs_bond(self.mode) and (not colon or purpose in ("default", "operating", "publish")):
                self._check_bond(address)

    def _check_bond(self, address: str) -> None:
        balance = int(self.node.get(f"/chains/main/blocks/head/context/contracts/{address}/balance"))
        if balance < BOND_MUTEZ:
            text = f"Operator {address} has {balance // 1_000_000} tez, staking on a commitment takes 10000"
            raise Failure(text)

    def _prepare_directory(self) -> None:
        if os.path.exists(os.path.join(self.data_dir, "identity.json")):
            raise Failure(f"{self.data_dir} is the data directory of a node")
        data_dir.lock(self.data_dir)
        metadata = os.path.join(self.data_dir, "metadata")
        if os.path.exists(metadata):
            with open(metadata, encoding="utf-8") as known:
                other = json.load(known)["rollup_address"]
            if other != self.address:
                raise Failure(f"{self.data_dir} belongs to the rollup {other}, not to {self.address}")
        with open(metadata, "w", encoding="utf-8") as written:
            json.dump({"rollup_address": self.address}, written)

    def _listen(self) -> None:
        host, port = self.values.get("rpc-addr", "127.0.0.1"), self.values.get("rpc-port", 8932)
        allow_all = addresses.is_loopback(host) or self.values.get("acl-override") == "allow-all"
        Server(host, port, self._guarded(allow_all)).start()
        if "metrics-addr" in self.values:
            metrics.serve(self.values["metrics-addr"], self._metrics)
        text = f"The smart rollup node is listening to {addresses.shown(host, port)}"
        self.log.notice("smart_rollup_node_is_ready", text, {"addr": host, "port": port})

    # Following L1.

    def _process(self, level: int) -> None:
        for head in follower.heads(self.node, self.log):
            self.l1_level = head["level"]
            while level <= head["level"]:
                self._process_level(level)
                level += 1
            with self.moved:
                self.processed = head["level"]
                self.moved.notify_all()
            self._report(head)
            self.life.reached(head["level"])

    def _process_level(self, level: int) -> None:
        self._install()
        try:
            operations = self.node.get(f"/chains/main/blocks/{level}/operations")[3]
        except (http_client.Unreachable, http_client.Refused):
            # A node that was started from a snapshot does not have the oldest blocks.
            return
        for operation in operations:
            if operation["kind"] == "smart_rollup_add_messages":
                self.messages += operation["messages"]
                self._log_messages(level, operation["messages"])

    def _install(self) -> None:
        """Let an installer kernel find its first page, as the real one would have to."""
        root_hash = reveal.root_hash_in(self.kernel)
        self.kernel = b"" if root_hash is None else self.kernel
        if root_hash is None:
            return
        path = os.path.join(self.data_dir, "wasm_2_0_0", root_hash)
        if os.path.exists(path):
            self.kernel = b""
            return
        text = f"Could not open file containing preimage of reveal hash {root_hash} ({path})"
        if "no-degraded" in self.values:
            raise Failure(text)
        self.log.error("degraded_mode", f"{text}: entering the degraded mode")

    def _log_messages(self, level: int, messages: List[str]) -> None:
        if "log-kernel-debug" not in self.values:
            return
        path = self.values.get("log-kernel-debug-file", os.path.join(self.data_dir, "kernel.log"))
        with open(path, "a", encoding="utf-8") as log:
            log.writelines(f"level {level}: message {message}\n" for message in messages)

    def _report(self, head: Json) -> None:
        level, value = head["level"], {"hash": head["hash"], "level": head["level"]}
        if self.release.level <= 18:
            self.log.notice("sc_rollup_node_layer_1_new_head_processed", f"Processed head {head['hash']}", value)
            return
        text = f"Finished processing layer 1 head {head['hash']} at level {level}"
        self.log.notice("smart_rollup_node_daemon_new_head_processed", text, value)
        if self.release.level >= 22:
            self.log.info("smart_rollup_node_daemon_loop_process_finished", f"processed up to {level}", {"to": level})

    # Answers.

    def _guarded(self, allow_all: bool) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            if not allow_all and request.method not in ("GET", "HEAD"):
                return UNAUTHORIZED
            return self._answer(request)

        return answer

    def _answer(self, request: Request) -> Response:
        if request.method != "GET":
            return NOT_FOUND
        known: Dict[str, Callable[[], Response]] = {
            "/health": lambda: as_json({"healthy": True, "degraded": False, "l1_connected": True}),
            "/version": lambda: as_json(releases.version_value(self.release)),
            "/global/smart_rollup_address": lambda: as_json(self.address),
            "/global/block/head/level": lambda: as_json(self.processed),
            "/stand_in/messages": lambda: as_json(self.messages),
        }
        if self.release.level >= 18:
            known["/global/tezos_level"] = lambda: as_json(self.processed)
        if self.release.level >= 21:
            known["/local/synchronized"] = lambda: stream(self._tell_until_synchronized)
        found = known.get(request.path)
        return NOT_FOUND if found is None else found()

    def _tell_until_synchronized(self, connection: socket.socket, when_gone: Callable[[], None]) -> None:
        """Stream how far we are, and end once there is nothing left to process."""
        try:
            with connection, self.moved:
                while self.processed is None or self.processed < self.l1_level:
                    progress: Json = {"processed_level": self.processed or 0, "l1_head_level": self.l1_level}
                    progress["percentage_done"] = 100.0 * (self.processed or 0) / max(self.l1_level, 1)
                    connection.sendall(chunk(json.dumps({"synchronizing": progress}).encode() + b"\n"))
                    self.moved.wait()
                connection.sendall(chunk(b'"synchronized"\n') + chunk(b""))
        except OSError:
            pass
        finally:
            when_gone()

    def _metrics(self) -> List[metrics.Metric]:
        version = {"version": self.release.text, "commit_hash": releases.COMMIT}
        return [
            metrics.Metric("octez_version", "Rollup node version", 0, version),
            metrics.Metric("octez_sc_rollup_node_inbox_head_level", "Last processed L1 level", self.processed or 0),
            metrics.Metric("octez_sc_rollup_node_messages", "Messages seen", len(self.messages), None, "counter"),
        ]
