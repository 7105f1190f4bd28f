"""What waits and what checks: nothing here starts a program."""

from __future__ import annotations

import os
import time

from octogram_agentd.network.endpoint import Endpoint
from octogram_agentd.procedures.base import Field, Procedure, ProcedureFailed, Uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Tuple, Union

    from octogram_agentd.context import Context

_FIRST_PAUSE_S = 0.02
_PROBE_S = 5.0  # how long one connection or request may take


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
    watched = "expression"
    exactly_one = ("port", "http", "file", "log", "expression")
    result = {
        "seen": "str: what was seen: ADDRESS:PORT, STATUS URL, the file's path, the line, or `expression`",
        "groups": "list: what the groups of the regular expression `log` captured; empty otherwise",
    }

    port: Field[Optional[str]] = Field(
        "str", "A port that accepts connections: a number for this machine, or HOST:PORT."
    )
    http: Field[Optional[Uri]] = Field(
        "str",
        "A URL that is answered with a status below 400; `agent://NAME/path` for a service of the run.",
        uri="http",
    )
    file: Field[Optional[str]] = Field("str", "A file or directory that exists, taken from the home directory.")
    log: Field[Optional[str]] = Field(
        "str", "A regular expression that is found in a line of the output of `process`, from its start on."
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
        deadline_s = time.monotonic() + float(self.timeout)
        pause_s = _FIRST_PAUSE_S
        while True:
            left_s = max(0.01, deadline_s - time.monotonic())
            seen, last = await self._look(context, max(0.1, min(_PROBE_S, left_s)), left_s)
            if seen is not None:
                return {"seen": seen, "groups": self._groups(seen)}
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                raise ProcedureFailed(
                    "not seen within %g s: %s" % (self.timeout, last), kind="timeout", waited_s=self.timeout
                )
            await context.sleep(min(pause_s, float(self.every), left_s))
            pause_s *= 2

    async def _look(self, context: Context, probe_s: float, left_s: float) -> Tuple[Optional[str], str]:
        """Give what was seen, or None and what there is instead."""
        if self.port is not None:
            return await self._look_at_port(context, probe_s)
        if self.http is not None:
            from octogram_agentd.procedures.network import url_of

            try:
                url = url_of(context, self.http)
                response = await context.http("GET", url, timeout_s=probe_s)
            except ProcedureFailed as error:
                return None, error.message
            answer = "%d %s" % (response.status, url)
            return (answer, "") if response.status < 400 else (None, answer)
        if self.file is not None:
            path = context.path(self.file)
            return (path, "") if os.path.exists(path) else (None, "%s does not exist" % path)
        if self.log is not None:
            return await self._look_at_log(context, self.log, left_s)
        raise ProcedureFailed(
            "expressions are looked at by the orchestrator: this one should not have come here", kind="argument"
        )

    async def _look_at_port(self, context: Context, probe_s: float) -> Tuple[Optional[str], str]:
        from octogram_agentd.probes import is_listening

        try:
            wanted = Endpoint.parse(str(self.port))
        except ValueError as error:
            raise ProcedureFailed("port %s: %s" % (self.port, error), kind="argument") from None
        kernel = context.future().kernel
        addresses = ["127.0.0.1", "::1"]
        if wanted.host:
            try:
                addresses = await kernel.in_thread(_addresses, wanted.host)
            except OSError as error:
                return None, "%s: %s" % (wanted.host, error.strerror)
        for address in addresses:
            if await is_listening(kernel, address, wanted.port, probe_s):
                return str(Endpoint(wanted.host or address, wanted.port)), ""
        return None, "nothing accepts connections on port %d of %s" % (wanted.port, wanted.host or "this machine")

    async def _look_at_log(self, context: Context, log: str, left_s: float) -> Tuple[Optional[str], str]:
        if self.process is None:
            raise ProcedureFailed("log needs `process`: whose output is to be read", kind="argument")
        process = context.process(self.process)
        if process is None:
            return None, "no process named %s has been started" % self.process
        try:
            seen = await context.wait_ready(process, log=log, timeout_s=left_s)
        except ProcedureFailed as error:
            if error.kind != "timeout":
                raise
            return None, "no line of %s matches %s" % (self.process, log)
        return seen[len("log ") :], ""

    def _groups(self, seen: str) -> List[Optional[str]]:
        if self.log is None:
            return []
        import re

        found = re.search(self.log, seen)
        return list(found.groups()) if found is not None else []


def _addresses(host: str) -> List[str]:
    import socket

    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))
