"""The networks a node can be started on: built-in names, or a description from a file or a URL."""

from __future__ import annotations

import json
import os

from . import http_client, releases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

# The key with which the sandbox's protocol is activated. It is public, as is its secret.
SANDBOX_GENESIS_KEY = "edpkuSLWfVU1Vq7Jg9FucPyKmma6otcMHac9zG4oU1KMHSTBpJuGQ2"
GENESIS_BLOCK = "BLockGenesisGenesisGenesisGenesisGenesisf79b5d1CoW2"
GENESIS_TIME = "2018-06-30T16:07:32Z"
CHAIN_NAMES = {
    "sandbox": "TEZOS",
    "mainnet": "TEZOS_MAINNET",
    "ghostnet": "TEZOS_ITHACANET_2022-01-25T15:00:00Z",
}


class Invalid(Exception):
    """There is no such network, or its description is wrong."""


def built_in(release: releases.Release) -> list[str]:
    """List the networks that this release knows by name."""
    names = ["sandbox", "mainnet", "ghostnet"]
    if release.level == 17:
        names.append("mumbainet")
    if release.level >= 24:
        names.append("shadownet")
    return names


def read(name: str, release: releases.Release) -> str | dict[str, Any]:
    """Give the lower-case name of a built-in network, or the description found in a file or at a URL."""
    if name.lower() in built_in(release):
        return name.lower()
    if name.startswith(("http://", "https://")):
        return check(_download(name), release)
    if name and os.path.isfile(name):
        try:
            with open(name, encoding="utf-8") as stream:
                return check(json.load(stream), release)
        except ValueError as error:
            raise Invalid(f"{name} is not a network description: {error}") from None
    choices = ", ".join(built_in(release))
    raise Invalid(f"invalid value '{name}', expected one of {choices}, or a URL or path to a network description")


def _download(url: str) -> Any:
    try:
        client = http_client.Client(url)
        return client.get("")
    except (ValueError, http_client.Unreachable, http_client.Refused) as error:
        raise Invalid(f"cannot fetch the network description {url}: {error}") from None


def check(value: object, release: releases.Release) -> dict[str, Any]:
    """Check a network description. Raises Invalid."""
    if not isinstance(value, dict):
        raise Invalid("a network description is a JSON object")
    for key in ("chain_name", "sandboxed_chain_name"):
        if not isinstance(value.get(key), str):
            raise Invalid(f"a network description needs a {key}")
    genesis = value.get("genesis")
    if not isinstance(genesis, dict) or not {"timestamp", "block", "protocol"} <= set(genesis):
        raise Invalid("a network description needs a genesis with timestamp, block and protocol")
    if "dal_config" in value:
        _check_dal(value["dal_config"], release)
    return value


def _check_dal(value: object, release: releases.Release) -> None:
    if not isinstance(value, dict):
        raise Invalid("dal_config must be an object")
    known = {"activated", "bootstrap_peers"}
    required = {"bootstrap_peers"}
    if release.level <= 20:
        known = known | {"use_mock_srs_for_testing"}
    if release.level <= 19:
        required = known
    for key in required - set(value):
        raise Invalid(f"dal_config: missing field {key}")
    for key in set(value) - known:
        raise Invalid(f"dal_config: unexpected field {key}")
    mock = value.get("use_mock_srs_for_testing")
    if release.level == 20 and mock is not None and not isinstance(mock, bool):
        raise Invalid("dal_config: use_mock_srs_for_testing must be a boolean")
    if release.level <= 19 and mock is not None and not isinstance(mock, dict):
        raise Invalid("dal_config: use_mock_srs_for_testing must be an object")


def chain_name(network: str | Dict[str, Any]) -> str:
    """Give the name by which nodes know each other's chain: the sandbox has one, spelt out or by its short name."""
    return CHAIN_NAMES.get(network, network) if isinstance(network, str) else str(network["chain_name"])


class Genesis:
    """Where a chain begins, and whose key may activate its first protocol."""

    def __init__(self, network: str | Dict[str, Any]) -> None:
        self.name = chain_name(network)
        self.block, self.timestamp = GENESIS_BLOCK, GENESIS_TIME
        # Of the public networks nobody here has the key.
        self.activator = SANDBOX_GENESIS_KEY if network == "sandbox" else ""
        if isinstance(network, dict):
            self.block = network["genesis"]["block"]
            self.timestamp = network["genesis"]["timestamp"]
            values = network.get("genesis_parameters", {}).get("values", {})
            self.activator = values.get("genesis_pubkey", "")
