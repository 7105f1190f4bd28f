"""`tezos.generate_keys`: wallets."""

from __future__ import annotations

from octogram_agentd.procedures.base import Field, Procedure
from octogram_agentd.procedures.octez import argv, endpoints, programs, wallets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict

    from octogram_agentd.procedures.base import Uri
    from octogram_agentd.procedures.context import Context


class GenerateKeys(Procedure):
    """Make a wallet (mode 0700, its files 0600): the published keys of sandboxes, or fresh ones.

    `default` replaces what the wallet held by `activator` and `bootstrap1` to `bootstrap5`; `fresh` adds to it. Fresh
    aliases are the prefix and a number from 0, to which releases before v19 give six digits (`boot000000`).
    """

    procedure = "tezos.generate_keys"

    base_dir: Field[Uri] = Field(
        "str", "The wallet's directory, on this agent; made when missing.", required=True, uri="file"
    )
    kind: Field[Dict[str, Any]] = Field(
        "record",
        "Which keys.",
        default={"default": True},
        exactly_one=("default", "fresh"),
        fields={
            "default": Field("any", "The published keys; whatever stands here."),
            "fresh": Field(
                "record",
                "Keys that nobody else has.",
                fields={
                    "count": Field("int", "How many.", required=True, minimum=0, maximum=65535),
                    "path_client": Field("str", "The octez-client program.", required=True, uri="file"),
                    "alias_prefix": Field("str", "What their aliases begin with.", default="boot"),
                },
            ),
        },
    )

    async def run(self, context: Context) -> None:
        directory = endpoints.own_path(context, self.base_dir, "base_dir")
        fresh = self.kind.get("fresh")
        if fresh is None:
            wallets.write_default(directory)
            return
        client = await programs.program(context, fresh["path_client"], "octez-client")
        wallets.make_private(directory)
        words = argv.generate_keys(int(fresh["count"]), fresh.get("alias_prefix", "boot"))
        # Its output holds secret keys: it is nothing for a log.
        await programs.client(context, client, words, base_dir=directory, log=False)
        wallets.close_files(directory)
