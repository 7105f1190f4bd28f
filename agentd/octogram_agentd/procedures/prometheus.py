"""`internals.start_prometheus`, `internals.prometheus_targets`: a Prometheus server that follows the run's services.

Not for scenarios: the run itself starts them on its `prometheus_agent`.
"""

from __future__ import annotations

import json
import os

from octogram_agentd.network import ports
from octogram_agentd.procedures.base import Field, Procedure, ProcedureFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List

    from octogram_agentd.procedures.context import Context, Process

NAME = "prometheus"
USUAL_PORT = 9090
_SERVICES = "octogram"
_RUN = "octogram-run"
_GRACE_S = 20.0
_STOP_ORDER = 20  # last: it watches the others go


class StartPrometheus(Procedure):
    """Start the machine's own Prometheus under supervision; what it reads is given by `internals.prometheus_targets`.

    Listens on port 9090 when that is free, else on another one; nobody else's server is touched.
    """

    procedure = "internals.start_prometheus"
    services = ("prometheus",)
    result = {"port": "int: where it listens", "url": "str: its address as this machine's network knows it"}

    program: Field[str] = Field("str", "The program: a name on the PATH, or a path.", default="prometheus")
    port: Field[Any] = Field("int", "Where to listen; 9090 or a free port when left out.", minimum=1, maximum=65535)
    scrape_interval_s: Field[float] = Field(
        "float", "Seconds between two readings of a target.", default=5.0, minimum=0.1
    )
    ready_timeout: Field[float] = Field("float", "Seconds to wait until it is ready.", default=60.0, above=0)

    async def run(self, context: Context) -> Dict[str, Any]:
        program = find_program(context, self.program)
        if context.process(NAME) is not None:
            await context.stop(NAME)
        if self.port is not None:
            port = ports.number(self.port, "port")
            if not ports.is_free(port):
                raise ports.taken(port, "Prometheus")
        else:
            port = USUAL_PORT if ports.is_free(USUAL_PORT) else context.fresh_port()
        directory = context.data_dir(NAME)
        write_targets(directory, [])
        configuration = os.path.join(directory, "prometheus.yml")
        with open(configuration, "w", encoding="utf-8") as file:
            json.dump(config(self.scrape_interval_s), file, indent=2)  # JSON is YAML
        process = await context.start(
            NAME,
            [
                program,
                "--config.file=" + configuration,
                "--storage.tsdb.path=" + os.path.join(directory, "tsdb"),
                "--web.listen-address=%s" % context.to_bind(port),
            ],
            stop_grace_s=_GRACE_S,
            stop_order=_STOP_ORDER,
        )
        try:
            await context.wait_ready(
                process,
                log="Server is ready to receive web requests",
                http=context.to_reach(port).url + "/-/ready",
                timeout_s=self.ready_timeout,
            )
        except ProcedureFailed as error:
            if error.kind != "exit":
                raise
            raise _ended(process, port) from None
        context.announce("prometheus", NAME, {"http": port}, process=process)
        return {"port": port, "url": context.for_others(port).url}


def _ended(process: Process, port: int) -> ProcedureFailed:
    """Make the error of a server that ended before it was ready, with its own message."""
    lines = process.tail()
    said = lines[-1].strip() if lines else "it said nothing"
    message = "Prometheus ended before it was ready (exit status %s): %s" % (process.exit_code, said)
    hint = "its last lines tell more"
    if "address already in use" in said:
        who = ports.holder(port)
        message += " (port %d is held by %s)" % (port, who) if who else ""
        hint = "end what holds the port, or start the run again: another port is chosen when 9090 is not free"
    return ProcedureFailed(message, kind="exit", hint=hint, exit_code=process.exit_code, last_lines=lines)


class PrometheusTargets(Procedure):
    """Replace what Prometheus reads; it notices within moments."""

    procedure = "internals.prometheus_targets"
    result = {"targets": "int: how many there are now"}

    targets: Field[List[Dict[str, Any]]] = Field(
        "any",
        "The targets, as Prometheus's file-based discovery takes them: a list of {targets, labels}.",
        required=True,
        template=False,
    )

    async def run(self, context: Context) -> Dict[str, int]:
        context.service("prometheus", NAME)
        write_targets(context.data_dir(NAME), self.targets)
        return {"targets": sum(len(entry["targets"]) for entry in self.targets)}


def find_program(context: Context, name: str) -> str:
    """Find Prometheus. Raises ProcedureFailed kind `not_started` that says how to get it."""
    if "/" in name:
        candidates = [context.path(name)]
    else:
        directories = os.environ.get("PATH", os.defpath).split(os.pathsep)
        candidates = [os.path.join(directory, name) for directory in directories]
    for path in candidates:
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise ProcedureFailed(
        "there is no program %s on the machine of the agent %s" % (name, context.agent),
        kind="not_started",
        hint="install Prometheus there (on Debian: apt-get install prometheus), or leave `prometheus_agent` out",
    )


def config(scrape_interval_s: float) -> Dict[str, Any]:
    """Give the configuration: its targets come from files beside it.

    The orchestrator has a job of its own: its metrics have a label `job`, which is to stay.
    """
    interval = "%dms" % round(scrape_interval_s * 1000)
    return {
        "global": {"scrape_interval": interval, "scrape_timeout": interval},
        "scrape_configs": [
            {
                "job_name": name,
                "honor_labels": name == _RUN,
                "file_sd_configs": [{"files": [_target_file(name)], "refresh_interval": "5s"}],
            }
            for name in (_SERVICES, _RUN)
        ],
    }


def write_targets(directory: str, targets: List[Dict[str, Any]]) -> None:
    """Replace the files of targets, each in one step: Prometheus never reads half of one."""
    own = [group for group in targets if group["labels"].get("kind") == "orchestrator"]
    others = [group for group in targets if group not in own]
    for name, groups in ((_SERVICES, others), (_RUN, own)):
        path = os.path.join(directory, _target_file(name))
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(groups, file, indent=2)
        os.replace(path + ".new", path)


def _target_file(name: str) -> str:
    return name + "-targets.json"
