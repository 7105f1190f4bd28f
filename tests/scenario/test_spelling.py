"""A scalar whose text is not what was written is never silent: wherever it may become a text, it earns a warning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario_family import job, job_problems, load

from octogram_tui.scenario.scalars import read_plain
from octogram_tui.template.text import text_of

# What people write for versions, hashes, ports, dates, times, sizes and switches, made by a machine.
NUMBERS = st.one_of(
    st.from_regex(r"[-+]?[0-9]{1,20}(\.[0-9]{0,4})?(e[-+]?[0-9]{1,3})?", fullmatch=True),
    st.from_regex(r"0[xob][0-9a-f_]{1,24}", fullmatch=True),
    st.from_regex(r"[0-9_]{1,9}|[0-9]{1,4}[-:.][0-9]{2}([-:.][0-9]{2})?", fullmatch=True),
    st.sampled_from(
        "yes No on OFF true True TRUE false .inf -.inf .nan nan inf 1.10 1.0 010 08 007 2024-01-02".split()
    ),
)


@given(NUMBERS)
def test_what_reads_back_otherwise_is_said(written: str) -> None:
    reading = read_plain(written)
    assert reading.is_respelled is (text_of(reading.value) != written)
    if reading.is_respelled:
        assert not isinstance(reading.value, str)
    warned = job(f"fake.everything: {{env: {{V: {written}}}}}").warnings
    assert bool(warned) is bool(reading.is_respelled or reading.warning), warned
    assert len(warned) <= 1
    assert all(f"write '{written}' in quotes" in warning.hint for warning in warned)


PLACES = [
    "vars: {v: X}\nstages: []\n",
    "vars: {v: [a, {b: X}]}\nstages: []\n",
    "agents: [{name: a, transport: local, env: {V: X}}]\nstages: []\n",
    "agents: [{name: a, transport: local, labels: {v: X}}]\nstages: []\n",
    "agents: [{name: a, address: X}]\nstages: []\n",
    "agents: [{name: a, transport: command, command: [a, X]}]\nstages: []\n",
    "defaults: {env: {V: X}}\nstages: []\n",
    "stages: [{name: X, jobs: []}]\n",
    "stages: [{name: s, tags: [X], jobs: []}]\n",
    "stages: [{name: s, jobs: [{name: j, with_items: [X], fake.nothing: {}}]}]\n",
    "stages: [{name: s, jobs: [{name: j, vars_updates: {v: X}, fake.nothing: {}}]}]\n",
    "stages: [{name: s, jobs: [{name: j, vars_updates: {v: {value: X}}, fake.nothing: {}}]}]\n",
    "stages: [{name: s, jobs: [{name: j, fake.say: X}]}]\n",
    "stages: [{name: s, jobs: [{name: j, fake.everything: {any: {v: [X]}}}]}]\n",
    "stages: [{name: s, jobs: [{name: j, fake.everything: {argv: [a, X]}}]}]\n",
]


@pytest.mark.parametrize("place", PLACES)
def test_the_warning_comes_in_every_place(place: str) -> None:
    for written in ("1.10", "1e3", "007"):
        found = [
            warning
            for warning in load(place.replace("X", written)).warnings
            if f"`{written}`" in warning.message or written + " becomes" in warning.message
        ]
        assert len(found) == 1, (written, found)
        assert (found[0].line, found[0].column) == (place[: place.index("X")].count("\n") + 1, place.index("X") + 1)
    assert not [w for w in load(place.replace("X", "'1.10'")).warnings if "1.1" in w.message]


def test_a_file_of_variables_is_a_place_too() -> None:
    found = load(
        "stages: []\n", files={"v.yml": "a: 1.10\n", "v.json": '{"a": [1.10]}'}, variable_files=["v.yml", "v.json"]
    )
    assert [(w.file, w.line, w.message.split(" ")[0]) for w in found.warnings] == [
        ("v.yml", 1, "1.10"),
        ("v.json", 1, "`1.10`"),
    ]


def test_a_place_for_numbers_takes_any_spelling() -> None:
    assert job("fake.everything: {ratio: 1.50, count: 0x1f}\ntimeout: 2.0\nretry_delay: 0.50").warnings == []


def test_an_address_in_hexadecimal_keeps_its_digits() -> None:
    address = "0x742d35Cc6634C0532925a3b844Bc454e4438f44e"
    loaded = load(f"vars: {{to: {address}, short: 0x1f, edge: 0x123456789abcdef}}\nstages: []\n")
    assert loaded.scenario.variables["to"] == address
    assert loaded.scenario.variables["edge"] == 0x123456789ABCDEF
    assert f"`{address}` is a text here" in loaded.warnings[0].message


def test_a_mode_without_quotes_is_told_to_have_them() -> None:
    found = job_problems("builtins.write_file: {path: p, content: c, mode: 0640}")[0]
    assert found.message.startswith("`mode` must match")
    assert found.hint == "write '0640' in quotes: without them it is the number 640"


def test_a_tilde_is_null_and_says_so() -> None:
    found = load("vars: {home: ~, gone: null}\nstages: []\n")
    assert [(w.message, w.hint) for w in found.warnings] == [
        ("`~` is read as nothing (null)", "write '~' in quotes for a text")
    ]
    assert "write '~' in quotes" in job_problems("fake.everything: {env: {HOME: ~}}")[0].hint
    assert job("fake.nothing: {}\nvars_updates: {gone: ~}").warnings == []
