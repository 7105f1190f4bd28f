"""`python -m tools.installs [FOLDER]`: installs what `make dist` made as users do, on every Python, and uses it.

With pip on each of them, with pipx, uv tool and uvx on one, and from the archive of the source. What was installed then
runs a scenario without any network, in a folder where nothing is. All of it happens in a folder that is removed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from interpreters import every_interpreter, version_of  # noqa: E402  # its folder is no package

LOWEST = (3, 11)
LOCK = ROOT / "requirements" / "demo.txt"
LOOPBACK_ONLY = 'ip link set lo up; exec "$@"'
LIMIT_S = 300
AT_ONCE = 3


class InstallFailed(Exception):
    """A way to install it does not work."""


class Place:
    """A folder to install into, with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()
        self._alone = _alone()

    def run(self, *argv: str | Path, is_offline: bool = False, env: Mapping[str, str] | None = None) -> str:
        """Run a program in the home; give what it printed. Raises InstallFailed."""
        words = [str(word) for word in argv]
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OCTOGRAM_", "XDG_"))
        }
        environment = {**kept, "HOME": str(self.home), "CI": "true", **(env or {})}
        environment.pop("VIRTUAL_ENV", None)
        done = subprocess.run(
            [*(self._alone if is_offline else ()), *words],
            cwd=self.home,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        if done.returncode:
            said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
            raise InstallFailed(f"{' '.join(words)}: exit status {done.returncode}\n{said}")
        return done.stdout + done.stderr

    def environment(self, python: str, name: str) -> Path:
        """Make a virtual environment; give its folder of programs."""
        self.run(python, "-m", "venv", self.folder / name)
        return self.folder / name / "bin"

    def use(self, program: Path) -> None:
        """Use what was installed, without a network. Raises InstallFailed."""
        said = self.run(program, "--version", is_offline=True)
        if not said.startswith("octogram-tui "):
            raise InstallFailed(f"{program} --version printed {said!r}")
        self.run(program, "demo", is_offline=True)
        self.run(program, "init", "--no-schema", "mine.yml", is_offline=True)
        self.run(program, "--local", "mine.yml", is_offline=True)
        (self.home / "mine.yml").unlink()
        left = [path for path in self.home.iterdir() if not path.name.startswith(".")]
        if left:
            raise InstallFailed(f"{program} left {left}")


def _alone() -> list[str]:
    """Give the words that cut a program off from every network; none where that is not allowed here."""
    words = ["unshare", "--map-root-user", "--net", "sh", "-c", LOOPBACK_ONLY, "sh"]
    try:
        subprocess.run([*words, "true"], capture_output=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return []
    return words


def ways(wheel: Path, sdist: Path) -> Iterator[tuple[str, Callable[[Place], Path]]]:
    """Give each way to install it: a name, and what does it and gives the program."""

    def with_pip(python: str) -> Callable[[Place], Path]:
        def install(place: Place) -> Path:
            programs = place.environment(python, "environment")
            pip = (programs / "python", "-m", "pip", "--disable-pip-version-check", "--quiet", "install")
            place.run(
                *pip, "--only-binary=:all:", "--no-deps", "--require-hashes", "--requirement", LOCK
            )  # no compiler
            place.run(*pip, "--no-index", "--no-deps", wheel)
            place.run(programs / "python", "-m", "pip", "check")
            return programs / "octogram-tui"

        return install

    def from_source(place: Place) -> Path:
        programs = place.environment(sys.executable, "environment")
        place.run(programs / "python", "-m", "pip", "--disable-pip-version-check", "--quiet", "install", sdist)
        return programs / "octogram-tui"

    def tools(place: Place, name: str) -> Path:
        programs = place.environment(sys.executable, "tools")
        place.run(programs / "python", "-m", "pip", "--disable-pip-version-check", "--quiet", "install", name)
        return programs / name

    def with_pipx(place: Place) -> Path:
        where = {"PIPX_HOME": str(place.folder / "pipx"), "PIPX_BIN_DIR": str(place.folder / "programs")}
        place.run(tools(place, "pipx"), "install", "--python", sys.executable, wheel, env=where)
        return place.folder / "programs" / "octogram-tui"

    def with_uv(place: Place) -> Path:
        where = {f"UV_{name}": str(place.folder / name.lower()) for name in ("TOOL_DIR", "TOOL_BIN_DIR", "CACHE_DIR")}
        where["UV_PYTHON_DOWNLOADS"] = "never"
        uv = tools(place, "uv")
        place.run(uv, "tool", "install", "--python", sys.executable, wheel, env=where)
        said = place.run(
            *(uv, "tool", "run", "--python", sys.executable, "--from", wheel, "octogram-tui", "--version"), env=where
        )
        if "octogram-tui " not in said:
            raise InstallFailed(f"uvx printed {said!r}")
        return place.folder / "tool_bin_dir" / "octogram-tui"

    for python in every_interpreter():
        if tuple(map(int, version_of(python).split("."))) >= LOWEST:
            yield f"pip, Python {version_of(python)}", with_pip(python)
    yield "pip, from the archive of the source", from_source
    yield "pipx", with_pipx
    yield "uv tool, uvx", with_uv


@contextmanager
def place() -> Iterator[Place]:
    """Give a place, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="octogram-install-"))
    try:
        yield Place(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(argv: list[str]) -> int:
    """Try each way; gives the exit code."""
    folder = Path(argv[0] if argv else ROOT / "dist").absolute()
    wheels, sdists = sorted(folder.glob("octogram_tui-*.whl")), sorted(folder.glob("octogram_tui-*.tar.gz"))
    if not wheels or not sdists:
        print(f"installs: there is nothing in {folder}: make dist", file=sys.stderr)
        return 2
    with ThreadPoolExecutor(AT_ONCE) as pool:  # most of it is waiting for a registry
        tried = list(pool.map(_try, *zip(*ways(wheels[-1], sdists[-1]), strict=True)))
    return 0 if all(tried) else 1


def _try(name: str, install: Callable[[Place], Path]) -> bool:
    begun_s = time.monotonic()
    with place() as one:
        try:
            one.use(install(one))
        except (InstallFailed, subprocess.TimeoutExpired) as error:
            print(f"installed by {name}: {error}", file=sys.stderr, flush=True)
            return False
    print(f"installed by {name}: works ({time.monotonic() - begun_s:.0f} s)", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
