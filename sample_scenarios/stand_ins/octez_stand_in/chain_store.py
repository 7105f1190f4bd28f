"""The chain on disk: blocks appended to one file, the state replaced in another, so that a killed node comes back."""

from __future__ import annotations

import json
import os

from . import ledger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    Json = Dict[str, Any]

KEPT_BLOCKS = 2048


class ChainStore:
    """The directory `store` of a node's data directory."""

    def __init__(self, data_dir: str) -> None:
        self.directory = os.path.join(data_dir, "store")
        self._state_file = os.path.join(self.directory, "state.json")
        self._blocks_file = os.path.join(self.directory, "blocks.jsonl")

    def exists(self) -> bool:
        """Tell whether a chain has been written here."""
        return os.path.exists(self._state_file)

    def load(self) -> tuple[Json, List[Json]]:
        """Read the state and its last blocks. Blocks beyond the state, or cut short by a crash, do not count."""
        with open(self._state_file, encoding="utf-8") as stream:
            state: Json = json.load(stream)
        blocks: Dict[int, Json] = {}
        with open(self._blocks_file, encoding="utf-8") as stream:
            for line in stream:
                if line.endswith("\n"):
                    block = json.loads(line)
                    if block["level"] <= state["head"]["level"]:
                        blocks[block["level"]] = block
        return state, [blocks[level] for level in sorted(blocks)][-KEPT_BLOCKS:]

    def replace(self, state: Json, blocks: List[Json]) -> None:
        """Write a whole chain in the place of what was there."""
        os.makedirs(self.directory, exist_ok=True)
        _write_whole(self._blocks_file, b"".join(ledger.canonical(block) + b"\n" for block in blocks))
        _write_whole(self._state_file, ledger.canonical(state))

    def append(self, state: Json, block: Json) -> None:
        """Write one more block, then the state that holds it."""
        with open(self._blocks_file, "ab") as stream:
            stream.write(ledger.canonical(block) + b"\n")
        _write_whole(self._state_file, ledger.canonical(state))


def _write_whole(path: str, data: bytes) -> None:
    temporary = f"{path}.{os.getpid()}.tmp"
    with open(temporary, "wb") as stream:
        stream.write(data)
    os.replace(temporary, path)
