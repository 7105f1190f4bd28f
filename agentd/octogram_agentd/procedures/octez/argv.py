"""The argument lists of the Octez programs, release by release. Pure functions: nothing here runs or looks."""

from __future__ import annotations

from octogram_agentd.procedures.octez.releases import has, protocol_hash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Sequence

    from octogram_agentd.procedures.octez.releases import Release


def tez(mutez: int) -> str:
    """Write an amount of mutez as the client takes it: tez, decimal, no trailing zeros."""
    whole, part = divmod(mutez, 1000000)
    return "%d" % whole if not part else ("%d.%06d" % (whole, part)).rstrip("0")


# -- octez-node ---------------------------------------------------------------------------------------------------


def node_config_init(
    program: str, *, data_dir: str, network: str, threshold: int, peers: Sequence[str], metrics_addr: str
) -> List[str]:
    """Write a node's configuration file. Peers come in reverse, each once, as the original passes them."""
    argv = [program, "config", "init", "--data-dir", data_dir]
    for peer in reversed(list(dict.fromkeys(peers))):
        argv += ["--peer", peer]
    return [
        *argv,
        "--metrics-addr",
        metrics_addr,
        "--network",
        network,
        "--synchronisation-threshold",
        str(threshold),
        "--expected-pow",
        "0",
    ]


def node_snapshot_import(program: str, *, data_dir: str, snapshot: str) -> List[str]:
    """Fill a data directory from a snapshot."""
    return [program, "snapshot", "import", "--data-dir", data_dir, "--no-check", snapshot]


def node_run(
    program: str,
    release: Release,
    *,
    data_dir: str,
    net_addr: str,
    metrics_addr: str,
    rpc_addr: str,
    history_mode: Optional[str] = None,
) -> List[str]:
    """Run a node, all of its RPCs open on `rpc_addr`."""
    argv = [
        program,
        "run",
        "--data-dir",
        data_dir,
        "--net-addr",
        net_addr,
        "--metrics-addr",
        metrics_addr,
        "--rpc-addr",
        rpc_addr,
    ]
    if has(release, "node --max-active-rpc-connections"):
        argv += ["--max-active-rpc-connections", "500"]
    argv += ["--allow-all-rpc", rpc_addr]
    if history_mode:
        argv += ["--history-mode", history_mode]
    return argv


# -- octez-client -------------------------------------------------------------------------------------------------


def client(
    program: str, words: Sequence[str], *, base_dir: str, endpoint: Optional[str] = None, wait: Optional[str] = None
) -> List[str]:
    """Put the client's global options in front of a command's words."""
    argv = [program]
    if endpoint is not None:
        argv += ["--endpoint", endpoint]
    argv += ["--base-dir", base_dir]
    if wait is not None:
        argv += ["--wait", wait]
    return [*argv, *words]


def show_address(alias: str) -> List[str]:
    """Print an alias's hash and keys."""
    return ["show", "address", alias, "--show-secret"]


def generate_keys(count: int, prefix: str) -> List[str]:
    """Add `count` fresh keys to the wallet."""
    return ["stresstest", "gen", "keys", str(count), "--alias-prefix", prefix]


def activate_protocol(release: Release, *, protocol: str, parameter_file: str, timestamp: str) -> List[str]:
    """Activate a protocol on a chain at genesis."""
    return [
        "activate",
        "protocol",
        protocol_hash(protocol, release),
        "with",
        "fitness",
        "1",
        "and",
        "key",
        "activator",
        "and",
        "parameters",
        parameter_file,
        "--timestamp",
        timestamp,
    ]


def originate_smart_rollup(alias: str, *, source: str, parameters_type: str, kernel_file: str) -> List[str]:
    """Originate a WebAssembly rollup; the kernel is a file of hexadecimal."""
    return [
        "originate",
        "smart",
        "rollup",
        alias,
        "from",
        source,
        "of",
        "kind",
        "wasm_2_0_0",
        "of",
        "type",
        parameters_type,
        "with",
        "kernel",
        "file:" + kernel_file,
        "--burn-cap",
        "2",
    ]


def originate_contract(alias: str, *, amount: int, source: str, script_file: str, init: str) -> List[str]:
    """Originate a Michelson contract."""
    return [
        "originate",
        "contract",
        alias,
        "transferring",
        tez(amount),
        "from",
        source,
        "running",
        "file:" + script_file,
        "--init",
        init,
        "--burn-cap",
        "2",
    ]


def transfer(
    *, amount: int, source: str, destination: str, entrypoint: Optional[str] = None, argument: Optional[str] = None
) -> List[str]:
    """Transfer tez, or call a contract."""
    words = ["transfer", tez(amount), "from", source, "to", destination, "--burn-cap", "2"]
    if entrypoint is not None:
        words += ["--entrypoint", entrypoint]
    if argument is not None:
        words += ["--arg", argument]
    return words


def send_messages(messages_json: str, *, source: str) -> List[str]:
    """Send messages, a JSON list of hexadecimal texts, to all rollups."""
    return ["send", "smart", "rollup", "message", "hex:" + messages_json, "from", source]


def publish_commitment(
    release: Release, commitment: str, *, source: str, slot_index: int, level: int, proof: str
) -> List[str]:
    """Publish a DAL slot's commitment; `level` is the block's that is meant to hold it, which only v18 asks for."""
    words = ["publish", "dal", "commitment", commitment, "from", source, "for", "slot", str(slot_index)]
    if not has(release, "client publishes without level"):
        words += ["at", "level", str(level)]
    return [*words, "with", "proof", proof]


# -- octez-dal-node -----------------------------------------------------------------------------------------------


def dal_config_init(
    program: str,
    release: Release,
    *,
    data_dir: str,
    rpc_addr: str,
    net_addr: str,
    metrics_addr: str,
    peers: Sequence[str],
    attesters: Sequence[str],
    producers: Sequence[int],
    is_bootstrap: bool,
) -> List[str]:
    """Write a DAL node's configuration file. Empty lists are left out: to some releases they mean something."""
    argv = [
        program,
        "config",
        "init",
        "--data-dir",
        data_dir,
        "--rpc-addr",
        rpc_addr,
        "--net-addr",
        net_addr,
        "--metrics-addr",
        metrics_addr,
        "--expected-pow",
        "0.",
    ]
    if peers:
        argv += ["--peers", ",".join(peers)]
    if attesters:
        option = "--attester-profiles" if has(release, "dal --attester-profiles") else "--attestor-profiles"
        argv += [option, ",".join(attesters)]
    if producers:
        option = "--operator-profiles" if has(release, "dal --operator-profiles") else "--producer-profiles"
        argv += [option, ",".join(str(index) for index in producers)]
    if is_bootstrap:
        argv.append("--bootstrap-profile")
    return argv


def dal_run(
    program: str,
    release: Release,
    *,
    data_dir: str,
    endpoint: str,
    rpc_addr: str,
    net_addr: str,
    metrics_addr: str,
    ignores_l1_history: bool = False,
) -> List[str]:
    """Run a DAL node."""
    argv = [
        program,
        "run",
        "--data-dir",
        data_dir,
        "--endpoint",
        endpoint,
        "--rpc-addr",
        rpc_addr,
        "--net-addr",
        net_addr,
        "--metrics-addr",
        metrics_addr,
    ]
    if ignores_l1_history and has(release, "dal --ignore-l1-history-check"):
        argv.append("--ignore-l1-history-check")
    return argv


# -- octez-baker --------------------------------------------------------------------------------------------------


def baker_run(
    program: str,
    release: Release,
    *,
    endpoint: str,
    base_dir: str,
    node_data_dir: Optional[str],
    delegates: Sequence[str],
    dal_endpoint: Optional[str],
) -> List[str]:
    """Run a baker: beside its node's data directory, or by RPC alone when there is none."""
    argv = [program]
    if "experimental-agnostic-baker" in program.rpartition("/")[2]:
        argv.append("--")  # v22's first agnostic baker hands on what follows
    argv += ["--endpoint", endpoint, "--base-dir", base_dir, "run"]
    argv += ["remotely"] if node_data_dir is None else ["with", "local", "node", node_data_dir]
    argv += [*delegates, "--liquidity-baking-toggle-vote", "pass"]
    if dal_endpoint is not None:
        argv += ["--dal-node", dal_endpoint]
    elif has(release, "baker --without-dal"):
        argv.append("--without-dal")
    return argv


# -- octez-smart-rollup-node and smart-rollup-installer -------------------------------------------------------------


def rollup_run(
    program: str,
    release: Release,
    *,
    endpoint: str,
    base_dir: str,
    mode: str,
    address: str,
    operator: str,
    rpc_host: str,
    rpc_port: int,
    metrics_addr: str,
    data_dir: str,
    kernel_log: Optional[str] = None,
) -> List[str]:
    """Run a rollup node."""
    argv = [
        program,
        "--endpoint",
        endpoint,
        "--base-dir",
        base_dir,
        "run",
        mode,
        "for",
        address,
        "with",
        "operators",
        operator,
    ]
    if has(release, "rollup --no-degraded"):
        argv += ["--no-degraded", "--gc-frequency", "1", "--history-mode", "full"]
    argv += [
        "--rpc-port",
        str(rpc_port),
        "--rpc-addr",
        rpc_host,
        "--metrics-addr",
        metrics_addr,
        "--data-dir",
        data_dir,
    ]
    if kernel_log is not None:
        argv += ["--log-kernel-debug", "--log-kernel-debug-file", kernel_log]
    return argv


def reveal_installer(
    program: str, *, kernel: str, preimages_dir: str, output: str, setup_file: Optional[str] = None
) -> List[str]:
    """Make a kernel small enough to originate, which reveals the real one piece by piece."""
    argv = [program, "get-reveal-installer", "-u", kernel, "-P", preimages_dir, "-o", output]
    if setup_file is not None:
        argv += ["-S", setup_file]
    return argv
