"""The page of all figures, from what benchmarks print: canned here, for nothing is measured in a test."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


def of_bench(name: str) -> Any:
    """Import a script of bench/, which is no package."""
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


bench_page, bench_paired = of_bench("page"), of_bench("paired")
TABLE = "Work (3 rounds)\n\n| contender | median s |\n|---|---|\n| bare | 1.00 |"


def canned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scripts: dict[str, str]) -> Path:
    """Have the page run small scripts in the place of the benchmarks; gives where it is written."""
    for name, source in scripts.items():
        (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.setattr(bench_page, "HERE", tmp_path)
    monkeypatch.setattr(bench_page, "PAGE", tmp_path / "performance.md")
    monkeypatch.setattr(bench_page, "machine", lambda: "Taken on a machine.")
    sections = [bench_page.Section(name, f"About {name}", ("3",), f"Why {name}.") for name in scripts]
    monkeypatch.setattr(bench_page, "SECTIONS", sections)
    return tmp_path / "performance.md"


def build(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["page.py", *words])
    with pytest.raises(SystemExit) as ended:
        bench_page.main()
    return int(ended.value.code or 0)


def test_targets_stand_on_top_and_a_failure_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    met = f"print({TABLE!r})\nprint('target: speed | 2.00 x | at least 1 x | met')"
    fails = f"print({TABLE!r}, flush=True)\nraise SystemExit('no fabric')"
    path = canned(tmp_path, monkeypatch, {"one": met, "two": fails, "three": "print('| a |')"})
    assert build(monkeypatch) == 1
    text = path.read_text()
    top = text[: text.index("## About one")]
    assert "1 of 2 are met; 1 could not be measured here." in top
    assert "| speed | 2.00 x | at least 1 x | met | [`one`](#about-one) |" in top
    assert "**not measured: it failed** | [`two`](#about-two) |" in top
    assert "`python bench/two.py 3` ended with 1: no fabric" in text
    assert [text.count(f"## About {name}\n") for name in ("one", "two", "three")] == [1, 1, 1]
    assert text.count(TABLE) == 2
    assert all(f"\n    python bench/{name}.py 3\n" in text for name in ("one", "two", "three"))


def test_only_what_is_named_is_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = (
        "from pathlib import Path\nseen = Path(__file__).with_suffix('.n')\n"
        "seen.write_text((seen.read_text() if seen.exists() else '') + '.')\n"
        "print('target: ' + seen.stem, len(seen.read_text()), '| 1.00 x | at most 2 x | met')"
    )
    path = canned(tmp_path, monkeypatch, dict.fromkeys(("one", "two", "two-more", "three"), counts))

    def written(*words: str) -> str:
        assert build(monkeypatch, *words) == 0
        return re.sub(r", in \d+ s", "", path.read_text())

    before = written()
    assert written("three") == before.replace("three 1", "three 2")
    again = before.replace("three 1", "three 2").replace("two 2", "two 4").replace("two 1", "two 3")
    assert written("two") == again, "all sections of a script"


def test_what_was_not_measured_is_told_with_its_target(capsys: pytest.CaptureFixture[str]) -> None:
    bench_paired.tell("fabric to it", None, at_least=2.2, why="fabric is not installed")
    bench_paired.tell("share", 95.0, at_least=90, unit="%")
    bench_paired.tell("cost", 0.2, at_most=0.1, unit="ms")
    assert capsys.readouterr().out.splitlines() == [
        "target: fabric to it | - | at least 2.2 x | not measured: fabric is not installed",
        "target: share | 95.00 % | at least 90 % | met",
        "target: cost | 0.200 ms | at most 0.1 ms | not met",
    ]


def test_every_section_has_a_script_and_every_script_a_section() -> None:
    scripts = {section.script for section in bench_page.SECTIONS}
    assert [name for name in scripts if not (BENCH / f"{name}.py").exists()] == []
    told = {path.stem for path in BENCH.glob("*.py") if re.search(r"^ +tell\(", path.read_text(), re.MULTILINE)}
    assert sorted(told - scripts) == []
    listed = (BENCH / "README.md").read_text()
    assert [name for name in scripts if f"bench/{name}.py" not in listed] == []
    assert len({section.link for section in bench_page.SECTIONS}) == len(bench_page.SECTIONS)
