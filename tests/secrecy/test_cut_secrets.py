"""A secret that a message of the program's own quotes a part of is nowhere, not even that part."""

from __future__ import annotations

import json
import random
import re
import string
from typing import Any

import pytest
from fixtures_program import Place

pytestmark = pytest.mark.fault(88)

PLAIN = string.ascii_letters + string.digits
ODD = PLAIN + "<>&+/=%$'\"\\"

PIECE = 8
"""So many characters of a secret in a row are nowhere."""

OPERATORS = [
    "{} + 1", "1 + {}", "{} - 1", "{} * 'a'", "{} / 2", "{} // 2", "{} % 3", "{} ** 2", "-{}", "{} < 1", "1 >= {}",
    "1 in {}", "{} in 5", "{}[0].x", "{}.nothing", "{}['nothing']", "vars[{}]", "{}()", "not {}", "{} and vars.x",
    "vars.x or {}", "1 if {} else 2", "vars.list[{}]", "vars.map[{}]", "vars.map[{}].x", "{{{{}}}}[{}]", "range({})",
    "{}.format(1)", "{} is divisibleby(2)", "{} is even", "{} is filter", "{} is test", "{} is in(3)", "{} is lt(3)",
    "vars.list | join({})", "vars.list | map({}) | list", "vars.list | sort(attribute={})", "vars.list | sum(start={})",
    "vars.list | select({}) | list", "vars.list | groupby({})", "vars.list | selectattr({}, {}) | list",
    "dict(a={}).b", "namespace({})", "{} | substring({}, 1)", "{} | nth({})", "{} | split({})", "[1] | nth({})",
    "{} | round", "{} | round({})", "1 | round({})", "1 | round(1, {})", "{} | truncate({})", "{} | indent({})",
    "int({})", "float({})", "bool({})", "max({}, 1)", "({} | default(1)).x", "{} ~ vars.nothing", "{}.index('nothing')",
    "'%d' % {}", "{} % {}", "vars.list.index({})", "vars.map.pop({})", "{} | dictsort({})",
]  # fmt: skip
"""Expressions that most of them cannot be evaluated; `{}` is the secret."""

FILTERS = """
abs count dictsort first groupby items last length list map max min reject rejectattr reverse select
selectattr sort sum trim truncate unique urlencode wordcount basename hex quote strlen substring nth split
md5 string safe join replace escape e tojson indent int float bool round
""".split()

CONDITIONS = [
    "{}", "not {}", "{} and vars.x", "{} | int > 1", "{} | float > 1", "{} | bool", "{} > 1", "{} ~ 'a'", "[{}]",
    "{} if vars.x else 1", "dict(a={})", "{} is none", "{} == 'x'",
]  # fmt: skip


def command(words: Any = "true") -> dict[str, Any]:
    return {"builtins.command": words}


def templates(name: str) -> list[dict[str, Any]]:
    """Give jobs whose templates fail over a variable."""
    every = [each.replace("{{{{}}}}", "{ }").replace("{}", name) for each in OPERATORS]
    every += [f"{name} | {each}" for each in FILTERS]
    every += [f"{name} | {each} | int" for each in ("string", "trim", "reverse", "list", "first")]
    jobs = [{**command(), "vars_updates": {"q": f"{{{{ {each} }}}}"}} for each in every]
    jobs += [{**command(), "with_items": f"{{{{ {each} }}}}"} for each in every[:10]]
    whole = f"{{{{ {name} }}}}"
    jobs += [
        {**command(), "vars_updates": {"q": {"value": whole, "as": kind}}} for kind in ("int", "bool", "json", "string")
    ]
    jobs += [{**command(), "vars_updates": {"q": {"value": f"[{whole}", "as": "json"}}}]
    jobs += [{**command(), "vars_updates": {whole: 1}}, {**command(), "register": whole}]
    jobs += [{**command(), "with_items": [f"{{{{ {name} ~ '\\0' }}}}"]}]
    jobs += [{**command(), "with_items": each} for each in (whole, [whole], f"1..{whole}")]
    return jobs


def conditions(name: str) -> list[dict[str, Any]]:
    """Give jobs whose conditions are none."""
    jobs = []
    for each in CONDITIONS:
        text = each.replace("{}", name)
        jobs += [
            {**command(), "when": text},
            {**command(), "until": text},
            {"builtins.assert": {"that": text}},
            {"builtins.assert": {"that": [text], "message": f"it is {{{{ {name}[:50] ~ '…' }}}}"}},
            {"builtins.wait_for": {"expression": text, "timeout": 0.05, "every": 0.01}},
        ]
    return jobs


def programs(name: str) -> list[dict[str, Any]]:
    """Give jobs whose programs cannot be started."""
    whole = f"{{{{ {name} }}}}"
    return [
        command([whole]),
        command([f"/{whole}"]),
        command(f"'{whole}"),
        command(f'"{whole}'),
        {"builtins.start_process": {"argv": [whole], "name": "p1"}},
    ]


def arguments(name: str) -> list[dict[str, Any]]:
    """Give jobs whose procedures refuse what they are given, here or on the agent."""
    whole = f"{{{{ {name} }}}}"
    word = f"{{{{ {name} | quote }}}}"
    return [
        command(["false", whole]),
        command({"argv": "true", "cwd": whole}),
        command({"argv": "true", "env": {whole: "1"}}),
        command({"argv": "true", "stdin": whole, "expect": whole}),
        {"builtins.shell": f"printf %s {word} >&2; exit 3"},
        {"builtins.shell": f"printf %s {word}{word}{word}; exit 3"},
        {"copy": {"local_path": whole, "remote_path": "x"}},
        {"copy": {"local_path": "s.yml", "remote_path": f"/{whole}"}},
        {"copy": {"local_path": "s.yml", "remote_path": f"../{whole}"}},
        {"builtins.fetch": {"remote_path": whole}},
        {"builtins.fetch": {"remote_path": f"/{whole}"}},
        {"builtins.fetch": {"remote_path": "x", "local_path": f"../{whole}"}},
        {"builtins.write_file": {"path": f"../{whole}", "content": "x"}},
        {"builtins.write_file": {"path": f"{whole}/{whole}", "content": "x"}},
        {"builtins.write_file": {"path": "x", "content": "x", "mode": whole}},
        {"builtins.tar": {"contents": whole, "archive": "self://a.tar", "action": "create"}},
        {"builtins.tar": {"contents": "x", "archive": f"self://{whole}", "action": "extract"}},
        {"builtins.tar": {"contents": "x", "archive": whole, "action": whole}},
        {"builtins.prefetch": {"file": whole}},
        {"builtins.prefetch": {"file": f"http://127.0.0.1:1/{whole}"}},
        {"builtins.prefetch": {"file": f"self://{whole}", "sha256": whole}},
        {"builtins.http": {"url": whole}},
        {"builtins.http": {"url": f"http://127.0.0.1:1/{whole}"}},
        {"builtins.http": {"url": f"http://127.0.0.1:{whole}/"}},
        {"builtins.http": {"url": f"http://{whole}/"}},
        {"builtins.http": {"url": f"http://{{{{ {name}[:40] ~ '…' }}}}.invalid/"}},
        {"builtins.http": {"url": f"a://{whole}/x"}},
        {"builtins.http": {"url": "http://127.0.0.1:1/", "method": whole}},
        {"builtins.http": {"url": "http://127.0.0.1:1/", "headers": {whole: whole}}},
        {"builtins.http": {"url": "http://127.0.0.1:1/", "expect": whole}},
        {"builtins.sleep": whole},
        {"builtins.wait_for": {"file": whole, "timeout": 0.05}},
        {"builtins.wait_for": {"port": whole, "timeout": 0.05}},
        {"builtins.wait_for": {"port": f"127.0.0.1:{whole}", "timeout": 0.05}},
        {"builtins.wait_for": {"http": f"http://127.0.0.1:1/{whole}", "timeout": 0.05}},
        {"builtins.wait_for": {"log": f"({whole}", "process": "p", "timeout": 0.05}},
        {"builtins.wait_for": {"log": "x", "process": whole, "timeout": 0.05}},
        {"builtins.stop_process": {"name": whole}},
        {"builtins.start_process": {"argv": ["true"], "name": whole}},
        {"builtins.start_process": {"argv": ["echo", whole], "name": "p2", "ready": {"log": f"no{whole}"}}},
        {"builtins.start_process": {"argv": ["true"], "name": "p3", "ready": {"log": f"({whole}"}}},
        {"builtins.start_process": {"argv": ["true"], "name": "p4", "stop_signal": whole, "restart": whole}},
        {"builtins.start_process": {"argv": ["true"], "name": "p5", "ports": {"a": whole}}},
        {"builtins.start_http_server": {"directory": whole}},
        {"builtins.start_http_server": {"directory": ".", "http_port": whole}},
    ]


JOBS = {"templates": templates, "conditions": conditions, "arguments": arguments, "programs": programs}
LENGTHS = {"arguments": 600}
"""Of the secret: an agent's errors quote more than a template's."""


def pieces(secret: str) -> set[str]:
    """Give every piece of a secret that must be nowhere."""
    return {secret[at : at + PIECE] for at in range(len(secret) - PIECE + 1)}


def shown(secret: str, text: str) -> list[str]:
    """Give where pieces of it stand in a text, for a person."""
    wanted = pieces(secret)
    return [
        line[max(0, at - 200) : at + 200]
        for line in text.splitlines()
        for at in [next((at for at in range(len(line) - PIECE + 1) if line[at : at + PIECE] in wanted), -1)]
        if at >= 0
    ]


@pytest.mark.parametrize("letters", [PLAIN, ODD], ids=["letters", "odd signs"])
@pytest.mark.parametrize("what", JOBS)
def test_no_piece_of_a_secret_is_in_a_message(place: Place, what: str, letters: str) -> None:
    secret = f"x{''.join(random.Random(7).choices(letters, k=LENGTHS.get(what, 200)))}x"
    jobs = enumerate(JOBS[what]("vars.token"))
    scenario = {
        "agents": [{"name": "a", "transport": "local"}],
        "secrets": {"token": {"env": "TOKEN"}},
        "vars": {"x": True, "list": [1, 2], "map": {"a": 1}},
        "stages": [
            {"name": "s", "jobs": [{"name": f"j{number}", "on_failure": "continue"} | job for number, job in jobs]}
        ],
    }
    (place.home / "s.yml").write_text(json.dumps(scenario))
    place.extra["TOKEN"] = secret
    done = place.run("s.yml", "--headless", "-v", "--events", "e.jsonl", "--junit", "j.xml")
    assert done.returncode == 0, done.stdout + done.stderr
    (journal,) = place.runs_dir.glob("*/journal.jsonl")
    files = [journal, place.home / "e.jsonl", place.home / "j.xml"]
    written = [done.stdout, *(file.read_text() for file in files)]
    assert all(re.search(r"secret token\)", each) for each in written)
    assert [shown(secret, each) for each in [*written, done.stderr]] == [[], [], [], [], []]
