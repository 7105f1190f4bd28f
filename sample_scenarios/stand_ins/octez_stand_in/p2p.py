"""How nodes follow one another: JSON lines over TCP between peers, and a tree in which one root makes the blocks.

Every node tells its neighbours its path to the root that it knows. The best path (smallest root, then shortest) wins,
and a path that goes through oneself is never taken, so the nodes of a network agree on one tree. Delegates that bake
behind a node are told upward; blocks and operations go everywhere.
"""

from __future__ import annotations

import json
import random
import socket
import threading
import time

from . import addresses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Set

    from .chain import Chain

    Json = Dict[str, Any]

DEFAULT_PORT = 9732
SEND_TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 5.0
REDIAL_S = (0.3, 2.0)


class Link:
    """One connected peer."""

    def __init__(self, connection: socket.socket, incoming: bool) -> None:
        self.connection = connection
        self.incoming = incoming
        self.peer_id = ""
        self.path: List[str] = []
        self.level = -1
        self.told_delegates: Set[str] = set()
        self._send_lock = threading.Lock()

    def send(self, message: Json) -> None:
        """Send one message; a broken link is noticed by its reader."""
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        try:
            with self._send_lock:
                self.connection.sendall(data)
        except OSError:
            self.close()

    def close(self) -> None:
        """Break the link, waking its reader."""
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Network:
    """The peers of one node."""

    def __init__(self, chain: Chain, peer_id: str, peers: List[str], listen: str | None) -> None:
        """Bind at once. Raises addresses.CannotListen."""
        self.chain = chain
        self.peer_id = peer_id
        self._peers = peers
        self._lock = threading.RLock()
        self._links: Dict[str, Link] = {}
        self._path = [peer_id]
        self._listener: socket.socket | None = None
        if listen is not None:
            host, port = addresses.parse(listen, DEFAULT_PORT)
            self._listener = addresses.listen(host, port)
        chain.on_head.append(lambda head: self._spread_head())
        chain.on_operation = lambda operation: self._spread({"operation": operation}, None)
        chain.on_delegates = self._settle

    def start(self) -> None:
        """Accept and call peers from now on."""
        if self._listener is not None:
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        for peer in self._peers:
            threading.Thread(target=self._dial, args=(peer,), daemon=True).start()

    def connections(self) -> List[Json]:
        """List the peers that are connected."""
        with self._lock:
            return [{"incoming": link.incoming, "peer_id": name} for name, link in self._links.items()]

    def peers_in_step(self, level: int) -> int:
        """Count the peers whose head is not ahead of that level."""
        with self._lock:
            return sum(1 for link in self._links.values() if link.level <= level)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection, True), daemon=True).start()

    def _dial(self, peer: str) -> None:
        host, port = addresses.peer(peer)
        port = port or DEFAULT_PORT
        while True:
            try:
                connection = socket.create_connection((host, port), CONNECT_TIMEOUT_S)
            except OSError:
                pass
            else:
                self._talk(connection, False)
            # Jitter, so that two nodes which call each other at once do not do so for ever.
            time.sleep(random.uniform(*REDIAL_S))

    def _talk(self, connection: socket.socket, incoming: bool) -> None:
        link = Link(connection, incoming)
        connection.settimeout(SEND_TIMEOUT_S)
        link.send({"hello": {"peer_id": self.peer_id, "chain_id": self.chain.chain_id()}})
        try:
            with connection, connection.makefile("rb") as reader:
                first = json.loads(reader.readline().decode("utf-8") or "{}").get("hello", {})
                if first.get("chain_id") != self.chain.chain_id() or not self._join(link, str(first.get("peer_id"))):
                    return
                connection.settimeout(None)
                try:
                    for line in reader:
                        self._receive(link, json.loads(line.decode("utf-8")))
                finally:
                    self._leave(link)
        except (OSError, ValueError):
            return

    def _join(self, link: Link, peer_id: str) -> bool:
        link.peer_id = peer_id
        with self._lock:
            if peer_id == self.peer_id or peer_id in self._links:
                return False
            self._links[peer_id] = link
            link.send({"path": self._path})
        link.send({"head": self.chain.head["level"]})
        for operation in self.chain.pending():
            link.send({"operation": operation})
        self._settle()
        return True

    def _leave(self, link: Link) -> None:
        with self._lock:
            self._links.pop(link.peer_id, None)
        self.chain.set_remote_delegates(link.peer_id, set())
        self._settle()

    def _receive(self, link: Link, message: Json) -> None:
        for kind, value in message.items():
            if kind == "path":
                link.path = value
                self._settle()
            elif kind == "delegates":
                self.chain.set_remote_delegates(link.peer_id, set(value))
                self._settle()
            elif kind == "head":
                link.level = value
                if value > self.chain.head["level"]:
                    link.send({"want_chain": True})
            elif kind == "block":
                self._receive_block(link, value)
            elif kind == "want_chain":
                link.send({"chain": self.chain.whole()})
            elif kind == "chain":
                self._receive_chain(value)
            elif kind == "operation" and self.chain.relay(value):
                self._spread(message, link)

    def _receive_block(self, link: Link, block: Json) -> None:
        link.level = block["level"]
        with self.chain.changed:
            head = self.chain.head
            if block["level"] <= head["level"]:
                return
            if block["predecessor"] == head["hash"]:
                self.chain.add(block)
                return
        link.send({"want_chain": True})

    def _receive_chain(self, whole: Json) -> None:
        with self.chain.changed:
            if whole["state"]["head"]["level"] > self.chain.head["level"]:
                self.chain.adopt(whole["state"], whole["blocks"])

    def _spread_head(self) -> None:
        self._spread({"block": self.chain.block("head")}, None)

    def _spread(self, message: Json, source: Link | None) -> None:
        with self._lock:
            links = list(self._links.values())
        for link in links:
            if link is not source:
                link.send(message)

    def _settle(self) -> None:
        """Find our place in the tree again, and tell it to those whom it concerns."""
        own = set(self.chain.own_delegates())
        behind = {name: set(group) for name, group in self.chain.remote_delegates().items()}
        with self._lock:
            paths = [[*link.path, self.peer_id] for link in self._links.values() if self.peer_id not in link.path]
            candidates = [[self.peer_id], *(path for path in paths if len(path) > 1)]
            best = min(candidates, key=lambda path: (path[0], len(path), path))
            if best != self._path:
                self._path = best
                for link in self._links.values():
                    link.send({"path": best})
            parent = best[-2] if len(best) > 1 else ""
            for name, link in self._links.items():
                ours: Set[str] = set()
                if name == parent:
                    ours = own.union(*(group for child, group in behind.items() if child != name))
                if ours != link.told_delegates:
                    link.told_delegates = ours
                    link.send({"delegates": sorted(ours)})
        self.chain.take_turns(not parent)
