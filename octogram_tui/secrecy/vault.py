"""The secrets of one run: read once, known to the masker, and put into the scenario that the engine gets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from octogram_tui.errors import Problem, ScenarioError
from octogram_tui.model.scenario import Scenario, SecretSpec
from octogram_tui.secrecy.masker import Masker
from octogram_tui.secrecy.names import SHORTEST


class Vault:
    """Holds values in memory only. An edit of the scenario reads those that are new, or come from elsewhere now."""

    def __init__(self) -> None:
        self.masker = Masker()
        self._doubts: list[str] = []  # what the operator is to know, each once
        self._told = 0
        self._tell: Callable[[str], None] | None = None
        self._values: dict[str, tuple[SecretSpec, str]] = {}
        self._reading = threading.Lock()

    def fill(self, scenario: Scenario) -> Scenario:
        """Give the scenario with the values in the places of masks. Raises ScenarioError for what cannot be read."""
        if not scenario.secrets:
            return scenario
        with self._reading:
            self._read(scenario.secrets)
            self._tell_doubts()
            values = {name: self._values[name][1] for name in scenario.secrets}
        return replace(scenario, variables={**scenario.variables, **values})

    def _read(self, specs: Mapping[str, SecretSpec]) -> None:
        from octogram_tui.secrecy.sources import read_value

        problems: list[Problem] = []
        for name, spec in specs.items():
            known = self._values.get(name)
            if known is not None and known[0]._replace(mark=spec.mark) == spec:
                continue
            try:
                value, doubt = read_value(name, spec)
            except ScenarioError as error:
                problems += error.problems
                continue
            self._values[name] = spec, value
            self._doubt(f"secret `{name}`: {doubt}" if doubt else "")
            self.learn(name, value)
        if problems:
            raise ScenarioError(problems)

    def has(self, name: str) -> bool:
        """Whether a variable is secret."""
        return self.masker.has(name)

    def learn(self, name: str, value: str) -> None:
        """Mask a value from now on, wherever it came from."""
        if not self.masker.learn(name, value):
            self._doubt(
                f"secret `{name}` has fewer than {SHORTEST} characters: it is hidden where it stands alone, "
                "and cannot be found within other texts"
            )

    def tell_to(self, tell: Callable[[str], None]) -> None:
        """Tell somebody of all that is doubtful, from now on at once."""
        self._tell = tell
        self._tell_doubts()

    def _doubt(self, message: str) -> None:
        if message and message not in self._doubts:
            self._doubts.append(message)

    def _tell_doubts(self) -> None:
        if self._tell is not None:
            for message in self._doubts[self._told :]:
                self._tell(message)
            self._told = len(self._doubts)
