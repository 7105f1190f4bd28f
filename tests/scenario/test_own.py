"""Procedures of a scenario's own files: read from their text, and run on this machine for nobody who did not ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scenario_family import AGENTS, load, problems

from octogram_agentd.procedures import find, load_own
from octogram_agentd.procedures.base import REGISTRY, Field
from octogram_tui.cli import main

HEAD = "from octogram_agentd.procedures.base import Field, Procedure\n"
MINE = HEAD + 'class Mine(Procedure):\n    procedure = "mine.do"\n    path = Field("str", required=True)\n'


def scenario(body: str = "mine.do: {path: x}") -> str:
    return f"procedures: [mine.py]\n{AGENTS}stages: [{{name: s, jobs: [{{name: j, {body}}}]}}]\n"


def said(source: str, **options: Any) -> tuple[str, str]:
    """Give the message and the hint that is said about a file."""
    (problem,) = [
        p for p in problems(scenario("fake.nothing: {}"), files={"./mine.py": source}, **options) if not p.is_warning
    ]
    return problem.message, problem.hint


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario whose own file leaves a mark when it is run."""
    mark = f"import pathlib\npathlib.Path({str(tmp_path / 'was run')!r}).write_text('')\n"
    (tmp_path / "mine.py").write_text(mark + MINE)
    (tmp_path / "s.yml").write_text(scenario().replace("address: h", "transport: local"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "s.yml"],
        ["check", "s.yml", "--trust-procedures"],
        ["plan", "s.yml"],
        ["s.yml", "--dry-run"],
        ["doctor", "s.yml"],
        ["schema"],
    ],
    ids=" ".join,
)
def test_no_command_runs_them(trap: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(arguments)
    assert "mine" not in capsys.readouterr().err
    assert not (trap / "was run").exists()


def test_a_run_leaves_it_to_the_agents(trap: Path) -> None:
    from octogram_tui.commands.run import load_request, read_request

    invocation = load_request(read_request(["s.yml", "--headless"]))
    assert invocation.scenario.own_procedures[0].names == ("mine.do",)
    assert not (trap / "was run").exists()


RICH = '''
"""Everything that is still written out."""
from __future__ import annotations
import re
import octogram_agentd.procedures.base as base
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from octogram_agentd.procedures.base import Field as F, Procedure, ProcedureFailed
from octogram_agentd.procedures.builtin.running import CWD, Shell

if TYPE_CHECKING:
    from octogram_agentd.procedures.context import Context

T = TypeVar("T")
MOST = 1 << 16
KINDS = ("a", "b") + ("c",)
COMMON = {"log": F("str"), "http": F("str", "An address: " + "a URL.")}

class Box(Generic[T]):
    pass

class Oops(Exception):
    pass

class Timed:
    timeout = F("float", default=-1.5, above=-2)

def helper():
    return len(KINDS)

class Rich(Timed, Procedure):
    """Does much."""

    procedure = "rich.do"
    short = "kind"
    exactly_one = ("log", "http")
    result = {"n": "int: how many"}
    _pattern = re.compile("x")
    _shown = f"{MOST}"
    _all = [k for k in KINDS]
    kind: F[str] = F("str", "Which.", choices=KINDS)
    count: "F[int]" = F("int", minimum=0, maximum=MOST - 1)
    log = F("str")
    http = base.Field("str", uri="http")
    ready = F("record", fields={**COMMON, "port": F("int")}, exactly_one=["log", "http"])
    cwd = CWD
    script = Shell.script

    async def run(self, context):
        return {"n": helper()}

class Richer(Rich):
    procedure = "rich.more"
    more = F("list", of=F("str"), default=[])

class Loud(Shell):
    procedure = "rich.shell"
'''


def declared(procedure: Any) -> Any:
    def shown(field: Field[Any]) -> Any:
        values = {name: getattr(field, name) for name in Field.__slots__}
        values["fields"] = {name: shown(member) for name, member in field.fields.items()}
        values["of"] = None if field.of is None else shown(field.of)
        return values

    names = ("procedure", "where", "short", "exactly_one", "result", "services", "__doc__")
    fields = [(name, shown(field)) for name, field in procedure.fields.items()]
    return {name: getattr(procedure, name) for name in names}, fields


def test_reading_tells_what_running_would() -> None:
    names = ("rich.do", "rich.more", "rich.shell")
    loaded = load(scenario("rich.do: {kind: a, log: x, script: y}"), files={"./mine.py": RICH})
    assert loaded.scenario.own_procedures[0].names == names
    read = [declared(find(name)) for name in names]
    load_own("./mine.py", RICH)
    assert [declared(find(name)) for name in names] == read
    for name in names:
        del REGISTRY[name]


def test_the_page_on_writing_one_is_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "writing-a-procedure.md").read_text()
    source = page.split("```python\n")[1].split("```")[0]
    body = "my.count_words: {path: notes.txt, at_least: -1}"
    (problem,) = problems(scenario(body), files={"./mine.py": source})
    assert problem.message == "`at_least` must be at least 0, not the number -1"


@pytest.mark.parametrize(
    ("source", "line", "about"),
    [
        (
            "def field():\n    return Field('str')\nclass M(Procedure):\n    procedure = 'm.m'\n    x = field()\n",
            6,
            "field",
        ),
        ("class M(Procedure):\n    procedure = 'm.' + str(1)\n", 3, "procedure"),
        ("class M(Procedure):\n    procedure = f'm.{1}'\n", 3, "procedure"),
        ("class M(Procedure):\n    procedure = 'm.m'\n    x = Field('str', choices=sorted('ab'))\n", 4, "Field("),
        (
            "class M(Procedure):\n    procedure = 'm.m'\n    for n in 'ab':\n        locals()[n] = Field('str')\n",
            4,
            "body",
        ),
        ("for n in 'ab':\n    class M(Procedure):\n        procedure = 'm.' + n\n", 3, "Procedure"),
        ("M = type('M', (Procedure,), {})\nclass N(M):\n    procedure = 'm.m'\n", 3, "type"),
        ("import functools\n@functools.total_ordering\nclass M(Procedure):\n    procedure = 'm.m'\n", 4, "decorator"),
        ("class M(Procedure):\n    procedure = 'm.m'\nM.x = Field('str')\n", 4, "M"),
        ("if 1 < 2:\n    x = Field('str')\nclass M(Procedure):\n    procedure = 'm.m'\n    y = x\n", 3, "Field"),
    ],
)
def test_what_reading_does_not_tell(source: str, line: int, about: str) -> None:
    message, hint = said(HEAD + source)
    assert message.startswith(f"./mine.py:{line}: ")
    assert message.endswith(", and the file is not run to find out")
    assert about in message
    assert "--trust-procedures" in hint


def test_who_trusts_a_file_has_it_run() -> None:
    source = (
        HEAD
        + "def text():\n    return Field('str')\n"
        + MINE.removeprefix(HEAD).replace('Field("str", required=True)', "text()")
    )
    loaded = load(scenario(), files={"./mine.py": source}, trusts_procedures=True)
    assert loaded.scenario.own_procedures[0].names == ("mine.do",)
    broken = source + "1 / 0\n"
    (problem,) = problems(scenario("fake.nothing: {}"), files={"./mine.py": broken}, trusts_procedures=True)
    assert problem.message == "./mine.py:7: ZeroDivisionError: division by zero"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            HEAD + "class M(Procedure):\n    procedure = 'm.m'\n    x = Field('strr')\n",
            "4: there is no kind of field `strr`",
        ),
        (
            HEAD + "class M(Procedure):\n    procedure = 'm.m'\n    x = Field('str', form='prot')\n",
            "4: there is no form of field `prot`",
        ),
        (
            HEAD + "class M(Procedure):\n    procedure = 'm.m'\n    x = Field('str', need=1)\n",
            "4: Field got an unexpected",
        ),
        (HEAD + "class M(Procedure):\n    procedure = 'm.m'\n    x = Feild('str')\n", "4: `Feild` is not defined"),
        (HEAD + "class M(Procedure):\n    procedure = 1\n", "3: `procedure` is not a text"),
        ("from octogram_agentd.procedures.base import Feild\n", "1: `Feild` is not in octogram_agentd.procedures.base"),
        (
            "from octogram_agentd.procedures.bass import Field\n",
            "1: there is no module octogram_agentd.procedures.bass",
        ),
        ("x = " + "-" * 100_000 + "1\n", ""),
        ("x = '\0'\n", ""),
    ],
)
def test_what_is_wrong_is_not_run_either(source: str, message: str) -> None:
    found, _ = said(source, trusts_procedures=True)
    assert found.startswith(f"./mine.py:{message}")


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        (
            "from agentd.procedures.base import Field, Procedure",
            "from octogram_agentd.procedures.base import Field, Procedure",
        ),
        ("import agentd", "import octogram_agentd"),
        ("import agentd.context as agentd_context", "import octogram_agentd.context as agentd_context"),
    ],
)
@pytest.mark.parametrize("trusts", [False, True])
def test_the_former_name_of_the_package(line: str, instead: str, trusts: bool) -> None:
    message, hint = said(f"import os\n{line}\n", trusts_procedures=trusts)
    assert message == "./mine.py:2: the package is called octogram_agentd now"
    assert hint == f"write `{instead}`"


def test_a_file_that_is_refused_leaves_nothing_behind() -> None:
    before = dict(REGISTRY)
    said(HEAD + "class M(Procedure):\n    procedure = 'builtins.shell'\nclass N(Procedure):\n    procedure = 1\n")
    assert before == REGISTRY


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (MINE + MINE.removeprefix(HEAD), "./mine.py:6: `mine.do` is declared in line 3 already"),
        (HEAD + "a = 2\n" + "a = a * a\n" * 40 + MINE.replace('Field("str"', "Field(a"), "these numbers are too large"),
        (
            HEAD + "a = 'xx'\n" + "a = a + a\n" * 40 + MINE.replace('Field("str"', "Field(a"),
            "this is longer than 65536",
        ),
        (
            MINE.replace("    path", '    where = "assertion"\n    path'),
            "`mine.do` has to run on the agent, as all own",
        ),
        (MINE.replace("    path", '    where = "moon"\n    path'), "`mine.do` has to run on the agent, as all own"),
    ],
)
def test_what_would_be_lost_or_never_end_is_refused(source: str, message: str) -> None:
    found = [p.message for p in problems(scenario("fake.nothing: {}"), files={"./mine.py": source}) if not p.is_warning]
    assert any(message in each for each in found)


def test_a_file_that_ends_the_program_ends_itself_only() -> None:
    with pytest.raises(RuntimeError, match="it ends the program"):
        load_own("mine.py", "raise SystemExit(3)")
