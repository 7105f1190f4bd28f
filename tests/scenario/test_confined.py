"""What would write outside of the home directory, or open it to everybody, is seen before a run."""

from __future__ import annotations

import pytest
from scenario_family import job, job_problems


@pytest.mark.fault(83)
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("builtins.tar: {action: create, contents: x, archive: 'self://../a.tgz'}", "`archive` leads out of"),
        ("builtins.tar: {action: create, contents: x, archive: 'self:///tmp/a.tgz'}", "`archive` must be relative"),
        ("builtins.tar: {action: extract, contents: a/../../b, archive: 'self://a.tgz'}", "`contents` leads out of"),
        ("builtins.tar: {action: extract, contents: /tmp, archive: 'self://a.tgz'}", "`contents` must be relative"),
    ],
)
def test_tar_that_leads_out_of_the_home_directory_is_refused(body: str, words: str) -> None:
    (found,) = [problem.message for problem in job_problems(body) if not problem.is_warning]
    assert words in found


@pytest.mark.parametrize(
    "body",
    [
        "builtins.tar: {action: create, contents: ../data/node, archive: 'self://a.tgz'}",
        "builtins.tar: {action: extract, contents: a/../b, archive: 'self://../data/a.tgz'}",
        "builtins.tar: {action: extract, contents: '{{ vars.x }}', archive: 'self://a.tgz'}",
        "builtins.start_http_server: {public: true, directory: site}",
        "builtins.start_http_server: {}",
    ],
)
def test_what_stays_inside_or_only_reads_is_not(body: str) -> None:
    assert [problem.message for problem in job(body, variables="x: sub" if "vars.x" in body else "").warnings] == []


@pytest.mark.fault(89)
@pytest.mark.parametrize("more", ["", ", directory: .", ", directory: sub/.."])
def test_a_home_directory_that_is_open_to_everybody_is_warned_of(more: str) -> None:
    (found,) = job(f"builtins.start_http_server: {{public: true{more}}}").warnings
    assert "all of the agent's home directory" in found.message
