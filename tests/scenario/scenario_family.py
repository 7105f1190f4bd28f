"""A small family of procedures for these tests: every kind of field, and nothing that runs."""

from __future__ import annotations

from typing import Any

from schema_verdict import agree

from octogram_agentd.procedures.base import Field, Procedure
from octogram_tui.errors import Problem, ScenarioError
from octogram_tui.scenario.load import Loaded, load_scenario


class Say(Procedure):
    """Says a text."""

    procedure = "fake.say"
    short = "text"

    text: Field[str] = Field("str", "What to say.", required=True)
    louder: Field[bool] = Field("bool", default=False)


class Everything(Procedure):
    """Has a field of every kind."""

    procedure = "fake.everything"

    text: Field[Any] = Field("str", default="{{ agent.name }}")
    literal: Field[Any] = Field("str", template=False)
    count: Field[Any] = Field("int", minimum=0, maximum=65535)
    ratio: Field[Any] = Field("float", default=1.5)
    flag: Field[Any] = Field("bool")
    any: Field[Any] = Field("any")
    names: Field[Any] = Field("list", of=Field("str"))
    bare: Field[Any] = Field("list")
    pairs: Field[Any] = Field("list", of=Field("tuple", of=(Field("str", template=False), Field("str"))))
    env: Field[Any] = Field("map", of=Field("str"))
    argv: Field[Any] = Field("str_or_list")
    status: Field[Any] = Field("int_or_list")
    that: Field[Any] = Field("expression_or_list")
    expression: Field[Any] = Field("expression")
    mode: Field[Any] = Field("str", choices=("create", "extract"))
    port: Field[Any] = Field("str", minimum=1, maximum=65535)
    word: Field[Any] = Field("str", pattern="[a-f0-9]+", max_bytes=8)
    sought: Field[Any] = Field("str", is_pattern=True)
    file: Field[Any] = Field("str", uri="file")
    node: Field[Any] = Field("str", uri="node")
    files: Field[Any] = Field("list", of=Field("str", uri="file"))
    slot: Field[Any] = Field(
        "record",
        fields={
            "index": Field("str", required=True),
            "size": Field("int", default=4),
            "file": Field("str", uri="file"),
        },
    )
    ready: Field[Any] = Field(
        "record",
        exactly_one=("log", "http"),
        fields={"log": Field("str"), "http": Field("str"), "timeout": Field("float", default=60)},
    )


class OneOf(Procedure):
    """Takes exactly one of two fields."""

    procedure = "fake.one_of"
    exactly_one = ("left", "right")

    left: Field[Any] = Field("str")
    right: Field[Any] = Field("str")


class Starts(Procedure):
    """Knows ports, as the starting of a process does."""

    procedure = "fake.starts"

    argv: Field[Any] = Field("str_or_list", required=True)
    ports: Field[Any] = Field("map", of=Field("str"))


class Renamed(Procedure):
    """Has fields that once had other names."""

    procedure = "fake.renamed"

    wallet: Field[Any] = Field("str", required=True, uri="file", formerly=("base_dir", "dir"))
    names: Field[Any] = Field("list", of=Field("str"), formerly=("nams",))
    slot: Field[Any] = Field("record", fields={"index": Field("int", required=True, formerly=("number",))})


class Nothing(Procedure):
    """Takes nothing."""

    procedure = "fake.nothing"


AGENTS = "agents: [{name: a, address: h}, {name: node_1, address: h}, {name: node_2, address: h}]\n"


def load(text: str, *, file: str = "scenario.yml", **options: Any) -> Loaded:
    """Load a scenario from a text; further files by name in `files`."""
    files = {file: text, **options.pop("files", {})}

    def read(path: str) -> str:
        if path not in files:
            raise FileNotFoundError(path)
        return str(files[path])

    found: list[Problem] = []
    try:
        return load_scenario(file, read_file=read, **options)
    except ScenarioError as error:
        found = [problem for problem in error.problems if not problem.is_warning]
        raise
    finally:
        agree(file, text, found)


def job(body: str, *, variables: str = "", **options: Any) -> Loaded:
    """Load a scenario of one job, whose keys are given as indented lines or a flow map's inside."""
    lines = "\n".join("        " + line for line in body.strip("\n").split("\n"))
    text = f"vars: {{{variables}}}\n{AGENTS}stages:\n  - name: s\n    jobs:\n      - name: j\n{lines}\n"
    return load(text, **options)


def problems(text: str, **options: Any) -> list[Problem]:
    """Give the problems of a scenario that cannot be used."""
    try:
        load(text, **options)
    except ScenarioError as error:
        return error.problems
    raise AssertionError("this scenario has no errors")


def job_problems(body: str, **options: Any) -> list[Problem]:
    """Give the problems of a job that cannot be used."""
    try:
        job(body, **options)
    except ScenarioError as error:
        return error.problems
    raise AssertionError("this job has no errors")
