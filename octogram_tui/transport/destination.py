"""Where a connection is meant to lead, as people are told. Knows no SSH library."""

from __future__ import annotations

from typing import NamedTuple

from octogram_agentd.network.endpoint import Endpoint


class Destination(NamedTuple):
    """A user at a host; what is empty or None is left to the ssh configuration."""

    user: str
    host: str
    port: int | None = None
    through: str = ""  # the jump host or proxy command, where there is one

    def __str__(self) -> str:
        where = str(Endpoint(self.host, self.port)) if self.port else self.host
        where = f"{self.user}@{where}" if self.user else where
        return f"{where} through {self.through}" if self.through else where
