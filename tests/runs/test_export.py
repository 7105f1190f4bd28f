"""`octogram-tui export` as its users call it: of a real run, of one that is damaged, and where it writes what."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from exported import numbered, run_of, written
from fixtures_program import PROGRAM, Place

from octogram_tui.errors import JournalError
from octogram_tui.export.written import check_target

SCENARIO = """
agents: [{name: 'n_{1..3}', transport: local}]
vars: {level: 3, token: none}
stages:
  - name: measure
    jobs:
      - name: read
        builtins.shell:
          script: 'echo "token $T"; test "$N" != n_2 || { echo "no route to host" >&2; exit 3; }'
          env: {N: '{{ agent.name }}', T: '{{ vars.token }}'}
"""
SECRET = "correct-horse-battery"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One run, which failed, for all that only look at it."""
    place = Place(tmp_path_factory.mktemp("ran"), {"SITE_TOKEN": SECRET})
    inside = place.home / SECRET  # also in paths, as CI services name them after what they were given
    inside.mkdir()
    place.write("s.yml", SCENARIO)
    words = ["--junit", "../own.xml", f"--events=e-{SECRET}", "--secret", "token=env:SITE_TOKEN", "-e", "level=4"]
    done = place.run("../s.yml", *words, cwd=inside)
    assert done.returncode == 1, done.stderr
    return place


def run_dir(place: Place) -> Path:
    (found,) = (each for each in place.runs_dir.iterdir() if each.is_dir())
    return found


KINDS = [("--html", "html"), ("--json", "json"), ("--junit", "junit.xml"), ("--chrome-trace", "trace.json")]


@pytest.mark.parametrize(("option", "ending"), KINDS)
def test_each_kind_goes_into_a_file_named_after_the_run(ran: Place, tmp_path: Path, option: str, ending: str) -> None:
    done = ran.run("export", "last", option, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    (made,) = tmp_path.iterdir()
    assert made.name == f"{run_dir(ran).name}.{ending}"
    assert f"{made.name}: " in done.stderr
    text = made.read_text()
    assert SECRET not in text
    assert "no route to host" in text
    if ending == "junit.xml":
        assert made.read_bytes() == (ran.home / "own.xml").read_bytes()
    elif ending == "html":
        assert ran.run("export", "last", option, cwd=tmp_path).returncode == 0  # over our own


def test_the_page_tells_the_surroundings_and_the_scenario(ran: Place) -> None:
    page = ran.run("export", "last", "-o", "-").stdout
    assert "--secret token=(hidden)" in page.replace("&#39;", "")
    assert "level=4" in page
    assert "--events=e-(secret token)" in page.replace("&#39;", "")
    assert '<li id="L5"><code>  - name: measure</code></li>' in page
    assert "(secret token)" in page
    bare = ran.run("export", "last", "--no-scenario", "-o", "-").stdout
    assert "it was left out (--no-scenario)" in bare
    assert '<li id="L5">' not in bare


def test_a_scenario_with_the_value_of_a_secret_in_it_is_left_out(place: Place) -> None:
    place.extra["SITE_TOKEN"] = SECRET
    text = SCENARIO.replace("token $T", f"token {SECRET} $T").replace("1..3", "1..2")
    place.write("s.yml", text)
    assert place.run("s.yml", "--secret", "token=env:SITE_TOKEN", "-e", f"level={SECRET}").returncode == 1
    page = place.run("export", "last", "-o", "-").stdout
    assert SECRET not in page
    assert "the value of a secret stands in it" in page
    assert SECRET not in place.run("export", "last", "--json", "-o", "-").stdout


def test_a_commit_is_named_when_it_has_the_text_of_the_run(ran: Place) -> None:
    def git(*words: str) -> str:
        who = ["-c", "user.name=n", "-c", "user.email=n@site"]
        return subprocess.run(["git", *who, *words], cwd=ran.home, check=True, capture_output=True, text=True).stdout

    git("init", "-q")
    git("add", "s.yml")
    git("commit", "-qm", "one")
    commit = git("rev-parse", "HEAD").strip()
    name = "git commit of the scenario"
    facts = json.loads(ran.run("export", "last", "--json", "-o", "-").stdout)["environment"]
    assert facts[name] == commit
    (ran.home / "s.yml").write_text(SCENARIO + "# edited\n")
    git("commit", "-qam", "two")
    facts = json.loads(ran.run("export", "last", "--json", "-o", "-").stdout)["environment"]
    assert facts[name].endswith("where the file has another text")
    shutil.rmtree(ran.home / ".git")


def test_a_file_that_is_no_report_is_not_overwritten(ran: Place) -> None:
    notes = ran.write("notes.html", "<p>mine</p>")
    done = ran.run("export", "last", "-o", "notes.html")
    assert done.returncode == 2
    assert "notes.html is there, and is no report of ours" in done.stderr
    assert notes.read_text() == "<p>mine</p>"
    assert ran.run("export", "last", "-o", "notes.html", "--force").returncode == 0
    assert notes.read_text().startswith("<!doctype html>")
    with pytest.raises(JournalError, match="no such directory"):
        check_target(ran.home / "nowhere/x.html", force=False)


def test_what_is_damaged_is_exported_up_to_there(ran: Place, tmp_path: Path) -> None:
    shutil.copytree(run_dir(ran), tmp_path / "copy")
    journal = tmp_path / "copy" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[-4] = lines[-4].replace(b"at_s", b"at_t")
    journal.write_bytes(b"".join(lines))
    done = ran.run("export", str(tmp_path / "copy"), "--json", "-o", "-")
    assert done.returncode == 0
    assert "what comes before the damage is exported" in done.stderr
    told = json.loads(done.stdout)
    assert (told["state"], told["exit_code"]) == ("damaged", None)
    assert f"journal.jsonl:{len(lines) - 3}: " in told["damage"]
    journal.write_bytes(b"".join(lines[:-4]))
    cut = json.loads(ran.run("export", str(tmp_path / "copy"), "--json", "-o", "-").stdout)
    assert cut["state"] == "crashed"
    (tmp_path / "copy" / "journal.jsonl").write_bytes(b"nothing of ours\n")
    assert ran.run("export", str(tmp_path / "copy"), "-o", "-").returncode == 9


def test_a_file_of_events_is_a_run_too(place: Place) -> None:
    written(place.home / "e.jsonl", run_of())
    assert place.run("export", "e.jsonl").returncode == 0
    assert "measure/send@n_3" in (place.home / "e.html").read_text()
    assert place.run("export", "nothing").returncode == 9


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--json", "--rows", "5"], "--rows is of a page"),
        (["--by", "stage"], "--by is of a trace"),
        (["--rows", "0"], "is not a number from 1"),
        (["--json", "--html"], "not allowed with"),
    ],
)
def test_what_means_nothing_is_refused(place: Place, words: list[str], said: str) -> None:
    done = place.run("export", "last", *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_reader_that_leaves_is_no_error(place: Place) -> None:
    written(place.home / "e.jsonl", numbered(run_of(lines=["x" * 1500] * 200)))
    read, write = os.pipe()
    process = subprocess.Popen(
        [*PROGRAM, "export", "e.jsonl", "-o", "-"],
        env=place.environment,
        cwd=place.home,
        stdout=write,
        stderr=subprocess.PIPE,
    )
    os.close(write)
    assert os.read(read, 10)
    os.close(read)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, b"")
