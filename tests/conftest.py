"""What holds for all tests: none sees the settings of whoever runs them, and what was skipped is counted aloud."""

from __future__ import annotations

import gc
import itertools
import os
import pty
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from typing import Any

import hypothesis
import pytest
from hypothesis.internal.conjecture import providers

pytest_plugins = [
    *("always", "fixtures_program", "fixtures_ssh", "fixtures_rig", "fixtures_slurm"),
    *("fixtures_containers",),
]

MACHINERY = (
    *("sshd", "machines", "prometheus", "terminal", "browser", "act", "collector", "slurm", "node", "neovim"),
    *("ansible", "containers", "kubectl", "shells"),
)
"""Markers of tests that need something of the machine. With OCTOGRAM_NO_SKIPS set, a skip of one of them fails."""

LONGEST_ID = 60
NEW_OBJECTS = 50_000
"""A look for garbage is due after so many: of a console's test, usual looks are a third of its CPU."""
HOMES = pytest.StashKey[Iterator[str]]()
IN_CI = pytest.StashKey[bool]()
SECOND_TRIES = 5
"""In CI so many tests are tried once more when they fail, and what they said is printed. One that fails by the luck of
a busy machine is no verdict on a change, and yet a fault, often of the program: look for it. More are never luck."""

_KEPT = (
    "OCTOGRAM_NO_SKIPS",
    "OCTOGRAM_GOLDEN",
    "OCTOGRAM_RIG_CHECKOUT",
    "OCTOGRAM_RANDOM_STEPS",
    "OCTOGRAM_RANDOM_SEED",
    "OCTOGRAM_EVERY_THEME",
    "OCTOGRAM_GUARD_TRIES",
    "OCTOGRAM_LONG_FAULTS",
)
_SERVICES = ("GITHUB_ACTIONS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITLAB_CI", "BUILDKITE", "TEAMCITY_VERSION")
_FOREIGN = (
    *("CI", *_SERVICES, "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "VISUAL", "EDITOR"),
    *("TRACEPARENT", "TRACESTATE", "BAGGAGE"),
)


def surroundings(home: str) -> dict[str, str]:
    """Make a home where nothing is yet, and give the variables by which a program finds it, and no other one."""
    os.mkdir(home, mode=0o700)
    places = {"CONFIG_HOME": ".config", "STATE_HOME": ".state", "CACHE_HOME": ".cache", "DATA_HOME": ".data"}
    found = {f"XDG_{name}": os.path.join(home, folder) for name, folder in places.items()}
    return {"HOME": home, "XDG_RUNTIME_DIR": home, **found}


def pytest_configure(config: pytest.Config) -> None:
    """Give the tests, and every process that they start, no settings, and directories that are not the user's."""
    gc.set_threshold(NEW_OBJECTS)
    worker = getattr(config, "workerinput", None)  # it sees what is left of the environment here
    in_ci = config.stash[IN_CI] = "CI" in os.environ if worker is None else worker["in_ci"]
    # A busy machine is no reason to fail, and CI judges a change, not the luck of the day: examples are the same there.
    hypothesis.settings.register_profile("octogram", deadline=None, derandomize=in_ci)
    hypothesis.settings.load_profile("octogram")
    if in_ci:
        _forget_constants()
        config.option.reruns, config.option.max_suite_reruns = 1, SECOND_TRIES
    for name in list(os.environ):
        if (name.startswith("OCTOGRAM_") and name not in _KEPT) or name.startswith("OTEL_") or name in _FOREIGN:
            del os.environ[name]
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:  # by `nohup`, or in the background of a script
            signal.signal(number, usual)
    place = tempfile.mkdtemp(prefix="octogram-tests-")
    config.add_cleanup(lambda: shutil.rmtree(place, ignore_errors=True))
    homes = config.stash[HOMES] = (f"{place}/{number}" for number in itertools.count())
    before = surroundings(next(homes))
    del before["HOME"]  # until the first test: interpreters of this machine are looked for there
    os.environ.update(before)
    if worker is None:
        config.pluginmanager.register(Census(), "octogram-census")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell the processes that run the tests whether this is CI: CI itself is taken out of what they see."""
    node.workerinput["in_ci"] = node.config.stash[IN_CI]


def _forget_constants() -> None:
    """Have no constants of modules tried as values: which are loaded depends on what the same process tested before."""
    nothing = getattr(providers, "_local_constants", None)
    if nothing is not None and hasattr(providers, "_get_local_constants"):
        providers._get_local_constants = lambda: nothing


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only `make test-faults` runs, and have it run nothing else."""
    wants_long = "OCTOGRAM_LONG_FAULTS" in os.environ
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        (kept if (item.get_closest_marker("longfault") is not None) == wants_long else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Set aside what stays to the end, thousands of tests: no look for garbage goes through it again."""
    gc.collect()
    gc.freeze()


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a test by the beginning of a long text: some are hundreds of thousands of characters long."""
    if isinstance(val, (str, bytes)) and len(val) > LONGEST_ID:
        return f"{val[:LONGEST_ID]!a}... of {len(val)}"
    return None  # as pytest names it


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Give each test a home of its own, also to what it starts; and a terminal only where it is marked so.

    A run that another test left, or somebody who works here, is nowhere to be seen from it. By the marker the quick
    part leaves those with a terminal out.
    """

    def unmarked() -> None:
        raise AssertionError(f"{item.nodeid} opens a terminal: mark it with pytest.mark.terminal")

    homes = item.config.stash[HOMES]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in surroundings(next(homes)).items():
            patch.setenv(name, value)
        if not item.get_closest_marker("terminal"):
            patch.setattr(pty, "fork", unmarked)
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note what a test needs; turn a skip into a failure where nothing may be missing."""
    report = yield
    needs = [name for name in MACHINERY if item.get_closest_marker(name)]
    report.user_properties += [("needs", name) for name in needs]  # its keywords hold names of parameters too
    if os.environ.get("OCTOGRAM_NO_SKIPS") and report.skipped and needs:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and OCTOGRAM_NO_SKIPS is set: {report.longrepr}"
    return report


class Census:
    """Counts, in the process that collects the reports, what ran of the tests that need something of the machine."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._interpreters: set[str] = set()
        self._first_tries: list[pytest.TestReport] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test when it was called, or when it was not to be called."""
        outcome: str = report.outcome
        if outcome == "rerun":  # by pytest-rerunfailures
            self._first_tries.append(report)
        self._interpreters |= {str(value) for name, value in report.user_properties if name == "interpreter"}
        if report.when == "call" or (report.when == "setup" and not report.passed):
            for name in MACHINERY:
                if ("needs", name) in report.user_properties:
                    self._counts[(name, report.outcome)] += 1

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what was counted, and what failed before it was tried once more."""
        for report in self._first_tries:
            terminalreporter.write_sep("_", f"first try of {report.nodeid}")
            terminalreporter.write_line(report.longreprtext)
        for name in MACHINERY:
            counts = [f"{count} {outcome}" for (of, outcome), count in sorted(self._counts.items()) if of == name]
            terminalreporter.write_line(f"tests that need {name}: {', '.join(counts) or 'none ran'}")
        found = sorted(self._interpreters, key=lambda version: [int(part) for part in version.split(".")])
        terminalreporter.write_line(f"agentd ran under Python {', '.join(found) or '(none of its tests ran)'}")
