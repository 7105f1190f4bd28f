"""The node's options, release by release, and the configuration file that `config init` makes of them."""

from __future__ import annotations

import json
import os

from . import addresses, base58, events, networks, releases
from .arguments import Option, UsageError, boolean, flag, natural, number, one_of, option
from .lifecycle import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    Json = Dict[str, Any]


def history_mode(value: str) -> str:
    """Take archive, full or rolling, with an optional number of cycles."""
    mode, _, cycles = value.partition(":")
    if mode not in ("archive", "full", "rolling", "experimental-rolling") or not (cycles or "0").isdigit():
        raise ValueError(f"invalid value '{value}', expected 'archive', 'full' or 'rolling'")
    return value


def connection_limit(value: str) -> int | None:
    """Take a number of connections, or `unlimited`."""
    return None if value == "unlimited" else natural(value)


DATA_DIR = option("--data-dir -d")
SETTINGS = [
    DATA_DIR,
    option("--config-file"),
    option("--network"),
    option("--expected-pow", number),
    option("--synchronisation-threshold", natural),
    option("--sync-latency", natural),
    option("--peer", repeats=True),
    option("--metrics-addr", repeats=True),
    option("--rpc-addr", repeats=True),
    option("--external-rpc-addr", since=20, repeats=True),
    option("--allow-all-rpc", addresses.checked, repeats=True),
    option("--max-active-rpc-connections", connection_limit, since=20),
    option("--net-addr"),
    option("--advertised-net-port", natural),
    option("--discovery-addr"),
    option("--connections", natural),
    option("--history-mode", history_mode),
    option("--log-output"),
    option("--log-coloring", boolean, since=19),
    option("--cors-origin", repeats=True),
    option("--cors-header", repeats=True),
    option("--rpc-tls"),
    option("--media-type", one_of("json", "binary", "any")),
    option("--max-download-speed", natural),
    option("--max-upload-speed", natural),
    option("--binary-chunks-size", natural),
    option("--peer-table-size", natural),
    option("--operation-metadata-size-limit"),
    flag("--private-mode"),
    flag("--no-bootstrap-peers"),
    flag("--disable-mempool"),
    flag("--enable-testchain"),
    flag("-v"),
]
RUN_ONLY = [
    flag("--singleprocess"),
    option("--sandbox"),
    option("--checkpoint"),
    option("--target"),
    flag("--force-history-mode-switch"),
    flag("--disable-context-pruning", since=20),
    option("--storage-maintenance-delay", since=20),
]
SNAPSHOT_IMPORT: list[Option] = [
    DATA_DIR,
    option("--config-file"),
    option("--network"),
    option("--block"),
    option("--progress-display-mode", one_of("always", "never", "auto")),
    flag("--no-check"),
    flag("--reconstruct"),
    flag("--check"),
    option("--sandbox"),
]
SNAPSHOT_EXPORT: list[Option] = [DATA_DIR, option("--config-file"), option("--block"), flag("--rolling"), flag("-v")]
IDENTITY: list[Option] = [DATA_DIR, option("--config-file"), flag("-v")]


def data_dir_of(values: Json) -> str:
    """Give the data directory that the options mean."""
    return os.path.abspath(str(values.get("data-dir", os.path.expanduser("~/.tezos-node"))))


def path_of(values: Json) -> str:
    """Give the configuration file that the options mean."""
    return os.path.abspath(str(values.get("config-file", os.path.join(data_dir_of(values), "config.json"))))


def build(values: Json, release: releases.Release) -> Json:
    """Make a configuration of the options. Raises UsageError."""
    config: Json = {"data-dir": data_dir_of(values), "p2p": {"limits": {}}, "rpc": {}, "shell": {}}
    name = values.get("network", "mainnet")
    try:
        network = networks.read(name, release)
    except networks.Invalid as error:
        raise UsageError(f"option '--network': {error}") from None
    if network != "mainnet":
        config["network"] = network
    overlay(config, values)
    return config


def overlay(config: Json, values: Json) -> None:
    """Put the options over a configuration: a list replaces the configured one, but peers are added."""
    p2p, rpc = config.setdefault("p2p", {}), config.setdefault("rpc", {})
    if "expected-pow" in values:
        p2p["expected-proof-of-work"] = values["expected-pow"]
    if "net-addr" in values:
        p2p["listen-addr"] = values["net-addr"]
    if "discovery-addr" in values:
        p2p["discovery-addr"] = values["discovery-addr"]
    if "peer" in values:
        kept = p2p.get("bootstrap-peers", [])
        p2p["bootstrap-peers"] = [*kept, *(peer for peer in dict.fromkeys(values["peer"]) if peer not in kept)]
    if "connections" in values:
        p2p.setdefault("limits", {})["expected-connections"] = values["connections"]
    if "private-mode" in values:
        p2p["private-mode"] = True
    if "rpc-addr" in values:
        rpc["listen-addrs"] = values["rpc-addr"]
    if "external-rpc-addr" in values:
        rpc["external-listen-addrs"] = values["external-rpc-addr"]
    if "allow-all-rpc" in values:
        rpc["acl"] = [{"address": text, "blacklist": []} for text in values["allow-all-rpc"]]
    if "max-active-rpc-connections" in values:
        rpc["max_active_rpc_connections"] = values["max-active-rpc-connections"]
    if "metrics-addr" in values:
        config["metrics_addr"] = values["metrics-addr"]
    shell = config.setdefault("shell", {})
    if "history-mode" in values:
        shell["history_mode"] = values["history-mode"]
    if "synchronisation-threshold" in values:
        validator = shell.setdefault("chain_validator", {})
        validator["synchronisation_threshold"] = values["synchronisation-threshold"]


def _complaints(config: Json) -> List[str]:
    """Say what is wrong with the addresses and the proof of work, in the words of the node's validation."""
    p2p, rpc = config.get("p2p", {}), config.get("rpc", {})
    fields = (
        ("rpc.listen-addrs", rpc.get("listen-addrs", []), addresses.checked),
        ("p2p.bootstrap-peers", p2p.get("bootstrap-peers", []), addresses.peer),
        ("p2p.listen-addr", [p2p["listen-addr"]] if "listen-addr" in p2p else [], addresses.checked),
        ("p2p.discovery-addr", [p2p["discovery-addr"]] if "discovery-addr" in p2p else [], addresses.checked),
    )
    found: List[str] = []
    for field, texts, check in fields:
        for text in texts:
            try:
                check(text)
            except ValueError as error:
                found.append(f"failed to parse address '{text}' in field '{field}': {error}.")
    work = p2p.get("expected-proof-of-work", 26.0)
    if not 0 <= work <= 256:
        text = f"the expected proof-of-work must be between 0 and 256 (inclusive), but found the value {work:g}"
        found.append(f"{text} in field 'p2p.expected-proof-of-work'.")
    return found


def validate(config: Json) -> None:
    """Refuse a configuration as `config init` and `run` do: each fault in a line, then that it is invalid."""
    found = _complaints(config)
    if found:
        events.complain("found the following error(s) while validating the node configuration.")
        for text in found:
            events.complain(text)
        raise Failure("The node configuration is invalid, use `octez-node config validate [options]`")


KNOWN_KEYS = {"data-dir", "p2p", "rpc", "shell", "network", "metrics_addr", "log", "disable_config_validation"}


def load(path: str, release: releases.Release) -> Json:
    """Read a configuration file. Raises Failure."""
    try:
        with open(path, encoding="utf-8") as stream:
            config = json.load(stream)
    except FileNotFoundError:
        raise Failure(f"The configuration file {path} does not exist: run 'config init' first") from None
    except (OSError, ValueError) as error:
        raise Failure(f"Cannot read the configuration file {path}: {error}") from None
    unknown = set(config) - KNOWN_KEYS
    if unknown:
        raise Failure(f"{path}: unexpected field {sorted(unknown)[0]}")
    network = config.get("network", "mainnet")
    if isinstance(network, str) and network.lower() not in networks.built_in(release):
        raise Failure(f"{path}: unknown network {network}")
    if not isinstance(network, str):
        try:
            networks.check(network, release)
        except networks.Invalid as error:
            raise Failure(f"{path}: invalid network: {error}") from None
    return dict(config)


def write(path: str, config: Json) -> None:
    """Write a configuration file, making its directory."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(config, stream, indent=2)
        stream.write("\n")


def identity(data_dir: str, expected_pow: float) -> Json:
    """Read the node's identity, or make one. The proof of work is not worked out."""
    path = os.path.join(data_dir, "identity.json")
    if os.path.exists(path):
        with open(path, encoding="utf-8") as stream:
            return dict(json.load(stream))
    secret = os.urandom(32)
    public = base58.digest(b"public" + secret)
    found = {
        "peer_id": base58.encode("peer", base58.digest(public, 16)),
        "public_key": public.hex(),
        "secret_key": secret.hex(),
        "proof_of_work_stamp": base58.digest(f"{expected_pow}".encode(), 24).hex(),
    }
    os.makedirs(data_dir, exist_ok=True)
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(found, stream)
    return found
