"""The adapter as a process, on real runs: how it begins, what it survives, and what a run becomes without a client."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from adapter_client import Client, in_process
from fixtures_program import PROGRAM, Place, wait_for

from octogram_tui.journal import archive
from octogram_tui.runtime.client import Client as Console

ADAPTER = [*PROGRAM, "dap"]
SECRET = "tr0ub4dor-and-3"
SCENARIO = """\
agents:
  - {name: 'a_{1..2}', transport: local}
vars:
  level: 1
stages:
  - name: first
    jobs:
      - name: say
        builtins.shell:
          script: echo "$WORD"; printf '\\033[2J\\r\\n'
          env:
            WORD: '{{ vars.word }}'
  - name: second
    jobs:
      - name: wait
        builtins.shell:
          script: until [ -e go ]; do sleep 0.05; done
"""


def scenario_of(place: Place) -> Path:
    place.extra = {"WORD": SECRET}
    return place.write("s.yml", SCENARIO)


async def launched(place: Place, client: Client, lines: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """Begin the run; gives what was to be set on lines."""
    set_: list[dict[str, Any]] = await client.begin(
        program="s.yml", cwd=str(place.home), args=["--secret", "word=env:WORD"], env={"NOTHING": None}
    )
    wanted = [{"line": line, **more} for line, more in lines.items()]
    source = {"path": str(place.home / "s.yml")}
    set_ = (await client.do("setBreakpoints", source=source, breakpoints=wanted))["breakpoints"]
    await client.do("configurationDone")
    return set_


async def test_a_secret_is_never_shown_an_edit_moves_a_breakpoint_and_a_client_that_is_gone_ends_its_run(
    place: Place,
) -> None:
    path = scenario_of(place)
    async with in_process(ADAPTER, place.environment, place.home) as client:
        [at_say, at_wait] = await launched(place, client, {10: {}, 16: {}})
        assert (at_say["line"], at_wait["line"], at_say["verified"]) == (8, 15, True)
        stop = await client.event("stopped")
        assert stop["hitBreakpointIds"] == [at_say["id"]]
        [frame, _] = await client.stack(1)
        scopes = await client.scopes(frame["id"])
        shown = {name: await client.values(reference) for name, reference in scopes.items()}
        inner = await client.values(shown["arguments"]["env"]["variablesReference"])
        assert SECRET not in json.dumps([shown, inner])
        assert "word" in json.dumps([shown, inner])
        assert SECRET not in json.dumps(await client.ask("evaluate", expression="vars.word | upper", context="watch"))
        for lines in (path.read_text().replace("agents:", "# one line more\nagents:", 1),):
            path.write_text(lines)
        moved = (await client.event("breakpoint"))["breakpoint"]
        while moved["id"] != at_wait["id"]:
            moved = (await client.event("breakpoint"))["breakpoint"]
        assert (moved["line"], moved["verified"]) == (16, True)
        assert (await client.stack(1))[0]["line"] == 9
        await client.do("setBreakpoints", source={"path": str(path)}, breakpoints=[])
        await client.do("continue", threadId=1)
        assert (await client.output("␛[2J"))["line"] == 9
        wait_for(lambda: place.last_run()["state"] == "running")
    wait_for(lambda: place.last_run()["state"] == "finished")
    assert SECRET not in json.dumps(client.told)


async def test_a_scenario_that_is_wrong_a_second_launch_and_lines_that_are_none(place: Place) -> None:
    path = place.write("bad.yml", "agents: [{name: a, transport: local}]\nstages:\n  - name: s\n    jobz: []\n  - {}\n")
    async with in_process(ADAPTER, place.environment, place.home) as client:
        assert "first request" in await client.refused("threads")
        await client.do("initialize", adapterID="x")
        assert "comes once" in await client.refused("initialize", adapterID="x")
        assert "`program` is missing" in await client.refused("launch")
        assert "launch or attach comes first" in await client.refused("threads")
        assert "nothing that can be asked" in await client.refused("disassemble", memoryReference="x")
        assert "bad.yml:3" in await client.refused("launch", program=str(path))
        told = [event["body"] for event in client.told if event["event"] == "output"]
        assert {(each["source"]["path"], each["line"]) for each in told} >= {(str(path), 4)}
        assert "there is no option --nonsense" in await client.refused("launch", program="s.yml", args=["--nonsense"])
        assert "`args` must be" in await client.refused("launch", program="s.yml", args="--local")
        assert "asks for help" in await client.refused("launch", program=str(path), args=["--help"])
        assert "bad.yml:3" in await client.refused("launch", program=str(path), args=["--keep-going"])
        assert "`cwd` has a character" in await client.refused("launch", program="s.yml", cwd="a\0b")
        assert "`args` has a character" in await client.refused("launch", program="s.yml", args=["-e", "a=\ud800"])
        assert "`env` has" in await client.refused("launch", program="s.yml", env={"A": "\0"})
        assert "not a journal" in await client.refused("launch", replay=str(place.write("no.jsonl", "no\n")))
        assert "No such file" in await client.refused("launch", program="s.yml", cwd="/nowhere")
        assert "there are no runs" in await client.refused("attach", run="last")
        assert "there are no runs" in await client.refused("launch", replay="last")
        client.write(b"Content-Length: 5\r\n\r\nhallo")
        await client.output("not JSON")
        client.write(b"Content-Length: 2\r\n\r\n[]")
        await client.output("no object")
        await client.do("disconnect")
    assert "no runs yet" in place.run("runs").stdout


async def test_who_joins_a_run_of_others_leaves_it_going_on(place: Place) -> None:
    path = scenario_of(place)
    run = place.start(str(path), "--headless", "--secret", "word=env:WORD", "--linger", "1h")
    journals = place.runs_dir.glob
    wait_for(
        lambda: any(b'"job_started","stage":"second"' in path.read_bytes() for path in journals("*/journal.jsonl"))
    )
    console = await Console.connect(archive.find(place.runs_dir, "last").info.socket)
    await anext(console.events())
    assert console.has_control
    async with in_process(ADAPTER, place.environment, place.home) as client:
        await client.begin("attach", run="last")
        assert "`take_control`" in (await client.output("another console holds control"))["output"]
        assert "another console" in await client.refused("evaluate", expression="pause", context="repl")
        told = await client.do("evaluate", expression="take_control", context="repl")
        assert told["result"] == "take_control: this client may act"
        await console.close()
        set_ = await client.do("setFunctionBreakpoints", breakpoints=[{"name": "third"}])
        assert set_["breakpoints"][0]["verified"]
        await client.do("configurationDone")
        await client.do("pause", threadId=1)
        await client.event("stopped")
    [journal] = journals("*/journal.jsonl")
    wait_for(lambda: b'"breakpoint_removed"' in journal.read_bytes() and b'"run_resumed"' in journal.read_bytes())
    for home in place.home.rglob("a_*"):
        (home / "go").touch()
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)


async def test_clients_come_to_a_port_each_for_itself(place: Place) -> None:
    scenario_of(place)
    serving = place.start("dap", "--port", "0")
    assert serving.stdout is not None
    said = serving.stdout.readline()
    found = re.search(r"127\.0\.0\.1:(\d+)", said)
    assert found is not None, said
    clients = []
    for _ in range(2):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(found[1]))
        clients.append((Client(reader, writer), writer))
    for client, _ in clients:
        await client.begin(program="s.yml", args=["--secret", "word=env:WORD"], stopOnEntry=True)
        await client.do("configurationDone")
    for client, _ in clients:
        assert (await client.event("stopped"))["reason"] == "entry"
    await clients[0][0].do("disconnect")
    assert (await clients[1][0].do("threads"))["threads"][0]["name"] == "a_1"
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(60) == 0
    serving.stdout.close()
    for client, writer in clients:
        await client.reading
        writer.close()
    wait_for(lambda: [run.state for run in archive.listing(place.runs_dir)] == ["finished"] * 2)


@pytest.mark.parametrize("streams", ["</dev/null", "<&-", "<&- >&-", ">/dev/null", "<{file}"])
def test_what_no_editor_can_be_behind_is_refused_in_a_line(place: Place, streams: str) -> None:
    file = place.write("file", "")
    command = shlex.join(ADAPTER) + " " + streams.format(file=shlex.quote(str(file)))
    done = subprocess.run(["sh", "-c", command], input="", capture_output=True, text=True, cwd=place.home, timeout=60)
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == "octogram-tui: dap talks with an editor, over pipes or a socket"
    assert "Traceback" not in done.stderr
