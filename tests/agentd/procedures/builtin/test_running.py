"""builtins.command, shell, start_process and stop_process on a real daemon."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import sys
import time
from typing import Any

import pytest
from real_agent import RealAgent

from octogram_agentd.procedures.base import ProcedureFailed
from octogram_agentd.procedures.builtin.running import split, with_ports

LISTEN = (
    "import socket, sys; s = socket.socket(); s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen();"
    " print('listening', flush=True); [s.accept() for _ in iter(int, 1)]"
)
SERVE = "exec python3 -m http.server --bind 127.0.0.1 $0"


async def test_a_command_gives_its_status_and_output(any_agent: RealAgent) -> None:
    result = await any_agent.ok("builtins.command", argv=["sh", "-c", "echo out; echo err >&2; pwd"])
    assert result["exit_code"] == 0
    assert result["stdout"] == f"out\n{any_agent.home}"
    assert result["stderr"] == "err"
    assert result["stdout_end"] == result["stderr_end"] == "\n"
    assert 0 < result["duration_s"] < 60
    assert set(result) == {"exit_code", "stdout", "stdout_end", "stderr", "stderr_end", "duration_s"}


async def test_words_environment_directory_and_input(agent: RealAgent) -> None:
    (agent.home / "sub dir").mkdir()
    result = await agent.ok(
        "builtins.command",
        argv="sh -c 'pwd; echo \"$WHO\"; cat' ignored",
        cwd="sub dir",
        env={"WHO": "a b", "N": 3},
        stdin="given\n",
    )
    assert result["stdout"] == f"{agent.home}/sub dir\na b\ngiven"
    nothing = await agent.ok("builtins.command", argv="cat")
    assert nothing["stdout"] == ""


@pytest.mark.parametrize(
    ("script", "value", "end"),
    [
        ("echo 3", "3", "\n"),
        ("printf 3", "3", ""),
        ("printf '3\\r\\n'", "3", "\r\n"),
        ("printf '3\\n\\n'", "3\n", "\n"),
        ("echo", "", "\n"),
        ("printf ' 3 '", " 3 ", ""),
        (":", "", ""),
    ],
)
async def test_the_last_line_end_is_kept_beside_the_value(agent: RealAgent, script: str, value: str, end: str) -> None:
    result = await agent.ok("builtins.shell", script=f"{script}; {script} >&2")
    assert (result["stdout"], result["stdout_end"]) == (value, end)
    assert (result["stderr"], result["stderr_end"]) == (value, end)


async def test_the_status_is_held_against_what_is_expected(agent: RealAgent) -> None:
    assert (await agent.ok("builtins.command", argv=["sh", "-c", "exit 3"], expect=3))["exit_code"] == 3
    error = await agent.error("builtins.command", argv=["sh", "-c", "echo why >&2; exit 3"])
    assert error["kind"] == "exit"
    assert error["message"] == "sh ended with exit status 3: why"
    assert error["detail"]["exit_code"] == 3
    assert error["detail"]["last_lines"] == ["why"]
    assert error["detail"]["argv"] == ["sh", "-c", "echo why >&2; exit 3"]
    error = await agent.error("builtins.command", argv="true", expect=1)
    assert error["message"] == "true ended with exit status 0 instead of 1"
    for status in (0, 3):
        result = await agent.ok("builtins.command", argv=["sh", "-c", f"exit {status}"], expect=[0, 3])
        assert result["exit_code"] == status
    error = await agent.error("builtins.command", argv=["sh", "-c", "exit 4"], expect=[0, 3])
    assert error["message"] == "sh ended with exit status 4 instead of 0 or 3"
    error = await agent.error("builtins.shell", script="kill -9 $$")
    assert error["message"] == "sh ended with exit status 137 (signal 9)"


@pytest.mark.parametrize(
    ("script", "pattern"),
    [
        ("printf 'login: '; exec sleep 1000", "^login: $"),
        (r"printf '1%%\r2%%\rup\r'; exec sleep 1000", "^up$"),
        ("while sleep 0.05; do printf .; done", r"^\.{12}"),
        ("printf 'le'; sleep 0.7; echo vel 7; exec sleep 1000", "^level 7$"),
    ],
)
async def test_a_line_without_an_end_is_seen(agent: RealAgent, script: str, pattern: str) -> None:
    argv = ["sh", "-c", script]
    await agent.ok("builtins.start_process", argv=argv, name="p", ready={"log": pattern, "timeout": 20})
    await agent.ok("builtins.wait_for", log=pattern, process="p", timeout=60)


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"argv": "no-such-program x"}, "not_started", "no-such-program was not found"),
        ({"argv": ["/etc/hostname"]}, "not_started", "cannot start /etc/hostname"),
        ({"argv": "echo 'open"}, "argument", "no closing quotation"),
        ({"argv": "  "}, "argument", "names no program"),
        ({"argv": []}, "argument", "names no program"),
        ({"argv": "true", "cwd": "missing"}, "not_started", "missing"),
        ({"argv": "true", "cwd": "/tmp"}, "path", "not inside the agent's home"),
        ({"argv": "true", "cwd": "../.."}, "path", "not inside the agent's home"),
        ({"argv": ["true", "a\0b"]}, "not_started", "null byte"),
    ],
)
async def test_commands_that_cannot_be(agent: RealAgent, arguments: dict[str, Any], kind: str, words: str) -> None:
    error = await agent.error("builtins.command", **arguments)
    assert error["kind"] == kind
    assert words in error["message"]


async def test_only_the_end_of_much_output_is_kept(agent: RealAgent) -> None:
    result = await agent.ok("builtins.shell", script="seq 100000; printf 'end\\377'")
    assert len(result["stdout"]) <= 65536
    assert result["stdout"].endswith("100000\nend\ufffd")


async def test_a_shell_script_is_given_as_it_is(agent: RealAgent) -> None:
    result = await agent.ok(
        "builtins.shell", script='echo "$A" | tr a-z A-Z; echo "{{ port.x }}"', env={"A": "it's $HOME"}
    )
    assert result["stdout"] == "IT'S $HOME\n{{ port.x }}"
    assert (await agent.ok("builtins.shell", script="exit 4", expect=4))["exit_code"] == 4


async def test_output_becomes_log_lines(agent: RealAgent) -> None:
    await agent.ok("builtins.shell", script="echo first; echo second >&2")
    assert {line for _, line in agent.lines} >= {"first", "second"}


async def test_a_cancelled_command_leaves_no_process(agent: RealAgent) -> None:
    attempt, finished = agent.start("builtins.shell", script="sleep 1000 & echo $!; wait")
    await agent.until(lambda: agent.lines)
    pid = int(agent.lines[0][1])
    agent.cancel(attempt)
    assert (await finished).state == "cancelled"
    assert not os.path.exists(f"/proc/{pid}")


async def test_a_process_is_started_reached_and_stopped(any_agent: RealAgent) -> None:
    started = await any_agent.ok(
        "builtins.start_process",
        argv=[sys.executable, "-c", LISTEN, "{{ port.main }}"],
        name="server",
        ports={"main": "fresh"},
        ready={"port": "{{ port.main }}", "timeout": 20},
    )
    assert started["name"] == "server"
    assert set(started["ports"]) == {"main"}
    service = await any_agent.service("server", "up")
    assert (service["kind"], service["ports"]) == ("process", started["ports"])
    assert os.path.exists(f"/proc/{started['pid']}")
    await any_agent.ok("builtins.wait_for", port=str(started["ports"]["main"]), timeout=10)
    stopped = await any_agent.ok("builtins.stop_process", name="server")
    assert stopped == {"exit_code": 143}
    assert not os.path.exists(f"/proc/{started['pid']}")
    await any_agent.service("server", "down")


async def test_ports_stand_in_argv_environment_input_and_ready(agent: RealAgent) -> None:
    script = 'echo "$0 $FROM_ENV $(cat)"; exec sleep 1000'
    started = await agent.ok(
        "builtins.start_process",
        argv=["sh", "-c", script, "{{port.a}}"],
        name="p",
        ports={"a": "fresh", "b": 4711},
        env={"FROM_ENV": "{{ port.b }}"},
        stdin="{{ port.a }}/{{ other }}",
        ready={"log": "^{{ port.a }} 4711 ", "timeout": 20},
    )
    number = started["ports"]["a"]
    await agent.seen(f"{number} 4711 {number}/{{{{ other }}}}")


async def test_where_ports_are_marked_only_those_are_put_in(any_agent: RealAgent) -> None:
    end = any_agent.begin(
        "s/marked@a#1",
        "builtins.start_process",
        {
            "argv": [
                "sh",
                "-c",
                'echo "$1 $2 $FROM_ENV $(cat)"; exec sleep 1000',
                "x",
                "{{ m1.port.a }}",
                "{{ port.a }}",
            ],
            "name": "p",
            "ports": {"a": "4711"},
            "env": {"FROM_ENV": "{{ port.a }}/{{m1.port.a}}"},
            "stdin": "{{ m2.port.a }}",
            "ready": {"log": "4711 "},
        },
        mark="m1.",
    )
    assert (await end)["state"] == "ok"
    await any_agent.seen("4711 {{ port.a }} {{ port.a }}/4711 {{ m2.port.a }}")


async def test_metrics_are_announced(agent: RealAgent) -> None:
    await agent.ok("builtins.start_process", argv="sleep 1000", name="one", ports={"web": 4712}, metrics="web")
    assert (await agent.service("one", "up"))["ports"] == {"web": 4712, "metrics": 4712, "http": 4712}
    await agent.ok("builtins.start_process", argv="sleep 1000", name="two", ports={"http": 1, "m": 2}, metrics="m")
    assert (await agent.service("two", "up"))["ports"] == {"http": 1, "m": 2, "metrics": 2}


async def test_ready_by_file_and_http(agent: RealAgent) -> None:
    await agent.ok(
        "builtins.start_process",
        argv=["sh", "-c", "touch there; exec sleep 1000"],
        name="f",
        ready={"file": "there", "timeout": 20},
    )
    started = await agent.ok(
        "builtins.start_process",
        argv=["sh", "-c", SERVE, "{{ port.http }}"],
        name="web",
        ports={"http": "fresh"},
        ready={"http": "http://127.0.0.1:{{ port.http }}/there", "timeout": 20},
    )
    answer = await agent.ok("builtins.http", url={"owned": "web/there"})
    assert answer["status"] == 200
    assert started["ports"]["http"] > 0


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"argv": "false", "ready": {"port": "1", "timeout": 20}}, "exit", "ended with exit status 1 before"),
        ({"argv": "sleep 9", "ready": {"log": "never", "timeout": 0.2}}, "timeout", "was not ready within 0.2 s"),
        ({"argv": "sleep 9", "ready": {"log": "(", "timeout": 9}}, "argument", "not a regular expression"),
        ({"argv": "sleep 9", "ready": {"log": "a(?=b)", "timeout": 9}}, "argument", "looking ahead is not part"),
        (
            {"argv": f"sh -c 'echo {'a' * 44}b; sleep 9'", "ready": {"log": "^(a+)+$", "timeout": 0.5}},
            "timeout",
            "within 0.5",
        ),
        ({"argv": "sleep 9", "ready": {"port": "many"}}, "refused", "is not a port"),
        ({"argv": "sleep {{ port.b }}", "ports": {"a": "fresh"}}, "argument", "there is no such port"),
        ({"argv": "sleep 9", "ports": {"a": "99999"}}, "refused", "is not a port"),
        ({"argv": "sleep 9", "metrics": "m"}, "argument", "no port named m"),
        ({"argv": "no-such-program"}, "not_started", "was not found"),
    ],
)
async def test_processes_that_cannot_be(agent: RealAgent, arguments: dict[str, Any], kind: str, words: str) -> None:
    error = await agent.error("builtins.start_process", name="p", **arguments)
    assert (error["kind"], words in error["message"]) == (kind, True), error
    assert agent.services == []


async def test_the_last_lines_explain_a_process_that_ends(agent: RealAgent) -> None:
    error = await agent.error(
        "builtins.start_process",
        argv=["sh", "-c", "echo no config >&2; exit 2"],
        name="p",
        ready={"log": "ready", "timeout": 20},
    )
    assert error["detail"]["last_lines"] == ["no config"]
    assert error["detail"]["exit_code"] == 2


SIGNS = [{"log": "never"}, {"file": "never"}, {"port": "1"}, {"http": "http://127.0.0.1:1/"}]


@pytest.mark.parametrize("sign", SIGNS, ids=str)
@pytest.mark.parametrize(
    "script",
    [
        "echo bad config; exit 3",  # started again and again
        "while :; do echo and so on; done",
        "sleep 1000 & echo there; exit 4",  # what it started holds its output
        "exec sleep 1000",
    ],
)
async def test_a_sign_is_waited_for_until_its_deadline_whatever_the_process_does(
    agent: RealAgent, sign: dict[str, str], script: str
) -> None:
    told = [r"it ended (once|\w+ times), last with exit status"] if "exit" in script else []
    told += ["its last line: (bad config|and so on|there)"] if "echo" in script else []
    for timeout_s in (0.4, 6.0):  # a machine that stands still meanwhile has not even started it by then
        began_s = time.monotonic()
        error = await agent.error(
            "builtins.start_process",
            argv=["sh", "-c", script],
            name="p",
            restart="on_failure",
            stop_grace=0,
            ready={**sign, "timeout": timeout_s},
        )
        assert error["kind"] == "timeout", error
        assert time.monotonic() - began_s < 60
        if all(re.search(part, error["message"]) for part in told):
            break
    else:
        pytest.fail(str(error))


@pytest.mark.parametrize("sign", SIGNS, ids=str)
async def test_a_process_that_ends_and_is_not_started_again_is_given_up_at_once(
    agent: RealAgent, sign: dict[str, str]
) -> None:
    for restart, status in (("never", 3), ("on_failure", 0)):
        error = await agent.error(
            "builtins.start_process",
            argv=["sh", "-c", f"echo bye; exit {status}"],
            name=f"p{status}",
            restart=restart,
            ready={**sign, "timeout": 1000},
        )
        assert error["kind"] == "exit", error
        assert f"p{status} ended with exit status {status} before it was ready" in error["message"]
        assert "its last line: bye" in error["message"]


@pytest.mark.parametrize("sign", [{"log": "up"}, {"file": "up"}], ids=str)
async def test_a_first_exit_is_no_verdict_where_another_start_follows(agent: RealAgent, sign: dict[str, str]) -> None:
    script = "if [ -e been ]; then touch up; echo up; exec sleep 1000; fi; touch been; exit 1"
    await agent.ok(
        "builtins.start_process",
        argv=["sh", "-c", script],
        name="p",
        restart="on_failure",
        ready={**sign, "timeout": 20},
    )


async def test_a_process_that_prints_for_ever_is_not_asked_all_the_time(agent: RealAgent) -> None:
    if await asked_within(agent, 1) < 2:  # on a machine that stands still for so long
        assert await asked_within(agent, 10) >= 2


async def asked_within(agent: RealAgent, timeout_s: int) -> int:
    """Count how often a process that prints for ever is asked whether it is ready."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(100)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        _, finished = agent.start(
            "builtins.start_process",
            argv=["sh", "-c", "while :; do echo x; done"],
            name="p",
            stop_grace=0,
            ready={"http": url, "timeout": timeout_s},
        )
        asked = 0
        listener.settimeout(0.02)
        while not finished.done():
            with contextlib.suppress(TimeoutError):
                connection, _ = await asyncio.to_thread(listener.accept)
                asked += 1
                connection.recv(65536)
                connection.sendall(b"HTTP/1.0 401 No\r\n\r\n")
                connection.close()
        assert (await finished).state == "failed"
        assert f"401 {url}" in (await finished).error["message"]
        assert asked < 20 * timeout_s
        return asked


async def test_what_listens_where_nobody_else_looks_is_not_ready(agent: RealAgent) -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError as problem:
        pytest.fail(f"this machine has no IPv6 loopback: {problem}")
    with listener:
        port = listener.getsockname()[1]
        error = await agent.error(
            "builtins.start_process", argv="sleep 1000", name="p", ready={"port": str(port), "timeout": 0.2}
        )
        assert f"nothing accepts connections on port {port} of 127.0.0.1, where others look for it" in error["message"]
        assert f"something does on [::1]:{port}" in error["message"]
        assert (await agent.ok("builtins.wait_for", port=str(port)))["seen"] == f"[::1]:{port}"


async def test_a_rerun_replaces_what_it_started(agent: RealAgent) -> None:
    first = await agent.ok("builtins.start_process", "s/j@a", argv="sleep 1000")
    assert first["name"] == "sleep"
    error = await agent.error("builtins.start_process", "s/other@a", argv="sleep 1000")
    assert error["kind"] == "conflict"
    assert "a process named sleep is running already" in error["message"]
    second = await agent.ok("builtins.start_process", "s/j@a", argv="/bin/sleep 1000")
    assert second["pid"] != first["pid"]
    assert not os.path.exists(f"/proc/{first['pid']}")
    third = await agent.ok("builtins.start_process", "s/other@a", argv="sleep 1000", name="sleep")
    assert not os.path.exists(f"/proc/{second['pid']}")
    assert os.path.exists(f"/proc/{third['pid']}")


async def test_a_process_that_fails_is_restarted(agent: RealAgent) -> None:
    script = "if [ -e been ]; then echo again; exec sleep 1000; fi; touch been; exit 1"
    await agent.ok(
        "builtins.start_process",
        argv=["sh", "-c", script],
        name="p",
        restart="on_failure",
        ready={"log": "again", "timeout": 20},
    )


async def test_signal_and_grace(agent: RealAgent) -> None:
    script = "trap 'exit 7' USR1; trap '' TERM; echo on; while :; do sleep 0.05; done"
    await agent.ok(
        "builtins.start_process", argv=["sh", "-c", script], name="p", stop_signal="USR1", ready={"log": "on"}
    )
    assert (await agent.ok("builtins.stop_process", name="p"))["exit_code"] == 7
    await agent.ok("builtins.start_process", argv=["sh", "-c", script], name="p", stop_grace=0.1, ready={"log": "on"})
    assert (await agent.ok("builtins.stop_process", name="p"))["exit_code"] == 137


async def test_stopping_what_was_never_started(agent: RealAgent) -> None:
    error = await agent.error("builtins.stop_process", name="ghost")
    assert error["kind"] == "missing"
    assert "ghost" in error["message"]


def test_splitting_and_ports_as_such() -> None:
    assert split("a 'b c' \"d\"e") == ["a", "b c", "de"]
    assert split(["a b", "c"]) == ["a b", "c"]
    numbers = {"a": 1, "b-1": 2}
    assert with_ports("{{port.a}}{{ port.b-1 }} {{ vars.x }} {port.a}", numbers) == "12 {{ vars.x }} {port.a}"
    with pytest.raises(ProcedureFailed, match="there is no such port") as caught:
        with_ports("{{ port.c }}", {"a": 1})
    assert caught.value.hint == "`ports` has a"
