"""Which release a version text names, and what follows from it."""

from __future__ import annotations

import pytest

from octogram_agentd.procedures.octez.releases import (
    HEAD,
    PROTOCOLS,
    has,
    parse_version,
    protocol_hash,
    protocol_suffix,
    show,
)


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("1a2b3c4d (2023-06-08 10:00:00 +0200) (17.0)\n", (17, 0)),
        ("1a2b3c4d (2024-01-22 10:00:00 +0100) (19.0)\n", (19, 0)),
        ("1a2b3c4d (2024-01-22 10:00:00 +0100) (19.1~rc2)\n", (19, 1)),
        ("1a2b3c4d (2024-05-02 10:00:00 +0200) (Octez 20.0)\n", (20, 0)),
        ("1a2b3c4d (2024-11-13 10:00:00 +0100) (Octez 21.3+dev)\n", (21, 3)),
        ("1a2b3c4d (2025-04-10 10:00:00 +0200) (Octez 22.0~beta1)\n", (22, 0)),
        ("1a2b3c4d (2026-06-30 10:00:00 +0200) (Octez 25.1 (build: 0))\n", (25, 1)),
        ("1a2b3c4d (2026-06-30 10:00:00 +0200) (Octez 25.0~rc1 (build: 12))\n", (25, 0)),
        ("1a2b3c4d (2027-06-30 10:00:00 +0200) (Octez 31.4 (build: 1))\n", (31, 4)),
        ("1a2b3c4d (2026-08-21 10:00:00 +0200) (Octez 0.0+dev)\n", HEAD),
        ("1a2b3c4d (2023-08-21 10:00:00 +0200) (0.0+dev)\n", HEAD),
        ("1a2b3c4d (2026-04-07 10:00:00 +0200) (octez-smart-rollup-node 20260407.0)\n", HEAD),
        ("", None),
        ("usage: something else\n", None),
    ],
)
def test_a_version_text_names_a_release(text: str, release: tuple[int, int] | None) -> None:
    assert parse_version(text) == release


def test_what_is_newer_than_all_has_all() -> None:
    for feature in ("dal acl", "baker --without-dal", "client publishes without level"):
        assert has((31, 0), feature)
        assert has(HEAD, feature)


def test_the_baker_learnt_to_do_without_dal_in_a_patch_release() -> None:
    assert not has((21, 2), "baker --without-dal")
    assert has((21, 3), "baker --without-dal")


def test_oxford_had_another_hash_in_its_first_release() -> None:
    assert protocol_hash("oxford", (18, 0)).startswith("ProxfordS")
    assert protocol_hash("oxford", (19, 0)).startswith("ProxfordY")


def test_programs_of_one_protocol_end_in_its_first_letters() -> None:
    assert [protocol_suffix(name) for name in ("nairobi", "paris", "quebec", "r022", "alpha")] == [
        "PtNairob",
        "PtParisB",
        "PsQuebec",
        "PsRiotum",
        "alpha",
    ]
    assert len(PROTOCOLS) == 10


def test_releases_are_shown_as_people_say_them() -> None:
    assert show((21, 3)) == "v21.3"
    assert show(HEAD) == "a development build"
