"""Which fetch of a run has which place of this machine: what one has brought, no other replaces unseen."""

from __future__ import annotations

import os
import posixpath
from typing import NamedTuple

from octogram_agentd.procedures.base import ProcedureFailed
from octogram_tui.model.ids import InstanceId


class Claim(NamedTuple):
    """A fetch: whose it is, what it brings, and whether the scenario says where to."""

    instance: InstanceId
    remote_path: str
    is_told: bool


class Claims:
    """Places that fetches of a run have taken, by their paths."""

    def __init__(self) -> None:
        self._taken: dict[str, Claim] = {}
        self._before: dict[
            str, Claim
        ] = {}  # whose a place was until the fetch that has it now, while that is under way

    def take(self, claim: Claim, asked: str, place: str) -> None:
        """Take a place. Raises ProcedureFailed kind `conflict` when what is there came from elsewhere.

        asked  the path that the fetch was given; when another fetch has made that a directory, `place` is inside of it
        """
        for path in (place, os.path.abspath(asked)):
            before = self._taken.get(path)
            if before is not None and not _may_follow(before, claim):
                raise ProcedureFailed(
                    f"{path} holds what {before.instance} has fetched; {claim.remote_path} would replace it",
                    kind="conflict",
                    hint=_way_out(before, claim),
                )
        self._before.pop(place, None)
        if place in self._taken:
            self._before[place] = self._taken[place]
        self._taken[place] = claim

    def give_back(self, claim: Claim) -> None:
        """Let go of a place where nothing has arrived: what was there before is still there."""
        for path in [path for path, taken in self._taken.items() if taken is claim]:
            del self._taken[path]
            if path in self._before:
                self._taken[path] = self._before.pop(path)

    def has_made(self, claim: Claim, asked: str) -> bool:
        """Whether an earlier attempt of the same fetch has made the path that was asked for, not something inside."""
        before = self._taken.get(os.path.abspath(asked))
        return before is not None and before.instance == claim.instance and _same_file(before, claim)


def _may_follow(before: Claim, claim: Claim) -> bool:
    """Tell whether a fetch may replace what another one has brought: the same file, or a later job that says so."""
    if before.instance.agent != claim.instance.agent:
        return False
    if _same_file(before, claim):
        return True
    same_job = (before.instance.stage, before.instance.job) == (claim.instance.stage, claim.instance.job)
    return before.instance == claim.instance or (claim.is_told and not same_job)


def _same_file(before: Claim, claim: Claim) -> bool:
    return posixpath.normpath(before.remote_path) == posixpath.normpath(claim.remote_path)


def _way_out(before: Claim, claim: Claim) -> str:
    differs = "agent.name" if before.instance.agent != claim.instance.agent else "item"
    if not claim.is_told:
        return "give each a `local_path` of its own"
    return f"write {{{{ {differs} }}}} into local_path"
