"""Which texts of secrets a service is told of, and when; by which way, tests/runs/test_in_ci.py tries for real."""

from __future__ import annotations

import os

import pytest

from octogram_tui.report import announcement
from octogram_tui.report.announcement import MOST_LINES, announce, is_of_the_service, worth_hiding
from octogram_tui.report.service import Service
from octogram_tui.secrecy.masker import Masker


class Listener(Service):
    """A service that is told by no log."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def mask(self, value: str) -> list[str]:
        self.told.append(value)
        return []


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("sesame", ["sesame"]),
        ("short", []),
        ("", []),
        ("  sesame\n", ["sesame"]),
        ("-----BEGIN KEY-----\r\nMIIEpAIBAAKCAQEA7\r}\n-----END KEY-----", ["MIIEpAIBAAKCAQEA7"]),
        ('{\n  "user": 1,\n  "pass": "x"\n}', ['"user": 1,', '"pass": "x"']),
    ],
)
def test_what_is_short_stays_unsaid(value: str, texts: list[str]) -> None:
    assert worth_hiding(value) == texts


def test_every_value_is_told_once() -> None:
    masker, service = Masker(), Listener()
    masker.learn("token", "sesame open")
    masker.learn("other", "sesame open")
    masker.learn("pin", "1234")
    announce(masker, service)
    assert service.told == ["sesame open"]


def test_without_secrets_there_is_nothing_to_tell(capsys: pytest.CaptureFixture[str]) -> None:
    service = Listener()
    service.prints_masks = True
    announce(Masker(), service)
    assert (service.told, capsys.readouterr().err) == ([], "")


def test_values_that_come_later_are_told_before_they_are_masked_and_not_without_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    masker, service = Masker(), Listener()
    service.name, service.prints_masks = "github", True
    monkeypatch.setattr(announcement, "is_of_the_service", lambda stream, variable: True)
    masker.learn("token", "sesame open")
    announce(masker, service)
    masker.learn_anew("token", [f"value number {n}" for n in range(MOST_LINES + 20)])
    assert service.told[:2] == ["sesame open", "value number 0"]
    assert len(service.told) == MOST_LINES
    assert capsys.readouterr().err == f"octogram-tui: github is told of {MOST_LINES} secret texts, and of no more\n"


def test_a_file_and_a_pipe_of_ours_are_not_the_service_s(tmp_path: object) -> None:
    read_end, write_end = os.pipe()
    with open(read_end), open(write_end, "w") as pipe, open(os.devnull, "w") as nowhere:
        assert not is_of_the_service(pipe, "GITHUB_ACTIONS")
        assert not is_of_the_service(nowhere, "GITHUB_ACTIONS")
