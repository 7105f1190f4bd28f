"""The scenario that the pretended run pretends to be: its text, and the lines of its stages and jobs."""

from __future__ import annotations

from typing import NamedTuple

from tools.pretended_plan import ACTS

HEAD = """\
# An experiment with a network of nodes. Nothing of it is real.
agents:
  - name: 'node-{0..11}'
    address: 10.0.0.{1..12}

vars:
  network: ghostnet
  slots: 4
  proto: PtParis

stages:"""


class PretendedText(NamedTuple):
    """The text, and the line of each stage, and of each job by stage and job."""

    text: str
    lines: dict[tuple[str, ...], int]


def pretended_text() -> PretendedText:
    """Write the acts as a scenario."""
    written = HEAD.split("\n")
    lines: dict[tuple[str, ...], int] = {}
    for act in ACTS:
        lines[act.name,] = len(written) + 1
        written.append(f"  - name: {act.name}")
        written += ["    ask_confirmation: true"] if act.asks else []
        written += ["    always: true"] if act.always else []
        written.append("    jobs:")
        for job in act.jobs:
            lines[act.name, job.name] = len(written) + 1
            written += [
                f"      - name: {job.name}",
                f"        {job.procedure}:",
                f"          argv: [{job.name.replace(' ', '-')}, --endpoint, self://node]",
                "          network: '{{ vars.network }}'",
                "          timeout: 30s",
            ]
            written += [f"        with_items: '1..{job.items}'"] if job.items else []
            written += ["        vars_updates:", f"          {job.sets}: '{{{{ res.level }}}}'"] if job.sets else []
    return PretendedText("\n".join([*written, ""]), lines)
