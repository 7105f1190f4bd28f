"""Completion as it is used: keys pressed in a real bash, zsh and fish, and what the program is then given."""

from __future__ import annotations

import fcntl
import json
import os
import random
import shlex
import shutil
import struct
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from fixtures_program import PYTHONPATH, in_terminal, wait_for
from hypothesis import settings

from octogram_tui.commands.completion import SHELLS

SIGNS = " '\"$`\\!*?~#&;|<>(){}[]%^=:,@é漢"


def odd_names(count: int) -> list[str]:
    """Names that a shell could take for something else, others each time; each begins in its own way.

    Each has a letter of several bytes: what comes after it is elsewhere for who counts these.
    """
    seed = 0 if settings().derandomize else random.randrange(1 << 30)
    print(f"names are of seed {seed}")
    chance = random.Random(seed)
    return [f"s{n}x{''.join(chance.choices(SIGNS, k=5))}{chance.choice('é漢')}y" for n in range(count)]


class Typist:
    """A shell on a terminal. The program there only completes; a whole command line is written down instead of run."""

    def __init__(self, shell: str, home: Path) -> None:
        self.home = home
        self.given = home / "given"
        folder = home / "bin"
        folder.mkdir()
        program = folder / "octogram-tui"
        write_down = "import json, sys; open(sys.argv[1], 'w').write(json.dumps(sys.argv[2:]) + chr(10))"
        program.write_text(
            "#!/bin/sh\n"
            f'test -t 1 || exec {sys.executable} -m octogram_tui "$@"\n'
            f'exec {sys.executable} -I -c {shlex.quote(write_down)} {self.given} "$@"\n'
        )
        program.chmod(0o755)
        for name in ("notes.txt", "s.yml"):
            (home / name).touch()
        environment = {
            **os.environ,
            "PATH": f"{folder}:{os.environ['PATH']}",
            "PYTHONPATH": PYTHONPATH,
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm",
            "PS1": "> ",
            "ZDOTDIR": str(home),
            "INPUTRC": "/dev/null",
        }
        arguments = {
            "bash": ["--noprofile", "--norc", "-i"],
            "zsh": ["-f", "-i"],
            "fish": ["--no-config", "-i"],
        }[shell]
        self.child = in_terminal([shell, *arguments], env=environment, cwd=home, size=(300, 40))
        self.child.delaybeforesend = None
        self.terminal = os.readlink(f"/proc/{self.child.pid}/fd/0")
        begin = {
            "bash": "source <(octogram-tui completion bash)",
            "zsh": "autoload -U compinit; compinit -u -D; source <(octogram-tui completion zsh)",
            "fish": "octogram-tui completion fish | source",
        }[shell]
        self.child.send(f"{begin}; octogram-tui ready\r")
        assert self._written() == ["ready"]

    def _written(self) -> list[str]:
        wait_for(lambda: self.given.exists() and self.given.read_text().endswith("\n"))
        given: list[str] = json.loads(self.given.read_text())
        self.given.unlink()
        return given

    def type(self, text: str) -> list[str]:
        """Type after the program's name, a tab in it being the key; give the arguments that came of it.

        Nothing is typed ahead: a shell that sets its terminal for what completes may throw that away.
        """
        *before_tabs, rest = f"octogram-tui {text}\r".split("\t")
        for piece in before_tabs:
            self.child.send(f"{piece}\t")
            wait_for(lambda: all(self._waits_for_keys() for _ in range(3)))
        self.child.send(rest)
        return self._written()

    def _waits_for_keys(self) -> bool:
        time.sleep(0.01)
        process = Path(f"/proc/{self.child.pid}")
        terminal = os.open(self.terminal, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            [unread] = struct.unpack("i", fcntl.ioctl(terminal, termios.FIONREAD, bytes(4)))
        finally:
            os.close(terminal)
        children = [tid.read_text() for tid in process.glob("task/*/children")]
        return (
            not unread
            and not any(children)
            and process.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "S"
        )

    @property
    def screen(self) -> str:
        """Give what was shown since the last look."""
        self.child.send("echo lo''ok-done\r")
        self.child.expect_exact("look-done")
        return str(self.child.before)

    def close(self) -> None:
        """End the shell."""
        self.child.close(force=True)


@pytest.fixture(params=SHELLS)
def typist(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Typist]:
    if shutil.which(request.param) is None:
        pytest.skip(f"there is no {request.param}")
    typist = Typist(request.param, tmp_path)
    yield typist
    typist.close()


@pytest.mark.terminal
@pytest.mark.shells
def test_what_a_tab_gives_is_what_the_program_gets(typist: Typist) -> None:
    names = odd_names(2)
    scenario = {
        "agents": [{"name": "first_agent", "transport": "local"}],
        "vars": {"level_of_it": 1},
        "stages": [{"name": name, "jobs": [{"name": "only", "builtins.sleep": 0}]} for name in names],
    }
    (typist.home / "s.yml").write_text(yaml.safe_dump(scenario, allow_unicode=True))
    (typist.home / ".state/octogram-tui/runs/20200101-000000-old-ab").mkdir(parents=True)
    assert typist.type("comple\tzs\t") == ["completion", "zsh"]
    for name in names:
        assert typist.type(f"s.yml --from {name[:3]}\t") == ["s.yml", "--from", name]
    assert typist.type("s.yml --until=s1\t--limi\tfir\t") == ["s.yml", f"--until={names[1]}", "--limit", "first_agent"]
    assert typist.type("s.yml --var lev\t2 --junit no\t") == ["s.yml", "--var", "level_of_it=2", "--junit", "notes.txt"]
    assert typist.type("check s.\t--format gi\t") == ["check", "s.yml", "--format", "github"]
    assert typist.type("s.yml --from nothing\t") == ["s.yml", "--from", "nothing"]
    with (typist.home / "s.yml").open("a") as file:
        file.write("- broken: [")
    assert typist.type("s.yml --from s1\t") == ["s.yml", "--from", names[1]]
    assert typist.screen.count("rror") == 0, typist.screen
