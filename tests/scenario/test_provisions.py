"""Services and files that stages which are left out would have brought."""

from __future__ import annotations

import pytest
from scenario_family import AGENTS, load

from octogram_tui.model.selection import Selection
from octogram_tui.scenario.provisions import missing_provisions


def missing(first: str, second: str, **choice: object) -> list[str]:
    """Give what is said when the first of two stages is left out."""
    scenario = load(
        f"{AGENTS}stages:\n  - {{name: one, jobs: [{first}]}}\n  - {{name: two, jobs: [{{name: k, {second}}}]}}\n"
    ).scenario
    selection = Selection(**(choice or {"from_stage": "two"}))  # type: ignore[arg-type]
    left_out: dict[str, str] = {s.key: reason for s in scenario.stages if (reason := selection.leaves_out(scenario, s))}
    return [problem.message for problem in missing_provisions(scenario, left_out, selection.takes)]


SERVER = "{name: j, builtins.start_process: {argv: [./bin/srv], name: srv, ports: {http: fresh}}}"
FILES = "{name: j, builtins.start_http_server: {}}"
NODE = "{name: j, builtins.start_process: {argv: [bin/node --x]}}"


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        (SERVER, "builtins.http: {url: 'self://srv/x'}", "service `srv`"),
        (SERVER, "builtins.wait_for: {http: 'node_1://srv'}", "service `srv`"),
        (SERVER, "builtins.wait_for: {log: ok, process: srv}", "service `srv`"),
        (SERVER, "builtins.stop_process: srv", "service `srv`"),
        (FILES, "builtins.prefetch: 'node_1://tool'", "service `http`"),
        ("{name: j, copy: {local_path: tool, remote_path: bin/}}", "builtins.command: ./bin/tool",
         "file `bin/tool`"),
        ("{name: j, copy: {local_path: d, remote_path: ./data}}", "builtins.shell: 'cat data/a/b'", "file `data`"),
        ("{name: j, builtins.write_file: {path: c.ini, content: x}}", "builtins.command: [p, '--config=c.ini']",
         "file `c.ini`"),
        ("{name: j, builtins.shell: 'make > out/log.txt 2>&1'}", "builtins.fetch: out/log.txt", "file `out/log.txt`"),
        ("{name: j, builtins.prefetch: 'https://x.org/a/tool'}", "builtins.start_process: {argv: [./tool]}",
         "file `tool`"),
        ("{name: j, builtins.tar: {contents: d, archive: 'self://d.tgz', action: create}}", "builtins.fetch: d.tgz",
         "file `d.tgz`"),
        ("{name: j, builtins.write_file: {path: out/deep/a, content: x}}", "builtins.fetch: out/", "file `out/deep/a`"),
        ("{name: j, builtins.shell: 'x > a'}", "builtins.tar: {contents: ., archive: 'self://d', action: create}",
         "file `a`"),
    ],
)  # fmt: skip
def test_what_a_stage_that_is_left_out_would_have_brought_is_named(first: str, second: str, what: str) -> None:
    (said,) = missing(first, second)
    assert said.startswith(f"job `k` needs the {what}; stage `one`, which ")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (SERVER, "builtins.http: {url: 'http://srv/x'}"),
        (SERVER, "builtins.command: [echo, srv]"),
        (FILES, "builtins.prefetch: 'self://tool'"),
        ("{name: j, copy: {local_path: tool, remote_path: bin/tool}}", "builtins.command: /bin/tool"),
        ("{name: j, copy: {local_path: tool, remote_path: tool}}", "copy: {local_path: tool, remote_path: x}"),
        ("{name: j, copy: {local_path: tool, remote_path: '{{ agent.name }}'}}", "builtins.command: tool"),
        ("{name: j, builtins.shell: 'make > /dev/null'}", "builtins.shell: 'x > /dev/null'"),
        ("{name: j, builtins.write_file: {path: a, content: x}}", "builtins.shell: 'echo 1 > a'"),
        ("{name: j, builtins.write_file: {path: a, content: x}}", "builtins.shell: '. ./b; cd .'"),
        ("{name: j, builtins.write_file: {path: out/a, content: x}}", "builtins.fetch: ou"),
    ],
)
def test_what_nobody_would_have_brought_is_not_named(first: str, second: str) -> None:
    assert not missing(first, second)


def test_nothing_is_missing_of_what_is_not_left_out() -> None:
    assert not missing(SERVER, "builtins.http: {url: 'self://srv/x'}", only_stages=("one", "two"))
