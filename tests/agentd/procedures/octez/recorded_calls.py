"""What the stand-ins were called with, made comparable; and what each release's programs are to be called with.

Ports read `KIND.WHICH`, the agent's home HOME, its data directories DATA; what changes from run to run has a name.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from octez_agent import Agent

Release = tuple[int, int]

VOLATILE = (
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
    (r"\bsr1\w{33}", "ROLLUP"),
    (r"\bsh1\w{71}", "COMMITMENT"),
    (r"with proof [0-9a-f]+", "with proof PROOF"),
    (r"at level \d+", "at level LEVEL"),
    (r"-S \S+", "-S SETUP"),
)
NODE = "http://127.0.0.1:node.rpc"
WALLET = "--base-dir HOME/wallet"
CLIENT = f"octez-client --endpoint {NODE} {WALLET}"
KEYS = ("bootstrap1", "bootstrap2", "bootstrap3", "bootstrap4", "bootstrap5")


def recorded(agent: Agent, record: Path) -> list[str]:
    """Give every call as one line, in order; those for keys, which run at the same time, sorted where they stand."""
    text = "\n".join(" ".join(json.loads(line)) for line in record.read_text().splitlines())
    for (kind, _), service in agent.services.items():
        for which, port in service["ports"].items():
            text = re.sub(rf"\b{port}\b", f"{kind}.{which}", text)
    text = text.replace(str(agent.home), "HOME").replace(str(agent.home.parent / "data"), "DATA")
    for pattern, name in VOLATILE:
        text = re.sub(pattern, name, text)
    lines = text.splitlines()
    return [*lines[:1], *sorted(lines[1 : 1 + len(KEYS)]), *lines[1 + len(KEYS) :]]


def chain(release: Release) -> list[str]:
    """From parameters to an activated protocol."""
    limit = "--max-active-rpc-connections 500 " if release >= (20, 0) else ""
    return [
        f"octez-client {WALLET} list known addresses",
        *(f"octez-client {WALLET} show address {alias} --show-secret" for alias in KEYS),
        "octez-node config init --data-dir DATA/node --metrics-addr 127.0.0.1:node.metrics --network sandbox"
        " --synchronisation-threshold 0 --expected-pow 0",
        "octez-node run --data-dir DATA/node --net-addr 127.0.0.1:node.net --metrics-addr 127.0.0.1:node.metrics"
        f" --rpc-addr 127.0.0.1:node.rpc {limit}--allow-all-rpc 127.0.0.1:node.rpc --history-mode archive",
        f"octez-client --endpoint {NODE} --base-dir DATA/octez-client-activator activate protocol"
        " ProtoALphaALphaALphaALphaALphaALphaALphaALphaDdp3zK with fitness 1 and key activator and parameters"
        " HOME/parameters.json --timestamp TIME",
    ]


def baker(release: Release, *, dal: bool = False) -> str:
    """A baker beside its node."""
    program = "octez-baker" if release >= (23, 0) else "octez-baker-alpha"
    without = " --without-dal" if release >= (21, 3) else ""
    return (
        f"{program} --endpoint {NODE} {WALLET} run with local node DATA/node --liquidity-baking-toggle-vote pass"
        f"{' --dal-node http://127.0.0.1:dal_node.rpc' if dal else without}"
    )


def operations(release: Release) -> list[str]:
    """Fresh keys, operations, a contract."""
    return [
        *chain(release),
        f"octez-client {WALLET} stresstest gen keys 2 --alias-prefix p",
        f"octez-client --endpoint {NODE} --base-dir DATA/octez-client bootstrapped",
        baker(release),
        f"{CLIENT} --wait 0 transfer 1.5 from bootstrap1 to bootstrap2 --burn-cap 2",
        f'{CLIENT} --wait 0 send smart rollup message hex:["68656c6c6f","00ff"] from bootstrap1',
        f"{CLIENT} --wait 1 originate contract c transferring 0 from bootstrap1 running file:HOME/c.tz --init Unit"
        " --burn-cap 2",
    ]


def slots(release: Release) -> list[str]:
    """A DAL node, and two slots."""
    attesters = "--attester-profiles" if release >= (19, 0) else "--attestor-profiles"
    producers = "--operator-profiles" if release >= (22, 0) else "--producer-profiles"
    level = "" if release >= (19, 0) else " at level LEVEL"
    addresses = "--net-addr 127.0.0.1:dal_node.net --metrics-addr 127.0.0.1:dal_node.metrics"
    return [
        *chain(release),
        baker(release),
        f"octez-client {WALLET} show address bootstrap1 --show-secret",
        f"octez-dal-node config init --data-dir DATA/dal --rpc-addr 127.0.0.1:dal_node.rpc {addresses}"
        f" --expected-pow 0. {attesters} tz1KqTpEZ7Yob7QbPE4Hy4Wo8fHG8LhKxZSx {producers} 0,3",
        f"octez-dal-node run --data-dir DATA/dal --endpoint {NODE} --rpc-addr 127.0.0.1:dal_node.rpc {addresses}",
        baker(release, dal=True),
        *(
            f"{CLIENT} --wait none publish dal commitment COMMITMENT from bootstrap2 for slot {index}{level}"
            " with proof PROOF"
            for index in (0, 3)
        ),
    ]


def rollups(release: Release) -> list[str]:
    """An installer, an origination (the second one is refused), a rollup node, a message."""
    program = "octez-smart-rollup-node" if release >= (19, 0) else "octez-smart-rollup-node-alpha"
    history = "--no-degraded --gc-frequency 1 --history-mode full " if release >= (19, 0) else ""
    setup = " -S SETUP" if release >= (18, 0) else ""
    origination = (
        f"{CLIENT} --wait 0 originate smart rollup rollup from bootstrap1 of kind wasm_2_0_0 of type bytes with kernel"
        " file:HOME/out/installer.hex --burn-cap 2"
    )
    return [
        *chain(release),
        baker(release),
        "smart-rollup-installer get-reveal-installer -u HOME/kernel.wasm -P HOME/rollup/wasm_2_0_0"
        f" -o HOME/out/installer.hex{setup}",
        origination,
        origination,
        f"{program} --endpoint http://127.0.0.1:node.rpc {WALLET} run operator for ROLLUP with operators bootstrap1"
        f" {history}--rpc-port rollup_node.rpc --rpc-addr 127.0.0.1 --metrics-addr 127.0.0.1:rollup_node.metrics"
        " --data-dir HOME/rollup --log-kernel-debug --log-kernel-debug-file HOME/kernel.log",
        f'{CLIENT} --wait 0 send smart rollup message hex:["68656c6c6f"] from bootstrap2',
    ]
