"""HTTP: asking for something, and serving files to the other agents."""

from __future__ import annotations

import os

from octogram_agentd.cuts import beginning
from octogram_agentd.network import ports
from octogram_agentd.network.endpoint import LOOPBACK, Endpoint, as_url
from octogram_agentd.network.interfaces import hosts_of_one
from octogram_agentd.network.tickets import new_key, with_ticket, without_ticket
from octogram_agentd.procedures.base import Field, Procedure, ProcedureFailed, Uri
from octogram_agentd.procedures.builtin.running import instance
from octogram_agentd.processes import origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Union

    from octogram_agentd.procedures.context import Context, Process

MAX_BODY_CHARACTERS = 64 * 1024
SERVER = "http-server"  # the name of the server's process
_KINDS = ("process", "http", "node", "dal_node", "rollup_node", "prometheus")
_TRIES = 3  # somebody may take a fresh port before our server does


class FileServer:
    """What the running file server of this agent serves, and whose it is."""

    def __init__(self) -> None:
        self.started_by: Optional[StartHttpServer] = None


class Http(Procedure):
    """Make an HTTP request."""

    procedure = "builtins.http"
    short = "url"
    result = {
        "status": "int: the status of the answer",
        "headers": "map: its headers, names in lower case",
        "body": "str: its content, at most the first 65536 characters",
        "json": "any: its content read as JSON; null when it is not JSON or longer than that",
    }

    url: Field[Uri] = Field(
        "str",
        "A URL, or `agent://NAME/path?query` for a service of the run (its port named `http`, or its only one).",
        required=True,
        uri="http",
    )
    method: Field[Optional[str]] = Field(
        "str", "The method; by default GET, or POST when there is something to send.", pattern=r"[A-Z]+"
    )
    headers: Field[Optional[Dict[str, str]]] = Field(
        "map", "Headers to send.", of=Field("str", form="header"), form="headers"
    )
    body: Field[Optional[str]] = Field("str", "The content to send.")
    json: Field[Any] = Field("any", "The content to send, as JSON.")
    expect: Field[Union[int, List[int], None]] = Field(
        "int_or_list",
        "The status, or the statuses, that mean success; by default all below 400.",
        minimum=100,
        maximum=599,
        of=Field("int", minimum=100, maximum=599),
    )
    timeout: Field[float] = Field("float", "After how many seconds to give up.", default=30.0, above=0)

    async def run(self, context: Context) -> Dict[str, Any]:
        """Ask. Raises ProcedureFailed kind `http` when there is no answer, `status` when it is not what is expected."""
        if self.body is not None and self.json is not None:
            raise ProcedureFailed("body and json cannot both be given", kind="argument")
        headers = {name: str(value) for name, value in (self.headers or {}).items()}
        content = None if self.body is None else self.body.encode("utf-8", "surrogateescape")
        if self.json is not None:
            import json

            content = json.dumps(self.json).encode()
            if "content-type" not in {name.lower() for name in headers}:
                headers["Content-Type"] = "application/json"
        method = self.method or ("GET" if content is None else "POST")
        url = url_of(context, self.url)
        response = await context.http(method, url, headers=headers, body=content, timeout_s=float(self.timeout))
        text = response.body.decode("utf-8", "replace")
        if len(text) > MAX_BODY_CHARACTERS:
            context.log("the answer is cut: it has %d characters" % len(text))
        answer = {
            "status": response.status,
            "headers": {name.lower(): value for name, value in response.headers.items()},
            "body": text[:MAX_BODY_CHARACTERS],
            "json": _as_json(text),
        }
        if not self._is_expected(response.status):
            raise ProcedureFailed(
                "%s %s was answered with status %d%s"
                % (
                    method,
                    without_ticket(url),
                    response.status,
                    "" if self.expect is None else ", expected: %s" % self.expect,
                ),
                kind="status",
                status=response.status,
                body=beginning(text, 2000),
                result=answer,
            )
        return answer

    def _is_expected(self, status: int) -> bool:
        if self.expect is None:
            return status < 400
        return status in (self.expect if isinstance(self.expect, list) else [self.expect])


class StartHttpServer(Procedure):
    """Serve files of a directory over HTTP: what `AGENT://path` downloads from.

    An agent has one such server. It gives out the files that the scenario names (`AGENT://path`), to whoever was given
    the URL for it: a URL is good for that one file. Never a listing, and nothing that lies outside of the directory. A
    rerun of the job that started it replaces it, on the same port if none is given; another job can start one only when
    the first has ended.
    """

    procedure = "builtins.start_http_server"
    services = ("http",)
    result = {"port": "int: the port that it listens on"}

    directory: Field[str] = Field(
        "str", "What to serve, taken from the home directory. It may be created later.", default=".", form="path"
    )
    http_port: Field[Optional[str]] = Field(
        "str", "The port to listen on; by default one that is free.", minimum=1, maximum=65535, form="port"
    )
    public: Field[bool] = Field(
        "bool",
        "Whether everybody who reaches the port may have every file of `directory`: for a browser, or for a program"
        " that was told where it is.",
        default=False,
    )

    job = ""
    port = 0
    key = ""

    async def run(self, context: Context) -> Dict[str, Any]:
        """Start the server, wait until it listens, and announce it."""
        self.job = instance(context)
        directory = context.path(self.directory)
        before = self._before(context)
        if not self.public:
            self.key = before.key if before is not None and before.key else new_key()
        if not os.path.isdir(directory):
            context.log("%s does not exist yet: until it does, every file is answered with 404" % directory)
        tries = 1 if self.http_port is not None else _TRIES
        for attempt in range(tries):
            if self.http_port is not None:
                self.port = ports.number(self.http_port, "http_port")
            elif before is not None and attempt == 0:
                self.port = before.port  # others may have been told of it
            else:
                self.port = context.fresh_port()
            hosts = ",".join(hosts_of_one(context.bind, context.address))
            process = await context.start(
                SERVER,
                origin.argv("network.fileserver", hosts, str(self.port), directory),
                cwd=context.root,
                stdin=(self.key or "open").encode("ascii") + b"\n",  # everybody can read a command line
            )
            try:
                await context.wait_ready(process, log="^serving on port ", timeout_s=30.0)
                break
            except ProcedureFailed as error:
                if attempt + 1 == tries:
                    raise self._explained(process, error) from None
        context.state(FileServer).started_by = self
        context.announce("http", "http", {"http": self.port}, process=process, key=self.key)
        return {"port": self.port}

    def _before(self, context: Context) -> Optional[StartHttpServer]:
        """Give what this job's earlier attempt started. Raises ProcedureFailed when another job's server is running."""
        process = context.process(SERVER)
        before = context.state(FileServer).started_by
        if before is not None and before.job == self.job:
            return before
        if process is not None and process.is_running and before is not None:
            raise ProcedureFailed(
                "this agent's HTTP server is running already: %s on port %d, started by %s"
                % (context.path(before.directory), before.port, before.job or "another job"),
                kind="conflict",
                hint="an agent has one HTTP server: use it, or serve a directory that contains both",
            )
        return None

    def _explained(self, process: Process, error: ProcedureFailed) -> ProcedureFailed:
        """Say in the server's own words why it could not start."""
        lines = [line for line in process.tail(5) if line]
        if error.kind != "exit" or not lines:
            return error
        return ProcedureFailed(
            lines[-1], kind="port", hint="choose another http_port, or leave it out to get a free one", port=self.port
        )


def url_of(context: Context, uri: Uri) -> str:
    """Give the URL that an HTTP argument means; a service of this agent is reached on this machine.

    Its port is the one named `http`, then `rpc`, then its only one. Raises ProcedureFailed kind `service`.
    """
    if uri.remote is not None:
        return as_url(uri.remote)
    owned = uri.owned or ""
    end = min((at for at in map(owned.find, "/?#") if at >= 0), default=len(owned))
    name, rest = owned[:end], owned[end:]
    failures = []
    for kind in _KINDS:
        try:
            found = context.service(kind, name)
        except ProcedureFailed as error:
            failures.append(error)
            continue
        only = next(iter(found.values())) if len(found) == 1 else None
        port = found.get("http", found.get("rpc", only))
        if port is None:
            raise ProcedureFailed(
                "self://%s has several ports and none is named http: %s" % (name, ", ".join(sorted(found)) or "none"),
                kind="service",
            )
        # Our own servers listen where they are told to; where a user's program does, only it knows: mostly here.
        where = Endpoint(LOOPBACK, port) if kind == "process" else context.to_reach(port)
        server = context.state(FileServer).started_by
        return with_ticket(where.url + rest, server.key if kind == "http" and server is not None else "")
    # One that is down explains more than five that never were.
    known = [error for error in failures if not error.hint]
    if known:
        raise known[0]
    raise ProcedureFailed("this agent has no service named %s" % name, kind="service", hint=failures[0].hint)


def _as_json(text: str) -> Any:
    import json

    if len(text) > MAX_BODY_CHARACTERS:
        return None
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _refuse(constant: str) -> None:
    raise ValueError(constant)
