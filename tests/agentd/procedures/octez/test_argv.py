"""What each release's programs are called with. Written out from the command lines that the releases take."""

from __future__ import annotations

import pytest

from octogram_agentd.procedures.octez import argv
from octogram_agentd.procedures.octez.releases import HEAD, PROTOCOLS

V17, V18, V19, V20, V21, V21_3, V22, V23, V24, V25 = (
    (17, 0),
    (18, 0),
    (19, 0),
    (20, 0),
    (21, 0),
    (21, 3),
    (22, 0),
    (23, 0),
    (24, 0),
    (25, 1),
)
ALL = [V17, V18, V19, V20, V21, V21_3, V22, V23, V24, V25, (31, 0), HEAD]


@pytest.mark.parametrize(
    ("mutez", "text"),
    [(0, "0"), (2_000_000, "2"), (500_000, "0.5"), (1_000_000_001, "1000.000001"), (1, "0.000001"), (10_000_000, "10")],
)
def test_amounts_are_written_in_tez(mutez: int, text: str) -> None:
    assert argv.tez(mutez) == text


def test_node_configuration_names_peers_in_reverse_and_once() -> None:
    assert argv.node_config_init(
        "/h/octez-node",
        data_dir="/d",
        network="sandbox",
        threshold=0,
        peers=["a:1", "b:2", "a:1"],
        metrics_addr="0.0.0.0:9",
    ) == [
        "/h/octez-node",
        "config",
        "init",
        "--data-dir",
        "/d",
        "--peer",
        "b:2",
        "--peer",
        "a:1",
        "--metrics-addr",
        "0.0.0.0:9",
        "--network",
        "sandbox",
        "--synchronisation-threshold",
        "0",
        "--expected-pow",
        "0",
    ]


@pytest.mark.parametrize("release", ALL)
def test_node_run(release: tuple[int, int]) -> None:
    limit = ["--max-active-rpc-connections", "500"] if release >= V20 else []
    arguments = {"data_dir": "/d", "net_addr": "0.0.0.0:1", "metrics_addr": "0.0.0.0:2", "rpc_addr": "0.0.0.0:3"}
    expected = [
        "n",
        "run",
        "--data-dir",
        "/d",
        "--net-addr",
        "0.0.0.0:1",
        "--metrics-addr",
        "0.0.0.0:2",
        "--rpc-addr",
        "0.0.0.0:3",
        *limit,
        "--allow-all-rpc",
        "0.0.0.0:3",
    ]
    assert argv.node_run("n", release, **arguments) == expected
    assert argv.node_run("n", release, history_mode="archive", **arguments) == [*expected, "--history-mode", "archive"]


def test_snapshot_import() -> None:
    assert argv.node_snapshot_import("n", data_dir="/d", snapshot="/s") == [
        "n",
        "snapshot",
        "import",
        "--data-dir",
        "/d",
        "--no-check",
        "/s",
    ]


def test_global_options_of_the_client_come_first() -> None:
    assert argv.client("c", ["bootstrapped"], base_dir="/w") == ["c", "--base-dir", "/w", "bootstrapped"]
    assert argv.client("c", ["x"], base_dir="/w", endpoint="http://127.0.0.1:8732", wait="none") == [
        "c",
        "--endpoint",
        "http://127.0.0.1:8732",
        "--base-dir",
        "/w",
        "--wait",
        "none",
        "x",
    ]


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_activation(name: str) -> None:
    assert argv.activate_protocol(V25, protocol=name, parameter_file="/p.json", timestamp="2024-01-31T10:00:00Z") == [
        "activate",
        "protocol",
        PROTOCOLS[name],
        "with",
        "fitness",
        "1",
        "and",
        "key",
        "activator",
        "and",
        "parameters",
        "/p.json",
        "--timestamp",
        "2024-01-31T10:00:00Z",
    ]


def test_commands_that_all_clients_share() -> None:
    assert argv.show_address("a") == ["show", "address", "a", "--show-secret"]
    assert argv.generate_keys(7, "p") == ["stresstest", "gen", "keys", "7", "--alias-prefix", "p"]
    assert argv.originate_smart_rollup("r", source="s", parameters_type="bytes", kernel_file="/k.hex") == [
        "originate",
        "smart",
        "rollup",
        "r",
        "from",
        "s",
        "of",
        "kind",
        "wasm_2_0_0",
        "of",
        "type",
        "bytes",
        "with",
        "kernel",
        "file:/k.hex",
        "--burn-cap",
        "2",
    ]
    assert argv.originate_contract("c", amount=1_500_000, source="s", script_file="/c.tz", init="Unit") == [
        "originate",
        "contract",
        "c",
        "transferring",
        "1.5",
        "from",
        "s",
        "running",
        "file:/c.tz",
        "--init",
        "Unit",
        "--burn-cap",
        "2",
    ]
    assert argv.transfer(amount=0, source="s", destination="d") == [
        "transfer",
        "0",
        "from",
        "s",
        "to",
        "d",
        "--burn-cap",
        "2",
    ]
    assert argv.transfer(amount=1, source="s", destination="d", entrypoint="e", argument="Unit")[-4:] == [
        "--entrypoint",
        "e",
        "--arg",
        "Unit",
    ]
    assert argv.send_messages('["00"]', source="s") == [
        "send",
        "smart",
        "rollup",
        "message",
        'hex:["00"]',
        "from",
        "s",
    ]


@pytest.mark.parametrize("release", ALL[1:])
def test_publication(release: tuple[int, int]) -> None:
    level = ["at", "level", "12"] if release == V18 else []
    assert argv.publish_commitment(release, "sh1", source="s", slot_index=3, level=12, proof="00") == [
        "publish",
        "dal",
        "commitment",
        "sh1",
        "from",
        "s",
        "for",
        "slot",
        "3",
        *level,
        "with",
        "proof",
        "00",
    ]


@pytest.mark.parametrize("release", ALL[1:])
def test_dal_configuration(release: tuple[int, int]) -> None:
    attesters = "--attestor-profiles" if release == V18 else "--attester-profiles"
    producers = "--operator-profiles" if release >= V22 else "--producer-profiles"
    assert argv.dal_config_init(
        "d",
        release,
        data_dir="/d",
        rpc_addr="0.0.0.0:1",
        net_addr="0.0.0.0:2",
        metrics_addr="0.0.0.0:3",
        peers=["a:1", "b:2"],
        attesters=["tz1", "tz2"],
        producers=[0, 5],
        is_bootstrap=False,
    ) == [
        "d",
        "config",
        "init",
        "--data-dir",
        "/d",
        "--rpc-addr",
        "0.0.0.0:1",
        "--net-addr",
        "0.0.0.0:2",
        "--metrics-addr",
        "0.0.0.0:3",
        "--expected-pow",
        "0.",
        "--peers",
        "a:1,b:2",
        attesters,
        "tz1,tz2",
        producers,
        "0,5",
    ]


@pytest.mark.parametrize("release", ALL[1:])
def test_dal_lists_that_are_empty_are_left_out(release: tuple[int, int]) -> None:
    words = argv.dal_config_init(
        "d",
        release,
        data_dir="/d",
        rpc_addr="0.0.0.0:1",
        net_addr="0.0.0.0:2",
        metrics_addr="0.0.0.0:3",
        peers=[],
        attesters=[],
        producers=[],
        is_bootstrap=True,
    )
    assert words[-2:] == ["0.", "--bootstrap-profile"]


@pytest.mark.parametrize("release", ALL[1:])
def test_dal_run(release: tuple[int, int]) -> None:
    ignore = ["--ignore-l1-history-check"] if release >= (25, 0) else []
    assert argv.dal_run(
        "d",
        release,
        data_dir="/d",
        endpoint="http://0.0.0.0:9",
        rpc_addr="0.0.0.0:1",
        net_addr="0.0.0.0:2",
        metrics_addr="0.0.0.0:3",
        ignores_l1_history=True,
    ) == [
        "d",
        "run",
        "--data-dir",
        "/d",
        "--endpoint",
        "http://0.0.0.0:9",
        "--rpc-addr",
        "0.0.0.0:1",
        "--net-addr",
        "0.0.0.0:2",
        "--metrics-addr",
        "0.0.0.0:3",
        *ignore,
    ]


@pytest.mark.parametrize("release", ALL)
def test_baker(release: tuple[int, int]) -> None:
    without = ["--without-dal"] if release >= V21_3 else []
    start = ["b", "--endpoint", "http://0.0.0.0:9", "--base-dir", "/w", "run"]
    vote = ["--liquidity-baking-toggle-vote", "pass"]
    common = {"endpoint": "http://0.0.0.0:9", "base_dir": "/w"}
    assert argv.baker_run("b", release, node_data_dir="/n", delegates=["x", "y"], dal_endpoint=None, **common) == [
        *start,
        "with",
        "local",
        "node",
        "/n",
        "x",
        "y",
        *vote,
        *without,
    ]
    dal = "http://127.0.0.1:7"
    assert argv.baker_run("b", release, node_data_dir="/n", delegates=[], dal_endpoint=dal, **common) == [
        *start,
        "with",
        "local",
        "node",
        "/n",
        *vote,
        "--dal-node",
        dal,
    ]
    assert argv.baker_run("b", release, node_data_dir=None, delegates=["x"], dal_endpoint=None, **common) == [
        *start,
        "remotely",
        "x",
        *vote,
        *without,
    ]


def test_the_first_agnostic_baker_hands_on_what_follows_two_dashes() -> None:
    words = argv.baker_run(
        "/h/octez-experimental-agnostic-baker",
        V22,
        endpoint="http://h:1",
        base_dir="/w",
        node_data_dir="/n",
        delegates=[],
        dal_endpoint=None,
    )
    assert words[:3] == ["/h/octez-experimental-agnostic-baker", "--", "--endpoint"]


@pytest.mark.parametrize("release", ALL)
def test_rollup_node(release: tuple[int, int]) -> None:
    history = ["--no-degraded", "--gc-frequency", "1", "--history-mode", "full"] if release >= V19 else []
    common = {
        "endpoint": "http://localhost:9",
        "base_dir": "/w",
        "mode": "operator",
        "address": "sr1",
        "operator": "o",
        "rpc_host": "0.0.0.0",
        "metrics_addr": "0.0.0.0:2",
        "data_dir": "/d",
    }
    expected = [
        "r",
        "--endpoint",
        "http://localhost:9",
        "--base-dir",
        "/w",
        "run",
        "operator",
        "for",
        "sr1",
        "with",
        "operators",
        "o",
        *history,
        "--rpc-port",
        "1",
        "--rpc-addr",
        "0.0.0.0",
        "--metrics-addr",
        "0.0.0.0:2",
        "--data-dir",
        "/d",
    ]
    assert argv.rollup_run("r", release, rpc_port=1, **common) == expected
    assert argv.rollup_run("r", release, rpc_port=1, kernel_log="/k.log", **common) == [
        *expected,
        "--log-kernel-debug",
        "--log-kernel-debug-file",
        "/k.log",
    ]


def test_installer() -> None:
    expected = ["i", "get-reveal-installer", "-u", "/k.wasm", "-P", "/p/wasm_2_0_0", "-o", "/o.hex"]
    assert argv.reveal_installer("i", kernel="/k.wasm", preimages_dir="/p/wasm_2_0_0", output="/o.hex") == expected
    assert argv.reveal_installer(
        "i", kernel="/k.wasm", preimages_dir="/p/wasm_2_0_0", output="/o.hex", setup_file="/s"
    ) == [*expected, "-S", "/s"]
