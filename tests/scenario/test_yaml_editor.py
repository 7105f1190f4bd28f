"""What an editor says of a scenario: the real language server of YAML, with the schema that is written beside it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from language_server import LanguageServer
from scenario_family import load
from schema_verdict import validator
from test_schema_mutations import SAMPLES, WHOLE, changed

from octogram_agentd.procedures import load_all
from octogram_agentd.procedures.base import REGISTRY, Field
from octogram_tui.commands import init, schema
from octogram_tui.scenario.own import OWN_MODULE
from octogram_tui.scenario.shapes import AGENT, JOB, SCENARIO, STAGE
from octogram_tui.scenario.yaml_reader import read_yaml

pytestmark = pytest.mark.node
HEAD = schema.modeline() + "\n"
HEAD_LINES = 1
PROPERTY = 10
"""The kind of what completes to a key, in the Language Server Protocol."""
AGENTS = "agents: [{name: a, transport: local}]\n"
JOB_LINES = "stages:\n  - name: s\n    jobs:\n      - name: j\n        "


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    folder = tmp_path_factory.mktemp("editor")
    schema.write_schema(folder / schema.FILE)
    server = LanguageServer(folder, {"yamlVersion": "1.1"})
    yield server
    server.close()


def procedures() -> dict[str, dict[str, Field[Any]]]:
    """Give the fields of every procedure that a scenario may name."""
    load_all()
    return {
        name: procedure.fields
        for name, procedure in REGISTRY.items()
        if not name.startswith("internals.") and not procedure.__module__.startswith(OWN_MODULE)
    }


def test_nothing_is_said_of_samples(editor: LanguageServer) -> None:
    samples = [path for path in sorted(SAMPLES.rglob("*.yml")) if path.parent.name != "kubernetes"]
    found = editor.errors(*(HEAD + sample.read_text() for sample in samples))
    assert dict(zip(samples, found, strict=True)) == {sample: [] for sample in samples}


RIGHT = [
    "agents:\n  - &a {name: a, address: h}\n  - {<<: *a, name: b}\n  - *a\nstages: []\n",
    AGENTS + JOB_LINES + "builtins.shell: '{{ vars.x }}'\n        timeout: 5m\n        retries: '3'\n",
    AGENTS + JOB_LINES + "builtins.start_process: {argv: ls, name: n, ports: {p: '{{ vars.p }}'}}\n",
    AGENTS + JOB_LINES + "builtins.http: {url: '{{ vars.url }}', timeout: '{{ vars.t }}'}\n",
    AGENTS + JOB_LINES + "own.thing: {whatever: 1}\n",
    "agents: [{name: 'n_{0..3}', address: ['10.0.0.{1..4}', 'fd00::1']}]\nstages: [{name: 1, jobs: [], always: yes}]\n",
    "agents: [{name: a, address: h}]\nstages:\n  - name: s\n    jobs:\n      - {name: j, fake.say: hello}\n"
    "      - {name: k, fake.nothing: }\n      - {name: l, fake.say: {text: '{{ agent.name }}', louder: true}}\n",
]


def test_nothing_is_said_of_what_is_right(editor: LanguageServer) -> None:
    assert editor.errors(*(HEAD + text for text in RIGHT)) == [[]] * len(RIGHT)


WRONG = [
    ("agents: [{name: a}]\nstages: []\n", '1: Missing property "address".'),
    ("agents: [{name: a, transport: command}]\nstages: []\n", '1: Missing property "command".'),
    ("agents: [{name: a b, address: h}]\nstages: []\n", "1: A name has up to 200 letters"),
    ("agents: [{name: a, address: 'me@h:22'}]\nstages: []\n", "1: Write a name or an address; a user, a port"),
    ("agents:\n  - {name: a, address: h, port: 70000}\nstages: []\n", "2: Value is above the maximum of 65535."),
    ("agents: [{name: a, address: h, transport: ftp}]\nstages: []\n", '1: Value is not accepted. Valid values: "ssh"'),
    ("agents: []\nstags: []\n", '1: Missing property "stages".'),
    (AGENTS + JOB_LINES + "builtins.shel: x\n", "6: Property builtins.shel is not allowed."),
    (AGENTS + JOB_LINES + "timeout: 5\n", "5: This job does nothing: give it a procedure"),
    (AGENTS + JOB_LINES + "builtins.shell: x\n        copy: {local_path: x, remote_path: y}\n", "7: This job does one"),
    (AGENTS + JOB_LINES + "builtins.command: {agv: ls}\n", "6: Property agv is not allowed."),
    (AGENTS + JOB_LINES + "builtins.shell: x\n        timeout: soon\n", "7: Write a duration: `30`"),
    (AGENTS + JOB_LINES + "builtins.shell: x\n        on_failure: x\n", '7: Value is not accepted. Valid values:'),
    (AGENTS + JOB_LINES + "copy: {local_path: x, remote_path: /y}\n", "6: Write a path inside of the agent's home"),
    (AGENTS + JOB_LINES + "builtins.write_file: {path: a, content: b, mode: 0644}\n", "6: Incorrect type."),
    (AGENTS + JOB_LINES + "fake.renamed: {wallet: x}\n", "6: Write self://NAME, AGENT://NAME, or a URL."),
]  # fmt: skip


def test_what_is_wrong_is_said_where_it_is(editor: LanguageServer) -> None:
    for (text, said), found in zip(WRONG, editor.errors(*(HEAD + text for text, _ in WRONG)), strict=True):
        number, _, words = said.partition(": ")
        assert any(each.startswith(f"{int(number) + HEAD_LINES}: {words}") for each in found), (text, found)


def test_a_former_name_is_told_the_new_one(editor: LanguageServer) -> None:
    text = HEAD + "agents: [{name: a, address: h}]\n" + JOB_LINES + "fake.renamed: {dir: 'self://x'}\n"
    assert editor.open("former.yml", text) == []
    assert "Now called `wallet`." in editor.hover("former.yml", 6, 25)


@pytest.mark.parametrize("seed", range(100, 106))
def test_the_editor_says_what_the_checks_say_of_what_was_changed_at_random(editor: LanguageServer, seed: int) -> None:
    chance = random.Random(seed)
    documents = [changed(chance) for _ in range(8)]
    found = editor.errors(*(HEAD + json.dumps(document) for document in documents))
    for document, errors in zip(documents, found, strict=True):
        assert (not errors) == validator().is_valid(document), (errors, document)


def test_every_field_of_every_procedure_is_explained_and_offered(editor: LanguageServer) -> None:
    begun = {name: HEAD + JOB_LINES + f"{name}:\n" for name in sorted(procedures())}
    first = next(iter(begun.values())).count("\n")
    given = {name: "".join(f"          {field}: x\n" for field in fields) for name, fields in procedures().items()}
    editor.open_all({f"{name}.yml": text + given[name] for name, text in begun.items()})
    editor.open_all({f"{name}-empty.yml": text + "          \n" for name, text in begun.items()})
    checked = 0
    for name, fields in procedures().items():
        assert beginning(REGISTRY[name].__doc__) in editor.hover(f"{name}.yml", first - 1, 9), name
        for number, (field, declared) in enumerate(fields.items()):
            shown = editor.hover(f"{name}.yml", first + number, 11)
            assert beginning(declared.doc) in shown, (name, field)
            checked += 1
        offered = {item["label"] for item in editor.complete(f"{name}-empty.yml", first, 10)}
        assert set(fields) <= offered, name
    assert checked > 150


def beginning(text: str | None) -> str:
    """Give the first words of a description, as Markdown has them."""
    return " ".join((text or "").split("\n\n")[0].split())[:30].replace("<", "&lt;").rstrip(". ")


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", set(SCENARIO)),
        ("agents:\n  - ", {*AGENT, "agent of this machine", "agent of another machine"}),
        ("stages:\n  - ", {*STAGE, "stage"}),
        ("stages:\n  - name: s\n    jobs:\n      - ", {*JOB, "job: a command", "builtins.shell", "tezos.start_node"}),
        ("stages:\n  - name: s\n    run_jobs: ", {"sequential", "concurrent"}),
        ("stages:\n  - name: s\n    always: ", {"true", "false"}),
        ("agents:\n  - name: a\n    transport: ", {"ssh", "local", "command"}),
    ],
)
def test_what_can_be_written_is_offered(editor: LanguageServer, text: str, keys: set[str]) -> None:
    name = "offered-" + re.sub(r"\W+", "-", text) + ".yml"
    editor.open(name, HEAD + text + "\n")
    lines = (HEAD + text).split("\n")
    offered = {item["label"] for item in editor.complete(name, len(lines) - 1, len(lines[-1]))}
    assert keys <= offered, keys - offered


def put_in(snippet: str) -> str:
    """Give the text that an editor makes of a snippet, whose places keep what stands in them."""
    text, depth, rest = "", 0, snippet
    while rest:
        if place := re.match(r"\$\{\d+:", rest):
            depth, rest = depth + 1, rest[place.end() :]
        elif stop := re.match(r"\$\d+|\$\{\d+\}", rest):
            rest = rest[stop.end() :]
        elif rest[0] == "}" and depth:
            depth, rest = depth - 1, rest[1:]
        else:
            rest = rest[1:] if rest[:2] in ("\\$", "\\}", "\\\\") else rest
            text, rest = text + rest[0], rest[1:]
    return text


def test_what_is_put_in_for_a_name_can_be_read_and_no_name_is_offered_twice(editor: LanguageServer) -> None:
    begun = [
        "",
        "agents:\n  - ",
        "slurm:\n  ",
        "stages:\n  - ",
        "stages:\n  - name: s\n    jobs:\n      - ",
        JOB_LINES,
        *(JOB_LINES + f"{name}:\n          " for name in sorted(procedures()) if not name.startswith("fake.")),
    ]
    names = [f"put-in-{number}.yml" for number in range(len(begun))]
    editor.open_all({name: HEAD + text + "\n" for name, text in zip(names, begun, strict=True)})
    checked = 0
    for name, text in zip(names, begun, strict=True):
        lines = (HEAD + text).split("\n")
        indent = "\n" + " " * (len(lines[-1]) - len(lines[-1].lstrip()))  # as editors indent what they put in
        keys = []
        for item in editor.complete(name, len(lines) - 1, len(lines[-1])):
            written = put_in(item["textEdit"]["newText"])
            read = read_yaml(name, text + written.replace("\n", indent) + "\n")
            assert [flaw.message for flaw in read.errors] == [], repr((text, written, indent))
            assert re.match(r"[\w.]+:(\s|$)", written), (text, written)
            keys += [item["label"]] if item["kind"] == PROPERTY else []
            checked += 1
        assert len(set(keys)) == len(keys), keys
    assert checked > 300


def test_choices_are_explained(editor: LanguageServer) -> None:
    editor.open("choices.yml", HEAD + AGENTS + JOB_LINES + "on_failure: pause\n")
    assert "The run waits for the operator." in editor.hover("choices.yml", 6, 10)


def test_what_init_writes_is_known_to_the_editor_without_any_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub folder").mkdir()
    assert init.main(["sub folder/new.yml"]) == 0
    text = (tmp_path / "sub folder" / "new.yml").read_text()
    server = LanguageServer(tmp_path, {})
    try:
        assert server.open("sub folder/new.yml", text) == []
        broken = text.replace("transport: local", "transport: lokal")
        assert "Valid values" in server.open("sub folder/broken.yml", broken)[0]["message"]
    finally:
        server.close()
    load(text)


def test_the_settings_of_the_sample_folder_find_the_schema_by_name(tmp_path: Path) -> None:
    lines = (SAMPLES / "editor" / ".vscode" / "settings.json").read_text().split("\n")
    given = json.loads("\n".join(line for line in lines if not line.lstrip().startswith("//")))
    schema.write_schema(tmp_path / schema.FILE)
    (tmp_path / "scenarios" / "deep").mkdir(parents=True)
    server = LanguageServer(
        tmp_path, {name.removeprefix("yaml."): given[name] for name in ("yaml.schemas", "yaml.yamlVersion")}
    )
    try:
        below = ("scenarios/deep/x.yml", "scenarios/x.yaml")
        names = ("scenario.yml", "scenario-two.yml", "my.scenario.yml", "my.scenario.yaml", *below)
        found = server.open_all(dict.fromkeys((*names, "values.yml"), "stages: []\nstags: []\n"))
    finally:
        server.close()
    assert [[each["message"] for each in of_one] for of_one in found] == [["Property stags is not allowed."]] * 6 + [[]]


def merged(document: Any) -> str:
    """Write a document so that every map in it comes from elsewhere, by YAML's merge."""
    if isinstance(document, dict):
        inner = ", ".join(f"{json.dumps(key)}: {merged(value)}" for key, value in document.items())
        return f"{{<<: {{{inner}}}}}"
    return f"[{', '.join(map(merged, document))}]" if isinstance(document, list) else json.dumps(document)


def test_every_key_of_the_language_is_right_for_the_editor(editor: LanguageServer) -> None:
    texts = [json.dumps(WHOLE, indent=1), merged(WHOLE)]
    for text in texts:
        load(text)
    assert editor.errors(*(HEAD + text for text in texts)) == [[], []]
