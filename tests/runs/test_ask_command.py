"""`ask`: a run that goes on takes a request from a shell or refuses it, and nobody loses control by it."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fixtures_program import Place, wait_for

from octogram_tui.journal import archive
from octogram_tui.runtime import verbs
from octogram_tui.runtime.client import Client

HOSTILE = "a / b@c [d] #1 · ü,--force"
SCENARIO = f"""
agents: [{{name: a, transport: local}}]
stages:
  - {{name: measure, jobs: [{{name: read it, builtins.command: echo 5}}]}}
  - name: '{HOSTILE}'
    jobs: [{{name: 'a=b', with_items: ['[x]@/#'], builtins.shell: 'printf "\\033[2Jthe end\\n"; exit 3'}}]
  - {{name: --force, jobs: [{{name: j, builtins.command: echo last}}]}}
"""


def types(place: Place) -> list[str]:
    return [str(event["type"]) for event in events(place)]


def events(place: Place) -> list[dict[str, Any]]:
    """Give what came of the run so far, and not what an agent tells of its load, which comes when it likes."""
    journals = list(place.home.glob(".local/state/octogram-tui/runs/*/journal.jsonl"))
    lines = journals[0].read_bytes().split(b"\n")[1:-1] if journals else []
    return [event for event in map(json.loads, lines) if event["type"] != "agent_load"]


@pytest.fixture
def ask(place: Place) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Start a run that holds before its first job, and give a function that asks of it."""
    path = place.write("s.yml", SCENARIO)
    process = place.start(str(path), "--headless", "--paused", "--linger", "1h", "--on-failure", "pause")
    wait_for(lambda: "job_held" in types(place), describe=lambda: f"{types(place)}")
    yield lambda *words: place.run("ask", *words)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


def test_a_run_is_led_from_a_shell(place: Place, ask: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = ask("last", "go")
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    assert line.startswith(f"{place.last_run()['run']} took go: run_resumed")
    wait_for(lambda: types(place).count("run_paused") == 2)  # before its first job, and behind the one that fails
    key = next(event["key"] for event in reversed(events(place)) if event["type"] == "job_finished")
    assert HOSTILE.partition("/")[0] in key

    refused = ask("last", "skip", "measure/read it@a")
    assert (refused.returncode, refused.stdout) == (9, "")
    assert "refused skip: measure/read it@a neither failed nor is held" in refused.stderr
    assert ask("last", "rerun", "nowhere").returncode == 9
    assert ask("last", "rerun", "measure", "job=read it").returncode == 0
    wait_for(lambda: sum(event.get("why") == "rerun" for event in events(place)) == 1)
    assert ask("last", "rerun", HOSTILE, "job=a=b", f"instance={key}").returncode == 0
    wait_for(lambda: sum(event["type"] == "job_finished" and event["key"] == key for event in events(place)) == 2)
    assert ask("last", "skip", key).returncode == 0
    assert ask("last", "set_variable", "x y", 'value={"z": [1]}').returncode == 0
    assert [event["value"] for event in events(place) if event["type"] == "variable_changed"] == [{"z": [1]}]
    assert ask("last", "go").returncode == 0
    wait_for(lambda: any(event["type"] == "job_finished" and event["stage"] == "--force" for event in events(place)))


def test_the_run_is_ended_from_a_shell(place: Place, ask: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    assert "rerun --force" not in ask("last").stdout
    assert ask("last", "rerun", "--", "--force").stderr.strip().endswith("stage --force has not run yet")
    done = ask("last", "stop")
    assert "stop_requested" in done.stdout
    wait_for(lambda: "run_finished" in types(place))
    wait_for(lambda: place.last_run()["state"] != "running")
    ended = ask("last", "pause")
    assert ended.returncode == 9
    assert "is finished: there is nothing to ask of it" in ended.stderr


def test_a_log_is_read_where_it_was_written(place: Place, ask: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    assert ask("last", "go").returncode == 0
    wait_for(lambda: types(place).count("run_paused") == 2)  # before its first job, and behind the one that fails
    finished = [event for event in events(place) if event["type"] == "job_finished"]
    before = types(place)
    done = ask("last", "log", "a", "measure/read it@a#1")
    assert (done.returncode, done.stdout, done.stderr) == (0, "5\n", "")
    assert ask("last", "log", "a", f"{finished[-1]['key']}#1").stdout == "\u241b[2Jthe end\n"
    cut = ask("last", "log", "a", f"{finished[-1]['key']}#1", "size_bytes=8")
    assert cut.stdout == "the end\n"
    assert "the end of" in cut.stderr
    for words, said in (
        (("a", "nothing"), "nothing has no log on this agent"),
        (("b", "x"), "there is no agent 'b'"),
    ):
        refused = ask("last", "log", *words)
        assert (refused.returncode, refused.stdout) == (9, "")
        assert said in refused.stderr
    assert types(place) == before  # the journal has nothing of it


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["last", "dance"], 2, "there is no verb 'dance'"),
        (["last", "pause", "now"], 2, "one word too many"),
        (["last", "skip", "nonsense"], 2, "must be an instance"),
        (["last", "take_control"], 2, "asked by a console"),
        (["last", "watch"], 2, "asked by a console"),
        (["last", "pause", "--take-contrl"], 2, "did you mean --take-control"),
        ([], 2, "RUN"),
        (["last", "pause"], 9, "there are no runs"),
    ],
)
def test_what_cannot_be_asked_is_said(place: Place, words: list[str], code: int, said: str) -> None:
    done = place.run("ask", *words)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_no_run_of_that_name(ask: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = ask("nope", "pause")
    assert done.returncode == 9
    assert "there is no run 'nope'" in done.stderr


def test_without_a_verb_the_table_is_listed(place: Place) -> None:
    done = place.run("ask", "last")
    assert done.returncode == 0
    for verb in verbs.TABLE:
        is_of_consoles = verb.name in ("take_control", "watch")
        assert (verbs.usage(verb) in done.stdout.splitlines()) is not is_of_consoles
        assert (verb.help in done.stdout) is not is_of_consoles


async def test_a_console_that_holds_control_keeps_it(
    place: Place, ask: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    run = archive.find(place.home / ".local/state/octogram-tui/runs", "last")
    console = await Client.connect(run.info.socket)
    heard: list[bool] = []
    has_it_again = asyncio.Event()

    async def listen() -> None:
        async for said in console.answers():
            if "control" in said:
                heard.append(said["control"])
                if said["control"] and False in heard:
                    has_it_again.set()

    listening = asyncio.ensure_future(listen())
    try:
        done = await asyncio.to_thread(ask, "last", "go")
        assert done.returncode == 9
        assert "a console holds control of this run: nothing was asked" in done.stderr
        assert "--take-control" in done.stderr
        assert "run_resumed" not in types(place)
        done = await asyncio.to_thread(ask, "--take-control", "last", "set_variable", "x", "value=1")
        assert done.returncode == 0, done.stderr
        assert "variable_changed" in types(place)
        async with asyncio.timeout(60):
            await has_it_again.wait()
    finally:
        listening.cancel()
        await console.close()
