"""What waits and what checks: nothing here starts a program."""

from __future__ import annotations

from octogram_agentd.network.endpoint import Endpoint
from octogram_agentd.procedures.base import Field, Procedure, ProcedureFailed, Uri
from octogram_agentd.procedures.builtin.web_requests import url_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Union

    from octogram_agentd.procedures.context import Context


class Assert(Procedure):
    """Fail unless something holds."""

    procedure = "builtins.assert"
    where = "assertion"
    short = "that"

    that: Field[Union[str, List[str]]] = Field(
        "expression_or_list",
        "One expression or a list of them, as between the braces of a template: `vars.count > 3`. All of them must be"
        " true.",
        required=True,
    )
    message: Field[Optional[str]] = Field("str", "What to say when one is not.")


class Sleep(Procedure):
    """Wait for a while."""

    procedure = "builtins.sleep"
    short = "seconds"

    seconds: Field[float] = Field("float", "How long, in seconds.", required=True, minimum=0.0)

    async def run(self, context: Context) -> None:
        """Wait."""
        await context.sleep(float(self.seconds))


class WaitFor(Procedure):
    """Wait until something is there: a port, an HTTP answer, a file, a line of a process's output, an expression."""

    procedure = "builtins.wait_for"
    exactly_one = ("port", "http", "file", "log", "expression")
    watched = "expression"
    result = {
        "seen": "str: what was seen: ADDRESS:PORT, STATUS URL, the file's path, the line, or `expression`",
        "groups": "list: what the groups of the regular expression `log` captured; empty otherwise",
    }

    port: Field[Optional[str]] = Field(
        "str", "A port that accepts connections: a number for this machine, or HOST:PORT.", form="port_or_endpoint"
    )
    http: Field[Optional[Uri]] = Field(
        "str",
        "A URL that is answered with a status below 400; `agent://NAME/path` for a service of the run.",
        uri="http",
    )
    file: Field[Optional[str]] = Field(
        "str", "A file or directory that exists, taken from the home directory.", form="path"
    )
    log: Field[Optional[str]] = Field(
        "str",
        "A regular expression that is found in a line of the output of `process`, from its start on.",
        is_pattern=True,
    )
    process: Field[Optional[str]] = Field(
        "str", "With `log`: the name of a process of this agent, which may still be to come."
    )
    expression: Field[Optional[str]] = Field(
        "expression",
        "An expression that is true, as between the braces of a template. It is looked at again whenever a variable"
        " changes.",
    )
    timeout: Field[float] = Field("float", "After how many seconds to give up.", default=60.0, above=0)
    every: Field[float] = Field(
        "float", "How many seconds to let pass between two looks, at most.", default=1.0, minimum=0.01
    )

    async def run(self, context: Context) -> Dict[str, Any]:
        """Look again and again. Raises ProcedureFailed kind `timeout`, which says what was seen last."""
        timeout_s, every_s = float(self.timeout), float(self.every)
        if self.port is not None:
            try:
                where = Endpoint.parse(str(self.port))
            except ValueError as error:
                raise ProcedureFailed("port: %s is not a port: %s" % (self.port, error), kind="refused") from None
            seen, groups = await context.wait_for(port=where, timeout_s=timeout_s, every_s=every_s)
        elif self.http is not None:
            uri = self.http
            seen, groups = await context.wait_for(
                http=lambda: url_of(context, uri), timeout_s=timeout_s, every_s=every_s
            )
        elif self.file is not None:
            seen, groups = await context.wait_for(file=self.file, timeout_s=timeout_s, every_s=every_s)
        elif self.log is not None:
            if self.process is None:
                raise ProcedureFailed("log needs `process`: whose output is to be read", kind="argument")
            seen, groups = await context.wait_for(log=(self.process, self.log), timeout_s=timeout_s, every_s=every_s)
        else:
            raise ProcedureFailed(
                "expressions are looked at by the orchestrator: this one should not have come here", kind="argument"
            )
        return {"seen": seen, "groups": groups}
