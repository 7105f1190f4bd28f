"""The stand-in of the bakers: octez-baker, those of one protocol, and the experimental agnostic one."""

from __future__ import annotations

import os
import time

from . import arguments, events, http_client, lifecycle, releases
from .arguments import Sentence, UsageError, flag, one_of, option
from .identity import Identity
from .lifecycle import Failure
from .session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    Json = Dict[str, Any]

VOTE = one_of("on", "off", "pass")
RETRY_FIRST_S, RETRY_FACTOR, RETRY_MOST_S = 1.0, 1.5, 10.0
OPTIONS = [
    option("--liquidity-baking-toggle-vote", VOTE),
    option("--votefile"),
    option("--adaptive-issuance-vote", VOTE, since=18, until=24),
    option("--dal-node"),
    flag("--without-dal", since=(21, 3)),
    flag("--keep-alive -K"),
    flag("--force-apply", until=20),
    option("--force-apply-from-round", arguments.natural, since=21),
    flag("--node-version-check-bypass", since=21),
    option("--node-version-allowed", since=21),
    option("--pidfile -P"),
    option("--minimal-fees"),
    option("--minimal-nanotez-per-gas-unit"),
    option("--minimal-nanotez-per-byte"),
    option("--operations-pool"),
    option("--context"),
    option("--pre-emptive-forge-time", since=19),
    option("--remote-calls-timeout", since=19),
    option("--dal-node-timeout-percentage", since=20, until=20),
    option("--state-recorder", one_of("memory", "filesystem"), since=19),
    flag("--record-state", since=19),
    flag("--allow-signing-delay", since=22),
]


def main(words: List[str], who: Identity, behaviour: lifecycle.Behaviour) -> int:
    """Run until something ends the process."""
    if who.family == releases.EXPERIMENTAL_BAKER:
        if words[:1] != ["--"]:
            raise UsageError("the arguments of the baker must come after --")
        words = words[1:]
    session = Session(words, who.release)
    sentences = [
        Sentence("run with local node {data_dir} {delegates...}", OPTIONS, _local),
        Sentence("run remotely {delegates...}", OPTIONS, _remote),
    ]
    sentence = arguments.choose(sentences, session.words)
    found, values = sentence.parse(session.words, who.release)
    _check(values, who.release)
    sentence.run(found)
    baker = Baker(session, who, values, _delegates(session, found["delegates"]), behaviour)
    baker.life.begin()
    baker.life.run(baker.work)
    return 0


def _check(values: Json, release: releases.Release) -> None:
    if "liquidity-baking-toggle-vote" not in values and "votefile" not in values:
        raise UsageError(
            "Missing liquidity baking toggle vote, please use either the --votefile FILE option, or the "
            "--liquidity-baking-toggle-vote <vote> option."
        )
    if "votefile" in values and not os.path.isfile(values["votefile"]):
        raise Failure(f"The vote file {values['votefile']} does not exist")
    if "dal-node" in values and "without-dal" in values:
        raise UsageError("--dal-node and --without-dal exclude each other")
    if release.at_least(22) and "dal-node" not in values and "without-dal" not in values:
        raise UsageError("Please connect a running DAL node using '--dal-node <endpoint>', or give '--without-dal'.")
    if "dal-node" in values:
        try:
            http_client.Client(values["dal-node"])
        except ValueError as error:
            raise UsageError(f"--dal-node: {error}") from None


def _local(found: Json) -> None:
    directory = found["data_dir"]
    for name in ("version.json", "store"):
        if not os.path.exists(os.path.join(directory, name)):
            raise Failure(f"{directory} is not the data directory of a node: it has no {name}")


def _remote(found: Json) -> None:
    """Nothing to look at: the node is asked over RPC."""


def _delegates(session: Session, names: List[str]) -> List[str]:
    if not names:
        found = session.wallet.signers()
        if not found:
            events.complain("Warning:\n  No delegates: the wallet has no secret keys")
        return found
    return [session.signer(name)[0] for name in names]


class Baker:
    """One run: wait for the node and the protocol, then lend the node our delegates until the end."""

    def __init__(
        self, session: Session, who: Identity, values: Json, delegates: List[str], behaviour: lifecycle.Behaviour
    ) -> None:
        self.session = session
        self.who = who
        self.values = values
        self.delegates = delegates
        self.log = events.Log(who.release, "baker")
        self.life = lifecycle.Life(behaviour, self.log)
        self.node = session.node

    def work(self) -> None:
        """Bake; with --keep-alive, begin again whenever the node has gone."""
        delay_s = RETRY_FIRST_S
        while True:
            try:
                self._work_once()
                raise http_client.Unreachable("the connection was closed")
            except http_client.Unreachable as error:
                if "keep-alive" not in self.values:
                    raise Failure(f"Cannot connect to the node {self.node.base_url}: {error}") from None
                self.log.notice("retry_on_disconnection", f"node unreachable, retrying in {delay_s:.1f} seconds")
                time.sleep(delay_s)
                delay_s = min(delay_s * RETRY_FACTOR, RETRY_MOST_S)
            except http_client.Refused as error:
                text = "not allowed by the node's ACL" if error.status == 401 else str(error)
                raise Failure(f"The node refuses the baker: {text}") from None

    def _work_once(self) -> None:
        self._check_version(self.node.get("/version")["version"])
        protocol = self._await_protocol()
        release = self.who.release
        events.say(f"Baker v{release.text} ({releases.COMMIT}) for {protocol.binary} started.")
        self.log.notice("starting_daemon", "starting baker daemon")
        self._register_attesters()
        for head in self.node.lines("POST", "/stand_in/bakers", {"delegates": self.delegates}):
            self.log.info("new_head", f"received new head {head['hash'][:12]} at level {head['level']}", head)
            self.life.reached(head["level"])

    def _check_version(self, version: Json) -> None:
        release = self.who.release
        if not release.at_least(21) or "node-version-check-bypass" in self.values:
            return
        theirs = (version["major"] or 9999, version["minor"])
        allowed = self.values.get("node-version-allowed", "").lstrip("v")
        if theirs < release.order and not allowed.startswith(f"{version['major']}.{version['minor']}"):
            text = f"The node's version {version['major']}.{version['minor']} is older than the baker's {release.text}"
            raise Failure(f"{text}; see --node-version-check-bypass and --node-version-allowed")

    def _await_protocol(self) -> releases.Protocol:
        """Wait, on the stream of heads, for a protocol that we bake for."""
        said = False
        for _ in self.node.lines("GET", "/monitor/heads/main"):
            found = releases.by_hash(self.session.next_protocol())
            if found is not None and self._bakes(found):
                return found
            if not said:
                text = f"Waiting for protocol {self.who.protocol or 'activation'} to start..."
                self.log.notice("waiting_for_protocol", text)
                said = True
        raise http_client.Unreachable("the stream of heads was closed")

    def _bakes(self, protocol: releases.Protocol) -> bool:
        if self.who.protocol:
            return protocol.binary == self.who.protocol
        return protocol.number > releases.LAST_FROZEN

    def _register_attesters(self) -> None:
        url = self.values.get("dal-node")
        if url is None:
            return
        try:
            http_client.Client(url).call("PATCH", "/profiles", {"attesters": self.delegates}, timeout_s=5.0)
        except http_client.Unreachable as error:
            self.log.error("unreachable_dal_node", f"cannot connect to the DAL node: {error}")
        except http_client.Refused as error:
            self.log.error("register_attesters_failed", f"the DAL node refuses the attesters: {error}")
