"""A fetch never replaces what another one has brought, unless that is what the scenario says."""

from __future__ import annotations

import os

import pytest

from octogram_agentd.procedures.base import ProcedureFailed
from octogram_tui.model.ids import InstanceId
from octogram_tui.runtime.claims import Claim, Claims


def claim(instance: str, remote_path: str = "f", *, is_told: bool = True) -> Claim:
    return Claim(InstanceId.parse(instance), remote_path, is_told)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (claim("s/j@a"), claim("s/j@a")),  # a retry
        (claim("s/j@a"), claim("t/k@a", "./f", is_told=False)),  # the same file again, as it is later
        (claim("s/j@a", "x"), claim("s/k@a", "y")),  # another job that names the place
        (claim("s/j@a[1]"), claim("s/j@a[2]")),
    ],
)
def test_what_may_follow(first: Claim, second: Claim) -> None:
    claims = Claims()
    claims.take(first, "out/f", "/w/out/f")
    claims.take(second, "out/f", "/w/out/f")


@pytest.mark.parametrize(
    ("first", "second", "hint"),
    [
        (claim("s/j@a"), claim("s/j@b"), "write {{ agent.name }} into local_path"),
        (claim("s/j@a"), claim("t/k@b"), "write {{ agent.name }} into local_path"),
        (claim("s/j@a[1]", "1/f"), claim("s/j@a[2]", "2/f"), "write {{ item }} into local_path"),
        (claim("s/j@a", "1/f", is_told=False), claim("s/k@a", "2/f", is_told=False), "a `local_path` of its own"),
    ],
)
def test_what_would_be_lost(first: Claim, second: Claim, hint: str) -> None:
    claims = Claims()
    claims.take(first, "/w/out/f", "/w/out/f")
    with pytest.raises(ProcedureFailed, match=f"^/w/out/f holds what {first.instance}".replace("[", r"\[")) as caught:
        claims.take(second, "/w/out/f", "/w/out/f")
    assert caught.value.kind == "conflict"
    assert hint in caught.value.hint
    claims.give_back(first)  # nothing had arrived
    claims.take(second, "/w/out/f", "/w/out/f")


def test_a_rerun_goes_where_its_first_attempt_went() -> None:
    claims = Claims()
    place = os.path.abspath("out")
    assert not claims.has_made(claim("s/j@a", "d"), "out")
    claims.take(claim("s/j@a", "d"), "out", place)
    assert claims.has_made(claim("s/j@a", "./d"), "out")
    assert not claims.has_made(claim("s/j@a", "e"), "out")
    assert not claims.has_made(claim("s/k@a", "d"), "out")
    broken_off = claim("s/j@a", "d")
    claims.take(broken_off, "out", place)
    claims.give_back(broken_off)  # what the first attempt has brought is still there
    assert claims.has_made(claim("s/j@a", "d"), "out")
    with pytest.raises(ProcedureFailed, match="holds what s/j@a has fetched"):
        claims.take(claim("s/j@b", "d"), "out", place)


def test_a_directory_that_another_fetch_made_is_no_place_to_go_into() -> None:
    claims = Claims()
    place = os.path.abspath("out")
    claims.take(claim("s/j@a", "d"), "out", place)
    with pytest.raises(ProcedureFailed, match="holds what s/j@a has fetched; d would replace it"):
        claims.take(claim("s/j@b", "d"), "out", f"{place}/d")
