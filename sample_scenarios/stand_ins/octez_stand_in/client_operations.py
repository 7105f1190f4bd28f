"""The client's commands that change the chain: activation, and the operations of each release."""

from __future__ import annotations

import json
import os
import time

from . import base58, events, ledger, releases
from .arguments import Sentence, UsageError, flag, natural, option
from .lifecycle import Failure
from .session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterator, List

    Json = Dict[str, Any]

BOOTSTRAP_POLL_S = 0.25


def tez(text: str) -> int:
    """Read an amount of tez as mutez."""
    whole, point, fraction = text.replace(",", "").partition(".")
    if not whole.isdigit() or (point and not fraction.isdigit()) or len(fraction) > 6:
        raise ValueError(f"invalid tez amount '{text}'")
    return int(whole) * 1_000_000 + int((fraction + "000000")[:6])


def show_tez(mutez: int) -> str:
    """Write mutez as tez, without trailing zeros."""
    return f"{mutez // 1_000_000}.{mutez % 1_000_000:06d}".rstrip("0").rstrip(".")


COMMON = [
    option("--fee", tez),
    option("--burn-cap", tez),
    option("--fee-cap", tez),
    option("--minimal-fees", tez),
    option("--gas-limit -G", natural),
    option("--storage-limit -S", natural),
    option("--counter -C", natural),
    option("--safety-guard", natural),
    flag("--dry-run -D"),
    flag("--simulation"),
    flag("--verbose-signing"),
    flag("--force-low-fee"),
]


# Activation.


def _activate(session: Session, found: Json, values: Json) -> None:
    if not found["fitness"].isdigit():
        raise UsageError(f"invalid fitness '{found['fitness']}'")
    if not base58.is_valid("protocol", found["hash"]):
        raise Failure(f"{found['hash']} is not a protocol hash")
    _, public_key = session.signer(found["key"])
    try:
        with open(found["file"], encoding="utf-8") as stream:
            given = json.load(stream)
    except OSError as error:
        raise Failure(f"Cannot read the parameters {found['file']}: {error.strerror}") from None
    except ValueError as error:
        raise Failure(f"Cannot parse the parameters {found['file']}: {error}") from None
    timestamp = values.get("timestamp", ledger.utc(time.time()))
    body = {"protocol": found["hash"], "parameters": given, "timestamp": timestamp, "public_key": public_key}
    block = session.node.call("POST", "/stand_in/activate", body)
    events.say(f"Injected {block['hash'][:12]}")


def _rfc3339(value: str) -> str:
    try:
        time.strptime(value[:19], "%Y-%m-%dT%H:%M:%S")
    except ValueError:
        raise ValueError(f"invalid timestamp '{value}', expected RFC 3339") from None
    zone = value[19:].lstrip(".0123456789")
    if zone not in ("Z", "z", "-00:00") and not (len(zone) == 6 and zone[0] in "+-" and zone[3] == ":"):
        raise ValueError(f"invalid timestamp '{value}', expected a time zone")
    return value


GENESIS = [
    Sentence(
        "activate protocol {hash} with fitness {fitness} and key {key} and parameters {file}",
        [option("--timestamp", _rfc3339)],
        _activate,
    )
]


# Injection.


def wait_for_bootstrapped(session: Session, verbose: bool = False) -> None:
    """Block until the node says that it is synchronised."""
    announced = False
    while not session.node.get("/chains/main/is_bootstrapped")["bootstrapped"]:
        if verbose and not announced:
            events.say("Waiting for the node to be bootstrapped...")
            announced = True
        time.sleep(BOOTSTRAP_POLL_S)
    if verbose:
        head = session.node.get("/chains/main/blocks/head/header")
        events.say(f"Current head: {head['hash'][:12]} (timestamp: {head['timestamp']})")
    events.say("Node is bootstrapped.")


def _operation(session: Session, kind: str, source: str, values: Json, **fields: object) -> Json:
    address, public_key = session.signer(source)
    branch = session.node.get("/chains/main/blocks/head/hash")
    fee = values.get("fee", ledger.DEFAULT_FEE_MUTEZ)
    operation: Json = {"kind": kind, "source": address, "public_key": public_key, "fee": fee, **fields}
    operation["nonce"] = os.urandom(8).hex()
    operation["hash"] = ledger.operation_hash(operation, branch)
    return operation


def _inject(session: Session, operation: Json, values: Json, shown: List[str]) -> Json:
    """Simulate, check the burn, inject, wait as long as asked; gives the receipt."""
    wait_for_bootstrapped(session)
    receipt: Json = session.node.call("POST", "/stand_in/simulate", operation)
    burn_cap = values.get("burn-cap", 0)
    if receipt["burn"] > burn_cap:
        burn, cap = show_tez(receipt["burn"]), show_tez(burn_cap)
        text = f"The operation will burn {burn} tez which is higher than the configured burn cap ({cap} tez)"
        raise Failure(f"{text}.\n   Use `--burn-cap {burn}` to emit it.")
    if values.get("dry-run") or values.get("simulation"):
        events.say(f"Simulation result:\n  Estimated burn: {show_tez(receipt['burn'])} tez")
        return receipt
    # The heads are followed from before the injection, so that the block with the operation cannot be missed.
    heads = session.node.lines("GET", "/monitor/heads/main") if session.confirmations is not None else None
    level = next(heads)["level"] if heads is not None else 0
    session.node.call("POST", "/stand_in/inject", operation)
    events.say(f"Operation successfully injected in the node.\nOperation hash is '{operation['hash']}'")
    if heads is None:
        events.say("NOT waiting for the operation to be included.")
    else:
        _wait_for_inclusion(session, operation["hash"], level, heads)
    _show_receipt(operation, receipt, shown)
    return receipt


def _wait_for_inclusion(session: Session, name: str, level: int, heads: Iterator[Any]) -> None:
    events.say("Waiting for the operation to be included...")
    wanted = session.confirmations or 0
    included = -1
    for head in heads:
        while included < 0 and level < head["level"]:
            level += 1
            hashes = session.node.get(f"/chains/main/blocks/{level}/operation_hashes")
            if name in hashes[3]:
                included = level
                block = session.node.get(f"/chains/main/blocks/{level}/hash")
                events.say(f"Operation found in block: {block} (pass: 3, offset: {hashes[3].index(name)})")
        if 0 <= included <= head["level"] - wanted:
            return
    raise Failure("The connection to the node was lost while waiting for the operation")


def _show_receipt(operation: Json, receipt: Json, shown: List[str]) -> None:
    lines = [
        "This sequence of operations was run:",
        "  Manager signed operations:",
        f"    From: {operation['source']}",
        f"    Fee to the baker: {show_tez(operation['fee'])} tez",
        "    This operation was successfully applied",
        f"    Burned: {show_tez(receipt['burn'])} tez",
    ]
    events.say("\n".join([*lines, *shown, ""]))


# The operations.


def _transfer(session: Session, found: Json, values: Json) -> None:
    try:
        amount = tez(found["amount"])
    except ValueError as error:
        raise UsageError(str(error)) from None
    operation = _operation(
        session,
        "transaction",
        found["source"],
        values,
        amount=amount,
        destination=_destination(session, found["destination"]),
        entrypoint=values.get("entrypoint", "default"),
        arg=values.get("arg", ""),
    )
    _inject(session, operation, values, [f"    Amount: {found['amount']} tez", f"    To: {operation['destination']}"])


def _destination(session: Session, name: str) -> str:
    contracts = session.wallet.memorized("contracts")
    if name in contracts:
        return str(contracts[name])
    return name if base58.is_valid("contract", name) else session.address(name)


def _originate_contract(session: Session, found: Json, values: Json) -> None:
    alias = found["alias"]
    if alias in session.wallet.memorized("contracts") and not values.get("force"):
        raise Failure(f"The contract alias {alias} already exists. Use --force to update it.")
    try:
        balance = tez(found["amount"])
    except ValueError as error:
        raise UsageError(str(error)) from None
    script = _content(found["script"])
    init = values.get("init", "Unit")
    operation = _operation(session, "origination", found["source"], values, balance=balance, script=script, init=init)
    receipt = _inject(session, operation, values, [])
    events.say(f"New contract {receipt['address']} originated.")
    if not values.get("dry-run"):
        session.wallet.memorize("contracts", alias, receipt["address"])
        events.say(f"Contract memorized as {alias}.")


def _content(text: str) -> str:
    """Give what an argument stands for: `file:PATH`, `text:TEXT`, the content of a file of that name, or itself."""
    if text.startswith("text:"):
        return text[len("text:") :]
    path = text[len("file:") :] if text.startswith("file:") else text
    try:
        if text.startswith("file:") or (len(path) < 4096 and os.path.isfile(path)):
            with open(path, "rb") as stream:
                return stream.read().decode("utf-8")
    except (OSError, ValueError) as error:
        raise Failure(f"Cannot read {path}: {error}") from None
    return text


def _is_hex(text: str) -> bool:
    return len(text) % 2 == 0 and all(character in "0123456789abcdefABCDEF" for character in text)


def _originate_rollup(session: Session, found: Json, values: Json) -> None:
    kernel = _content(found["kernel"])
    if not kernel or not _is_hex(kernel):
        raise Failure("Invalid kernel: it must be hexadecimal text, and nothing else")
    fields = {"pvm_kind": found["kind"], "type": found["type"], "kernel": kernel}
    operation = _operation(session, "smart_rollup_originate", found["source"], values, **fields)
    address = session.node.call("POST", "/stand_in/simulate", operation)["address"]
    _inject(session, operation, values, [f"    Smart rollup origination:\n      Address: {address}"])
    alias = found["alias"]
    # Octez looks at the alias only now, when the operation has gone out.
    if alias in session.wallet.memorized("smart_rollups") and not values.get("force"):
        raise Failure(f"The smart rollup alias {alias} already exists. Use --force to update it.")
    session.wallet.memorize("smart_rollups", alias, address)
    events.say(f"Smart rollup memorized as {alias}.")


def _send_messages(session: Session, found: Json, values: Json) -> None:
    messages = _messages(found["messages"])
    operation = _operation(session, "smart_rollup_add_messages", found["source"], values, messages=messages)
    _inject(session, operation, values, ["    Smart rollup messages submission"])


def _messages(text: str) -> List[str]:
    """Read the messages of `hex:[..]`, `text:[..]`, `file:PATH` (a JSON list of texts) or `bin:PATH`, as hex."""
    scheme, colon, rest = text.partition(":")
    if not colon or scheme not in ("hex", "text", "file", "bin"):
        raise Failure("messages must be given as hex:[...], text:[...], file:PATH or bin:PATH")
    try:
        if scheme == "bin":
            with open(rest, "rb") as stream:
                return [stream.read().hex()]
        value = json.loads(_content(text) if scheme == "file" else rest)
    except (OSError, ValueError) as error:
        raise Failure(f"Cannot read the messages: {error}") from None
    if not isinstance(value, list) or not all(isinstance(message, str) for message in value):
        raise Failure("the messages must be a JSON list of strings")
    if scheme != "hex":
        return [message.encode().hex() for message in value]
    for message in value:
        if not _is_hex(message):
            raise Failure(f"'{message}' is not a valid hex encoded message")
    return value


def _publish_slot(session: Session, found: Json, values: Json) -> None:
    if not base58.is_valid("dal_commitment", found["commitment"]):
        raise Failure(f"{found['commitment']} is not a DAL commitment")
    if not found["index"].isdigit() or not found.get("level", "0").isdigit():
        raise UsageError(f"invalid slot index '{found['index']}'")
    if not _is_hex(found["proof"]):
        raise Failure("the commitment proof is not hexadecimal")
    operation = _operation(
        session,
        "dal_publish_commitment",
        found["source"],
        values,
        slot_index=int(found["index"]),
        commitment=found["commitment"],
        proof=found["proof"],
        level=int(found["level"]) if "level" in found else None,
    )
    _inject(session, operation, values, [f"    Data availability commitment publishing: slot {found['index']}"])


def _balance(session: Session, found: Json, values: Json) -> None:
    address = _destination(session, found["account"])
    mutez = int(session.node.get(f"/chains/main/blocks/head/context/contracts/{address}/balance"))
    events.say(f"{show_tez(mutez)} tez")


PUBLISH = "publish dal commitment {commitment} from {source} for slot {index}"


def commands(release: releases.Release) -> List[Sentence]:
    """List the commands for a chain with an active protocol."""
    force = flag("--force -f")
    found = [
        Sentence(
            "transfer {amount} from {source} to {destination}",
            [*COMMON, option("--entrypoint"), option("--arg"), flag("--no-print-source -q"), force, flag("--replace")],
            _transfer,
        ),
        Sentence(
            "originate contract {alias} transferring {amount} from {source} running {script}",
            [*COMMON, option("--init"), option("--delegate"), flag("--no-print-source -q"), force],
            _originate_contract,
        ),
        Sentence(
            "originate smart rollup {alias} from {source} of kind {kind} of type {type} with kernel {kernel}",
            [*COMMON, force, option("--whitelist", since=20)],
            _originate_rollup,
        ),
        Sentence("send smart rollup message {messages} from {source}", COMMON, _send_messages),
        Sentence("get balance for {account}", [flag("--in-bytes")], _balance),
    ]
    if release.level == 18:
        found.append(Sentence(PUBLISH + " at level {level} with proof {proof}", COMMON, _publish_slot))
    elif release.level > 18:
        found.append(Sentence(PUBLISH + " with proof {proof}", COMMON, _publish_slot))
    return found
