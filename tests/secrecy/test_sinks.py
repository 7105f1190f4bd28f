"""A secret that a run's jobs show in every way is in nothing that the program writes, prints, draws or answers."""

from __future__ import annotations

import io
import json
import signal
import socket
from collections.abc import Iterator

import pytest
from fixtures_program import Place, wait_for
from planted import KEY, VALUE, found_below, found_in, plant

from octogram_tui.journal import archive

pytestmark = pytest.mark.fault(88)

RUNS = ".local/state/octogram-tui/runs"


@pytest.fixture
def planted(place: Place) -> Place:
    place.extra = plant(place.home)
    return place


def journal_of(place: Place) -> str:
    found = list(place.home.glob(f"{RUNS}/*/journal.jsonl"))
    return found[0].read_text() if found else ""


def test_nothing_that_a_headless_run_writes_has_it(planted: Place) -> None:
    wanted = ("--headless", "-v", "--events", "e.jsonl", "--junit", "j.xml", "--metrics", "m.txt", "--metrics-by-agent")
    done = planted.run("planted.yml", *wanted)
    assert done.returncode == 1, done.stdout + done.stderr
    assert found_in(done.stdout + done.stderr) == []
    (planted.home / "planted.key").unlink()
    planted.wait_clean()  # else an agent may be tidying up where it is looked
    assert found_below(planted.home) == {}
    for file in ("e.jsonl", "j.xml"):
        assert "(secret token)" in (planted.home / file).read_text()
    assert "(secret token as base64)" in done.stdout
    assert '"sealed":true' in journal_of(planted)


def test_github_is_told_nothing_of_it_either(planted: Place) -> None:
    planted.extra["GITHUB_ACTIONS"] = "true"
    done = planted.run("planted.yml", "--headless")
    assert "::error" in done.stdout
    assert found_in(done.stdout + done.stderr) == []


@pytest.mark.parametrize(
    "command", ["check planted.yml", "plan planted.yml", "plan planted.yml --json", "planted.yml --dry-run"]
)
def test_nothing_is_read_before_a_run(planted: Place, command: str) -> None:
    del planted.extra["PLANTED"]
    (planted.home / "planted.key").unlink()
    done = planted.run(*command.format("planted.yml").split())
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def held(planted: Place) -> Iterator[Place]:
    """Give a run that is held at its failure."""
    process = planted.start("planted.yml", "--headless", "--on-failure", "pause", "--linger", "1h")
    wait_for(lambda: '"type":"run_paused"' in journal_of(planted), describe=lambda: journal_of(planted)[-2000:])
    assert found_in("\n".join(planted.processes())) == []
    yield planted
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert found_in(out) == []


def asked_raw(place: Place, *lines: dict[str, object]) -> bytes:
    """Ask over the control socket, and give every byte that came back until the last answer."""
    path = archive.find(place.runs_dir, "last").info.socket
    with socket.socket(socket.AF_UNIX) as console:
        console.settimeout(60)
        console.connect(str(path))
        data = b""
        for line in lines:
            console.sendall(json.dumps(line).encode() + b"\n")
            before = data.count(b'"answered"') + data.count(b'"refused"')
            while data.count(b'"answered"') + data.count(b'"refused"') == before:
                data += console.recv(65536)
    return data


def test_nothing_that_a_console_is_told_has_it(held: Place) -> None:
    row = "fail/fail@a"
    data = asked_raw(
        held,
        {"request": "evaluate", "expression": "[vars.token, vars.login, vars.token | b64encode, vars.key]"},
        {"request": "evaluate", "expression": "vars.token.nothing"},
        {"request": "evaluate", "expression": "res", "instance": row},
        {"request": "arguments", "instance": row},
        {"request": "whereabouts", "instance": row},
        {"request": "log", "agent": "a", "process": f"{row}#1"},
        {"request": "foresee_set", "name": "login", "value": "x"},
        {"request": "break", "pattern": "*/*", "condition": "vars.token == 1", "log": "{{ vars.token }}"},
        {"request": "set_variable", "name": "greeting", "value": VALUE},
        {"request": "rerun", "stage": "fail"},
    )
    assert b'"problem": "", "led_to": [], "value"' in data
    assert found_in(data) == []
    wait_for(lambda: "fail/fail@a" in journal_of(held) and journal_of(held).count('"type":"job_finished"') > 4)
    assert found_in(journal_of(held)) == []


def test_a_mask_that_is_sent_back_is_the_value_and_another_value_is_hidden_too(held: Place) -> None:
    masked = json.loads(asked_raw(held, {"request": "arguments", "instance": "fail/fail@a"}).splitlines()[-1])
    environment = masked["arguments"]["env"]
    assert environment == {"T": "me:(secret token)"}
    script = 'test "$T" = "me:$(printenv WANTED)" && exit 0; exit 4'
    given = {"script": script, "env": {**environment, "WANTED": "(secret token)"}}
    asked_raw(
        held,
        {"request": "set_arguments", "instance": "fail/fail@a", "arguments": given},
        {"request": "rerun", "stage": "fail", "instance": "fail/fail@a"},
        {"request": "go"},
    )
    wait_for(lambda: '"job":"fail","agent":"a","key":"fail/fail@a","attempt":2,"state":"ok"' in journal_of(held))

    row = "show/an item@a[(secret token)]"
    asked_raw(held, {"request": "rerun", "stage": "show", "instance": row})
    wait_for(lambda: f'"key":"{row}","attempt":2,"item":"(secret token)","state":"ok"' in journal_of(held))

    another = "an altogether other value"
    asked_raw(held, {"request": "set_variable", "name": "token", "value": another})
    wait_for(lambda: '"type":"variable_changed","name":"token"' in journal_of(held))
    assert another not in journal_of(held)
    assert held.ask("evaluate", "vars.token == 'an altogether other value'")["value"] is True


@pytest.mark.terminal
def test_no_console_draws_it(planted: Place) -> None:
    console = planted.open("planted.yml", size=(160, 50))
    shown = console.logfile_read = io.StringIO()
    console.expect("PAUSED failure")  # before it is there, a key would be read in another way
    console.send("\r")
    console.expect("secret token")
    planted.ask("stop")
    wait_for(lambda: '"type":"run_finished"' in journal_of(planted))
    console.close(force=True)
    assert found_in(shown.getvalue()) == []


def test_a_value_that_cannot_be_had_is_said_before_anything_begins(planted: Place) -> None:
    del planted.extra["PLANTED"]
    done = planted.run("planted.yml", "--headless")
    assert done.returncode == 3
    assert "planted.yml:4:3: error: secret `token`: there is no variable PLANTED in the environment" in done.stderr
    assert not list((planted.home / RUNS).glob("*"))


def test_the_command_line_says_where_a_value_comes_from_and_never_what_it_is(planted: Place) -> None:
    done = planted.run("planted.yml", "--headless", "-e", f"token={VALUE}")
    assert done.returncode == 3
    assert "`token` is a secret" in done.stderr
    assert "--secret token=env:VARIABLE" in done.stderr
    done = planted.run("planted.yml", "--secret", f"token={VALUE}")
    assert done.returncode == 2
    assert found_in(done.stderr) == []
    done = planted.run(
        "planted.yml",
        "--headless",
        "-v",
        "--secret",
        "token=command:echo 'what it says'",
        "--secret",
        "greeting=file:planted.key",
    )
    assert "as it is: (secret token)" in done.stdout
    assert KEY.splitlines()[1] not in done.stdout
