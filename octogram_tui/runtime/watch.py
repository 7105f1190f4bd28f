"""Edits of the scenario's files become stimuli. The only importer of watchfiles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from octogram_tui.engine.stimuli import ScenarioEdited, Stimulus
from octogram_tui.errors import Problem, ScenarioError
from octogram_tui.model.scenario import Scenario

DEBOUNCE_MS = 200


async def watch_scenario(
    scenario: Scenario, load: Callable[[], Scenario], submit: Callable[[Stimulus], None]
) -> None:
    """Reload after every edit, until cancelled. Directories are watched: editors replace files.

    load: reads the scenario anew; runs in a thread. Content decides: a file saved unchanged is no edit.
    """
    from watchfiles import awatch

    digest = scenario.digest
    rejected: tuple[Problem, ...] = ()
    files: Sequence[str] = scenario.files
    while True:
        paths = {Path(f).absolute() for f in files}
        folders = {str(p.parent) for p in paths if p.parent.is_dir()}
        if not folders:
            return

        def is_ours(_: object, path: str, paths: set[Path] = paths) -> bool:
            return Path(path).absolute() in paths

        async for _ in awatch(*folders, watch_filter=is_ours, debounce=DEBOUNCE_MS, recursive=False):
            try:
                new = await asyncio.to_thread(load)
            except ScenarioError as error:
                problems = tuple(error.problems)
                if problems != rejected:
                    rejected = problems
                    submit(ScenarioEdited(None, problems))
                continue
            if new.digest != digest or rejected:
                digest, rejected = new.digest, ()
                submit(ScenarioEdited(new))
            if set(new.files) != set(files):
                files = new.files
                break  # watch the new set
        else:
            return
