"""The DAL node's options, release by release, and its configuration file."""

from __future__ import annotations

import json
import os

from . import addresses, base58, releases
from .arguments import UsageError, boolean, comma_list, flag, number, option
from .lifecycle import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    Json = Dict[str, Any]


def hashes(value: str) -> List[str]:
    """Take addresses of implicit accounts, separated by commas."""
    found = comma_list(value)
    for name in found:
        if not base58.is_pkh(name):
            raise ValueError("Unrecognized pkh format")
    return found


def indexes(value: str) -> List[int]:
    """Take slot indexes, separated by commas."""
    found = comma_list(value)
    for part in found:
        if not part.isdigit():
            raise ValueError(f"Unrecognized profile for producer (expected non-negative integer, got {part})")
    return [int(part) for part in found]


# Every spelling of each profile, with the release that brought it.
ATTESTERS = [
    option("--attestor-profiles", hashes, until=18),
    option("--attester-profiles", hashes, since=19),
    option("--attester", hashes, since=21),
]
OPERATORS = [
    option("--producer-profiles", indexes),
    option("--producer", indexes, since=21),
    option("--operator", indexes, since=21),
    option("--operator-profiles", indexes, since=22),
]
OBSERVERS = [option("--observer-profiles", indexes, since=20), option("--observer", indexes, since=21)]

SETTINGS = [
    option("--data-dir -d"),
    option("--config-file", since=23),
    option("--rpc-addr", addresses.point),
    option("--net-addr", addresses.point),
    option("--public-addr", addresses.point, since=19),
    option("--metrics-addr", addresses.point),
    option("--expected-pow", number),
    option("--endpoint -E"),
    option("--peers", comma_list),
    flag("--bootstrap-profile --bootstrap"),
    option("--history-mode", since=20),
    flag("--verbose -v", since=22),
    option("--fetch-trusted-setup", boolean, since=22),
    option("--service-name", since=21),
    option("--service-namespace", since=21),
    *ATTESTERS,
    *OPERATORS,
    *OBSERVERS,
]
RUN_ONLY = [flag("--ignore-l1-history-check", since=25)]

DEFAULTS: Json = {
    "rpc-addr": "127.0.0.1:10732",
    "net-addr": "0.0.0.0:11732",
    "endpoint": "http://127.0.0.1:8732",
    "expected-pow": 26.0,
    "peers": [],
}
KEYS = {
    "data-dir",
    "rpc-addr",
    "net-addr",
    "public-addr",
    "peers",
    "expected-pow",
    "endpoint",
    "metrics-addr",
    "history_mode",
    "profiles",
    "version",
    "fetch_trusted_setup",
    "verbose",
}


def data_dir_of(values: Json) -> str:
    """Give the data directory that the options mean."""
    return os.path.abspath(str(values.get("data-dir", os.path.expanduser("~/.tezos-dal-node"))))


def path_of(values: Json) -> str:
    """Give the configuration file that the options mean."""
    return str(values.get("config-file", os.path.join(data_dir_of(values), "config.json")))


def _gathered(values: Json, spellings: List[Any]) -> List[Any]:
    found: List[Any] = []
    for spelling in spellings:
        found += [name for name in values.get(spelling.key, []) if name not in found]
    return found


_EXCLUSIVE = (
    "a bootstrap node (option '--bootstrap') cannot be an attester (option '--attester'), an operator (option "
    "'--operator') nor an observer (option '--observer')"
)


def profiles(values: Json) -> Json:
    """Read the profiles from the options. Raises UsageError when they exclude each other."""
    found = {
        "attesters": _gathered(values, ATTESTERS),
        "operators": _gathered(values, OPERATORS),
        "observers": _gathered(values, OBSERVERS),
        "bootstrap": "bootstrap-profile" in values,
    }
    if found["bootstrap"] and (found["attesters"] or found["operators"] or found["observers"]):
        raise UsageError(_EXCLUSIVE)
    return found


def overlay(config: Json, values: Json) -> None:
    """Put the options over a configuration: peers and profiles are added, the rest replaced. Raises UsageError."""
    for key in ("rpc-addr", "net-addr", "public-addr", "metrics-addr", "expected-pow", "endpoint"):
        if key in values:
            config[key] = values[key]
    if "history-mode" in values:
        config["history_mode"] = values["history-mode"]
    if "fetch-trusted-setup" in values:
        config["fetch_trusted_setup"] = values["fetch-trusted-setup"]
    config["peers"] = [*config["peers"], *(peer for peer in values.get("peers", []) if peer not in config["peers"])]
    added, kept = profiles(values), config["profiles"]
    for role in ("attesters", "operators", "observers"):
        kept[role] = [*kept[role], *(name for name in added[role] if name not in kept[role])]
    kept["bootstrap"] = kept["bootstrap"] or added["bootstrap"]
    if kept["bootstrap"] and (kept["attesters"] or kept["operators"] or kept["observers"]):
        raise UsageError(_EXCLUSIVE)


def build(values: Json) -> Json:
    """Make a configuration of the options."""
    none: Json = {"attesters": [], "operators": [], "observers": [], "bootstrap": False}
    config: Json = {**DEFAULTS, "data-dir": data_dir_of(values), "profiles": none, "version": 3}
    overlay(config, values)
    return config


def load(path: str, release: releases.Release) -> Json:
    """Read a configuration file. Raises Failure."""
    try:
        with open(path, encoding="utf-8") as stream:
            config = json.load(stream)
    except FileNotFoundError:
        raise Failure(f"The configuration file {path} does not exist: run 'config init' first") from None
    except (OSError, ValueError) as error:
        raise Failure(f"Cannot read the configuration file {path}: {error}") from None
    known = KEYS | {"acl"} if release.level >= 25 else KEYS
    unknown = set(config) - known
    if unknown:
        raise Failure(f"{path}: unexpected field {sorted(unknown)[0]}")
    return dict(config)


def write(path: str, config: Json) -> None:
    """Write a configuration file, making its directory."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(config, stream, indent=2)
        stream.write("\n")


def allows_all(config: Json, host: str) -> bool:
    """Tell, as of v25, whether the RPC server lets everybody write: on loopback, or when an ACL says so."""
    if addresses.is_loopback(host):
        return True
    return any(
        entry.get("address") == config["rpc-addr"] and entry.get("blacklist") == [] for entry in config.get("acl", [])
    )
