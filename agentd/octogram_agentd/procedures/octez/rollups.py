"""`smart_rollup.start_node` and `smart_rollup.prepare_kernel_installer`."""

from __future__ import annotations

import os
import re
import time

from octogram_agentd.procedures.base import Field, Procedure, ProcedureFailed
from octogram_agentd.procedures.octez import argv, daemons, endpoints, levels, programs
from octogram_agentd.procedures.octez.releases import show
from octogram_agentd.procedures.octez.roster import roster

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional

    from octogram_agentd.procedures.base import Uri
    from octogram_agentd.procedures.context import Context, Process

_MODES = "operator batcher observer maintenance accuser bailout custom"
_OPERATIONS = "publish add_messages cement timeout refute recover execute_outbox_message"
_LEVELS_BEHIND = {"riscv": 2}
_EVERY_S = 0.5
_PROCESSED = re.compile(r"(?:[Pp]rocessed head|[Ff]inished processing layer 1 head)\b.*?\blevel (\d+)")
_LINES = 200


class StartRollupNode(Procedure):
    """Start a smart rollup node, wait until it is ready and has processed the chain up to its level of now."""

    procedure = "smart_rollup.start_node"
    services = ("rollup_node",)
    result = {
        "name": "str: the rollup node's name, for `AGENT://NAME`",
        "rpc_port": "int: where its RPC server listens",
        "metrics_port": "int: where Prometheus reads its metrics",
    }

    name: Field[Optional[str]] = Field(
        "str", "The rollup node's name on its agent; `sc-rollup-node1`, ... when left out.", form="file_name"
    )
    path_rollup_node: Field[Uri] = Field("str", "The octez-smart-rollup-node program.", required=True, uri="file")
    path_client: Field[Optional[Uri]] = Field("str", "Kept from the original; nothing uses it.", uri="file")
    wallet: Field[str] = Field("str", "The wallet's directory, from the home directory.", required=True, form="path")
    endpoint: Field[Uri] = Field("str", "The L1 node.", required=True, uri="node")
    operator: Field[str] = Field(
        "str",
        "Alias or address that signs; `default:`, `operating:`, `batching:` ... in front says for what.",
        required=True,
    )
    kind: Field[str] = Field(
        "str", "The rollup's kind: wasm_2_0_0, riscv ... The original of 2023 knew no other.", default="wasm_2_0_0"
    )
    mode: Field[str] = Field(
        "str",
        "One of %s, in any case; or `custom:` and operations of: %s." % (_MODES.replace(" ", ", "), _OPERATIONS),
        required=True,
    )
    address: Field[str] = Field("str", "The rollup's address.", required=True)
    data_dir_path: Field[Optional[str]] = Field(
        "str",
        "Its data directory, from the home directory: the `preimages_directory_path` of the installer, when the "
        "kernel reveals preimages. One of its own when left out.",
        form="path",
    )
    rpc_port: Field[Any] = Field("int", "The RPC port; a free one when left out.", minimum=1, maximum=65535)
    metrics_port: Field[Any] = Field("int", "The metrics port; a free one when left out.", minimum=1, maximum=65535)
    kernel_log_path: Field[Optional[str]] = Field(
        "str", "Where to write what the kernel logs, from the home directory.", form="path"
    )
    ready_timeout: Field[float] = Field(
        "float",
        "Seconds to wait until it is ready, and between two levels while it catches up.",
        default=600.0,
        above=0,
    )

    async def run(self, context: Context) -> Dict[str, Any]:
        program = await programs.program(context, self.path_rollup_node, "octez-smart-rollup-node")
        release = await programs.release_of(context, program)
        endpoint = endpoints.endpoint(context, self.endpoint, "node")
        names = roster(context)
        name = names.name("rollup_node", context.attempt, self.name)
        process_name = names.process_name("rollup_node", name)
        await daemons.make_way(context, process_name)
        data_dir = context.data_dir(process_name)
        if self.data_dir_path:
            data_dir = context.path(self.data_dir_path)
            os.makedirs(data_dir, exist_ok=True)
        ports = {
            which: names.port(context, "rollup_node", name, which, wanted)
            for which, wanted in (("rpc", self.rpc_port), ("metrics", self.metrics_port))
        }
        process = await daemons.start(
            context,
            "rollup_node",
            process_name,
            argv.rollup_run(
                program,
                release,
                endpoint=endpoint,
                base_dir=context.path(self.wallet),
                mode=self.mode,
                address=self.address,
                operator=self.operator,
                rpc_host=context.bind,
                rpc_port=ports["rpc"],
                metrics_addr=str(context.to_bind(ports["metrics"])),
                data_dir=data_dir,
                kernel_log=None if self.kernel_log_path is None else context.path(self.kernel_log_path),
            ),
            env=programs.QUIET,
        )
        url = context.to_reach(ports["rpc"]).url + "/global"

        async def answers() -> bool:
            return await daemons.answer(context, url + "/smart_rollup_address") is not None

        await daemons.wait_ready(
            context,
            process,
            text=r"[Tt]he smart rollup node is listening|smart_rollup_node_is_ready",
            probe=answers,
            waiting_for="%s (%s) to answer on port %d" % (name, show(release), ports["rpc"]),
            timeout_s=self.ready_timeout,
            used_ports=list(ports.values()),
        )
        wanted = await levels.current_level(context, endpoint, owned=self.endpoint) - _LEVELS_BEHIND.get(self.kind, 0)
        await _wait_processed(context, process, url, wanted, self.ready_timeout, list(ports.values()))
        context.announce("rollup_node", name, ports, process=process)
        return {"name": name, "rpc_port": ports["rpc"], "metrics_port": ports["metrics"]}


async def _wait_processed(
    context: Context, process: Process, url: str, wanted: int, stall_s: float, used_ports: Any
) -> None:
    """Wait until a rollup node has processed an L1 level. Raises ProcedureFailed when it ends or stands still."""
    best, since = -1, time.monotonic()
    while True:
        if not process.is_running:
            raise daemons.explain_end(process, used_ports)
        level = await _processed_level(context, process, url)
        if level >= wanted:
            return
        if level > best:
            best, since = level, time.monotonic()
        if time.monotonic() - since > stall_s:
            raise ProcedureFailed(
                "%s stands still at level %d; the chain was at %d" % (process.name, best, wanted),
                kind="timeout",
                last_lines=process.tail(),
            )
        context.progress("level %d of %d processed" % (max(best, 0), wanted))
        await context.sleep(_EVERY_S)


async def _processed_level(context: Context, process: Process, url: str) -> int:
    """Find out which level a rollup node has processed; -1 when it does not say.

    By the RPC of v18 and later, else that of its head block, else in what it printed.
    """
    for path in ("/tezos_level", "/block/head/level"):
        level = await daemons.answer(context, url + path)
        if isinstance(level, int):
            return level
    found = [match for line in process.tail(_LINES) if (match := _PROCESSED.search(line[:2000])) is not None]
    return int(found[-1].group(1)) if found else -1


class PrepareKernelInstaller(Procedure):
    """Make a small kernel to originate a rollup with, which reveals the real kernel from preimage files."""

    procedure = "smart_rollup.prepare_kernel_installer"

    installer_generator_path: Field[Uri] = Field(
        "str", "The smart-rollup-installer program.", required=True, uri="file"
    )
    kernel_path: Field[Uri] = Field("str", "The kernel, a binary .wasm.", required=True, uri="file")
    preimages_directory_path: Field[str] = Field(
        "str",
        "The directory, in the home directory, whose `wasm_2_0_0` receives the preimages: the rollup node's "
        "`data_dir_path`.",
        required=True,
        form="inner_path",
    )
    installer_kernel_path: Field[str] = Field(
        "str",
        "Where to write the small kernel, in the home directory; `.wasm` for binary, any other ending (.hex) "
        "for hexadecimal text.",
        required=True,
        form="inner_file",
    )
    setup: Field[Optional[str]] = Field("str", "The content (not the path) of a set-up file in YAML.")

    async def run(self, context: Context) -> None:
        program = await programs.program(context, self.installer_generator_path, "smart-rollup-installer")
        kernel = context.path(await context.fetch(self.kernel_path))
        preimages = os.path.join(context.inner_path(self.preimages_directory_path), "wasm_2_0_0")
        output = context.inner_path(self.installer_kernel_path)
        os.makedirs(preimages, exist_ok=True)
        os.makedirs(os.path.dirname(output), exist_ok=True)
        setup_file = None
        if self.setup is not None:
            setup_file = context.temporary("setup.yaml")
            with open(setup_file, "w", encoding="utf-8") as file:
                file.write(self.setup)
        await programs.run(
            context,
            argv.reveal_installer(
                program, kernel=kernel, preimages_dir=preimages, output=output, setup_file=setup_file
            ),
        )
