"""What a running sandbox refuses: operations, parameters, wallets, daemons in the wrong place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ports import free_port
from stand_in_rig import MakeSandbox, Sandbox, call, get, module, wait_for_level


@pytest.fixture
def chain(sandbox: Sandbox) -> Sandbox:
    """A sandbox whose chain grows."""
    sandbox.bring_up_chain()
    return sandbox


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("transfer 1 from nobody to bootstrap1", "no public key hash alias named nobody"),
        ("transfer 1 from bootstrap1 to nobody", "no public key hash alias named nobody"),
        ("transfer 1 from activator to bootstrap1", "Empty implicit contract"),
        ("transfer 4_000_000 from bootstrap1 to bootstrap2", "invalid tez amount"),
        ("transfer 4000000 from bootstrap1 to bootstrap2", "too low"),
        ("transfer 0 from bootstrap1 to bootstrap2", "contract without code"),
        ("transfer 1 from bootstrap1 to bootstrap2 --entrypoint go", "no entrypoint named go"),
        ("transfer 1 from bootstrap1 to tz1TGu6TN5GSez2ndXXeDX6LgUDvLzPLqgYV", "--burn-cap 0.06425"),
        ("transfer 1 from bootstrap1 to KT1BuEZtb68c1Q4yjtckcNjGELqWt56Xyesc", "does not exist"),
        ("originate contract c transferring 0 from bootstrap1 running {} --burn-cap 2", "missing section parameter"),
        ("send smart rollup message hex:[] from bootstrap1", "zero messages"),
        ('send smart rollup message hex:["0g"] from bootstrap1', "not a valid hex encoded message"),
        ("send smart rollup message hello from bootstrap1", "messages must be given as"),
        ("originate smart rollup r from bootstrap1 of kind tape of type unit with kernel 00 --burn-cap 2", "tape"),
        ("originate smart rollup r from bootstrap1 of kind arith of type u with kernel 00 --burn-cap 2", "type u"),
        ("originate smart rollup r from bootstrap1 of kind arith of type unit with kernel xyz", "Invalid kernel"),
        ("publish dal commitment sh1 from bootstrap1 for slot 0 with proof 00", "not a DAL commitment"),
    ],
)
def test_operations_that_the_chain_refuses(words: str, problem: str, chain_of_module: Sandbox) -> None:
    done = chain_of_module.client(*words.split(" "))
    assert done.returncode == 1
    assert problem in done.stderr


@pytest.fixture(scope="module")
def chain_of_module(programs_of: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One chain for the tests that change nothing."""
    sandbox = Sandbox(programs_of("v25"), tmp_path_factory.mktemp("chain") / "sandbox", "v25")
    sandbox.bring_up_chain()
    yield sandbox
    sandbox.close()


def test_a_kernel_with_a_trailing_newline_is_invalid(chain_of_module: Sandbox) -> None:
    kernel = chain_of_module.place / "kernel.hex"
    kernel.write_text("0061736d\n")
    words = [
        "originate",
        "smart",
        "rollup",
        "r",
        "from",
        "bootstrap1",
        "of",
        "kind",
        "wasm_2_0_0",
        "of",
        "type",
        "unit",
        "with",
        "kernel",
    ]
    done = chain_of_module.client(*words, f"file:{kernel}", "--burn-cap", "2")
    assert (done.returncode, "Invalid kernel" in done.stderr) == (1, True)


def test_known_aliases_are_refused_before_or_after_the_injection(chain: Sandbox) -> None:
    contract = ["originate", "contract", "c", "transferring", "0", "from", "bootstrap1", "running"]
    contract += ["parameter unit; storage unit; code {CDR}", "--burn-cap", "2"]
    rollup = [
        "originate",
        "smart",
        "rollup",
        "r",
        "from",
        "bootstrap2",
        "of",
        "kind",
        "arith",
        "of",
        "type",
        "unit",
        "with",
        "kernel",
        "00",
        "--burn-cap",
        "2",
    ]
    for words in (contract, rollup):
        chain.client_ok("--wait", "0", *words)
    before, after = chain.client("--wait", "0", *contract), chain.client("--wait", "0", *rollup)
    assert (before.returncode, after.returncode) == (1, 1)
    assert "successfully injected" not in before.stdout
    assert "successfully injected" in after.stdout
    assert "alias r already exists" in after.stderr


def test_one_operation_a_block_for_each_source(sandbox: Sandbox) -> None:
    sandbox.bring_up_node()
    assert sandbox.activate("alpha", sandbox.parameters("alpha")).returncode == 0
    words = ["--wait", "none", "transfer", "1", "from", "bootstrap1", "to", "bootstrap2"]
    assert "NOT waiting for the operation to be included." in sandbox.client_ok(*words)
    again = sandbox.client(*words)
    assert (again.returncode, "already contains a conflicting operation" in again.stderr) == (1, True)
    sandbox.start_baker()
    wait_for_level(sandbox.url, 2)
    assert len(get(f"{sandbox.url}/chains/main/blocks/2/operation_hashes")[3]) == 1


def test_without_a_baker_there_are_no_blocks_and_without_protocol_no_operations(sandbox: Sandbox) -> None:
    sandbox.bring_up_node()
    early = sandbox.client(*["transfer", "1", "from", "bootstrap1", "to", "bootstrap2"])
    assert "Unrecognized command" in early.stderr
    assert call(f"{sandbox.url}/chains/main/blocks/head/helpers/current_level?offset=0")[0] == 404
    baker = sandbox.start_baker()
    baker.wait_line("Waiting for protocol")
    assert sandbox.activate("u025", sandbox.parameters("u025")).returncode == 0
    baker.wait_line("Baker v25.1 .* for PsUshuai started")
    wait_for_level(sandbox.url, 3)
    assert baker.stop() == 127
    level = get(f"{sandbox.url}/chains/main/blocks/head/helpers/current_level?offset=0")["level"]
    assert level == get(f"{sandbox.url}/chains/main/blocks/head/header")["level"]


@pytest.mark.parametrize(
    ("protocol", "changes", "problem"),
    [
        ("u025", {"minimal_block_delay": 1}, "minimal_block_delay must be a string"),
        ("u025", {"bootstrap_accounts": [["edpk", "1"]]}, "neither a public key"),
        ("u025", {"dal": {"number_of_slots": 257}}, "between 1 and 256"),
        ("u025", {"dal": {"attestation_lag": 1}}, "greater than 1"),
        ("u025", {"dal": {"attestation_lags": [2, 4]}}, "end with attestation_lag"),
        ("alpha", {"dal": {"number_of_shards": 512}}, "must not exceed consensus_committee_size"),
        ("u025", {"dal": {"number_of_shards": 512}}, ""),
        ("t024", {"dal": {"attestation_lags": [8]}}, "unexpected field attestation_lags"),
        ("PtParisBxoLz5gzMmn3d9WBQNoPSZakgnkMC2VNuQ3KXfUtUQeZ", {}, ""),
        ("ProxfordSW2S7fvchT1Zgj2avb5UES194neRyYVXoaDGvF9egt8", {}, "Unknown protocol"),
    ],
)
def test_parameters_that_the_protocol_refuses(
    sandbox: Sandbox, protocol: str, changes: dict[str, Any], problem: str
) -> None:
    sandbox.bring_up_node()
    path = sandbox.parameters(protocol if len(protocol) < 10 else "paris")
    given = json.loads(path.read_text())
    given["dal_parametric"].update(changes.pop("dal", {}))
    given.update(changes)
    path.write_text(json.dumps(given))
    done = sandbox.activate(protocol, path)
    assert (done.returncode, problem in done.stderr) == (1 if problem else 0, True)


@pytest.mark.parametrize(
    ("release", "protocol", "is_refused"),
    [("v17", "alpha", False), ("v19", "alpha", False), ("v19", "oxford", False)]
    + [(f"v{level}", "alpha", True) for level in range(20, 26)]
    + [("v20", "paris", False), ("v22", "r022", False), ("v25", "u025", False)],
)
def test_shards_are_held_against_the_committee_since_v20_and_by_alpha_alone(
    release: str, protocol: str, is_refused: bool
) -> None:
    releases, parameters = module("releases"), module("parameters")
    known = releases.parse(release)
    chosen = next(each for each in releases.embedded(known) if each.name == protocol)
    given = parameters.base_file(chosen, known)
    given["dal_parametric"]["number_of_shards"] = given["consensus_committee_size"]
    assert parameters.check(given, chosen, known) == given
    given["dal_parametric"]["number_of_shards"] *= 2
    if is_refused:
        with pytest.raises(parameters.Refused, match="must not exceed consensus_committee_size"):
            parameters.check(given, chosen, known)
    else:
        assert parameters.check(given, chosen, known) == given


@pytest.mark.parametrize("number", [17, 19, 22, 25])
def test_each_protocol_demands_its_dal_keys(number: int) -> None:
    keys = module("parameters").dal_keys(number)
    assert ("blocks_per_epoch" in keys) == (number <= 18)
    assert ("incentives_enable" in keys) == (number >= 19)
    assert ("traps_fraction" in keys) == (number >= 22)
    assert ("attestation_lags" in keys) == (number >= 25)


def test_only_the_genesis_key_activates(sandbox: Sandbox) -> None:
    sandbox.bring_up_node()
    done = sandbox.activate("alpha", sandbox.parameters("alpha"), key="bootstrap1")
    assert (done.returncode, "genesis key" in done.stderr) == (1, True)


def test_bakers_need_the_power_of_the_consensus_threshold(sandbox: Sandbox) -> None:
    sandbox.bring_up_node()
    given = sandbox.parameters("alpha", consensus_threshold_size=170)
    assert sandbox.activate("alpha", given).returncode == 0
    first = sandbox.start_baker()
    first.wait_line("starting baker daemon")
    assert get(f"{sandbox.url}/chains/main/blocks/head/header")["level"] == 1
    sandbox.start_baker(delegates=["bootstrap2", "bootstrap3"])
    wait_for_level(sandbox.url, 3)


def test_a_dal_node_refuses_a_forgetful_l1_node(sandbox: Sandbox) -> None:
    sandbox.configure_node(sandbox.data_dir, "--network", "sandbox", "--synchronisation-threshold", "0")
    _, sandbox.url = sandbox.start_node(sandbox.data_dir)
    assert sandbox.activate("alpha", sandbox.parameters("alpha")).returncode == 0
    ports = ["--rpc-addr", f"127.0.0.1:{free_port()}", "--net-addr", f"127.0.0.1:{free_port()}"]
    data_dir = sandbox.place / "dal"
    assert sandbox.run("octez-dal-node", "config", "init", "--data-dir", data_dir, *ports).returncode == 0
    twice = sandbox.run("octez-dal-node", "config", "init", "--data-dir", data_dir, *ports)
    assert (twice.returncode, "exists already" in twice.stderr) == (1, True)
    run = ["run", "--data-dir", data_dir, "--endpoint", sandbox.url]
    refused = sandbox.run("octez-dal-node", *run)
    assert (refused.returncode, "history mode stores block data for 2 cycles" in refused.stderr) == (1, True)
    sandbox.start("octez-dal-node", *run, "--ignore-l1-history-check").wait_line("the DAL node is ready")


@pytest.mark.parametrize(("release", "extra", "ready"), [("v21", [], False), ("v22", [], True)])
def test_a_missing_trusted_setup(make_sandbox: MakeSandbox, release: str, extra: list[str], ready: bool) -> None:
    sandbox = make_sandbox(release)
    ports = ["--rpc-addr", f"127.0.0.1:{free_port()}", "--net-addr", f"127.0.0.1:{free_port()}"]
    data_dir = sandbox.place / "dal"
    init = ["config", "init", "--data-dir", data_dir, *ports, "--producer-profiles", "0", *extra]
    assert sandbox.run("octez-dal-node", *init).returncode == 0
    endpoint = ["--endpoint", f"http://127.0.0.1:{free_port()}"]
    run = ["run", "--data-dir", data_dir, *endpoint]
    if ready:
        sandbox.start("octez-dal-node", *run, OCTEZ_STAND_IN_MISSING_SRS="1").wait_line("RPC server is listening")
    else:
        done = sandbox.run("octez-dal-node", *run, OCTEZ_STAND_IN_MISSING_SRS="1")
        assert (done.returncode, "srsu_zcash_g1" in done.stderr) == (1, True)


def test_since_v25_a_dal_node_lets_others_only_read(make_sandbox: MakeSandbox) -> None:
    for release, acl, expected in (("v24", None, 204), ("v25", None, 401), ("v25", [], 204)):
        sandbox = make_sandbox(release)
        port, data_dir = free_port(), sandbox.place / "dal"
        init = ["--rpc-addr", f"0.0.0.0:{port}", "--net-addr", f"127.0.0.1:{free_port()}"]
        assert sandbox.run("octez-dal-node", "config", "init", "--data-dir", data_dir, *init).returncode == 0
        config = json.loads((data_dir / "config.json").read_text())
        if acl is not None:
            config["acl"] = [{"address": f"0.0.0.0:{port}", "blacklist": acl}]
        (data_dir / "config.json").write_text(json.dumps(config))
        endpoint = f"http://127.0.0.1:{free_port()}"
        dal = sandbox.start("octez-dal-node", "run", "--data-dir", data_dir, "--endpoint", endpoint)
        dal.wait_line("RPC server is listening")
        body = {"attesters": ["tz1KqTpEZ7Yob7QbPE4Hy4Wo8fHG8LhKxZSx"]}
        assert call(f"http://127.0.0.1:{port}/profiles", "PATCH", body)[0] == expected


def test_the_acl_is_no_field_before_v25(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox("v24")
    data_dir = sandbox.place / "dal"
    assert sandbox.run("octez-dal-node", "config", "init", "--data-dir", data_dir).returncode == 0
    config = json.loads((data_dir / "config.json").read_text())
    (data_dir / "config.json").write_text(json.dumps({**config, "acl": []}))
    done = sandbox.run("octez-dal-node", "run", "--data-dir", data_dir)
    assert (done.returncode, "unexpected field acl" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("operator", "address", "problem"),
    [
        ("bootstrap1", "sr1RYurGZtN8KNSpkMcCt9CgWeUaNkzsAfXf", "Unknown smart rollup"),
        ("poor", "", "staking on a commitment takes 10000"),
        ("nobody", "", "no public key hash alias named nobody"),
        ("reign:bootstrap1", "", "Unknown operator purpose"),
    ],
)
def test_who_may_operate_a_rollup(chain_of_module: Sandbox, operator: str, address: str, problem: str) -> None:
    sandbox = chain_of_module
    words = [
        "originate",
        "smart",
        "rollup",
        "r",
        "--force",
        "from",
        "bootstrap3",
        "of",
        "kind",
        "arith",
        "of",
        "type",
        "unit",
        "with",
        "kernel",
        "00",
    ]
    words.remove("--force")
    found = sandbox.client_ok("--wait", "0", *words, "--force", "--burn-cap", "2")
    known = found.split("Address: ")[1].split()[0]
    sandbox.client_ok("gen", "keys", "poor", "--force")
    run = ["--endpoint", sandbox.url, "--base-dir", sandbox.wallet, "run", "operator", "for", address or known]
    ports = ["--data-dir", sandbox.place / "rollup", "--rpc-port", str(free_port())]
    done = sandbox.run("octez-smart-rollup-node", *run, "with", "operators", operator, *ports)
    assert (done.returncode, problem in done.stderr) == (1, True)


def test_without_preimages_an_installer_kernel_does_not_start(chain: Sandbox) -> None:
    kernel, preimages, installer = chain.place / "k.wasm", chain.place / "pre", chain.place / "i.hex"
    kernel.write_bytes(b"\0asm" * 3000)
    preimages.mkdir()
    words = ["get-reveal-installer", "-u", kernel, "-P", preimages, "-o", installer, "-d"]
    root = chain.run("smart-rollup-installer", *words).stdout.split("ROOT_HASH: ")[1].strip()
    assert (preimages / root).exists()
    assert not installer.read_text().endswith("\n")
    originate = [
        "originate",
        "smart",
        "rollup",
        "r",
        "from",
        "bootstrap1",
        "of",
        "kind",
        "wasm_2_0_0",
        "of",
        "type",
        "unit",
        "with",
        "kernel",
    ]
    found = chain.client_ok("--wait", "0", *originate, f"file:{installer}", "--burn-cap", "2")
    address = found.split("Address: ")[1].split()[0]
    run = ["run", "operator", "for", address, "with", "operators", "bootstrap1", "--no-degraded"]
    ports = ["--data-dir", chain.place / "rollup", "--rpc-port", str(free_port())]
    done = chain.run("octez-smart-rollup-node", "--endpoint", chain.url, "--base-dir", chain.wallet, *run, *ports)
    assert (done.returncode, f"preimage of reveal hash {root}" in done.stderr) == (1, True)
