"""Procedures are tried under the oldest Python, the newest and that of the tests: the rest is tried below them."""

from __future__ import annotations

import pytest
from interpreters import interpreters, version_of


@pytest.fixture(params=interpreters(), ids=version_of)
def python(request: pytest.FixtureRequest) -> str:
    """Some interpreters of this machine that the daemon is written for; the summary says which."""
    request.node.user_properties.append(("interpreter", version_of(request.param)))
    return str(request.param)
