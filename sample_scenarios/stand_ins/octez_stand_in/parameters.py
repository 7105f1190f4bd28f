"""Protocol parameters: what each protocol demands of the file that activates it, and a base file to start from."""

from __future__ import annotations

from . import base58, releases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict


class Refused(Exception):
    """The protocol does not take these parameters."""


INTEGER, BOOLEAN, AMOUNT, RATIO, LIST = "an integer", "a boolean", "a string of digits", "a ratio", "a list"

CONSTANTS = {
    "bootstrap_accounts": LIST,
    "dal_parametric": "an object",
    "blocks_per_cycle": INTEGER,
    "minimal_block_delay": AMOUNT,
    "minimal_stake": AMOUNT,
    "consensus_committee_size": INTEGER,
}

DAL_ALWAYS = {
    "feature_enable": BOOLEAN,
    "number_of_slots": INTEGER,
    "attestation_lag": INTEGER,
    "attestation_threshold": INTEGER,
    "redundancy_factor": INTEGER,
    "page_size": INTEGER,
    "slot_size": INTEGER,
    "number_of_shards": INTEGER,
}
DAL_UNTIL_018 = {"blocks_per_epoch": INTEGER}
DAL_FROM_019 = {"incentives_enable": BOOLEAN}
DAL_FROM_022 = {"minimal_participation_ratio": RATIO, "rewards_ratio": RATIO, "traps_fraction": RATIO}
DAL_FROM_025 = {"dynamic_lag_enable": BOOLEAN, "attestation_lags": LIST}


def rank(protocol: releases.Protocol, release: releases.Release) -> int:
    """Give the number whose parameters this protocol follows: alpha follows what its release was about to propose."""
    if protocol is not releases.ALPHA:
        return protocol.number
    following = {17: 17, 18: 18, 19: 18, 20: 19}
    return following.get(release.level, 22 if release.level < 25 else 25)


def dal_keys(number: int) -> dict[str, str]:
    """List the keys of `dal_parametric`, all required, with their types."""
    keys = dict(DAL_ALWAYS)
    if number <= 18:
        keys.update(DAL_UNTIL_018)
    if number >= 19:
        keys.update(DAL_FROM_019)
    if number >= 22:
        keys.update(DAL_FROM_022)
    if number >= 25:
        keys.update(DAL_FROM_025)
    return keys


def amount(value: object, what: str) -> int:
    """Read a number written as a string; underscores may separate digits, but not come first."""
    if not isinstance(value, str) or value.startswith("_") or not value.replace("_", "").isdigit():
        raise Refused(f"{what} must be a string of digits, not {value!r}")
    return int(value.replace("_", ""))


def _has_type(value: object, wanted: str) -> bool:
    if wanted == INTEGER:
        return isinstance(value, int) and not isinstance(value, bool)
    if wanted == BOOLEAN:
        return isinstance(value, bool)
    if wanted == AMOUNT:
        return isinstance(value, str) and value.replace("_", "").isdigit() and not value.startswith("_")
    if wanted == RATIO:
        return isinstance(value, dict) and set(value) == {"numerator", "denominator"}
    return isinstance(value, list if wanted == LIST else dict)


def _check_keys(found: Dict[str, Any], wanted: Dict[str, str], where: str) -> None:
    for key, kind in wanted.items():
        if key not in found:
            raise Refused(f"{where}: missing field {key}")
        if not _has_type(found[key], kind):
            raise Refused(f"{where}: field {key} must be {kind}, not {found[key]!r}")


def _check_dal(dal: Dict[str, Any], number: int) -> None:
    keys = dal_keys(number)
    _check_keys(dal, keys, "dal_parametric")
    for key in dal:
        if key not in keys:
            raise Refused(f"dal_parametric: unexpected field {key}")
    if not 1 <= dal["number_of_slots"] <= 256:
        raise Refused("dal_parametric: number_of_slots must be between 1 and 256")
    if dal["attestation_lag"] <= 1:
        raise Refused("dal_parametric: attestation_lag must be greater than 1")
    if number >= 25:
        lags = dal["attestation_lags"]
        if not lags or sorted(set(lags)) != lags or lags[-1] != dal["attestation_lag"]:
            raise Refused("dal_parametric: attestation_lags must increase and end with attestation_lag")


def check(value: object, protocol: releases.Protocol, release: releases.Release) -> dict[str, Any]:
    """Check the content of a parameter file for a protocol. Raises Refused."""
    if not isinstance(value, dict):
        raise Refused("the parameters must be a JSON object")
    _check_keys(value, CONSTANTS, "parameters")
    if amount(value["minimal_block_delay"], "minimal_block_delay") < 1:
        raise Refused("minimal_block_delay must be positive")
    dal = value["dal_parametric"]
    _check_dal(dal, rank(protocol, release))
    # No other protocol looks at that, nor did alpha before v20.
    if (
        protocol is releases.ALPHA
        and release.level >= 20
        and dal["number_of_shards"] > value["consensus_committee_size"]
    ):
        raise Refused("dal_parametric: number_of_shards must not exceed consensus_committee_size")
    accounts(value)
    return value


def accounts(value: Dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Read the bootstrap accounts, by address. A revealed one that holds the minimal stake is a delegate."""
    minimal_stake = amount(value["minimal_stake"], "minimal_stake")
    found: Dict[str, Dict[str, Any]] = {}
    for entry in value["bootstrap_accounts"]:
        if not isinstance(entry, list) or len(entry) < 2 or not isinstance(entry[0], str):
            raise Refused(f"bootstrap_accounts: {entry!r} is not [key, balance]")
        key, balance = entry[0], amount(entry[1], "bootstrap_accounts: a balance")
        revealed = base58.is_valid("ed25519_pk", key)
        if not revealed and not base58.is_pkh(key):
            raise Refused(f"bootstrap_accounts: {key!r} is neither a public key nor its hash")
        address = base58.pkh_of(key) if revealed else key
        if address in found:
            raise Refused(f"bootstrap_accounts: {address} appears twice")
        is_delegate = revealed and balance >= minimal_stake
        found[address] = {"balance": balance, "pk": key if revealed else None, "delegate": is_delegate, "counter": 0}
    return found


MAINNET = {
    "blocks_per_cycle": 16384,
    "minimal_block_delay": "15",
    "delay_increment_per_round": "8",
    "consensus_committee_size": 7000,
}
MAINNET_THRESHOLD = 4667


def base_file(protocol: releases.Protocol, release: releases.Release, is_mainnet: bool = False) -> dict[str, Any]:
    """Make parameters of that protocol, without accounts: for a sandbox, or with the sizes of mainnet.

    A sandbox has small cycles, a block a second, and any baker will do; on mainnet two thirds of the stake must bake.
    """
    number = rank(protocol, release)
    dal: Dict[str, Any] = {
        "feature_enable": True,
        "number_of_slots": 32,
        "attestation_lag": 8,
        "attestation_threshold": 66,
        "redundancy_factor": 8,
        "page_size": 4096,
        "slot_size": 126944,
        "number_of_shards": 256,
    }
    extra = {
        "blocks_per_epoch": 1,
        "incentives_enable": True,
        "minimal_participation_ratio": {"numerator": "16", "denominator": "25"},
        "rewards_ratio": {"numerator": "1", "denominator": "10"},
        "traps_fraction": {"numerator": "1", "denominator": "2000"},
        "dynamic_lag_enable": True,
        "attestation_lags": [2, 4, 8],
    }
    dal.update({key: value for key, value in extra.items() if key in dal_keys(number)})
    threshold_key = "consensus_threshold" if number < 22 else "consensus_threshold_size"
    mainnet: Dict[str, Any] = {**MAINNET, threshold_key: MAINNET_THRESHOLD} if is_mainnet else {}
    return {
        "bootstrap_accounts": [],
        "blocks_per_cycle": 8,
        "blocks_preservation_cycles": 1,
        "minimal_block_delay": "1",
        "delay_increment_per_round": "1",
        "minimal_stake": "6000000000",
        "consensus_committee_size": 256,
        threshold_key: 0,
        **mainnet,
        "dal_parametric": dal,
    }
