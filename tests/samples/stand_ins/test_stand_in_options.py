"""Which release takes which option: what is unknown is refused before anything is done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from stand_in_rig import Sandbox, module

RELEASES = ("v17", "v18", "v19", "v20", "v21", "v21.3", "v22", "v23", "v24", "v25")

# A command, options, and the first and last release that take them together.
NODE = "octez-node run --data-dir /nowhere"
DAL = "octez-dal-node run --data-dir /nowhere"
BAKER = "BAKER run with local node /nowhere --liquidity-baking-toggle-vote pass"
ROLLUP = "ROLLUP run operator for sr1nowhere with operators x"
KEYS = "octez-client --base-dir WALLET stresstest gen keys 1"
MATRIX = [
    (NODE, "--singleprocess", "v17", "v25"),
    (NODE, "--net-addr 0.0.0.0:1 --rpc-addr 0.0.0.0:2 --allow-all-rpc 0.0.0.0:2 --metrics-addr :3", "v17", "v25"),
    (NODE, "--max-active-rpc-connections 500", "v20", "v25"),
    (NODE, "--external-rpc-addr 0.0.0.0:2", "v20", "v25"),
    ("octez-node config init --data-dir /proc/nowhere", "--network sandbox", "v17", "v25"),
    ("octez-node config init --data-dir /proc/nowhere", "--network mumbainet", "v17", "v17"),
    ("octez-node config init --data-dir /proc/nowhere", "--network shadownet", "v24", "v25"),
    (DAL, "--metrics-addr :1 --expected-pow 0. --peers a:1,b:2 --bootstrap-profile", "v18", "v25"),
    (DAL, "--producer-profiles 0,1", "v18", "v25"),
    (DAL, "--attestor-profiles tz1KqTpEZ7Yob7QbPE4Hy4Wo8fHG8LhKxZSx", "v18", "v18"),
    (DAL, "--attester-profiles tz1KqTpEZ7Yob7QbPE4Hy4Wo8fHG8LhKxZSx", "v19", "v25"),
    (DAL, "--public-addr 1.2.3.4:5", "v19", "v25"),
    (DAL, "--observer-profiles 1", "v20", "v25"),
    (DAL, "--history-mode full", "v20", "v25"),
    (DAL, "--attester tz1KqTpEZ7Yob7QbPE4Hy4Wo8fHG8LhKxZSx", "v21", "v25"),
    (DAL, "--operator 1", "v21", "v25"),
    (DAL, "--operator-profiles 1", "v22", "v25"),
    (DAL, "--verbose", "v22", "v25"),
    (DAL, "--fetch-trusted-setup false", "v22", "v25"),
    (DAL, "--ignore-l1-history-check", "v25", "v25"),
    ("octez-dal-node config update --data-dir /nowhere", "", "v22", "v25"),
    ("octez-dal-node config reset --data-dir /proc/nowhere", "", "v25", "v25"),
    (BAKER, "--without-dal", "v21.3", "v25"),
    (BAKER, "--dal-node http://127.0.0.1:1 --keep-alive", "v17", "v25"),
    (BAKER, "--dal-node http://127.0.0.1:1 --adaptive-issuance-vote on", "v18", "v24"),
    (BAKER, "--dal-node http://127.0.0.1:1 --node-version-check-bypass", "v21", "v25"),
    (BAKER, "--dal-node http://127.0.0.1:1 --force-apply", "v17", "v20"),
    (BAKER, "--dal-node http://127.0.0.1:1 --force-apply-from-round 1", "v21", "v25"),
    (BAKER, "", "v17", "v21.3"),
    (ROLLUP, "--data-dir /nowhere --rpc-addr 0.0.0.0 --rpc-port 1 --metrics-addr :2 --log-kernel-debug", "v17", "v25"),
    (ROLLUP, "--no-degraded", "v19", "v25"),
    (ROLLUP, "--gc-frequency 1 --history-mode full", "v19", "v25"),
    (ROLLUP, "--acl-override allow-all", "v20", "v25"),
    (ROLLUP, "--config-file x", "v23", "v25"),
    (KEYS, "--alias-prefix p", "v17", "v25"),
    (KEYS, "--sig ed25519", "v23", "v25"),
    ("smart-rollup-installer get-reveal-installer -u /nowhere -o /nowhere -P /nowhere", "", "v17", "v25"),
    ("smart-rollup-installer get-reveal-installer -u /nowhere -o /nowhere -P /nowhere", "-S x -d", "v18", "v25"),
]
REFUSALS = (
    "unknown option",
    "unknown command",
    "'--network'",
    "Unrecognized command",
    "--without-dal'",
    "has no program",
)


def program_of(word: str, release: str) -> str:
    """Find the release's own program for a family of names."""
    level = int(release[1:3])
    if word == "BAKER":
        return "octez-baker" if level >= 23 else "octez-baker-alpha"
    if word == "ROLLUP":
        return "octez-smart-rollup-node" if level >= 18 else "octez-smart-rollup-node-alpha"
    return word


@pytest.mark.parametrize(("command", "options", "first", "last"), MATRIX)
def test_options_are_known_from_their_first_release_to_their_last(
    command: str,
    options: str,
    first: str,
    last: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    # In this process, because it is about a thousand command lines: whole processes are for the other tests.
    monkeypatch.setattr(module("lifecycle").Life, "begin", lambda life: None)
    monkeypatch.setattr(module("lifecycle").Life, "run", lambda life, work: None)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    name, *words = command.replace("WALLET", str(tmp_path)).split()
    taken = []
    for release in RELEASES:
        monkeypatch.setenv("OCTEZ_STAND_IN_RELEASE", release)
        path = str(tmp_path / program_of(name, release))
        code = module("program").main(path, [*words, *options.split()])
        said = capfd.readouterr().err
        refusal = [text for text in REFUSALS if text in said]
        if not refusal:
            taken.append(release)
        elif "has no program" not in refusal:
            assert code == {"octez-node": 124, "octez-dal-node": 124, "smart-rollup-installer": 2}.get(name, 1), said
    assert taken == list(RELEASES[RELEASES.index(first) : RELEASES.index(last) + 1])


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("octez-node config init --data-dir D --network=", "--network"),
        ("octez-node config init --data-dir D --network nowhere", "expected one of sandbox, mainnet"),
        ("octez-node config init --data-dir", "needs an argument"),
        ("octez-node config init extra --data-dir D", "too many arguments"),
        ("octez-node frobnicate", "unknown command"),
        ("octez-dal-node config init --data-dir D --attester-profiles bootstrap1", "Unrecognized pkh format"),
        (
            "octez-dal-node config init --data-dir D --bootstrap-profile --producer-profiles 1",
            "a bootstrap node (option",
        ),
        ("octez-dal-node config init --data-dir D --operator-profiles -1", "non-negative"),
        ("octez-dal-node config init --data-dir D --rpc-addr :::10732", "must be bracketed"),
        ("octez-dal-node config init --data-dir D --net-addr 0.0.0.0:net", "invalid port"),
        ("octez-dal-node config init --data-dir D --metrics-addr localhost:11733", "is not an IP address"),
        ("octez-node run --allow-all-rpc :::8732", "must be bracketed"),
    ],
)
def test_wrong_usage_of_the_unix_style_exits_124(sandbox: Sandbox, tmp_path: Path, words: str, problem: str) -> None:
    program, *rest = words.replace(" D", f" {tmp_path}/d").split(" ")
    done = sandbox.run(program, *rest)
    assert done.returncode == 124
    assert problem in done.stderr


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("octez-client --base-dir /nowhere bootstrapped", "Specified --base-dir does not exist"),
        ("octez-client list known addresses --base-dir W", "unknown option '--base-dir'"),
        ("octez-client --base-dir W transfer 1 from a to b", "Unrecognized command"),
        ("octez-client --base-dir W --wait soon bootstrapped", "--wait"),
        ("octez-baker run with local node /nowhere --without-dal", "liquidity baking toggle vote"),
        ("octez-baker run remotely --liquidity-baking-toggle-vote pass", "--without-dal"),
        ("octez-baker run remotely --liquidity-baking-toggle-vote maybe --without-dal", "maybe"),
        ("octez-baker run remotely --liquidity-baking-toggle-vote on --without-dal --dal-node http://h:1", "exclude"),
        ("octez-baker run with local node /nowhere --without-dal --liquidity-baking-toggle-vote on", "data directory"),
        ("octez-smart-rollup-node run operator for sr1 with operators a --metrics-addr :::9933", "must be bracketed"),
        ("octez-smart-rollup-node run emperor for sr1 with operators a", "unknown mode"),
        ("octez-smart-rollup-node run custom:fly for sr1 with operators a", "unknown operation"),
        ("octez-smart-rollup-node run operator for sr1 with operators a", "not the address of a smart rollup"),
    ],
)
def test_wrong_usage_of_the_sentences_exits_1(sandbox: Sandbox, words: str, problem: str) -> None:
    program, *rest = words.replace(" W", f" {sandbox.wallet}").split(" ")
    done = sandbox.run(program, *rest)
    assert done.returncode == 1
    assert problem in done.stderr


def test_the_experimental_baker_wants_two_dashes(programs_of: Callable[[str], Path], tmp_path: Path) -> None:
    sandbox = Sandbox(programs_of("v22"), tmp_path / "s", "v22")
    words = ["run", "remotely", "--liquidity-baking-toggle-vote", "pass", "--without-dal"]
    refused = sandbox.run("octez-experimental-agnostic-baker", *words)
    assert (refused.returncode, "must come after --" in refused.stderr) == (1, True)
    taken = sandbox.run("octez-experimental-agnostic-baker", "--", "--endpoint", "http://127.0.0.1:1", *words)
    assert "Cannot connect to the node" in taken.stderr
