"""The chain of a running node: the state in memory, waiting operations, bakers, and whoever follows the head."""

from __future__ import annotations

import os
import threading
import time

from . import base58, http_server, ledger, networks, parameters, releases
from .chain_store import KEPT_BLOCKS, ChainStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any, Callable, Dict, List, Set

    Json = Dict[str, Any]

BLOCK_DELAY_VARIABLE = "OCTEZ_STAND_IN_BLOCK_DELAY_S"


class Chain:
    """One node's view of the chain. Every method may be called from any thread."""

    def __init__(self, store: ChainStore, genesis: networks.Genesis, release: releases.Release) -> None:
        self.genesis = genesis
        self.release = release
        self.heads = http_server.Hub()
        self.baker_streams = http_server.Hub()
        self.changed = threading.Condition(threading.RLock())
        # Told of every new head, and of operations and delegates that came from our own users.
        self.on_head: List[Callable[[Json], None]] = []
        self.on_operation: Callable[[Json], None] = lambda operation: None
        self.on_delegates: Callable[[], None] = lambda: None
        # A node that follows another one leaves the making of blocks to it.
        self.makes_blocks = True
        self._remote_delegates: Dict[str, Set[str]] = {}
        self._own_delegates: Dict[int, Set[str]] = {}
        self._pending: Dict[str, Json] = {}
        self._store = store
        self._by_level: Dict[int, Json] = {}
        self._level_by_hash: Dict[str, int] = {}
        self._head_at = 0.0
        self._next_baker = 0
        self._load()

    def _load(self) -> None:
        if self._store.exists():
            state, blocks = self._store.load()
            self.ledger = ledger.Ledger(state)
        else:
            self.ledger = ledger.Ledger.at_genesis(self.genesis)
            blocks = [self.ledger.head]
            self._store.replace(self.ledger.state, blocks)
        self._index(blocks)

    def _index(self, blocks: List[Json]) -> None:
        self._by_level = {block["level"]: block for block in blocks}
        self._level_by_hash = {block["hash"]: block["level"] for block in blocks}

    # What may be asked.

    @property
    def head(self) -> Json:
        """The last block."""
        return self.ledger.head

    def block(self, name: str) -> Json | None:
        """Find a block by `head`, `genesis`, `head~n`, `head-n`, its level or its hash."""
        with self.changed:
            base, _, back = name.replace("-", "~").partition("~")
            level = self._level_of(base)
            if level is None or (back and not back.isdigit()):
                return None
            return self._by_level.get(level - int(back or 0))

    def _level_of(self, base: str) -> int | None:
        if base == "head":
            return int(self.head["level"])
        if base == "genesis":
            return 0
        return int(base) if base.isdigit() else self._level_by_hash.get(base)

    def chain_id(self) -> str:
        """Name the chain by its genesis."""
        return base58.encode("chain", base58.digest(f"{self.genesis.block} {self.genesis.name}".encode())[:4])

    def pending(self) -> List[Json]:
        """List the operations that wait for a block."""
        with self.changed:
            return list(self._pending.values())

    def online_delegates(self) -> List[str]:
        """List the delegates that bakers are running for, here or behind the nodes that follow us."""
        with self.changed:
            online: Set[str] = set()
            for group in (*self._own_delegates.values(), *self._remote_delegates.values()):
                online |= group
            return sorted(online & set(self.ledger.delegates()))

    def own_delegates(self) -> List[str]:
        """List the delegates whose bakers are connected to this node."""
        with self.changed:
            return sorted(set().union(*self._own_delegates.values()))

    def remote_delegates(self) -> Dict[str, Set[str]]:
        """Give the delegates that bake behind each node that follows us."""
        with self.changed:
            return dict(self._remote_delegates)

    def head_line(self) -> bytes:
        """Write the head as the stream of heads shows it."""
        return ledger.canonical(ledger.header(self.head)) + b"\n"

    # What users do.

    def follow_heads(self, connection: socket.socket, when_gone: Callable[[], None]) -> None:
        """Stream the head, and every later one, to this connection."""
        with self.changed:
            self.heads.add(connection, when_gone, self.head_line())

    def bake_for(self, delegates: Set[str], connection: socket.socket, when_gone: Callable[[], None]) -> None:
        """Make blocks for these delegates for as long as the connection lasts."""
        key = id(connection)

        def gone() -> None:
            with self.changed:
                self._own_delegates.pop(key, None)
            when_gone()
            self.on_delegates()

        with self.changed:
            self._own_delegates[key] = delegates
            self.baker_streams.add(connection, gone, self.head_line())
            self.changed.notify_all()
        self.on_delegates()

    def activate(self, protocol_hash: str, given: Json, timestamp: str, public_key: str) -> Json:
        """Activate a protocol at genesis. Raises OperationRefused."""
        known = {protocol.hash: protocol for protocol in releases.embedded(self.release)}
        with self.changed:
            if self.ledger.is_active:
                raise ledger.OperationRefused("node.activation", "a protocol is active already")
            if public_key != self.genesis.activator:
                raise ledger.OperationRefused("block.invalid_signature", "Invalid signature for the genesis key")
            if protocol_hash not in known:
                raise ledger.OperationRefused("protocol.unknown", f"Unknown protocol {protocol_hash}")
            try:
                parameters.check(given, known[protocol_hash], self.release)
            except parameters.Refused as error:
                text = f"Invalid protocol parameters: {error}"
                raise ledger.OperationRefused("invalid_protocol_parameters", text) from None
            block = self.ledger.activation_block(protocol_hash, given, timestamp)
            self.add(block)
            return block

    def inject(self, operation: Json) -> Json:
        """Keep one of our users' operations for the next block; gives its receipt. Raises OperationRefused."""
        receipt = self._keep(operation)
        self.on_operation(operation)
        return receipt

    def relay(self, operation: Json) -> bool:
        """Keep another node's operation; tells whether it was new and acceptable."""
        with self.changed:
            if operation["hash"] in self._pending:
                return False
            try:
                self._keep(operation)
            except ledger.OperationRefused:
                return False
            return True

    def _keep(self, operation: Json) -> Json:
        with self.changed:
            receipt = self.ledger.check(operation)
            for other in self._pending.values():
                if other["source"] == operation["source"]:
                    text = f"The operation {operation['hash']} cannot be added because the mempool already contains a"
                    text += " conflicting operation" + self._advice(other)
                    raise ledger.OperationRefused("prevalidation.operation_conflict", text)
            self._pending[operation["hash"]] = operation
            return receipt

    def _advice(self, other: Json) -> str:
        """Say how a waiting operation could be replaced, in the words of the release."""
        if not self.release.at_least(18):
            return " that should not be replaced (e.g. an operation from the same manager with better fees)."
        needed = -(-other["fee"] * 105 // 100)
        return f". To replace the latter, this particular operation would need a total fee of at least {needed} mutez."

    # How the chain grows.

    def add(self, block: Json) -> None:
        """Make a block the head: on disk, in memory, and on every stream."""
        with self.changed:
            self.ledger.add(block)
            self._by_level[block["level"]] = block
            self._level_by_hash[block["hash"]] = block["level"]
            forgotten = self._by_level.pop(block["level"] - KEPT_BLOCKS, None)
            if forgotten is not None:
                self._level_by_hash.pop(forgotten["hash"], None)
            for operation in block["operations"]:
                self._pending.pop(operation["hash"], None)
            self._store.append(self.ledger.state, block)
            self._announce()

    def adopt(self, state: Json, blocks: List[Json]) -> None:
        """Take over a longer chain as a whole."""
        with self.changed:
            self.ledger = ledger.Ledger(state)
            self._index(blocks)
            self._pending.clear()
            self._store.replace(state, blocks)
            self._announce()

    def whole(self) -> Json:
        """Give everything that `adopt` needs."""
        with self.changed:
            return {"state": self.ledger.state, "blocks": [self._by_level[level] for level in sorted(self._by_level)]}

    def _announce(self) -> None:
        self._head_at = time.monotonic()
        self._drop_hopeless()
        self.heads.publish(self.head_line())
        self.baker_streams.publish(self.head_line())
        self.changed.notify_all()
        for listener in self.on_head:
            listener(self.head)

    def _drop_hopeless(self) -> None:
        """Forget the waiting operations that the new state would refuse."""
        for name, operation in list(self._pending.items()):
            try:
                self.ledger.check(operation)
            except ledger.OperationRefused:
                del self._pending[name]

    def take_turns(self, makes_blocks: bool) -> None:
        """Say whether blocks are made here, or by the node that we follow."""
        with self.changed:
            self.makes_blocks = makes_blocks
            self.changed.notify_all()

    def set_remote_delegates(self, peer: str, delegates: Set[str]) -> None:
        """Note for whom bakers are running behind a node that follows us."""
        with self.changed:
            self._remote_delegates.pop(peer, None)
            if delegates:
                self._remote_delegates[peer] = delegates
            self.changed.notify_all()

    def block_delay_s(self) -> float:
        """The time between two blocks: the activated one, unless the environment says otherwise."""
        forced = os.environ.get(BLOCK_DELAY_VARIABLE)
        return float(forced) if forced else float(self.ledger.constant("minimal_block_delay", "1"))

    def has_quorum(self) -> bool:
        """Tell whether the running bakers have the power that the consensus threshold asks for, and any at all."""
        power = self.ledger.delegates()
        online = sum(power[delegate] for delegate in self.online_delegates())
        wanted = self.ledger.constant("consensus_threshold_size", self.ledger.constant("consensus_threshold", 0))
        committee = self.ledger.constant("consensus_committee_size", 1)
        return online > 0 and committee * online >= wanted * sum(power.values())

    def bake_forever(self) -> None:
        """Make a block whenever one is due and somebody bakes. Runs in a thread of its own."""
        with self.changed:
            while True:
                if not (self.makes_blocks and self.ledger.is_active and self.has_quorum()):
                    self.changed.wait()
                    continue
                left_s = self._head_at + self.block_delay_s() - time.monotonic()
                if self._head_at and left_s > 0:
                    self.changed.wait(left_s)
                    continue
                self._bake()

    def _bake(self) -> None:
        # A baker that has died since the last block must not bake this one.
        self.baker_streams.reap()
        if not self.has_quorum():
            return
        online = self.online_delegates()
        self._next_baker += 1
        baker = online[self._next_baker % len(online)]
        self.add(self.ledger.next_block(list(self._pending.values()), baker, ledger.utc(time.time())))
