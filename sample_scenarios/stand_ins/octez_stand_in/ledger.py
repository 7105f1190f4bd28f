"""The toy chain's rules, without clock or network: a state, operations it accepts or refuses, blocks made of them."""

from __future__ import annotations

import json
import time

from . import base58, michelson, networks, parameters, releases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List

    Json = Dict[str, Any]

DEFAULT_FEE_MUTEZ = 1000
ALLOCATION_BURN_MUTEZ = 64_250
BYTE_BURN_MUTEZ = 250
ROLLUP_BURN_MUTEZ = 1_640_000
MAX_MESSAGE_BYTES = 4095
KEPT_SLOT_LEVELS = 512
ROLLUP_KINDS = ("wasm_2_0_0", "arith", "riscv")


class OperationRefused(Exception):
    """The chain does not take this operation."""

    def __init__(self, identifier: str, message: str) -> None:
        super().__init__(message)
        self.identifier = identifier


def canonical(value: object) -> bytes:
    """Write a value so that equal values have equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def operation_hash(operation: Json, branch: str) -> str:
    """Name an operation by its content and the block on which it was made."""
    return base58.encode("operation", base58.digest(canonical([operation, branch])))


def commitment_proof(commitment: str) -> str:
    """Give the hex proof that goes with a commitment: the toy's own rule, known to chain and DAL node alike."""
    return base58.digest(b"proof of " + commitment.encode(), 48).hex()


def utc(seconds: float) -> str:
    """Write a time as RFC 3339."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Ledger:
    """All that the head block's context holds. `state` is plain JSON."""

    def __init__(self, state: Json) -> None:
        self.state = state

    @classmethod
    def at_genesis(cls, genesis: networks.Genesis) -> Ledger:
        """Begin: nothing but a head."""
        block = _block(0, genesis.block, genesis.timestamp, releases.GENESIS_HASH, releases.GENESIS_HASH, "", [])
        block["hash"] = genesis.block
        empty: Json = {"accounts": {}, "contracts": {}, "rollups": {}, "slots": {}, "constants": {}}
        return cls({"head": block, "protocol": releases.GENESIS_HASH, **empty})

    @property
    def head(self) -> Json:
        """The last block."""
        block: Json = self.state["head"]
        return block

    @property
    def is_active(self) -> bool:
        """Tell whether a protocol has been activated."""
        return bool(self.state["protocol"] != releases.GENESIS_HASH)

    def constant(self, name: str, default: Any = None) -> Any:
        """Give one of the activated parameters."""
        return self.state["constants"].get(name, default)

    def activation_block(self, protocol: str, given: Json, timestamp: str) -> Json:
        """Make the block that activates a protocol. The parameters have been checked."""
        block = _block(1, self.head["hash"], timestamp, releases.GENESIS_HASH, protocol, "", [])
        block["activation"] = given
        return _named(block)

    def next_block(self, operations: List[Json], baker: str, timestamp: str) -> Json:
        """Make the block that follows the head; operations that no longer apply are left out."""
        # Most blocks of a quiet chain are empty: do not copy the state for them.
        trial = Ledger(json.loads(canonical(self.state))) if operations else self
        included = []
        for operation in operations:
            try:
                operation = dict(operation, receipt=trial.apply(operation))
            except OperationRefused:
                continue
            included.append(operation)
        protocol = self.state["protocol"]
        level = self.head["level"] + 1
        return _named(_block(level, self.head["hash"], timestamp, protocol, protocol, baker, included))

    def add(self, block: Json) -> None:
        """Make a block the new head, carrying out its operations."""
        if block["level"] == 1:
            given = block["activation"]
            self.state["protocol"] = block["next_protocol"]
            self.state["accounts"] = parameters.accounts(given)
            self.state["constants"] = {key: value for key, value in given.items() if key != "bootstrap_accounts"}
        level = block["level"]
        for operation in block["operations"]:
            self.apply(operation, level)
        self.state["slots"].pop(str(level - KEPT_SLOT_LEVELS), None)
        self.state["head"] = {key: value for key, value in block.items() if key != "activation"}

    def delegates(self) -> dict[str, int]:
        """Give the baking power of every delegate."""
        accounts = self.state["accounts"]
        return {address: account["balance"] for address, account in accounts.items() if account["delegate"]}

    # Operations: first everything that can refuse, then the change itself.

    def apply(self, operation: Json, level: int | None = None) -> Json:
        """Carry out an operation, by default in the next block, and give its receipt. Raises OperationRefused."""
        level = self.head["level"] + 1 if level is None else level
        receipt, change = self._prepare(operation, level)
        account = self.state["accounts"][operation["source"]]
        account["balance"] -= receipt["spent"]
        account["counter"] += 1
        account["pk"] = account["pk"] or operation["public_key"]
        change()
        return receipt

    def check(self, operation: Json) -> Json:
        """Give the receipt that the operation would have in the next block. Raises OperationRefused."""
        return self._prepare(operation, self.head["level"] + 1)[0]

    def _prepare(self, operation: Json, level: int) -> tuple[Json, Callable[[], None]]:
        if not self.is_active:
            raise OperationRefused("node.prevalidation", "no protocol has been activated")
        source = operation["source"]
        account = self.state["accounts"].get(source)
        if account is None or account["balance"] <= 0:
            raise OperationRefused("contract.empty_implicit_contract", f"Empty implicit contract ({source})")
        if base58.pkh_of(operation["public_key"]) != source:
            raise OperationRefused("operation.invalid_signature", f"The operation is not signed by {source}")
        prepare = _PREPARE.get(operation["kind"])
        if prepare is None:
            raise OperationRefused("operation.unknown", f"unknown operation {operation['kind']}")
        receipt, change = prepare(self, operation, level)
        receipt["burn"] = receipt.get("burn", 0)
        receipt["spent"] = operation["fee"] + receipt["burn"] + receipt.pop("amount", 0)
        if receipt["spent"] > account["balance"]:
            held, spent = _tez(account["balance"]), _tez(receipt["spent"])
            text = f"Balance of contract {source} too low ({held}) to spend {spent}"
            raise OperationRefused("contract.balance_too_low", text)
        return receipt, change

    def _transfer(self, operation: Json, level: int) -> tuple[Json, Callable[[], None]]:
        destination, amount = operation["destination"], operation["amount"]
        if base58.is_valid("contract", destination):
            contract = self.state["contracts"].get(destination)
            if contract is None:
                raise OperationRefused("contract.non_existing_contract", f"Contract {destination} does not exist")
            if not michelson.has_entrypoint(contract["script"], operation["entrypoint"]):
                raise _no_entrypoint(operation["entrypoint"])
            return {"amount": amount}, lambda: _credit(contract, amount)
        if operation["entrypoint"] != "default":
            raise _no_entrypoint(operation["entrypoint"])
        if operation["arg"] not in ("", "Unit"):
            raise OperationRefused("michelson_v1.bad_contract_parameter", "an implicit account takes no argument")
        if amount == 0:
            text = f"Transactions of 0 tez towards a contract without code are forbidden ({destination})."
            raise OperationRefused("contract.empty_transaction", text)
        accounts = self.state["accounts"]
        known = accounts.get(destination)
        fresh = {"balance": 0, "pk": None, "delegate": False, "counter": 0}

        def change() -> None:
            _credit(accounts.setdefault(destination, fresh), amount)

        is_new = known is None or known["balance"] == 0
        return {"amount": amount, "burn": ALLOCATION_BURN_MUTEZ if is_new else 0}, change

    def _originate(self, operation: Json, level: int) -> tuple[Json, Callable[[], None]]:
        problem = michelson.script_problem(operation["script"]) or michelson.value_problem(operation["init"])
        if problem:
            raise OperationRefused("michelson_v1.ill_typed_contract", f"Ill typed contract: {problem}")
        address = base58.encode("contract", _origin(operation))
        contract = {"balance": operation["balance"], "script": operation["script"], "storage": operation["init"]}
        burn = ALLOCATION_BURN_MUTEZ + BYTE_BURN_MUTEZ * len(operation["script"])
        receipt = {"address": address, "burn": burn, "amount": operation["balance"]}
        return receipt, lambda: self.state["contracts"].update({address: contract})

    def _originate_rollup(self, operation: Json, level: int) -> tuple[Json, Callable[[], None]]:
        if operation["pvm_kind"] not in ROLLUP_KINDS:
            raise OperationRefused("smart_rollup.unknown_kind", f"unknown rollup kind {operation['pvm_kind']}")
        problem = michelson.type_problem(operation["type"])
        if problem:
            raise OperationRefused("smart_rollup.invalid_parameters_type", f"Invalid parameters type: {problem}")
        address = base58.encode("rollup", _origin(operation))
        rollup = {
            "kind": operation["pvm_kind"],
            "type": operation["type"],
            "kernel": operation["kernel"],
            "level": level,
        }
        receipt = {"address": address, "burn": ROLLUP_BURN_MUTEZ}
        return receipt, lambda: self.state["rollups"].update({address: rollup})

    def _add_messages(self, operation: Json, level: int) -> tuple[Json, Callable[[], None]]:
        if not operation["messages"]:
            raise OperationRefused("smart_rollup.add_zero_messages", "Tried to add zero messages to a smart rollup.")
        if any(len(message) > 2 * MAX_MESSAGE_BYTES for message in operation["messages"]):
            text = f"A message is longer than {MAX_MESSAGE_BYTES} bytes."
            raise OperationRefused("smart_rollup.too_big_message", text)
        return {}, lambda: None

    def _publish_slot(self, operation: Json, level: int) -> tuple[Json, Callable[[], None]]:
        dal = self.constant("dal_parametric")
        if not dal["feature_enable"]:
            raise OperationRefused("dal_disabled", "Data-availability layer is not enabled")
        index, commitment = operation["slot_index"], operation["commitment"]
        if not 0 <= index < dal["number_of_slots"]:
            text = f"Invalid slot index {index}, the maximum is {dal['number_of_slots'] - 1}"
            raise OperationRefused("dal_slot_index_invalid_index", text)
        if operation.get("level") not in (None, level):
            text = f"Slot published for level {operation['level']}, but the block has level {level}"
            raise OperationRefused("dal_publish_slot_header_invalid_level", text)
        if not base58.is_valid("dal_commitment", commitment) or operation["proof"] != commitment_proof(commitment):
            raise OperationRefused("dal_publish_commitment_invalid_proof", "The proof of the commitment is invalid")
        slots = self.state["slots"]
        if str(index) in slots.get(str(level), {}):
            raise OperationRefused("dal_publish_slot_header_duplicate", f"Slot {index} is published twice at {level}")
        return {}, lambda: slots.setdefault(str(level), {}).update({str(index): commitment})


_PREPARE = {
    "transaction": Ledger._transfer,
    "origination": Ledger._originate,
    "smart_rollup_originate": Ledger._originate_rollup,
    "smart_rollup_add_messages": Ledger._add_messages,
    "dal_publish_commitment": Ledger._publish_slot,
}


def _origin(operation: Json) -> bytes:
    return base58.digest(operation["hash"].encode() + b"\0\0\0\0", 20)


def _credit(account: Json, amount: int) -> None:
    account["balance"] += amount


def _no_entrypoint(name: str) -> OperationRefused:
    return OperationRefused("michelson_v1.no_such_entrypoint", f"Contract has no entrypoint named {name}")


def _tez(mutez: int) -> str:
    return f"{mutez / 1_000_000:f}".rstrip("0").rstrip(".")


def _block(
    level: int, predecessor: str, timestamp: str, protocol: str, next_protocol: str, baker: str, operations: List[Json]
) -> Json:
    root = base58.digest(canonical([operation["hash"] for operation in operations]))
    fitness = ["01", f"{level:016x}"] if level <= 1 else ["02", f"{level:08x}", "", "ffffffff", "00000000"]
    return {
        "level": level,
        "proto": min(level, 1),
        "predecessor": predecessor,
        "timestamp": timestamp,
        "validation_pass": 4 if level else 0,
        "operations_hash": base58.encode("operations_root", root),
        "fitness": fitness,
        "context": base58.encode("context", base58.digest(f"{predecessor} {level}".encode())),
        "protocol_data": base58.digest(f"{baker} {level}".encode(), 48).hex(),
        "protocol": protocol,
        "next_protocol": next_protocol,
        "baker": baker,
        "operations": operations,
    }


def _named(block: Json) -> Json:
    return {"hash": base58.encode("block", base58.digest(canonical(block))), **block}


SHELL_KEYS = (
    "level",
    "proto",
    "predecessor",
    "timestamp",
    "validation_pass",
    "operations_hash",
    "fitness",
    "context",
)
HEADER_KEYS = ("hash", *SHELL_KEYS, "protocol_data")


def header(block: Json) -> Json:
    """Give what the stream of heads shows of a block."""
    return {key: block[key] for key in HEADER_KEYS}
