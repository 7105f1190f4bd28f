"""The pages say what the code does, and the commands that they print exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from octogram_tui.errors import EXIT_TEXTS
from tools import pages

ROOT = Path(__file__).resolve().parents[2]
MARKDOWN = sorted(path for folder in (".", "docs", "octogram_tui", "agentd") for path in (ROOT / folder).glob("*.md"))


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda path: path.name)
def test_make_commands_of_a_page_exist(page: Path) -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z]+)\b", page.read_text(), re.MULTILINE))
    assert named <= targets()


def test_the_readme_names_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text()
    assert "make demo" in text
    assert "make test" in text


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda path: path.name)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda path: path.name)
def test_anchors_of_a_page_exist(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)]+)\)", page.read_text()):
        if "://" in target:
            continue
        text = (page.parent / target).read_text() if target else page.read_text()
        heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
        anchors = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
        assert anchor in anchors, f"{page.name} links to {target}#{anchor}"


def test_what_a_newcomer_is_sent_to_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"`((?:octogram_tui|agentd|tests|tools|docs|themes|requirements)(?:/[\w./-]+)?)`", text))
    assert len(named) > 20
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_every_kind_of_addition_is_explained() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for kind in ("procedure", "verb", "widget", "event", "command"):
        assert re.search(rf"^\| an? {kind}\b[^|]*\|[^|]*`[^|]*\|[^|]*\|[^|]*`tests/[^|]*\|$", text, re.MULTILINE), kind


def test_generated_pages_are_current() -> None:
    assert list(pages.stale()) == [], "run `make docs`"


def test_checking_the_pages_writes_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert pages.main(["--check"]) == 0
    monkeypatch.setattr(pages, "PAGES", {"docs/events.md": lambda _: "something else"})
    before = (ROOT / "docs/events.md").read_text()
    assert pages.main(["--check"]) == 1
    assert "docs/events.md is not what the code says" in capsys.readouterr().err
    assert (ROOT / "docs/events.md").read_text() == before


def test_every_exit_code_is_documented() -> None:
    text = (ROOT / "docs/command-line.md").read_text()
    for code, meaning in EXIT_TEXTS.items():
        if code < 128:
            assert re.search(rf"^\| {int(code)} \| {re.escape(meaning)}", text, re.MULTILINE), code
        else:
            assert str(int(code)) in text


def test_what_the_architecture_names_is_there() -> None:
    text = (ROOT / "octogram_tui" / "ARCHITECTURE.md").read_text()
    named = set(re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.py)?)`", text))
    assert len(named) > 50
    places = (ROOT, ROOT / "octogram_tui", ROOT / "agentd")
    assert sorted(path for path in named if not any((place / path).exists() for place in places)) == []
