"""A repair in a real terminal: arguments of a failed row edited, run again, and written back with comments kept."""

import json
from pathlib import Path

import pytest
from fixtures_program import Place, wait_for
from terminal_screen import Terminal

pytestmark = pytest.mark.terminal

WRONG_ARGUMENT = """\
agents: [{name: a, transport: local}]
stages:
  - name: market
    jobs:
      - name: sell   # who sells
        builtins.shell:
          script: exit $CODE  # ends so
          env:
            SHOP: '{{ agent.name }}'  # who
            CODE: "3"                 # why
"""


def journal(place: Place) -> Path:
    return next(iter(place.home.glob(".local/state/octogram-tui/runs/*/journal.jsonl")))


def test_arguments_are_edited_for_a_failed_row_run_again_and_written_back(place: Place) -> None:
    path = place.write("shop.yml", WRONG_ARGUMENT)
    screen = Terminal.on(place.open(str(path), size=(80, 24)), (80, 24))
    screen.until("PAUSED failure")
    screen.press("e", "Arguments of sell @ a")
    screen.press("\t\t\t", "as the text gives it")
    screen.press("4\r", "PAUSED failure", gone="Arguments of")
    screen.child.send("r")
    wait_for(lambda: journal(place).read_text().count('"job_finished"') == 2)
    events = [json.loads(line) for line in journal(place).read_text().splitlines() if line.endswith("}")]
    again = [event for event in events if event["type"] == "job_started"][-1]
    assert (again["edited"], again["arguments"]["env"]) == (["env"], {"SHOP": "a", "CODE": "4"})
    assert path.read_text() == WRONG_ARGUMENT, "only that attempt was given it"
    screen.until("status 4")
    screen.press("e", "Arguments of sell @ a")
    screen.press("\t\t\t0\x13", "is written", gone="Arguments of")
    assert path.read_text() == WRONG_ARGUMENT.replace(
        'CODE: "3"                 # why', "CODE: '0'                 # why"
    )
    wait_for(lambda: '"scenario_reloaded"' in journal(place).read_text())  # only what failed is touched: no question
    screen.press("R", "DONE")
    screen.close()
    place.kill_everything()
    assert '"request_refused"' not in journal(place).read_text()
