"""What a node answers over HTTP: Octez's paths where one exists, and `/stand_in/...` for what is only ours."""

from __future__ import annotations

from . import ledger, releases
from .http_server import NOT_FOUND, UNAUTHORIZED, Request, Response, as_json, rpc_error, stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List

    from .chain import Chain
    from .p2p import Network

    Json = Dict[str, Any]


class NodeRpc:
    """Answers for one node. `sync_threshold` peers make it bootstrapped."""

    def __init__(
        self, chain: Chain, network: Network, release: releases.Release, sync_threshold: int, history: str
    ) -> None:
        self.chain = chain
        self.network = network
        self.release = release
        self.sync_threshold = sync_threshold
        self.history = history

    def guarded(self, allow_all: bool) -> Callable[[Request], Response]:
        """Give the handler of one address: whoever is not allowed everything may only read."""

        def answer(request: Request) -> Response:
            if not allow_all and request.method not in ("GET", "HEAD"):
                return UNAUTHORIZED
            return self.answer(request)

        return answer

    def is_bootstrapped(self) -> bool:
        """Tell whether enough peers agree that there is nothing newer."""
        return self.network.peers_in_step(self.chain.head["level"]) >= self.sync_threshold or self.sync_threshold == 0

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        parts = request.path.strip("/").split("/")
        if request.method == "POST" and parts[0] == "stand_in":
            return self._change(parts[1:], request)
        if request.method not in ("GET", "HEAD"):
            return NOT_FOUND
        if parts[:3] == ["chains", "main", "blocks"]:
            block = self.chain.block(parts[3]) if len(parts) > 3 else self.chain.head
            return NOT_FOUND if block is None else self._block(block, parts[4:], request)
        simple = self._simple().get("/".join(parts))
        return NOT_FOUND if simple is None else simple()

    def _simple(self) -> Dict[str, Callable[[], Response]]:
        return {
            "version": lambda: as_json(self._version()),
            "monitor/heads/main": lambda: stream(self.chain.follow_heads),
            "chains/main/chain_id": lambda: as_json(self.chain.chain_id()),
            "chains/main/is_bootstrapped": lambda: as_json(self._bootstrapped()),
            "chains/main/mempool/pending_operations": lambda: as_json({"validated": self.chain.pending()}),
            "config/history_mode": lambda: as_json({"history_mode": self._history()}),
            "network/connections": lambda: as_json(self.network.connections()),
            "network/self": lambda: as_json(self.network.peer_id),
            "stand_in/delegates": lambda: as_json(self.chain.online_delegates()),
        }

    def _version(self) -> Json:
        network = {"chain_name": self.chain.genesis.name, "distributed_db_version": 2, "p2p_version": 1}
        return {**releases.version_value(self.release), "network_version": network}

    def _bootstrapped(self) -> Json:
        done = self.is_bootstrapped()
        return {"bootstrapped": done, "sync_state": "synced" if done else "unsynced"}

    def _history(self) -> Json | str:
        mode, _, cycles = self.history.partition(":")
        return mode if mode == "archive" else {mode: {"additional_cycles": int(cycles or 1)}}

    # Blocks.

    def _block(self, block: Json, rest: List[str], request: Request) -> Response:
        if rest[:1] == ["context"]:
            return self._context(rest[1:], request)
        if rest == ["helpers", "current_level"]:
            if not self.chain.ledger.is_active:
                return NOT_FOUND
            offset = int(request.argument("offset") or 0)
            return as_json(self._level_info(block["level"] + offset))
        values: Dict[str, Callable[[], object]] = {
            "": lambda: self._whole(block),
            "header": lambda: self._header(block),
            "header/shell": lambda: {key: block[key] for key in ledger.SHELL_KEYS},
            "hash": lambda: block["hash"],
            "metadata": lambda: self._metadata(block),
            "protocols": lambda: {"protocol": block["protocol"], "next_protocol": block["next_protocol"]},
            "operations": lambda: _by_pass(block["operations"]),
            "operation_hashes": lambda: _by_pass([operation["hash"] for operation in block["operations"]]),
        }
        value = values.get("/".join(rest))
        return NOT_FOUND if value is None else as_json(value())

    def _whole(self, block: Json) -> Json:
        return {
            "protocol": block["protocol"],
            "chain_id": self.chain.chain_id(),
            "hash": block["hash"],
            "header": ledger.header(block),
            "metadata": self._metadata(block),
            "operations": _by_pass(block["operations"]),
        }

    def _header(self, block: Json) -> Json:
        return {"protocol": block["protocol"], "chain_id": self.chain.chain_id(), **ledger.header(block)}

    def _metadata(self, block: Json) -> Json:
        return {
            "protocol": block["protocol"],
            "next_protocol": block["next_protocol"],
            "baker": block["baker"],
            "level_info": self._level_info(block["level"]),
        }

    def _level_info(self, level: int) -> Json:
        cycle_length = int(self.chain.ledger.constant("blocks_per_cycle", 1))
        cycle, position = divmod(max(level - 1, 0), cycle_length)
        return {
            "level": level,
            "level_position": max(level - 1, 0),
            "cycle": cycle,
            "cycle_position": position,
            "expected_commitment": False,
        }

    # The head's context, whichever block was named: older contexts are not kept.

    def _context(self, rest: List[str], request: Request) -> Response:
        state = self.chain.ledger.state
        if not self.chain.ledger.is_active:
            return NOT_FOUND
        if rest == ["constants"]:
            return as_json(state["constants"])
        if rest == ["delegates"]:
            return as_json(sorted(self.chain.ledger.delegates()))
        if rest[:1] == ["contracts"] and len(rest) == 3 and rest[2] == "balance":
            account = state["accounts"].get(rest[1]) or state["contracts"].get(rest[1]) or {"balance": 0}
            return as_json(str(account["balance"]))
        if rest == ["dal", "published_slot_headers"]:
            return self._published(request.argument("level"))
        if rest[:2] == ["smart_rollups", "smart_rollup"] and len(rest) == 4:
            return self._rollup(state["rollups"].get(rest[2]), rest[3])
        return NOT_FOUND

    def _published(self, level: str | None) -> Response:
        name = str(self.chain.head["level"]) if level is None else level
        published = self.chain.ledger.state["slots"].get(name, {})
        slots = [{"version": "0", "level": int(name), "index": int(i), "commitment": c} for i, c in published.items()]
        return as_json(sorted(slots, key=lambda slot: slot["index"]))

    @staticmethod
    def _rollup(rollup: Json | None, what: str) -> Response:
        if rollup is None:
            return NOT_FOUND
        if what == "kind":
            return as_json(rollup["kind"])
        if what == "genesis_info":
            return as_json({"level": rollup["level"]})
        return as_json(rollup["kernel"]) if what == "kernel" else NOT_FOUND

    # What only stand-ins say to each other.

    def _change(self, rest: List[str], request: Request) -> Response:
        try:
            value = request.json()
            if rest == ["activate"]:
                given = [value[key] for key in ("protocol", "parameters", "timestamp", "public_key")]
                block = self.chain.activate(*given)
                return as_json({"hash": block["hash"]})
            if rest == ["simulate"]:
                with self.chain.changed:
                    return as_json(self.chain.ledger.check(value))
            if rest == ["inject"]:
                return as_json(self.chain.inject(value))
            if rest == ["bakers"]:
                delegates = set(value["delegates"])
                return stream(lambda connection, when_gone: self.chain.bake_for(delegates, connection, when_gone))
        except ledger.OperationRefused as error:
            return rpc_error(f"proto.{error.identifier}", str(error))
        except (KeyError, TypeError, ValueError) as error:
            return rpc_error("node.malformed_request", f"{type(error).__name__}: {error}", 400)
        return NOT_FOUND


def _by_pass(operations: List[Any]) -> List[List[Any]]:
    """Octez sorts operations in four passes, of which ours all belong to the last one."""
    return [[], [], [], operations]
