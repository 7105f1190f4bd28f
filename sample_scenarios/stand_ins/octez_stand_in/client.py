"""The stand-in of octez-client: which commands there are for which release and head, and those about keys."""

from __future__ import annotations

import json
import os
import signal
import time

from . import arguments, client_operations, ed25519, events, http_client, lifecycle, releases
from .arguments import Sentence, flag, one_of, option
from .lifecycle import Failure
from .session import Session, explain
from .wallet import UnknownName, write_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    Json = Dict[str, Any]

BOOTSTRAP_POLL_S = 0.25
DISCLAIMER_VARIABLE = "TEZOS_CLIENT_UNSAFE_DISABLE_DISCLAIMER"


def main(words: List[str], release: releases.Release, behaviour: lifecycle.Behaviour) -> int:
    """Run one command; gives the exit code."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(lifecycle.EXIT_SIGNAL))
    time.sleep(behaviour.start_delay_s)
    session = Session(words, release)
    sentences = [*INDEPENDENT, *_offered(session)]
    sentence = arguments.choose(sentences, session.words)
    found, values = sentence.parse(session.words, release)
    try:
        sentence.run(session, found, values)
    except (http_client.Unreachable, http_client.Refused) as error:
        raise explain(error) from None
    except UnknownName as error:
        raise Failure(str(error)) from None
    return 0


def _offered(session: Session) -> List[Sentence]:
    """Choose the commands that depend on what the node's head is about to run."""
    try:
        protocol_hash = session.next_protocol()
    except (http_client.Unreachable, http_client.Refused) as error:
        events.complain(f"Warning:\n  Failed to acquire the protocol version from the node\n  {error}")
        return []
    if os.environ.get(DISCLAIMER_VARIABLE) not in ("Y", "y", "YES", "yes"):
        events.complain("Warning:\n\n  This is NOT the Tezos Mainnet.\n")
    if protocol_hash == releases.GENESIS_HASH:
        return client_operations.GENESIS
    if protocol_hash in [protocol.hash for protocol in releases.active(session.release)]:
        return client_operations.commands(session.release)
    events.complain(f"Warning:\n  No commands for the protocol {protocol_hash} in this release")
    return []


def _list_addresses(session: Session, found: Json, values: Json) -> None:
    for alias, address in session.wallet.addresses().items():
        uri = session.wallet.secret_uri(alias)
        if uri is not None:
            events.say(f"{alias}: {address} ({uri.partition(':')[0]} sk known)")
        elif session.wallet.public_key(alias) is not None:
            events.say(f"{alias}: {address} (pk known)")
        else:
            events.say(f"{alias}: {address}")


def _show_address(session: Session, found: Json, values: Json) -> None:
    alias = found["alias"]
    if alias not in session.wallet.addresses():
        raise Failure(f"no public key hash alias named {alias}")
    events.say(f"Hash: {session.wallet.address(alias)}")
    public, secret = session.wallet.public_key(alias), session.wallet.secret_uri(alias)
    if public is not None:
        events.say(f"Public Key: {public}")
    if values.get("show-secret") and secret is not None:
        events.say(f"Secret Key: {secret}")


def _fresh_key(session: Session, alias: str) -> tuple[str, str, str]:
    secret = ed25519.fresh_secret_key()
    return alias, ed25519.public_key(secret), secret


def _stresstest_keys(session: Session, found: Json, values: Json) -> None:
    if not found["count"].isdigit():
        raise arguments.UsageError(f"invalid number of keys '{found['count']}'")
    _check_curve(values)
    prefix = values.get("alias-prefix", "bootstrap")
    width = "06d" if session.release.level <= 18 else "d"
    keys = [_fresh_key(session, f"{prefix}{index:{width}}") for index in range(int(found["count"]))]
    session.wallet.add_keys(keys)
    write_json(os.path.join(session.wallet.directory, "aliases"), [{"alias": alias} for alias, _, _ in keys])
    shown = [{"pkh": session.wallet.address(alias), "pk": public, "sk": secret} for alias, public, secret in keys]
    events.say(json.dumps(shown, indent=2))


def _check_curve(values: Json) -> None:
    if values.get("sig", "ed25519") != "ed25519":
        raise Failure("this stand-in makes ed25519 keys only")


def _gen_keys(session: Session, found: Json, values: Json) -> None:
    _check_curve(values)
    if found["alias"] in session.wallet.addresses() and not values.get("force"):
        raise Failure(f"The public_key_hash alias {found['alias']} already exists.")
    session.wallet.add_keys([_fresh_key(session, found["alias"])])


def _import_secret(session: Session, found: Json, values: Json) -> None:
    scheme, _, secret = found["uri"].rpartition(":")
    if scheme != "unencrypted":
        raise Failure("this stand-in imports unencrypted keys only")
    if found["alias"] in session.wallet.addresses() and not values.get("force"):
        raise Failure(f"The secret_key alias {found['alias']} already exists.")
    try:
        public = ed25519.public_key(secret)
    except ValueError as error:
        raise Failure(str(error)) from None
    session.wallet.add_keys([(found["alias"], public, secret)])
    events.say(f"Tezos address added: {session.wallet.address(found['alias'])}")


def _bootstrapped(session: Session, found: Json, values: Json) -> None:
    client_operations.wait_for_bootstrapped(session, verbose=True)


def _rpc_get(session: Session, found: Json, values: Json) -> None:
    events.say(json.dumps(session.node.get(found["path"]), indent=2))


CURVE = one_of("ed25519", "secp256k1", "p256", "bls", "mldsa44")
INDEPENDENT = [
    Sentence("list known addresses", [], _list_addresses),
    Sentence("show address {alias}", [flag("--show-secret -S")], _show_address),
    Sentence(
        "stresstest gen keys {count}", [option("--alias-prefix"), option("--sig", CURVE, since=23)], _stresstest_keys
    ),
    Sentence("gen keys {alias}", [flag("--force -f"), option("--sig -s", CURVE)], _gen_keys),
    Sentence("import secret key {alias} {uri}", [flag("--force -f")], _import_secret),
    Sentence("bootstrapped", [], _bootstrapped),
    Sentence("rpc get {path}", [], _rpc_get),
]
