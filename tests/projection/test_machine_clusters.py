"""Machines that are alike are one row, whatever their names; the worst stand first."""

from __future__ import annotations

import pytest

from octogram_tui.projection.checkup import Checkup, Finding, MachineReport, in_words

OK = tuple(Finding(check, "ok") for check in ("name", "connection", "host key", "login", "start", "python"))


def refused(place: str, *agents: str) -> MachineReport:
    message = f"cannot reach {place}: connection refused"
    return MachineReport(place, agents, (Finding("name", "ok"), Finding("connection", "fail", message, "see there")))


def unknown(place: str, print_: str) -> MachineReport:
    message = f"the host key of {place} is not known: it is SHA256:{print_} (ssh-ed25519)"
    return MachineReport(place, (place,), (Finding("host key", "fail", message),), (place, f"ed25519 {print_}"))


def gathered(*machines: MachineReport) -> Checkup:
    checkup = Checkup()
    checkup.begin(len(machines))
    for number, machine in enumerate(machines):
        checkup.take(number, machine)
    return checkup


def test_forty_machines_that_refuse_are_one_row() -> None:
    machines = [refused(f"root@10.0.0.{number}:22", f"n_{number}") for number in range(40)]
    checkup = gathered(MachineReport("root@10.1.0.1:22", ("good",), OK), *machines)
    first, last = checkup.clusters
    assert in_words(first.machines) == "root@10.0.0.0:22 and 39 more"
    assert first.agents == [f"n_{number}" for number in range(40)]
    assert (first.first.state, last.first.state) == ("fail", "ok")
    assert (checkup.failing, checkup.agents, checkup.seen) == (40, 41, 41)


def test_keys_and_figures_do_not_tell_machines_apart_and_what_is_wrong_does() -> None:
    disks = [
        MachineReport(f"h{n}", ("a",), (*OK, Finding("disk", "warn", f"{n} MiB free on /", "make room")))
        for n in (7, 9)
    ]
    checkup = gathered(unknown("h1:22", "AbC"), unknown("h2:22", "dEf"), refused("h3:22"), *disks)
    assert [len(cluster.machines) for cluster in checkup.clusters] == [2, 1, 2]
    assert checkup.new_keys == [("h1:22", "ed25519 AbC"), ("h2:22", "ed25519 dEf")]


def test_what_is_accepted_is_looked_at_again_and_nothing_else() -> None:
    checkup = gathered(unknown("h1:22", "AbC"), refused("h2:22"))
    checkup.end(())
    checkup.look_again(new_keys_only=True)
    assert (checkup.seen, checkup.is_over) == (1, False)
    checkup.take(0, MachineReport("h1:22", ("a",), OK))
    assert checkup.seen == 2
    assert checkup.new_keys == []
    checkup.look_again(new_keys_only=False)
    assert checkup.seen == 0


def test_what_is_wrong_with_our_own_configuration_is_a_row_and_what_is_right_is_not() -> None:
    checkup = gathered(MachineReport("h", ("a",), OK))
    fine = MachineReport("", (), (Finding("ssh configuration", "ok", "~/.ssh/config"),))
    wrong = MachineReport("", (), (Finding("ssh configuration", "warn", "x:1: not honoured"),))
    checkup.end([fine, wrong])
    assert [cluster.first.findings[0].detail for cluster in checkup.clusters if not cluster.agents] == [
        "x:1: not honoured"
    ]


@pytest.mark.parametrize(
    ("findings", "column", "state"),
    [
        ((Finding("disk", "ok"), Finding("disk", "warn")), "disk", "warn"),
        ((Finding("disk", "ok"),), "clock", ""),
        ((), "name", ""),
    ],
)
def test_a_cell_has_the_worst_of_its_check(findings: tuple[Finding, ...], column: str, state: str) -> None:
    assert MachineReport("h", (), findings).cell(column) == state


def test_the_worst_is_told_first() -> None:
    machine = MachineReport("h", (), (Finding("disk", "warn", "little"), Finding("python", "fail", "none"), *OK))
    assert [finding.check for finding in machine.told] == ["python", "disk"]
