"""Stand-ins as real processes on loopback, installed once a release, and waited for by what they say."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ports import free_port

STAND_INS = Path(__file__).parents[3] / "sample_scenarios" / "stand_ins"
# The interpreter of the stand-ins, which may be older than the one of the tests.
PYTHON = os.environ.get("STAND_IN_PYTHON", sys.executable)
DEADLINE_S = 60.0
BLOCK_DELAY_S = "0.1"
BOOTSTRAP_SECRETS = {
    "activator": "edsk31vznjHSSpGExDMHYASz45VZqXN4DPxvsa4hAyY8dHM28cZzp6",
    "bootstrap1": "edsk3gUfUPyBSfrS9CCgmCiQsTCHGkviBDusMxDJstFtojtc1zcpsh",
    "bootstrap2": "edsk39qAm1fiMjgmPkw1EgQYkMzkJezLNewd7PLNHTkr6w9XA2zdfo",
    "bootstrap3": "edsk4ArLQgBTLWG5FJmnGnT689VKoqhXwmDPBuGx3z4cvwU9MmrPZZ",
}


def module(name: str) -> ModuleType:
    """Import one of the stand-ins' own modules."""
    if str(STAND_INS) not in sys.path:
        sys.path.insert(0, str(STAND_INS))
    return importlib.import_module(f"octez_stand_in.{name}")


def install(directory: Path, *options: str) -> Path:
    """Install single-file copies for this interpreter."""
    command = [PYTHON, str(STAND_INS / "octez.py"), "install", str(directory), "--python", PYTHON]
    subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL)
    return directory


def environment(**more: str) -> dict[str, str]:
    """Give an environment without anybody's settings, and with fast blocks."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("OCTEZ_", "TEZOS_"))}
    return {**kept, "OCTEZ_STAND_IN_BLOCK_DELAY_S": BLOCK_DELAY_S, **more}


def call(url: str, method: str = "GET", body: object = None) -> tuple[int, Any]:
    """Send a request; gives the status and the decoded answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            status, text = error.code, error.read().decode()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text


def get(url: str) -> Any:
    """GET a value that must be there."""
    status, value = call(url)
    assert status == 200, (url, status, value)
    return value


def heads(url: str) -> Iterator[dict[str, Any]]:
    """Follow a node's heads."""
    with urllib.request.urlopen(f"{url}/monitor/heads/main", timeout=DEADLINE_S) as stream:
        for line in stream:
            yield json.loads(line)


def wait_for_level(url: str, level: int) -> dict[str, Any]:
    """Follow the heads up to a level."""
    return next(head for head in heads(url) if head["level"] >= level)


class Daemon:
    """A running process whose lines are collected."""

    def __init__(self, argv: Sequence[object], env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [str(word) for word in argv],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._said = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._said:
                self.lines.append(line.rstrip("\n"))
                self._said.notify_all()
        with self._said:
            self._said.notify_all()

    def wait_line(self, pattern: str) -> str:
        """Wait until a line matches."""
        found = re.compile(pattern)
        deadline = time.monotonic() + DEADLINE_S
        at = 0
        with self._said:
            while True:
                for line in self.lines[at:]:
                    if found.search(line):
                        return line
                at = len(self.lines)
                ended = not self._reader.is_alive()
                if ended or not self._said.wait(max(0.0, deadline - time.monotonic())):
                    raise AssertionError(f"no line matches {pattern!r} in\n" + "\n".join(self.lines))

    def signal(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end; gives the exit code."""
        code = self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        return code

    def stop(self) -> int:
        """End the process in good order; gives the exit code."""
        self.signal()
        return self.wait()

    def close(self) -> None:
        """Make sure that nothing is left."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()


class Sandbox:
    """Programs of one release, a wallet with the public test keys, and whatever was started."""

    def __init__(self, programs: Path, place: Path, release: str) -> None:
        self.programs = programs
        self.place = place
        self.release = release
        self.level = int(release[1:].split(".")[0])
        self.wallet = place / "wallet"
        self.daemons: list[Daemon] = []
        self.url = ""
        self.data_dir = place / "node"
        self.wallet.mkdir(parents=True)
        self._write_wallet()

    def _write_wallet(self) -> None:
        ed25519, base58 = module("ed25519"), module("base58")
        lists: dict[str, list[dict[str, str]]] = {"public_key_hashs": [], "public_keys": [], "secret_keys": []}
        for alias, secret in BOOTSTRAP_SECRETS.items():
            public = ed25519.public_key(secret)
            lists["public_key_hashs"].append({"name": alias, "value": base58.pkh_of(public)})
            lists["public_keys"].append({"name": alias, "value": f"unencrypted:{public}"})
            lists["secret_keys"].append({"name": alias, "value": f"unencrypted:{secret}"})
        for name, entries in lists.items():
            (self.wallet / name).write_text(json.dumps(entries))

    def address(self, alias: str) -> str:
        """Give the address of an alias."""
        entries = json.loads((self.wallet / "public_key_hashs").read_text())
        return str(next(entry["value"] for entry in entries if entry["name"] == alias))

    def run(self, program: str, *words: object, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a program to its end."""
        argv = [str(self.programs / program), *map(str, words)]
        return subprocess.run(
            argv, env=environment(**env), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_S
        )

    def client(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run a client command on our node."""
        endpoint = ["--endpoint", self.url] if self.url else []
        return self.run("octez-client", *endpoint, "--base-dir", self.wallet, *words)

    def client_ok(self, *words: object) -> str:
        """Run a client command that must succeed; gives its output."""
        done = self.client(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, program: str, *words: object, **env: str) -> Daemon:
        """Start a daemon, to be ended with the sandbox."""
        daemon = Daemon([self.programs / program, *words], environment(**env))
        self.daemons.append(daemon)
        return daemon

    def close(self) -> None:
        """End everything."""
        for daemon in reversed(self.daemons):
            daemon.close()

    # The usual beginning of a scenario.

    def configure_node(self, data_dir: Path, *words: object) -> None:
        """Write a node's configuration."""
        done = self.run("octez-node", "config", "init", "--data-dir", data_dir, "--expected-pow", "0", *words)
        assert done.returncode == 0, done.stderr

    def start_node(self, data_dir: Path, *words: object, **env: str) -> tuple[Daemon, str]:
        """Run a configured node; gives it and its URL."""
        rpc = f"127.0.0.1:{free_port()}"
        if "--net-addr" not in words:
            words = (*words, "--net-addr", f"127.0.0.1:{free_port()}")
        node = self.start("octez-node", "run", "--data-dir", data_dir, "--rpc-addr", rpc, *words, **env)
        node.wait_line("the Tezos node is now running")
        return node, f"http://{rpc}"

    def bring_up_node(self, *words: object, **env: str) -> Daemon:
        """Configure and run the sandbox's node."""
        network = ["--network", "sandbox", "--synchronisation-threshold", "0", "--history-mode", "archive"]
        self.configure_node(self.data_dir, *network)
        node, self.url = self.start_node(self.data_dir, *words, **env)
        return node

    def parameters(self, protocol: str, **changes: object) -> Path:
        """Write protocol parameters with the bootstrap accounts."""
        releases, parameters = module("releases"), module("parameters")
        release = releases.parse(self.release)
        chosen = next(found for found in releases.embedded(release) if found.name == protocol)
        given = parameters.base_file(chosen, release)
        keys = json.loads((self.wallet / "public_keys").read_text())
        given["bootstrap_accounts"] = [
            [entry["value"].partition(":")[2], "4_000_000_000_000"] for entry in keys if entry["name"] != "activator"
        ]
        given.update(changes)
        path = self.place / "parameters.json"
        path.write_text(json.dumps(given))
        return path

    def activate(self, protocol: str, parameters: Path, key: str = "activator") -> subprocess.CompletedProcess[str]:
        """Activate a protocol by its name."""
        releases = module("releases")
        known = releases.embedded(releases.parse(self.release))
        name = next((found.hash for found in known if found.name == protocol), protocol)
        words = f"activate protocol {name} with fitness 1 and key {key} and parameters".split()
        return self.client(*words, parameters, "--timestamp", "2024-01-31T10:00:00Z")

    def baker_program(self) -> str:
        """Name the baker that bakes any protocol, or else alpha's."""
        return "octez-baker" if self.level >= 23 else "octez-baker-alpha"

    def start_baker(self, *words: object, delegates: Sequence[str] = ("bootstrap1",)) -> Daemon:
        """Run a baker on our node."""
        dal = ["--without-dal"] if self.level >= 22 and "--dal-node" not in words else []
        run = ["--base-dir", self.wallet, "run", "with", "local", "node", self.data_dir, *delegates]
        vote = ["--liquidity-baking-toggle-vote", "pass"]
        return self.start(self.baker_program(), "--endpoint", self.url, *run, *vote, *dal, *words)

    def bring_up_chain(self) -> tuple[Daemon, Daemon]:
        """Go as far as a chain that grows; gives its node and baker."""
        node = self.bring_up_node()
        done = self.activate("alpha", self.parameters("alpha"))
        assert done.returncode == 0, done.stderr
        baker = self.start_baker()
        baker.wait_line("Baker v.* for alpha started")
        wait_for_level(self.url, 2)
        return node, baker


MakeSandbox = Callable[[str], Sandbox]
