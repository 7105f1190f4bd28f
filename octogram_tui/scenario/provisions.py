"""Services and files that a part of a scenario needs, and that only parts bring which the command line leaves out.

An agent's home is empty when a run begins, so what a stage brought there in an earlier run is gone. Names and paths are
compared as they are written, or as an attempt was given them: what a template makes of them is known to a run only.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from octogram_tui.errors import Problem
from octogram_tui.model.scenario import JobSpec, Scenario, StageSpec
from octogram_tui.scenario.tree import texts_in
from octogram_tui.template.source import is_template

_OWNED = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]+://(?=[^\s'\"])")
_BETWEEN_PATHS = re.compile(r"[\s'\"`;|&()<>=,:\[\]{}$]+")
_WRITTEN_BY_SHELL = re.compile(r">>?\s*(?:\"([^\"]+)\"|'([^']+)'|([^\s;|&()<>'\"]+))")
_URI = re.compile(r"(?<![A-Za-z0-9_-])([A-Za-z0-9_-]+)://([^\s'\"]+)")
_FILE_SERVER = "http"
_WHOLE = {"builtins.fetch": "remote_path", "builtins.tar": "contents"}
"""Where a path may be the whole home, `.`, which is a word of other meanings elsewhere."""
Provision = tuple[str, str]
"""service or file, and its name."""


def missing_provisions(
    scenario: Scenario,
    left_out: Mapping[str, str],
    takes_job: Callable[[StageSpec, JobSpec], bool] = lambda stage, job: True,
) -> list[Problem]:
    """Warn of each such service and file, where it is needed first. left_out: the reason by the key of a stage."""
    elsewhere: dict[Provision, str] = {}  # the stage that brings it
    here: set[Provision] = set()
    chosen: list[JobSpec] = []
    for stage in scenario.stages:
        for job in stage.jobs:
            if stage.key in left_out or not takes_job(stage, job):
                for each in brought(job.procedure, job.arguments.raw()):
                    elsewhere.setdefault(each, stage.name)
            else:
                here.update(brought(job.procedure, job.arguments.raw()))
                chosen.append(job)
    found: dict[Provision, Problem] = {}
    offers = Offers(elsewhere)
    for job in chosen:
        for need in offers.needed(spoken_of(job.procedure, job.arguments.raw())):
            if need in found or need in here:
                continue
            what, name = need
            who = f"stage `{elsewhere[need]}`, which {'starts' if what == 'service' else 'brings'} it"
            found[need] = Problem(
                job.mark.file,
                job.mark.line,
                job.mark.column,
                f"job `{job.name}` needs the {what} `{name}`; {who}, is left out",
                "do not leave that part out, or see to it that the job can do without",
                is_warning=True,
            )
    return list(found.values())


def brought(procedure: str, arguments: Mapping[str, Any]) -> Iterator[Provision]:
    """Give the services and files that there are once a job has run."""
    if _announces(procedure):
        yield "service", _service_name(procedure, arguments)
    for path in _files_brought(procedure, arguments):
        name = posixpath.normpath(path)
        if path and not is_template(path) and name not in (".", ".."):
            yield "file", name


def is_about_services(job: JobSpec) -> bool:
    """Whether a job starts a service, or stops one."""
    return job.procedure == "builtins.stop_process" or _announces(job.procedure)


def _announces(procedure: str) -> bool:
    from octogram_agentd.procedures import find

    try:
        return bool(find(procedure).services)
    except KeyError:
        return False


def _service_name(procedure: str, arguments: Mapping[str, Any]) -> str:
    if procedure == "builtins.start_http_server":
        return _FILE_SERVER
    name = arguments.get("name")
    if isinstance(name, str):
        return name
    argv = arguments.get("argv")
    first = (argv[0] if isinstance(argv, list) and argv else argv) or ""
    return posixpath.basename(str(first).split(" ")[0])


def _files_brought(procedure: str, arguments: Mapping[str, Any]) -> Iterator[str]:
    def text(name: str) -> str:
        value = arguments.get(name)
        return value if isinstance(value, str) else ""

    match procedure:
        case "copy":
            target = text("remote_path")
            inside = target.endswith(("/", "/.")) or target == "."
            yield posixpath.join(target, posixpath.basename(text("local_path"))) if inside else target
        case "builtins.write_file":
            yield text("path")
        case "builtins.prefetch":
            yield text("file").rpartition("/")[2]
        case "builtins.tar":
            path = text("archive" if arguments.get("action") == "create" else "contents")
            yield path.partition("://")[2] if "://" in path else path
        case "builtins.shell":
            for quoted, quoted_otherwise, bare in _WRITTEN_BY_SHELL.findall(text("script")):
                path = quoted or quoted_otherwise or bare
                if not path.startswith(("/dev/", "$")):
                    yield path


def spoken_of(procedure: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give what a job speaks of, whether or not anything brings it: what `Offers.needed` takes."""
    names = [arguments.get("process")]
    if procedure == "builtins.stop_process":
        names.append(arguments.get("name"))
    yield from (("service", name) for name in names if isinstance(name, str))
    if procedure == "copy":  # its other path is one of this machine
        return
    for text in texts_in({name: value for name, value in arguments.items() if name != "local_path"}):
        for owner, rest in _URI.findall(text):
            if owner not in ("http", "https"):
                yield ("own" if owner == "self" else "foreign"), rest.partition("/")[0]
        for word in _BETWEEN_PATHS.split(_OWNED.sub(" ", text)):
            path = posixpath.normpath(word)
            if path not in (".", "/", ""):
                yield "file", path
    if posixpath.normpath(str(arguments.get(_WHOLE.get(procedure, ""), "?"))) == ".":
        yield "file", "."


class Offers:
    """What there would be of services and files, and what of that is needed."""

    def __init__(self, provisions: Iterable[Provision]) -> None:
        self._all = frozenset(provisions)
        self._below: dict[str, dict[Provision, None]] = {}  # by a directory, what is brought somewhere in it
        for each in sorted(self._all):
            what, path = each
            while what == "file" and path not in ("", "/", "."):
                path = posixpath.dirname(path) or "."
                self._below.setdefault(path, {})[each] = None

    def needed(self, spoken: Iterable[tuple[str, str]]) -> Iterator[Provision]:
        """Give those that somebody needs who speaks so: of a directory, all that is brought below it."""
        for what, name in spoken:
            match what:
                case "file":
                    yield from self._files(name)
                case "own" | "foreign" if ("service", name) in self._all:
                    yield "service", name
                case "foreign" if ("service", _FILE_SERVER) in self._all:
                    yield "service", _FILE_SERVER
                case "service" if ("service", name) in self._all:
                    yield "service", name

    def _files(self, path: str) -> Iterator[Provision]:
        yield from self._below.get(path, ())
        while path not in (".", "/", "") and ("file", path) not in self._all:  # a file in a directory that is brought
            path = posixpath.dirname(path)
        if ("file", path) in self._all:
            yield "file", path
