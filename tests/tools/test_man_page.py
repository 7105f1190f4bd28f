"""The pages of `man` are what `man` wants, and show what was written."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from octogram_tui.commands import COMMANDS
from tools import man_page
from tools.parsers import all_parsers

ROOT = Path(__file__).resolve().parents[2]


def shown(path: str) -> str:
    """Give a page as a reader sees it. Fails for whatever `man` would warn of."""
    done = subprocess.run(
        ["man", "--warnings", "-l", str(ROOT / path)],
        env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MAN_KEEP_FORMATTING": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not done.stderr
    return re.sub("\x1b\\[[0-9;]*m|.\x08", "", done.stdout)


@pytest.mark.shells
def test_man_shows_every_page_without_a_warning() -> None:
    if shutil.which("man") is None:
        pytest.skip("there is no man")
    for path in man_page.paths():
        command = path.removesuffix(".1").partition("octogram-tui-")[2]
        text = " ".join(shown(path).split())
        for action in all_parsers()[command]._actions:
            if action.help == argparse.SUPPRESS:
                continue
            assert all(option in text for option in action.option_strings), (path, action.option_strings)
        assert "EXAMPLES octogram-tui" in text
    assert "OCTOGRAM_HOST_KEYS" in shown(man_page.paths()[0])


def test_every_command_is_there() -> None:
    found = {Path(path).stem for path in man_page.paths()}
    assert found == {"octogram-tui", *(f"octogram-tui-{name}" for name in COMMANDS if name not in ("help", "demo"))}
    assert {path.stem for path in (ROOT / man_page.FOLDER).iterdir()} == found


@pytest.mark.parametrize(
    ("text", "written"), [(".x", "\\&.x"), ("a-b", "a\\-b"), ("\\n", "\\en"), ("'x'", "\\(aqx\\(aq")]
)
def test_what_roff_would_take_for_its_own_is_escaped(text: str, written: str) -> None:
    assert man_page._text(text) == written
