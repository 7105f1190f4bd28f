"""Completion as it is used: keys pressed in a real bash, zsh and fish, and what the program is then given."""

from __future__ import annotations

import json
import os
import random
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from fixtures_program import PYTHONPATH, in_terminal, wait_for

from octogram_tui.commands.completion import SHELLS

SIGNS = " '\"$`\\!*?~#&;|<>(){}[]%^=:,@é漢"


def odd_names(count: int) -> list[str]:
    """Names that a shell could take for something else, others each time; each begins in its own way."""
    seed = random.randrange(1 << 30)
    print(f"names are of seed {seed}")
    chance = random.Random(seed)
    return [f"s{n}x{''.join(chance.choices(SIGNS, k=6))}y" for n in range(count)]


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
        """Type after the program's name, a tab in it being the key; give the arguments that came of it."""
        self.child.send(f"octogram-tui {text}\r")
        return self._written()

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
