"""In these tests the console lets through whatever goes wrong in it; those of the guard take that back."""

import pytest

from octogram_tui.tui.guard import GuardedApp


@pytest.fixture(autouse=True)
def _strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GuardedApp, "is_strict", True)
