"""Programs: run to their end, or started and kept under a name."""

from __future__ import annotations

from octogram_agentd.cuts import beginning, ending
from octogram_agentd.network import ports as port_numbers
from octogram_agentd.procedures.base import Field, Procedure, ProcedureFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

    from octogram_agentd.procedures.context import CommandResult, Context

CWD: Field[Optional[str]] = Field(
    "str",
    "The working directory, inside the agent's home directory; by default the home directory itself.",
    form="inner_path",
)
ENV: Field[Optional[Dict[str, str]]] = Field(
    "map", "Environment variables, in addition to the agent's.", of=Field("str", form="word"), form="variables"
)
STDIN: Field[Optional[str]] = Field("str", "What the program reads from its standard input; nothing by default.")
EXPECT: Field[Union[int, List[int]]] = Field(
    "int_or_list",
    "The exit status, or the statuses, that mean success.",
    default=0,
    minimum=0,
    maximum=255,
    of=Field("int", minimum=0, maximum=255),
)
RAN = {
    "exit_code": "int: the exit status; 128 + n when signal n ended the program",
    "stdout": "str: the end of its standard output, at most 64 KiB, without its last line end",
    "stdout_end": "str: that line end, or empty: `res.stdout ~ res.stdout_end` is what was written to the letter",
    "stderr": "str: the end of its standard error, at most 64 KiB, without its last line end",
    "stderr_end": "str: that line end, or empty",
    "duration_s": "float: how long it ran, in seconds",
}


_NEEDS_A_SHELLS_EYE = frozenset("'\"\\")  # `shlex`, whose import takes longer than many jobs, does little else
_BLANKS = str.maketrans("\t\r\n", "   ")


class Starters:
    """Which job instance started the process of a name."""

    def __init__(self) -> None:
        self.of: Dict[str, str] = {}


class Command(Procedure):
    """Run a program to its end, without a shell."""

    procedure = "builtins.command"
    short = "argv"
    result = RAN

    argv: Field[Union[str, List[str]]] = Field(
        "str_or_list",
        "The program and its arguments: a list, or one text that is split as a shell would split it (quotes count,"
        " nothing is expanded).",
        required=True,
        of=Field("str", form="word"),
        form="command",
    )
    expect = EXPECT
    cwd = CWD
    env = ENV
    stdin = STDIN

    async def run(self, context: Context) -> Dict[str, Any]:
        """Run it, and hold its exit status against what is expected."""
        return await run_to_end(context, self, split(self.argv))


class Shell(Procedure):
    """Run a script with `sh -c`.

    The script is given to the shell as expanded: what comes from a variable is read by the shell as if it were written
    there. The filter `quote` prevents that (`{{ vars.name | quote }}`), and so does `env` (`"$NAME"`).
    """

    procedure = "builtins.shell"
    short = "script"
    result = RAN

    script: Field[str] = Field("str", "The script.", required=True, form="word")
    expect = EXPECT
    cwd = CWD
    env = ENV
    stdin = STDIN

    async def run(self, context: Context) -> Dict[str, Any]:
        """Run it, and hold its exit status against what is expected."""
        return await run_to_end(context, self, ["sh", "-c", self.script])


class StartProcess(Procedure):
    """Start a program that goes on running, under a name.

    It is stopped when the run ends, with everything that it started. A process of the same name that is running is
    stopped first, so a rerun replaces what it started before. Other agents reach it as `agent://NAME` where an HTTP
    endpoint is expected, through its port named `http`, or its only port. Its output is sent as log lines.
    """

    procedure = "builtins.start_process"
    short = "argv"
    services = ("process",)
    result = {
        "name": "str: its name",
        "pid": "int: its process id",
        "ports": "map: its ports, by name",
    }

    argv: Field[Union[str, List[str]]] = Field(
        "str_or_list",
        "The program and its arguments, as in builtins.command. `{{ port.NAME }}` stands for a port of `ports`.",
        required=True,
        of=Field("str", form="word"),
        form="command",
    )
    name: Field[Optional[str]] = Field(
        "str",
        "What it is called on this agent; by default the name of the program.",
        pattern=r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,99}",
    )
    ready: Field[Optional[Dict[str, Any]]] = Field(
        "record",
        "By which sign one sees that it is ready; without one, it is ready as soon as it was started.",
        fields={
            "log": Field("str", "A regular expression that is found in a line of its output.", is_pattern=True),
            "port": Field(
                "str", "A port of this machine that accepts connections: a number, or `{{ port.NAME }}`.", form="port"
            ),
            "http": Field("str", "A URL that is answered with a status below 400.", form="url"),
            "file": Field("str", "A file that exists, taken from the home directory.", form="path"),
            "timeout": Field("float", "After how many seconds it has failed to become ready.", default=60.0, above=0),
        },
        exactly_one=("log", "port", "http", "file"),
    )
    ports: Field[Optional[Dict[str, str]]] = Field(
        "map",
        "Its ports, by name: a number, or `fresh` for one that is free. Usable as `{{ port.NAME }}` in argv, env, stdin"
        " and ready.",
        of=Field("str", form="own_port"),
    )
    metrics: Field[Optional[str]] = Field("str", "Which of the ports serves metrics, for the run's Prometheus server.")
    restart: Field[str] = Field(
        "str",
        "Whether it is started again when it ends with a status other than 0.",
        default="never",
        choices=("never", "on_failure"),
    )
    stop_signal: Field[str] = Field(
        "str",
        "The signal that asks it to end.",
        default="TERM",
        pattern=r"(SIG)?(TERM|INT|HUP|QUIT|KILL|USR1|USR2|ABRT|ALRM)",
    )
    stop_grace: Field[float] = Field(
        "float", "How many seconds it has to end before it is killed; 0: at once.", default=10.0, minimum=0.0
    )
    cwd = CWD
    env = ENV
    stdin = STDIN

    async def run(self, context: Context) -> Dict[str, Any]:
        """Start it, wait until it is ready, and announce it."""
        numbers = {name: _port(context, name, wanted) for name, wanted in (self.ports or {}).items()}
        if self.metrics is not None and self.metrics not in numbers:
            raise ProcedureFailed(
                "metrics: there is no port named %s" % self.metrics, kind="argument", hint=_known(numbers)
            )

        def put(text: str) -> str:
            return with_ports(text, numbers, context.mark)

        # Before a text is split, as the braces may hold spaces; numbers split nothing.
        argv = split(put(self.argv) if isinstance(self.argv, str) else [put(str(word)) for word in self.argv])
        env = {name: put(str(value)) for name, value in (self.env or {}).items()}
        stdin = None if self.stdin is None else put(self.stdin).encode("utf-8", "surrogateescape")
        ready = {
            sign: put(value) if isinstance(value, str) else value
            for sign, value in (self.ready or {}).items()
            if value is not None
        }
        name = self.name or _default_name(context, argv[0])
        process = await context.start(
            name,
            argv,
            cwd=None if self.cwd is None else context.inner_path(self.cwd),
            env=env,
            stdin=stdin,
            stop_signal=self.stop_signal,
            stop_grace_s=float(self.stop_grace),
            restart=self.restart,
        )
        context.state(Starters).of[name] = instance(context)
        if ready:
            timeout_s = float(ready.get("timeout", 60.0))
            port = ready.get("port")
            await context.wait_ready(
                process,
                log=ready.get("log"),
                http=ready.get("http"),
                file=ready.get("file"),
                timeout_s=timeout_s,
                port=None if port is None else port_numbers.number(port, "ready: port"),
            )
        context.announce("process", name, self._announced(numbers), process=process)
        return {"name": name, "pid": process.pid, "ports": numbers}

    def _announced(self, numbers: Dict[str, int]) -> Dict[str, int]:
        """Give the ports as others see them: the only one stays the one to talk to when it serves metrics too."""
        announced = dict(numbers)
        if self.metrics is not None and "metrics" not in numbers:
            announced["metrics"] = numbers[self.metrics]
            if len(numbers) == 1:
                announced.setdefault("http", numbers[self.metrics])
        return announced


class StopProcess(Procedure):
    """Stop a process that builtins.start_process started, with everything that it started."""

    procedure = "builtins.stop_process"
    short = "name"
    result = {"exit_code": "int: its exit status; 128 + n when signal n ended it"}

    name: Field[str] = Field("str", "Its name.", required=True)

    async def run(self, context: Context) -> Dict[str, Any]:
        """Stop it: its signal, its grace, then KILL, until nothing of it is left."""
        return {"exit_code": await context.stop(self.name)}


async def run_to_end(context: Context, procedure: Union[Command, Shell], argv: List[str]) -> Dict[str, Any]:
    """Run a program for one of the procedures above. Raises ProcedureFailed kind `exit` for another exit status."""
    stdin = procedure.stdin
    result = await context.command(
        argv,
        cwd=None if procedure.cwd is None else context.inner_path(procedure.cwd),
        env=procedure.env and {name: str(value) for name, value in procedure.env.items()},
        check=False,
        stdin=None if stdin is None else stdin.encode("utf-8", "surrogateescape"),
    )
    stdout, stdout_end = without_line_end(result.stdout)
    stderr, stderr_end = without_line_end(result.stderr)
    ran = {
        "exit_code": result.exit_code,
        "stdout": stdout,
        "stdout_end": stdout_end,
        "stderr": stderr,
        "stderr_end": stderr_end,
        "duration_s": round(result.duration_s, 6),
    }
    expected = procedure.expect if isinstance(procedure.expect, list) else [procedure.expect]
    if result.exit_code not in expected:
        raise _unexpected(result, expected, ran)
    return ran


def without_line_end(text: str) -> Tuple[str, str]:
    """Part a text from the one line end that ends it, as people mean `echo 3` to say `3`."""
    if text[-1:] != "\n":
        return text, ""
    end = "\r\n" if text[-2:] == "\r\n" else "\n"
    return text[: -len(end)], end


def _unexpected(result: CommandResult, expected: List[int], ran: Dict[str, Any]) -> ProcedureFailed:
    status = "exit status %d" % result.exit_code
    if result.exit_code > 128:
        status += " (signal %d)" % (result.exit_code - 128)
    if expected != [0]:
        status += " instead of %s" % " or ".join(map(str, expected))
    lines = (result.stderr.rstrip() or result.stdout.rstrip()).splitlines()[-20:]
    said = ": %s" % beginning(lines[-1], 500) if lines else ""
    return ProcedureFailed(
        "%s ended with %s%s" % (result.argv[0], status, said),
        kind="exit",
        exit_code=result.exit_code,
        argv=[beginning(word, 1000) for word in result.argv[:100]],
        last_lines=[ending(line, 2000) for line in lines],
        result=ran,
    )


def split(argv: Union[str, List[str]]) -> List[str]:
    """Give a command as a list of words. Raises ProcedureFailed for an open quotation and for no words at all."""
    if isinstance(argv, str) and not _NEEDS_A_SHELLS_EYE.isdisjoint(argv):
        import shlex

        try:
            words = shlex.split(argv)
        except ValueError as error:
            raise ProcedureFailed(
                "argv cannot be split into words: %s: %s" % (str(error).lower(), beginning(argv, 200)),
                kind="argument",
                hint="close the quotation, or give a list",
            ) from None
    elif isinstance(argv, str):
        words = list(filter(None, argv.translate(_BLANKS).split(" ")))
    else:
        words = [str(word) for word in argv]
    if not words or not words[0]:
        raise ProcedureFailed("argv names no program", kind="argument")
    return words


def with_ports(text: str, numbers: Mapping[str, int], mark: str = "") -> str:
    """Put numbers for each `{{ port.NAME }}` of a text, and nothing else. Raises ProcedureFailed for unknown names.

    mark: what has to stand before `port.` where that is meant.
    """
    if "{{" not in text:
        return text
    import re

    def number(match: Any) -> str:
        name = match.group(1)
        if name not in numbers:
            raise ProcedureFailed("{{ port.%s }}: there is no such port" % name, kind="argument", hint=_known(numbers))
        return str(numbers[name])

    return re.sub(r"\{\{ *%sport\.([\w-]+) *\}\}" % re.escape(mark), number, text)


def _known(numbers: Mapping[str, int]) -> str:
    return "`ports` has %s" % (", ".join(sorted(numbers)) or "none")


def _port(context: Context, name: str, wanted: object) -> int:
    return context.fresh_port() if wanted == "fresh" else port_numbers.number(wanted, "port %s" % name)


def _default_name(context: Context, program: str) -> str:
    """Name a process after its program; refuses a name that another job's process has, which would be stopped."""
    name = program.rstrip("/").rpartition("/")[2]
    found = context.process(name)
    if found is not None and found.is_running and context.state(Starters).of.get(name) != instance(context):
        raise ProcedureFailed(
            "a process named %s is running already on this agent, started by another job" % name,
            kind="conflict",
            hint="give this one a `name`",
        )
    return name


def instance(context: Context) -> str:
    """Name the job instance whose attempt this is: what its reruns have in common."""
    return context.attempt.rpartition("#")[0]
