"""Writing back into files of every style: what is written loads to exactly that value, or is refused and nothing is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from octogram_tui.errors import ScenarioError
from octogram_tui.scenario.documents import read_document
from octogram_tui.scenario.edit import change_variable
from octogram_tui.scenario.edit_arguments import change_arguments
from octogram_tui.scenario.load import load_scenario
from octogram_tui.scenario.tree import plain

HEAD = """\
# head
agents: [{name: a, transport: local}]   # one
"""
STYLES = [
    """\
vars:   # all of them
  level: 1   # how high
  other: [1, 2]   # two
stages:
  - name: s
    jobs:
      - name: j   # the job
        builtins.shell:
          script: |  # runs
            echo {{ vars.level }}
          env: {LEVEL: "1", other: x}   # flow
      - name: k
        builtins.shell: "true"   # short
""",
    """\
vars: {level: 1, other: [1, 2]}   # flow
stages:
- name: s
  jobs: [{name: j, builtins.shell: {script: 'echo {{ vars.level }}', env: {LEVEL: "1", other: x}}},
         {name: k, builtins.shell: 'true'}]
""",
    """\
vars:
  base: &base {LEVEL: "1", other: x}   # shared
  level: &level 1
  other: [*level, 2]
stages:
  - name: s
    jobs:
      - name: j
        builtins.shell:
          script: "echo {{ vars.level }}"
          env: *base   # as above
      - name: k
        builtins.shell: "true"
""",
    """\
vars:
  level: 1
  other: [1, 2]
  all: &all
    script: "echo {{ vars.level }}"
    env:
      LEVEL: '1'   # mine
      other: x
stages:
    - name: s   # four in
      jobs:
        - name: j
          builtins.shell: &job
            <<: *all
            expect: 0
        - name: k
          builtins.shell: *job
""",
]  # fmt: skip
WORDS = st.sampled_from(
    ["x", "8732", "yes", "no", "on", "~", "null", "", " a ", "1:30", "0x1f", "1e3", "010", "a: b", "- a", "# no", "é中",
     "a\nb", "a\nb\n", "\na", "a\n\n b\n", "tab\there", "'", '"', "*a", "&a", "!x", "{a", "[b", "%d", "@", "`",
     "1_000", ".5", "=", ":a"]
)  # fmt: skip
SCALARS = st.one_of(WORDS, st.text(max_size=6), st.integers(-(10**20), 10**20), st.booleans(), st.none())
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=5
)
MANY = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(tmp_path: Path, style: str) -> Path:
    path = tmp_path / "s.yml"
    path.write_text(HEAD + style)
    return path


def exact(value: Any) -> str:
    """A value as it is: 1, 1.0 and true are others."""
    return repr(plain(value))


def comments(text: str) -> set[str]:
    """The comments of a style: none of its values holds a hash."""
    return {line.partition("# ")[2] for line in text.split("\n") if "# " in line}


def was_written(path: Path, style: str, write: Callable[[], None]) -> bool:
    """Whether something was written; if not, the file is as it was, and one line says why."""
    text, problem = path.read_text(), ""
    try:
        write()
    except ScenarioError as error:
        problem = error.problems[0].message
    if not problem:
        return True
    assert path.read_text() == text
    assert "\n" not in problem
    assert "&" in style, "without anchors everything can be written"
    return False


def root_of(path: Path) -> Any:
    return plain(read_document(str(path)).root)


@MANY
@given(style=st.sampled_from(STYLES), name=st.sampled_from(["level", "other", "new"]), value=VALUES)
def test_a_variable_is_exactly_what_it_was_to_be_and_all_else_is_as_it_was(
    tmp_path: Path, style: str, name: str, value: Any
) -> None:
    path = written(tmp_path, style)
    before, text = root_of(path), path.read_text()
    is_written = was_written(path, style, lambda: change_variable(str(path), name, value))
    assert os.listdir(tmp_path) == ["s.yml"]
    if not is_written:
        return
    after = root_of(path)
    assert exact(after["vars"].pop(name)) == exact(value)
    before["vars"].pop(name, None)
    assert exact(after) == exact(before)
    # What is said of a list goes with its place, as nothing else does.
    assert not [each for each in comments(text) - {"two"} if f"# {each}" not in path.read_text()]


def arguments_of(path: Path, job: str) -> dict[str, Any]:
    scenario = load_scenario(str(path)).scenario
    return next(each for each in scenario.stages[0].jobs if each.key == job).arguments.raw()


@MANY
@given(
    style=st.sampled_from(STYLES),
    job=st.sampled_from(["j", "k"]),
    values=st.dictionaries(
        st.sampled_from([("script",), ("expect",), ("env", "LEVEL"), ("env", "NEW"), ("cwd",)]),
        st.text("abc xyz'\"#:-\n", min_size=1, max_size=8).filter(str.strip),
        min_size=1,
        max_size=2,
    ),
)
def test_an_argument_is_exactly_what_it_was_to_be(
    tmp_path: Path, style: str, job: str, values: dict[tuple[str, ...], Any]
) -> None:
    values = {
        names: 3 if names == ("expect",) else "d" if names == ("cwd",) else value for names, value in values.items()
    }
    path = written(tmp_path, style)
    other = "k" if job == "j" else "j"
    untouched = exact(arguments_of(path, other))
    if not was_written(path, style, lambda: change_arguments(str(path), "s", job, "builtins.shell", values)):
        return
    found = arguments_of(path, job)
    for (name, *parts), value in values.items():
        assert exact(found[name][parts[0]] if parts else found[name]) == exact(value)
    assert exact(arguments_of(path, other)) == untouched


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\n---\nvars: {level: 1}\n", "there is a second document in this file"),
        ("- a\n", "there is no `vars.level` in this file"),
        ("vars: [1]\n", "there is no `vars.level` in this file"),
        ("vars: {level: 1\n", ""),
    ],
)
def test_what_is_no_such_file_is_refused_in_a_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "s.yml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        change_variable(str(path), "level", 2)
    assert message in caught.value.problems[0].message
    assert path.read_text() == text
