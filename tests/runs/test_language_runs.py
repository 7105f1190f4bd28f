"""The language as the documentation tells it, rule by rule, in scenarios that really run on agents of this machine.

Most rules are held by `builtins.assert` in the scenario itself: a run that ends well is the proof.
"""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures_program import Place, events_of

ITEMS = r"""
agents: [{name: delegate_7, transport: local}, {name: node_12, transport: local}]
vars: {n: 3, b: yes, z: null, i: 0x1f, k: 1_000, t: 'true', m: 0o17}
stages:
  - name: items
    with_agents: ^delegate_7$
    jobs:
      - {name: range, with_items: '1..{{ vars.n }}', builtins.command: 'echo {{ item + 1 }}'}
      - {name: whole, with_items: 'a 2..4 b', builtins.command: 'echo {{ item }}'}
      - {name: none, with_items: [3..2, 3..1], builtins.command: 'false'}
      - name: typed
        with_items: ['7', 7, true, 'true', null, '0x10', '0b11', '1_000', '-4', 'TRUE', x]
        builtins.command: ['echo', '[{{ item }}] {{ item is string }}']
      - {name: product, with_items: {product: [[a, b], '1..2']}, run_items: concurrent,
         builtins.command: 'echo {{ item[0] }}{{ item[1] }}'}
      - {name: scalars, builtins.assert: [vars.b == true, vars.i == 31, vars.k == 1000, vars.t == 'true']}
      - name: rendered
        builtins.command:
          - echo
          - '{{ vars.b }}|{{ vars.z }}|{{ hex("ab/") }}|{{ basename("/a/b.t") }}|{{ var("n") }}|"<&>"'
  - name: captures
    with_agents: ['(delegate)_(\d+)', '(n)(x)?(o).*?(\d)']
    jobs: [{name: re, builtins.command: [echo, '{{ re | join("|") }}']}]
  - name: all matches
    with_agents: (\d)
    jobs: [{name: re, builtins.command: [echo, '{{ re | join("|") }}']}]
  - name: empty matches
    with_agents: (.*)
    jobs: [{name: re, builtins.command: [echo, '{{ re | join("|") }}']}]
  - {name: nobody, with_agents: 'zzz{{ vars.n }}', jobs: [{name: j, builtins.command: 'false'}]}
"""


def run(place: Place, text: str, *options: str, code: int = 0) -> list[dict[str, Any]]:
    """Run a scenario and give its events."""
    done = place.run(str(place.write("l.yml", text)), "--events", "e.jsonl", *options)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return events_of((place.home / "e.jsonl").read_text())


def results(events: list[dict[str, Any]], job: str) -> list[str]:
    """Give what a job's instances wrote, as their results tell it, in the order of their ends."""
    return [
        e["result"]["stdout"].removesuffix("\n")
        for e in events
        if e["type"] == "job_finished" and e["job"] == job and e["state"] == "ok"
    ]


REPEATED = r"""
agents: [{name: a, transport: local}]
vars: {nodes: [{host: east, n: 1}, {host: west, n: 2}]}
stages:
  - name: again
    jobs:
      - {name: make, builtins.shell: 'mkdir d w && echo 1 > d/f && echo 2 > w/tool'}
      - {name: fetch, builtins.fetch: {remote_path: d, local_path: out}, retries: 2, until: false, on_failure: continue}
      - {name: second, builtins.fetch: {remote_path: d, local_path: out}}
      - {name: move, builtins.prefetch: 'self://w/tool', retries: 1, until: false,
         on_failure: continue, register: moved}
      - {name: moved, builtins.assert: "'not yet' in vars.moved.error.message"}
      - {name: gone, builtins.prefetch: 'self://w/tool', on_failure: continue, register: gone}
      - {name: told, builtins.assert: "vars.gone.error.kind == 'missing'"}
      - {name: several, with_items: '{{ vars.nodes }}', builtins.command: 'echo {{ item.host }}', register: said}
      - {name: each, with_items: '{{ vars.nodes }}', builtins.assert: 'vars.said[item].stdout == item.host'}
      - {name: numbers, with_items: [1, true], builtins.command: 'echo {{ item }}', register: told}
      - {name: found, with_items: [1, true], builtins.assert: "vars.told[item].stdout == item | string"}
"""


def test_a_job_done_again_goes_where_it_went_and_results_are_found_by_their_items(place: Place) -> None:
    events = run(place, REPEATED)
    brought = sorted(str(path.relative_to(place.home)) for path in (place.home / "out").rglob("f"))
    assert brought == ["out/d/f", "out/f"]  # of the retries, and of the second job
    assert [e["job"] for e in events if "out was there already, so this is in" in json.dumps(e)] == ["second"]


def test_items_captures_and_rendering(place: Place) -> None:
    events = run(place, ITEMS)
    assert results(events, "range") == ["2", "3", "4"]
    assert results(events, "whole") == ["a 2..4 b"]
    assert results(events, "none") == []
    assert results(events, "typed") == [
        "[7] false",
        "[7] false",
        "[true] false",
        "[true] false",
        "[] false",
        "[16] false",
        "[3] false",
        "[1000] false",
        "[-4] false",
        "[TRUE] true",
        "[x] true",
    ]
    assert sorted(results(events, "product")) == ["a1", "a2", "b1", "b2"]
    started = [e["item"] for e in events if e["type"] == "job_started" and e["job"] == "product"]
    assert started == [["a", 1], ["a", 2], ["b", 1], ["b", 2]]
    assert results(events, "rendered") == ['true||61622f|b.t|3|"<&>"']
    by_stage = {
        s: sorted(e["result"]["stdout"].strip() for e in events if e["type"] == "job_finished" and e["stage"] == s)
        for s in ("captures", "all matches", "empty matches")
    }
    assert by_stage == {
        "captures": ["delegate_7|delegate|7", "node_1|n||o|1"],
        "all matches": ["1|1|2|2", "7|7"],
        "empty matches": ["delegate_7|delegate_7", "node_12|node_12"],
    }
    assert any("nobody" in e.get("message", "") for e in events if e["type"] == "warning")


VARIABLES = """
agents: [{name: a, transport: local}]
vars: {n: 0, gone: here, l: [1, {k: v}]}
stages:
  - name: s
    jobs:
      - name: snapshot
        with_items: 1..3
        builtins.command: echo seen={{ vars.n }}
        vars_updates:
          n: {value: '{{ vars.n + 1 }}', as: int}
          'next_{{ item }}': '{{ vars.n }}/{{ res.stdout | trim }}/{{ agent.name }}/{{ re[0] }}'
      - name: updates
        builtins.command: echo true
        register: whole
        vars_updates:
          s: hello
          i: 12
          b: false
          gone: null
          ci: {value: ' 42 ', as: int}
          cb: {value: '{{ res.stdout | trim }}', as: bool}
          cs: {value: '{{ 1 + 1 }}', as: string}
          cj: {value: '{"x": [1, 2]}', as: json}
          st: '{{ vars.s }}{{ vars.i }}'
          inert: '{{ "{{" }} 1 + 1 }}'
      - name: hold
        builtins.assert:
          - vars.n == 3 and vars.next_1 == '1/seen=0/a/a' and vars.next_3 == '3/seen=0/a/a'
          - vars.i == 12 and vars.b == false and 'gone' not in vars and vars.st == 'hello12'
          - vars.ci == 42 and vars.cb == true and vars.cs == '2' and vars.cj.x[1] == 2 and vars.l[1].k == 'v'
          - vars.whole.exit_code == 0
      - {name: never expanded again, builtins.command: [echo, '{{ vars.inert }}']}
"""


def test_variables_are_a_snapshot_for_bodies_and_the_latest_for_updates(place: Place) -> None:
    events = run(place, VARIABLES)
    assert results(events, "never expanded again") == ["{{ 1 + 1 }}"]


FILES = """
agents: [{name: a, transport: local}, {name: b, transport: local}]
stages:
  - name: owner
    with_agents: ^a$
    jobs:
      - {name: new, copy: {local_path: src, remote_path: d1}}
      - {name: into one that exists, copy: {local_path: src, remote_path: d1}}
      - {name: slash, copy: {local_path: src/run.sh, remote_path: p/q/}}
      - {name: dot, copy: {local_path: src/run.sh, remote_path: '.'}}
      - {name: renamed, copy: {local_path: src/run.sh, remote_path: x/y.sh}}
      - {name: look, builtins.shell: "find . -type f -printf '%P %m\\\\n' | sort; ./run.sh"}
      - {name: pack, builtins.tar: {action: create, contents: d1/sub, archive: 'self://t.tgz'}}
      - {name: unpack, builtins.tar: {action: extract, contents: out, archive: 'self://t.tgz'}}
      - {name: unpacked, builtins.shell: test -f out/d1/sub/g}
      - {name: serve, builtins.start_http_server: {}}
  - name: guest
    with_agents: ^b$
    jobs:
      - {name: fetch it, builtins.prefetch: 'a://d1/f.txt'}
      - {name: it is there, builtins.shell: 'test "$(cat f.txt)" = data && test -x f.txt'}
      - {name: not there, builtins.prefetch: 'a://nope', on_failure: continue}
      - {name: home, builtins.fetch: {remote_path: f.txt, local_path: got/}}
"""


def test_files_are_copied_packed_served_and_brought_home(place: Place) -> None:
    (place.home / "src" / "sub").mkdir(parents=True)
    script = "#!/bin/sh\necho hi\n"
    for name, text, mode in (("f.txt", "data\n", 0o640), ("run.sh", script, 0o750), ("sub/g", "", 0o644)):
        (place.home / "src" / name).write_text(text)
        (place.home / "src" / name).chmod(mode)
    (place.home / "got").mkdir()
    events = run(place, FILES)
    assert results(events, "look") == [
        "\n".join(
            [
                "d1/f.txt 640",
                "d1/run.sh 750",
                "d1/src/f.txt 640",
                "d1/src/run.sh 750",
                "d1/src/sub/g 644",
                "d1/sub/g 644",
                "p/q/run.sh 750",
                "run.sh 750",
                "x/y.sh 750",
                "hi",
            ]
        )
    ]
    failed = [e for e in events if e["type"] == "job_finished" and e["state"] == "failed"]
    assert [e["job"] for e in failed] == ["not there"]
    assert "404" in failed[0]["error"]["message"]
    assert (place.home / "got" / "f.txt").read_text() == "data\n"


CONTROL = """
defaults: {transport: local, env: {FOO: base, BAZ: q}}
agents: [{name: 'n_{0..2}', address: [127.0.0.1, 127.0.0.2], env: {FOO: bar}, labels: {site: lab}}]
stages:
  - name: one
    with_agents: n_0
    jobs:
      - {name: skipped, when: 'false', builtins.command: 'false'}
      - {name: by item, when: item == 2, with_items: 1..3, builtins.command: 'echo {{ item }}'}
      - {name: retried, builtins.shell: 'echo x >> c; test $(wc -l < c) -ge 3', retries: 5, retry_delay: 0.01}
      - {name: until, builtins.shell: 'echo x >> d; wc -l < d', retries: 5, retry_delay: 0.01,
         until: res.stdout | int >= 3, register: u}
      - {name: registered, builtins.assert: vars.u.stdout | trim == '3'}
      - {name: in time, builtins.command: sleep 60, timeout: 0.1, on_failure: continue}
      - {name: environment, builtins.shell: {script: 'echo $FOO $BAZ $X', env: {X: '{{ agent.name }}'}}}
      - {name: status, builtins.command: {argv: 'sh -c "exit 3"', expect: 3}}
  - name: in order
    run_agents: sequential
    run_jobs: concurrent
    jobs: [{name: c1, builtins.command: echo 1}, {name: c2, builtins.command: echo 2}]
  - name: narrow
    max_concurrency: 2
    jobs: [{name: c, with_items: 1..3, run_items: concurrent, builtins.command: 'true'}]
  - {name: unwanted, when: vars.x | default(false), jobs: [{name: j, builtins.command: 'false'}]}
  - {name: breaks, jobs: [{name: boom, builtins.command: 'false'}]}
  - {name: after, jobs: [{name: never, builtins.command: 'true'}]}
  - {name: at the end, always: true, jobs: [{name: always, builtins.command: 'true'}]}
"""


def test_conditions_retries_order_and_failures(place: Place) -> None:
    events = run(place, CONTROL, code=1)
    finished = [(e["job"], e["state"]) for e in events if e["type"] == "job_finished" and e["stage"] == "one"]
    assert finished == [
        ("skipped", "skipped"),
        ("by item", "skipped"),
        ("by item", "ok"),
        ("by item", "skipped"),
        *[("retried", "failed")] * 2,
        ("retried", "ok"),
        *[("until", "failed")] * 2,
        ("until", "ok"),
        ("registered", "ok"),
        ("in time", "failed"),
        ("environment", "ok"),
        ("status", "ok"),
    ]
    assert results(events, "environment") == ["bar q n_0"]
    order = [e["agent"] for e in events if e["type"] == "job_started" and e["stage"] == "in order"]
    assert order == ["n_0", "n_0", "n_1", "n_1", "n_2", "n_2"]
    live = most = 0
    for event in events:
        if event.get("job") == "c" and event["type"] in ("job_started", "job_finished"):
            live += 1 if event["type"] == "job_started" else -1
            most = max(most, live)
    assert most == 2
    states = {e["stage"]: e["state"] for e in events if e["type"] == "stage_finished"}
    assert states["unwanted"] == states["after"] == "skipped"
    assert not [e for e in events if e.get("job") == "never" and e["type"] == "job_started"]
    assert len([e for e in events if e.get("job") == "always" and e.get("state") == "ok"]) == 3


VALUES = r"""
agents: [{name: a, transport: local}]
vars:
  nodes: [{name: one, port: 1}, {name: two, port: 2}]
  argv: [printf, '%s|', 'a b', '']
  env: {A: 'x y', B: 2}
  off: 'false'
stages:
  - name: s
    jobs:
      - {name: count, builtins.shell: echo 3,
         vars_updates: {n: '{{ res.stdout }}', raw: '{{ res.stdout ~ res.stdout_end }}'}}
      - {name: counted, with_items: '1..{{ vars.n }}', builtins.command: 'true'}
      - {name: nodes, with_items: '{{ vars.nodes }}', builtins.command: [echo, '{{ item.name }}:{{ item.port + 1 }}']}
      - {name: argv, builtins.command: '{{ vars.argv }}'}
      - {name: env, builtins.shell: {script: 'x=$A; echo "$A $B ${#x} #}"', env: '{{ vars.env }}'}}
      - {name: try, builtins.shell: 'echo half; echo why >&2; exit 3', on_failure: continue, register: tried}
      - {name: mend, when: vars.tried.failed and vars.tried.exit_code == 3,
         builtins.command: [echo, '{{ vars.tried.stderr }}']}
      - {name: several, builtins.shell: {script: exit 3, expect: [0, 3]}, register: several,
         vars_updates: {flag: '{{ res.exit_code == 3 }}', whole: '{{ res }}'}}
      - name: kept
        builtins.assert:
          that:
            - vars.raw == '3\n' and vars.n == '3'
            - vars.flag and vars.flag is sameas(true) and vars.whole.exit_code == 3
            - vars.several.failed is sameas(false) and vars.tried.stdout == 'half'
            - not (vars.off | bool)
      - {name: braces, builtins.command: [printf, '%s', '{% raw %}{{.Names}}{% endraw %}']}
      - {name: said false, when: vars.off, builtins.command: 'true', on_failure: continue}
      - {name: broken path, with_items: '{{ vars.raw }}', builtins.command: 'true', on_failure: continue}
"""


def test_values_keep_what_they_are(place: Place) -> None:
    events = run(place, VALUES)
    counted = [e["item"] for e in events if e["type"] == "job_started" and e["job"] == "counted"]
    assert counted == [1, 2, 3]
    assert results(events, "nodes") == ["one:2", "two:3"]
    assert results(events, "argv") == ["a b||"]
    assert results(events, "env") == ["x y 2 3 #}"]
    assert results(events, "mend") == ["why"]
    assert results(events, "braces") == ["{{.Names}}"]
    tolerated = {e["job"]: e for e in events if e["type"] == "job_finished" and e["state"] == "failed"}
    assert "the text 'false', and a condition is true or false" in tolerated["said false"]["error"]["message"]
    assert "ends in a line break" in tolerated["broken path"]["error"]["message"]
    assert tolerated["try"]["result"]["stdout"] == "half"


OWN = '''
from octogram_agentd.procedures.base import Field, Procedure, ProcedureFailed


class Give(Procedure):
    """Gives a text of some length."""

    procedure = "my.give"
    short = "text"
    result = {"text": "str: what was given"}
    text = Field("str", "what to give", required=True)
    times = Field("int", "how often", default=1, minimum=0)

    async def run(self, context):
        if not self.times:
            raise ProcedureFailed("nothing to give", kind="empty", hint="give more")
        return {"text": self.text * self.times}


class Crash(Procedure):
    """Has a defect."""

    procedure = "my.crash"
    result = {}

    async def run(self, context):
        return 1 / 0
'''

OWN_SCENARIO = r"""
procedures: [own.py]
agents: [{name: a, transport: local}]
stages:
  - name: s
    jobs:
      - {name: short, my.give: abc, register: given}
      - {name: as given, builtins.assert: vars.given.text == 'abc'}
      - {name: refused, my.give: {text: a, times: 0}, on_failure: continue}
      - {name: too much, my.give: {text: a, times: 300000}, on_failure: continue}
      - {name: raw, my.give: "\e[31m ::error::x $(id) \\{\\{ 1 \\}\\}", register: raw}
      - {name: harmless, builtins.command: [printf, '%s', '{{ vars.raw.text }}']}
      - {name: defect, my.crash: {}}
"""


def test_own_procedures_succeed_refuse_overflow_and_crash(place: Place) -> None:
    place.write("own.py", OWN)
    place.write("own.yml", OWN_SCENARIO)
    done = place.run("own.yml", "-v", "--events", "e.jsonl")
    assert done.returncode == 1, done.stdout + done.stderr
    errors = {
        e["job"]: e["error"]
        for e in events_of((place.home / "e.jsonl").read_text())
        if e["type"] == "job_finished" and e["state"] == "failed"
    }
    assert errors["refused"]["kind"] == "empty"
    assert "196608" in errors["too much"]["message"]
    assert "ZeroDivisionError" in errors["defect"]["message"]
    assert "| Traceback (most recent call last):" in done.stdout
    assert "\x1b" not in done.stdout
    assert not [line for line in done.stdout.splitlines() if line.startswith("::")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def x(:\n", "own.py:1: invalid syntax"),
        ("from agentd.procedures.base import Field\n", "own.py:1: the package is called octogram_agentd now"),
        ("x = 1\n", "defines no procedure"),
    ],
)
def test_own_procedures_that_cannot_be_used(place: Place, text: str, said: str) -> None:
    place.write("own.py", text)
    place.write("own.yml", OWN_SCENARIO)
    done = place.run("check", "own.yml")
    assert done.returncode == 3
    assert said in done.stdout


@pytest.fixture
def bundle_url(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Serve the daemon's bundle; gives its URL and its hash."""
    from octogram_tui.transport.bundle import build_bundle

    bundle = build_bundle()
    (tmp_path / "agentd.pyz").write_bytes(bundle.data)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/agentd.pyz", hashlib.sha256(bundle.data).hexdigest()
        server.shutdown()
        thread.join()


BINARY = """
octogram_binary: {source}
agents: [{{name: a, transport: command, command: [env]}}]
stages: [{{name: s, jobs: [{{name: j, builtins.command: echo hi}}]}}]
"""


def test_the_three_ways_to_a_daemon(place: Place, bundle_url: tuple[str, str]) -> None:
    url, digest = bundle_url
    run(place, BINARY.format(source="{push: ./octogram}"))
    run(place, BINARY.format(source=json.dumps({"pull": url})))
    run(place, BINARY.format(source=json.dumps({"pull": url, "sha256": digest})))
    run(place, BINARY.format(source=json.dumps({"pull": url, "sha256": "0" * 64})), code=6)
    run(place, BINARY.format(source="{installed: /nope/agentd}"), code=6)


def test_json_anchors_merge_keys_and_line_ends_are_read(place: Place) -> None:
    document = {
        "agents": [{"name": "a", "transport": "local"}],
        "stages": [{"name": "s", "jobs": [{"name": "j", "builtins.assert": "1 == 1"}]}],
    }
    assert place.run(str(place.write("l.json", json.dumps(document)))).returncode == 0
    text = """\ufeffagents:
  - &a {name: a, transport: local}
  - {<<: *a, name: b}
stages:
  - &s {name: s, jobs: &jobs [{name: j, builtins.shell: "true"}]}
  - {<<: *s, name: t}
"""
    events = run(place, text.replace("\n", "\r\n"))
    assert len([e for e in events if e["type"] == "job_finished" and e["state"] == "ok"]) == 4


FLOOD = r"""
agents: [{name: a, transport: local}]
stages:
  - name: s
    jobs:
      - {name: many lines, builtins.shell: seq 1 300000}
      - {name: one line, builtins.shell: 'head -c 20000000 /dev/zero | tr "\0" x'}
      - {name: bytes, builtins.shell: 'printf "a\\000b\\377\\n"'}
      - {name: closed, builtins.shell: 'exec >&- 2>&-; true'}
"""


@pytest.mark.fault(53, 54)
def test_floods_are_bounded_and_every_line_is_accounted_for(place: Place) -> None:
    events = run(place, FLOOD)
    output = [e for e in events if e["type"] == "job_output" and e.get("key") == "s/many lines@a"]
    assert sum(len(e["lines"]) + e.get("dropped", 0) for e in output) == 300000
    assert any("300000" in e["lines"] for e in output)
    assert max(len(json.dumps(e)) for e in events) < 1 << 20
    assert any("a\x00b\ufffd" in e["lines"] for e in events if e["type"] == "job_output")


BY_AGENT = """
agents:
  - {name: a_1, transport: local, labels: {site: lab, rack: 1}}
  - {name: a_2, transport: local, labels: {site: home}}
vars: {site: lab, place: one, everybody: a}
stages:
  - name: labels
    with_labels: {site: '{{ vars.site }}'}
    jobs: [{name: seen, builtins.command: 'echo {{ agent.name }} {{ agent.labels.site }} {{ agent.labels["rack"] }}'}]
  - name: each its own
    with_agents: '{{ vars.everybody }}'
    jobs:
      - {name: say, builtins.command: 'echo {{ agent.name }}', register: 'said_{{ agent.name }}'}
      - {name: hold, builtins.assert: "var('said_' ~ agent.name).stdout | trim == agent.name"}
      - {name: write, builtins.write_file: {path: f, content: '{{ agent.name }}'}}
      - {name: one place, on_failure: continue, builtins.fetch: {remote_path: f, local_path: '{{ vars.place }}/f'}}
      - {name: places, builtins.fetch: {remote_path: f, local_path: '{{ agent.name }}/'}}
"""


def test_labels_registers_and_fetches_are_each_agents_own(place: Place) -> None:
    events = run(place, BY_AGENT)
    assert results(events, "seen") == ["a_1 lab 1"]
    ends = [e for e in events if e["type"] == "job_finished" and e["job"] == "one place"]
    assert sorted(e["state"] for e in ends) == ["failed", "ok"]
    lost = next(e for e in ends if e["state"] == "failed")
    kept = next(e for e in ends if e["state"] == "ok")
    assert lost["error"]["kind"] == "conflict"
    assert f"holds what each its own/one place@{kept['agent']} has fetched" in lost["error"]["message"]
    assert (place.home / "one/f").read_text() == kept["agent"]
    assert [(place.home / name / "f").read_text() for name in ("a_1", "a_2")] == ["a_1", "a_2"]


LIKE_PORTS = r"""
agents: [{name: a, transport: local}]
stages:
  - name: s
    jobs:
      - {name: answer, builtins.command: {argv: [printf, '%s', '{% raw %}{{ port.http }}{% endraw %}']}, register: h}
      - name: start
        builtins.start_process:
          name: p
          ports: {http: fresh}
          argv: [sh, -c, 'echo "$1|$2|$A|$(cat)" >said; exec sleep 60', x, '{{ vars.h.stdout }}', '{{ port.http }}']
          env: {A: '{{ vars.h.stdout }}'}
          stdin: '{{ vars.h.stdout }}'
          ready: {file: said}
        register: p
      - {name: said, builtins.shell: 'cat said'}
      - {name: number, builtins.command: [printf, '%s', '{{ vars.p.ports.http }}']}
"""


@pytest.mark.fault(76)
def test_an_answer_that_looks_like_a_port_is_no_template_on_the_next_agent_either(place: Place) -> None:
    events = run(place, LIKE_PORTS)
    [number] = results(events, "number")
    text = "{{ port.http }}"
    assert results(events, "said") == [f"{text}|{number}|{text}|{text}"]
    [started] = [e for e in events if e["type"] == "job_started" and e["job"] == "start"]
    assert started["arguments"]["argv"][4:] == [text, text]
