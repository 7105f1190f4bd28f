"""`tezos.start_baker`."""

from __future__ import annotations

import os

from octogram_agentd.procedures.base import Field, Procedure, ProcedureFailed
from octogram_agentd.procedures.octez import argv, daemons, endpoints, programs
from octogram_agentd.procedures.octez.releases import PROTOCOLS, protocol_suffix
from octogram_agentd.procedures.octez.roster import STOP_ORDER, roster

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional

    from octogram_agentd.procedures.base import Uri
    from octogram_agentd.procedures.context import Context

_WATCH_S = 3.0
_GRACE_S = 10.0


class StartBaker(Procedure):
    """Start a baker, and watch it for a few seconds: one that ends at once fails the job.

    Its service says only whether it runs; it has no port.
    """

    procedure = "tezos.start_baker"
    services = ("baker",)
    result = {"name": "str: the baker's name, for `builtins.stop_process`"}

    name: Field[Optional[str]] = Field(
        "str", "The baker's name on its agent; `agnostic-baker1`, ... when left out.", form="file_name"
    )
    protocol: Field[str] = Field(
        "str",
        "Which program to look for when `baker_path` is left out; ignored by agnostic bakers (v23 and later).",
        default="alpha",
        template=False,
        choices=tuple(PROTOCOLS),
    )
    base_dir: Field[Uri] = Field(
        "str", "The wallet's directory, on this agent.", required=True, uri="file", formerly=("wallet_base_dir",)
    )
    node_uri: Field[Uri] = Field("str", "The node.", required=True, uri="node", formerly=("node_rpc_endpoint",))
    node_data_dir: Field[Optional[Uri]] = Field(
        "str",
        "The data directory of a node that is not this agent's own but on the same machine. Without it the "
        "baker uses the node's RPC alone; for a node of this agent it is known.",
        uri="file",
    )
    dal_node_uri: Field[Optional[Uri]] = Field(
        "str",
        "The DAL node; the baker runs without one when left out.",
        uri="dal_node",
        formerly=("dal_node_rpc_endpoint",),
    )
    delegates: Field[List[str]] = Field(
        "list", "Aliases or addresses to bake for; all keys of the wallet when empty.", default=[], of=Field("str")
    )
    baker_path: Field[Optional[Uri]] = Field(
        "str",
        "The baker program; when left out `octez-baker` in the home directory, or `octez-baker-PROTOCOL` where "
        "only that is.",
        uri="file",
    )

    async def run(self, context: Context) -> Dict[str, Any]:
        program = await programs.program(context, self.baker_path, self._default_program(context))
        release = await programs.release_of(context, program)
        names = roster(context)
        name = names.name("baker", context.attempt, self.name, prefix="agnostic-baker")
        process_name = names.process_name("baker", name)
        wallet = endpoints.own_path(context, self.base_dir, "base_dir")
        endpoint = endpoints.endpoint(context, self.node_uri, "node")
        dal = None if self.dal_node_uri is None else endpoints.endpoint(context, self.dal_node_uri, "dal_node")
        process = await context.start(
            process_name,
            argv.baker_run(
                program,
                release,
                endpoint=endpoint,
                base_dir=wallet,
                node_data_dir=self._node_data_dir(context),
                delegates=self.delegates,
                dal_endpoint=dal,
            ),
            env=programs.QUIET,
            stop_order=STOP_ORDER["baker"],
            stop_grace_s=_GRACE_S,
        )
        try:
            await context.wait_ready(process, log=r"Baker v?\S* .*started", timeout_s=_WATCH_S)
        except ProcedureFailed as error:
            if error.kind == "exit":
                raise daemons.explain_end(process) from None
            if error.kind != "timeout":
                raise
            context.log("%s runs, and has not said yet that it bakes" % name)
        context.announce("baker", name, {}, process=process)
        return {"name": name}

    def _node_data_dir(self, context: Context) -> Optional[str]:
        if self.node_uri.owned is not None:
            if self.node_data_dir is not None:
                raise ProcedureFailed(
                    "node_data_dir is known for self://%s" % self.node_uri.owned, kind="refused", hint="leave it out"
                )
            return context.data_dir(roster(context).process_name("node", self.node_uri.owned))
        if self.node_data_dir is None:
            return None
        return endpoints.own_path(context, self.node_data_dir, "node_data_dir")

    def _default_program(self, context: Context) -> str:
        own = "octez-baker-%s" % protocol_suffix(self.protocol)
        if not os.path.exists(context.path("octez-baker")) and os.path.exists(context.path(own)):
            return own
        return "octez-baker"
