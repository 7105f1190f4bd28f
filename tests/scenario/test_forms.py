"""What is known to be wrong of machines, ports, paths, names and commands is said before a run, with what to write."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenario_family import job, load, problems

from octogram_agentd.procedures import load_all
from octogram_agentd.procedures.base import REGISTRY, Field
from octogram_tui.errors import TemplateError
from octogram_tui.scenario.forms import FORMS, flaw_of
from octogram_tui.scenario.hosts import address_problem, user_problem
from octogram_tui.template.scope import make_scope

LONG = "n" * 300


@pytest.mark.parametrize(
    ("address", "what", "instead"),
    [
        ("root@host", "holds a user", "write `address: host` and `user: root`"),
        ("host:22610", "holds a port", "write `address: host` and `port: 22610`"),
        ("10.0.0.7:22", "holds a port", "write `address: 10.0.0.7` and `port: 22`"),
        ("me@host:22", "holds a user and a port", "write `address: host` and `user: me` and `port: 22`"),
        ("ssh://host", "holds a scheme", "write `address: host`"),
        (
            "ssh://me@host:2222/",
            "holds a scheme and a user and a port",
            "write `address: host` and `user: me` and `port: 2222`",
        ),
        ("[::1]", "holds brackets", "write `address: '::1'`"),
        ("[fe80::2]:22", "holds a port", "write `address: 'fe80::2'` and `port: 22`"),
        ("", "is empty", "the machine's name"),
        (LONG, "has 300 characters", "at most 253"),
        ("two words", "holds a space", "several as a list"),
        ("a,b", "holds a comma", "several as a list: [a, b]"),
        ("a\nb", "holds a space or a control character", "one machine's name"),
        ("a\0b", "holds a space or a control character", "one machine's name"),
        ("münchen.example", "has letters", "write it as `xn--mnchen-3ya.example`"),
        ("-oProxyCommand=x", "begins with `-`", "the machine's name"),
        ("10.0.0.300", "is no IPv4 address", "four numbers"),
        ("1.2.3.4.5", "is no IPv4 address", "four numbers"),
        ("fe80:::1", "is neither a name nor an address", "the port apart"),
        ("node*", "holds `*`", "the machine's name"),
        ("a..b", "has an empty part", "the machine's name"),
        ("http://host/x", "is neither a name", "the machine's name"),
    ],
)
def test_addresses_that_cannot_be(address: str, what: str, instead: str) -> None:
    problem = address_problem(address)
    assert problem is not None
    assert what in problem[0]
    assert instead in problem[1]


@pytest.mark.parametrize(
    "address",
    ["gate", "my_alias+1", "10.0.0.7", "127.1", "::1", "fe80::1%eth0", "a.example.org.", "xn--mnchen-3ya.de", "12"],
)
def test_addresses_that_can(address: str) -> None:
    assert address_problem(address) is None


@pytest.mark.parametrize(
    ("user", "what"),
    [
        ("", "is empty"),
        ("-l", "begins with `-`"),
        ("a b", "holds a space"),
        ("a\0", "control character"),
        ("a:b", "holds `:`"),
        ("$(x)", "holds `(`"),
        ("u" * 300, "has 300 characters"),
    ],
)
def test_users_that_cannot_be(user: str, what: str) -> None:
    problem = user_problem(user)
    assert problem is not None
    assert what in problem[0]
    assert user_problem("me@corp.example") is None


@pytest.mark.parametrize(
    ("form", "text", "what", "instead"),
    [
        ("header", "snow ☃", "holds `☃`, which no header can carry", "`urlencode`"),
        ("port_or_endpoint", '{"k": 1}', 'has no possible host: `{"k"`', "the machine's name"),
        ("port_or_endpoint", "x", "is no port", "or HOST:PORT"),
        ("inner_path", "/etc/motd", "is absolute", "write `etc/motd`"),
        ("inner_path", "..", "leads out", "write a path inside of it, such as `.`"),
        ("inner_path", "a/../../b", "leads out", "such as `a/b`"),
        ("inner_path", "~/x", "is not expanded", "write `x`"),
        ("inner_path", "a\0b", "NUL", "leave it out"),
        ("inner_path", f"bin/{LONG}", "has a name of 300 bytes", "at most 255"),
        ("inner_path", "/".join(["d" * 100] * 50), "has 5049 bytes", "at most 4000"),
        ("inner_file", "dir/", "names no file", "`directory/file`"),
        ("inner_file", "", "names no file", "`directory/file`"),
        ("path", "~", "is not expanded", "write `.`"),
        ("path", "a\0", "NUL", "leave it out"),
        ("local_path", "~/keys", "is not expanded", "the whole path"),
        ("local_path", "", "is empty", "the path"),
        ("command", "", "names no program", "[ls, -l]"),
        ("command", "'' x", "names no program", "[ls, -l]"),
        ("command", "echo 'x", "cannot be split into words", "close the quotation"),
        ("word", "a\0b", "NUL", "leave it out"),
        ("port", "0", "is no port", "from 1 to 65535"),
        ("port", "65536", "is no port", "from 1 to 65535"),
        ("port", "99999999999", "is no port", "from 1 to 65535"),
        ("port", "-1", "is no port", "from 1 to 65535"),
        ("port", "http", "is no port", "from 1 to 65535"),
        ("own_port", "frash", "is no port", "or `fresh`"),
        ("endpoint", "host", "is no host and port", "HOST:PORT"),
        ("endpoint", "::1:80", "is no host and port", "[::1]:PORT"),
        ("endpoint", "host:0", "is no port", "from 1 to 65535"),
        ("endpoint", "a@b:80", "has no possible host", "the machine's name"),
        ("peer", "host:x", "is no port", "from 1 to 65535"),
        ("peer", "a b", "has no possible host", "one machine's name"),
        ("port_or_endpoint", ":80", "has no possible host", "the machine's name"),
        ("url", "host/x", "is no URL", "http://HOST:PORT/PATH"),
        ("url", "ftp://host/x", "is no URL", "http://HOST:PORT/PATH"),
        ("url", "http://host:99999/", "is no port", "from 1 to 65535"),
        ("url", "http://::1/", "is no URL", "in brackets"),
        ("url", "http://a b/", "has no possible host: `a b` holds a space", "one machine's name"),
        ("url", "http://a/b\nc", "holds a control character", "%0A"),
        ("file_name", "a/b", "cannot be the name of a directory", "letters"),
        ("file_name", "..", "cannot be the name of a directory", "letters"),
        ("file_name", "a\nb", "cannot be the name of a directory", "letters"),
        ("file_name", "-x", "begins with `-`", "a letter"),
        ("file_name", LONG, "has 300 bytes", "at most 200"),
        ("variables", "A=B", "cannot be the name of an environment variable", "letters"),
        ("variables", "", "cannot be the name of an environment variable", "letters"),
        ("headers", "a b", "cannot be the name of a header", "letters"),
        ("header", "a\r\nb: c", "has more than one line", "one line"),
    ],
)
def test_texts_that_cannot_be(form: str, text: str, what: str, instead: str) -> None:
    flaw = flaw_of(form, text)
    assert flaw is not None
    assert what in flaw.what
    assert instead in flaw.instead
    assert len(flaw.what) < 250
    assert (flaw.what + flaw.instead).isprintable()


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("inner_path", "a/../b"),
        ("inner_path", ""),
        ("inner_path", "."),
        ("inner_path", "..a/b.."),
        ("inner_file", "a/~b"),
        ("path", "/usr/bin/prometheus"),
        ("path", "../x"),
        ("command", "ls -l"),
        ("port", "22"),
        ("own_port", "fresh"),
        ("port", "{{ port.http }}"),
        ("endpoint", "[::1]:80"),
        ("endpoint", "host_1:80"),
        ("peer", "host"),
        ("url", "http://{{ port.http }}"),
        ("url", "https://me:secret@[::1]:8443/x?y#z"),
        ("url", "http://localhost"),
        ("url", "http://münchen.example/a b/ü"),
        ("file_name", "node 1"),
        ("header", "a: b"),
        ("", "any\0thing"),
    ],
)
def test_texts_that_can(form: str, text: str) -> None:
    assert flaw_of(form, text) is None


def test_every_form_of_a_procedure_exists() -> None:
    load_all()

    def forms(field: Field[object]) -> set[str]:
        inner = [*field.fields.values(), *(field.of if isinstance(field.of, tuple) else [field.of] if field.of else [])]
        return {field.form, *(form for each in inner for form in forms(each))}

    used = {form for procedure in REGISTRY.values() for field in procedure.fields.values() for form in forms(field)}
    assert used - {""} <= set(FORMS)


AGENT_MISTAKES = [
    ("{name: a, address: root@host}", "`address` holds a user: `root@host`", "write `address: host` and `user: root`"),
    ("{name: a, address: [h1, 'h2:22']}", "`address` holds a port: `h2:22`", "write `address: h2` and `port: 22`"),
    ("{name: 'a{1..2}', address: 'h{1..2}:22'}", "`address` holds a port: `h1:22`", "write `address: h1`"),
    ("{name: a, address: ''}", "`address` is empty: ``", "write the machine's name"),
    (
        "{name: a, address: h, port: 99999}",
        "`port` must be at most 65535, not the number 99999",
        "leave it out to have",
    ),
    ("{name: a, address: h, port: 0}", "`port` must be at least 1, not the number 0", ""),
    ("{name: a, address: h, port: ssh}", "`port` takes a whole number, not ", ""),
    ("{name: a, address: h, user: ''}", "`user` is empty: ``", "leave it out"),
    ("{name: a, address: h, user: '-x'}", "`user` begins with `-`, as options do: `-x`", "the user to log in as"),
    ("{name: a, address: h, python: ''}", "`python` is empty: ``", "leave it out"),
    ('{name: a, address: h, python: "a\\0"}', "`python` holds a NUL character", "leave it out"),
    (f"{{name: {LONG}, address: h}}", "cannot be an agent's name: it has 300 characters", "at most 200"),
    ("{name: -x, address: h}", "`-x` cannot be an agent's name: options begin with `-`", "begin it with a letter"),
    ("{name: a/b, address: h}", "`a/b` cannot be an agent's name", "letters"),
    ('{name: "a\\0", address: h}', "`a\\x00` cannot be an agent's name", "letters"),
    ("{name: .., address: h}", "`..` cannot be an agent's name", "letters"),
    ("{name: a, address: h, env: {A=B: x}}", "`env.A=B` cannot be the name of an environment variable", "letters"),
    ('{name: a, address: h, env: {A: "x\\0"}}', "`env.A` holds a NUL character", "leave it out"),
    ("{name: a, transport: command, command: []}", "has `transport: command` and no `command`", "give the argv"),
    ("{name: a, transport: command, command: ['', x]}", "`command` names no program", "[ls, -l]"),
    ("{name: a, transport: command, command: 'x \"'}", "`command` cannot be split into words", "close the quotation"),
    ("{name: a, address: h, identity: k.pub}", "`identity` is a public key: `k.pub`", "the private key: `k`"),
]


@pytest.mark.parametrize(("agent", "message", "hint"), AGENT_MISTAKES)
def test_a_mistake_in_an_agent_has_its_place_and_a_way_out(agent: str, message: str, hint: str) -> None:
    found = problems(f"agents:\n  - {agent}\nstages: []\n")
    assert [(problem.line, message in problem.message, hint in problem.hint) for problem in found] == [(2, True, True)]
    assert found[0].message.isprintable()


@pytest.mark.parametrize(
    ("agent", "message", "hint"), [m for m in AGENT_MISTAKES if "name: a," in m[0] or "name: a}" in m[0]]
)
def test_defaults_are_looked_at_as_agents_are(agent: str, message: str, hint: str) -> None:
    settings = agent.replace("{name: a, ", "{")
    found = problems(f"defaults: {settings}\nagents: [{{name: a}}]\nstages: []\n")
    assert any(message in problem.message and hint in problem.hint for problem in found)


def test_a_key_that_is_not_here_is_doubtful_and_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    agents = ["{name: 'a{1..2}', address: h, identity: key}", "{name: b, address: h, identity: key}"]
    text = f"agents:\n  - {agents[0]}\n  - {agents[1]}\nstages: []\n"
    (warning,) = load(text).warnings
    assert (warning.line, warning.message) == (2, "`identity` does not exist on this machine: `key`")
    (tmp_path / "key").write_text("")
    assert load(text).warnings == []


JOB_MISTAKES = [
    ("copy: {local_path: x, remote_path: ../z}", "`remote_path` leads out", "such as `z`"),
    ("copy: {local_path: x, remote_path: /y}", "`remote_path` must be relative", "write `y`"),
    ("copy: {local_path: '', remote_path: z}", "`local_path` is empty", "the path"),
    ("builtins.fetch: ~/x", "`remote_path` begins with `~`", "write `x`"),
    ("builtins.write_file: {path: /x, content: z}", "`path` must be relative", "write `x`"),
    ("builtins.command: []", "`argv` names no program: the list is empty", "[ls, -l]"),
    ("builtins.command: ['', x]", "`argv` names no program: its first word is empty", "[ls, -l]"),
    ("builtins.command: ['', '{{ agent.name }}']", "`argv` names no program: its first word is empty", "[ls, -l]"),
    ("builtins.command: ''", "`argv` names no program", "[ls, -l]"),
    ('builtins.command: [x, "a\\0b"]', "`argv[1]` holds a NUL character", "leave it out"),
    ("builtins.command: {argv: [x], cwd: ..}", "`cwd` leads out", "inside of it"),
    ("builtins.command: {argv: [x], env: {'A=B': x}}", "`env` cannot be the name", "letters"),
    ("builtins.start_process: {argv: [x], ports: {http: 99999}}", "`ports.http` is no port: `99999`", "or `fresh`"),
    ("builtins.start_process: {argv: [x], ports: {http: free}}", "`ports.http` is no port: `free`", "or `fresh`"),
    ("builtins.start_process: {argv: [x], ready: {port: 0}}", "`ready.port` is no port: `0`", "from 1 to 65535"),
    ("builtins.start_process: {argv: [x], ready: {http: 'localhost:80'}}", "`ready.http` is no URL", "http://HOST"),
    ("builtins.wait_for: {port: 'host:0'}", "`port` is no port: `0`", "from 1 to 65535"),
    ("builtins.wait_for: {http: 'http://host:70000/'}", "`http`: it is no port: `70000`", "from 1 to 65535"),
    ("builtins.http: {url: 'http://a b/'}", "`url`: it has no possible host", "one machine"),
    ('builtins.http: {url: "http://a", headers: {X: "a\\nb"}}', "`headers.X` has more than one line", "one line"),
    ("tezos.start_node: {path_node: 'self://n', network: sandbox, rpc_port: 99999}", "`rpc_port` must be at most", ""),
    (
        "tezos.start_node: {path_node: 'self://n', network: sandbox, peers: ['h:x']}",
        "`peers[0]`: it is no port: `x`",
        "",
    ),
    ("tezos.start_node: {path_node: 'self://n', network: sandbox, name: a/b}", "`name` cannot be the name", "letters"),
]


@pytest.mark.parametrize(("body", "message", "hint"), JOB_MISTAKES)
def test_a_mistake_in_a_job_has_its_place_and_a_way_out(body: str, message: str, hint: str) -> None:
    text = (
        f"agents: [{{name: a, transport: local}}]\nstages:\n  - name: s\n    jobs:\n      - name: j\n        {body}\n"
    )
    found = problems(text)
    assert [(problem.line, message in problem.message, hint in problem.hint) for problem in found] == [(6, True, True)]


@pytest.mark.parametrize(
    ("body", "value", "message"),
    [
        ("copy: {local_path: x, remote_path: '{{ vars.v }}'}", "../y", "`remote_path` leads out"),
        ("builtins.command: ['{{ vars.v }}', x]", "", "`argv` names no program: its first word is empty"),
        ("builtins.command: '{{ vars.v }}'", "", "`argv` names no program"),
        ("builtins.command: [x, '{{ vars.v }}']", "a\0b", "`argv[1]` holds a NUL character"),
        ("builtins.start_process: {argv: [x], ports: {p: '{{ vars.v }}'}}", "70000", "`ports.p` is no port: `70000`"),
        ("builtins.wait_for: {port: '{{ vars.v }}'}", "h:70000", "`port` is no port: `70000`"),
        ("builtins.http: {url: '{{ vars.v }}'}", "http://h:0/", "`url`: it is no port: `0`"),
        ("tezos.start_node: {path_node: 'self://n', network: n, rpc_port: '{{ vars.v }}'}", "0", "`rpc_port` must be"),
    ],
)
def test_what_a_template_gives_is_held_to_the_same(body: str, value: str, message: str) -> None:
    arguments = job(body, variables="v: x").scenario.stages[0].jobs[0].arguments
    with pytest.raises(TemplateError) as caught:
        arguments.expand(
            make_scope({"v": value}, agent="a", captures=["a"], item=[]), lambda kind, uri: {"remote": uri}
        )
    assert message in caught.value.message
    assert "\n" not in caught.value.message


def test_ports_that_are_put_in_later_are_waited_for() -> None:
    body = "builtins.start_process: {argv: [x, '{{ port.p }}'], ports: {p: fresh}, ready: {port: '{{ port.p }}'}}"
    arguments = job(body).scenario.stages[0].jobs[0].arguments
    expanded = arguments.expand(make_scope({}, agent="a", captures=["a"], item=[]), lambda kind, uri: {"remote": uri})
    assert "port.p" in str(expanded["ready"])
