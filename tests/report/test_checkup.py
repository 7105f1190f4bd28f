"""What doctor prints: a line a machine, blocks for faults, and all of it within a terminal of 80 columns."""

from __future__ import annotations

from octogram_tui.report.checkup import WIDTH, lines_of
from octogram_tui.transport.preflight import Check

WELL = ("name", "connection", "host key", "login", "start", "python", "cache", "disk", "clock")


def well(place: str, *agents: str) -> list[Check]:
    return [Check(place, agents, check, "ok", "") for check in WELL]


def test_a_machine_that_is_well_is_one_line_however_many_agents_it_has() -> None:
    rows = well("root@10.0.0.1:22", *(f"node_{n}" for n in range(200)))
    assert list(lines_of(rows)) == [
        "ok    root@10.0.0.1:22  node_0, node_1, node_2, node_3, node_4 and 195 more",
        "1 machine, and nothing that keeps a run from starting",
    ]


def test_a_fault_is_a_block_with_what_to_do() -> None:
    rows = [
        *well("me@h:22", "a", "b"),
        Check("me@h:22", ("a", "b"), "clock", "warn", "12 s behind this machine's", "set up NTP there"),
        Check("me@h:22", ("a",), "python", "fail", "no Python of 3.8 or later; found: none", "install python3"),
        Check("", (), "ssh configuration", "ok", "/root/.ssh/config"),
        Check("", (), "ssh configuration", "warn", "f:1: `X y` is not honoured", "leave it out"),
    ]
    assert list(lines_of(rows)) == [
        "ok    ssh configuration  /root/.ssh/config",
        "warn  ssh configuration  f:1: `X y` is not honoured",
        "      leave it out",
        "fail  me@h:22  a, b",
        "      warn: clock: 12 s behind this machine's",
        "        set up NTP there",
        "      fail: python: no Python of 3.8 or later; found: none",
        "        install python3",
        "1 of 1 machine cannot be used as the scenario wants: 1 python",
    ]


def test_a_jump_machine_is_told_once_and_those_behind_it_point_to_it() -> None:
    key = Check(
        "root@gate:22", ("a", "b"), "host key", "fail", "the host key of root@gate:22 is not known", "compare it"
    )
    behind = [
        Check(
            f"root@{name}:22 through gate",
            (name,),
            "jump machine",
            "fail",
            "root@gate:22 lets nobody through: see there",
        )
        for name in ("a", "b")
    ]
    lines = list(lines_of([key, *behind]))
    assert sum("is not known" in line for line in lines) == 1
    assert lines[-1] == "3 of 3 machines cannot be used as the scenario wants: 2 jump machine, 1 host key"


def test_a_hundred_machines_stay_readable() -> None:
    rows: list[Check] = []
    for n in range(100):
        place = f"root@machine-{n}.some-rather-long-domain.example.org:22"
        rows += well(place, f"bootstrap_{n}", f"attester_{n}", f"producer_{n}")
        if n % 10 == 0:
            detail = f"at 10.0.0.{n} it is not reached by root@10.0.0.1:22 and 98 more: no route to host (tried port 1)"
            hint = f"give bootstrap_{n} a `data_address` that others reach, or open the ports of agents between them"
            rows.append(Check(place, (f"bootstrap_{n}",), "reached", "fail", detail, hint))
    lines = list(lines_of(rows))
    assert max(map(len, lines)) <= WIDTH
    assert sum(line.startswith("ok ") for line in lines) == 90
    assert lines[6:8] == [
        "ok    root@machine-1.some-rather-long-domain.example.org:22",
        "      bootstrap_1, attester_1, producer_1",
    ]
    assert lines[-1] == "10 of 100 machines cannot be used as the scenario wants: 10 reached"


def test_a_command_to_copy_is_not_broken_over_lines() -> None:
    command = "`ssh-keygen -R '[machine-1.example.org]:2222' -f /home/somebody/.ssh/known_hosts`"
    rows = [Check("m", ("a",), "host key", "fail", "changed", f"remove the line, which is an old one, with {command}")]
    assert any(command in line for line in lines_of(rows))
