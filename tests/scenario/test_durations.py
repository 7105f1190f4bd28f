"""Durations and counts: which of them may be zero, and what is said about those that may not."""

from __future__ import annotations

from typing import Any

import pytest
from scenario_family import job, job_problems, problems

from octogram_agentd.procedures import load_all
from octogram_agentd.procedures.base import REGISTRY, Field
from octogram_tui.commands.options import positive_seconds
from octogram_tui.errors import TemplateError
from octogram_tui.scenario.shapes import JOB

HUGE = "1" + "0" * 350  # a whole number that no float can be
ZEROS = ["0", "0.0", "-0.0", "0s", "0ms", "0h0m", "'0'", "' 0 s '", "0x0"]
NO_NUMBERS = ["-1", "-0.5", "-1s", ".nan", ".inf", "-.inf", "nan", "1e400", HUGE, "soon", "''", "true", "[1]", "null"]


@pytest.mark.parametrize("zero", ZEROS)
def test_no_time_at_all_is_no_timeout(zero: str) -> None:
    (problem,) = [p for p in job_problems(f"fake.nothing:\ntimeout: {zero}") if not p.is_warning]
    assert problem.message.startswith("`timeout` must be more than 0, not the ")
    assert problem.hint == "leave it out to have no limit"
    assert problem.line == 8


@pytest.mark.parametrize("key", ["timeout", "retry_delay"])
@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_duration(key: str, text: str) -> None:
    found = [p.message for p in job_problems(f"fake.nothing:\n{key}: {text}") if not p.is_warning]
    assert len(found) == 1
    assert found[0].startswith((f"`{key}` takes a duration", f"`{key}` is null"))
    assert len(found[0]) < 120


@pytest.mark.parametrize(("text", "seconds"), [("1ms", 0.001), ("0.5", 0.5), ("1h30m", 5400.0), ("2 d", 172800.0)])
def test_the_shortest_and_the_longest(text: str, seconds: float) -> None:
    assert job(f"fake.nothing:\ntimeout: {text}").scenario.stages[0].jobs[0].timeout_s == seconds


@pytest.mark.parametrize("zero", ZEROS)
def test_one_may_retry_at_once(zero: str) -> None:
    spec = job(f"fake.nothing:\nretries: 0\nretry_delay: {zero}").scenario.stages[0].jobs[0]
    assert (spec.retries, spec.retry_delay_s) == (0, 0.0)


@pytest.mark.parametrize("number", ["0", "-1", "0.0", "'0'"])
def test_a_stage_that_may_run_nothing(number: str) -> None:
    text = f"agents: [{{name: a, address: h}}]\nstages: [{{name: s, max_concurrency: {number}, jobs: []}}]\n"
    (problem,) = problems(text)
    assert problem.message.startswith("`max_concurrency` must be at least 1, not the ")
    assert problem.hint == "leave it out to have the usual one, 2000"


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_an_ssh_port_is_a_port(port: str) -> None:
    (problem,) = problems(f"agents: [{{name: a, address: h, port: {port}}}]\nstages: []\n")
    assert problem.message.startswith("`port` must be at ")


ABOVE = [
    ("builtins.wait_for", "builtins.wait_for: {{file: x, timeout: {}}}", "timeout", 60),
    ("builtins.http", "builtins.http: {{url: 'http://h', timeout: {}}}", "timeout", 30),
    (
        "builtins.start_process",
        "builtins.start_process: {{argv: x, ready: {{log: x, timeout: {}}}}}",
        "ready.timeout",
        60,
    ),
    (
        "tezos.start_node",
        "tezos.start_node: {{network: n, path_node: 'self://x', ready_timeout: {}}}",
        "ready_timeout",
        600,
    ),
]


@pytest.mark.parametrize("zero", ZEROS)
@pytest.mark.parametrize(("procedure", "body", "path", "default"), ABOVE, ids=[each[0] for each in ABOVE])
def test_a_procedures_timeout(zero: str, procedure: str, body: str, path: str, default: int) -> None:
    (message,) = [p.message for p in job_problems(body.format(zero)) if not p.is_warning]
    assert message.startswith(f"`{path}` must be more than 0, not the number ")
    assert message.endswith(f"(left out, it is {default})")


@pytest.mark.parametrize("text", ["0", "0ms", "0.0", "-1", "nan", "inf", HUGE])
@pytest.mark.parametrize(("procedure", "body", "path", "default"), ABOVE, ids=[each[0] for each in ABOVE])
def test_a_timeout_that_only_the_run_knows(text: str, procedure: str, body: str, path: str, default: int) -> None:
    loaded = job(body.format("'{{ vars.t }}'"), variables="t: x")
    arguments: Any = loaded.scenario.stages[0].jobs[0].arguments
    with pytest.raises(TemplateError, match=f"`{path}` (must be more than 0|takes a number)"):
        arguments.expand({"vars": {"t": text}}, lambda kind, uri: {"remote": uri})


@pytest.mark.parametrize(
    "body",
    [
        "builtins.sleep: 0",
        "builtins.start_process: {argv: x, stop_grace: 0}",
        "builtins.command: {argv: x, expect: 0}",
        "tezos.start_node: {network: n, path_node: self://x, synchronization_threshold: 0}",
    ],
)
def test_zero_that_means_not_at_all(body: str) -> None:
    assert 0 in job(body).scenario.stages[0].jobs[0].arguments.raw().values()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("builtins.wait_for: {file: x, every: 0}", "`every` must be at least 0.01"),
        ("builtins.sleep: -1", "`seconds` must be at least 0"),
        ("builtins.start_process: {argv: x, stop_grace: -1}", "`stop_grace` must be at least 0"),
        ("tezos.start_node: {network: n, path_node: self://x, rpc_port: 0}", "`rpc_port` must be at least 1"),
        ("builtins.start_http_server: {http_port: 0}", "`http_port` must be at least 1"),
        (f"fake.everything: {{count: {HUGE}}}", "`count` must be at most 65535"),
        (f"fake.everything: {{ratio: {HUGE}}}", "`ratio` takes a number"),
    ],
)
def test_other_numbers_of_procedures(body: str, message: str) -> None:
    (found,) = [p.message for p in job_problems(body) if not p.is_warning]
    assert found.startswith(message)
    assert len(found) < 120


def _fields(fields: dict[str, Field[Any]], path: str) -> list[tuple[str, Field[Any]]]:
    found = []
    for name, field in fields.items():
        found.append((f"{path}.{name}", field))
        found.extend(_fields(field.fields, f"{path}.{name}"))
    return found


def test_every_declaration_has_decided_about_zero() -> None:
    load_all()
    ours = [p for p in REGISTRY.values() if p.__module__.startswith("octogram_agentd.")]
    numbers = [
        (path, field)
        for procedure in ours
        for path, field in _fields(procedure.fields, procedure.procedure)
        if field.kind in ("int", "float")
    ]
    assert len(numbers) > 20
    assert [path for path, field in numbers if field.above is None and field.minimum is None] == []
    assert [path for path, field in numbers if path.endswith("timeout") and field.above != 0] == []
    assert [
        path for path, field in numbers if path.endswith("port") and (field.minimum, field.maximum) != (1, 65535)
    ] == []
    assert JOB["timeout"].above == 0


@pytest.mark.parametrize(("text", "seconds"), [("90", 90.0), ("200ms", 0.2), ("1h30m", 5400.0), ("1d", 86400.0)])
def test_durations_of_the_command_line(text: str, seconds: float) -> None:
    assert positive_seconds(text) == seconds
