"""Where a list of agents comes from, as `--agents` and `agents: {from: ...}` name it."""

from __future__ import annotations

import os
import stat
from typing import Literal, NamedTuple

Kind = Literal["", "ansible", "terraform", "tofu"]
KINDS: tuple[Kind, ...] = ("ansible", "terraform", "tofu")
MOST_WATCHED = 1000
_BESIDE = ("group_vars", "host_vars")


class Source(NamedTuple):
    """One place of agents.

    kind: by which program it is read, where the text says so; empty: whatever the file is
    output: of Terraform's outputs, the one that has the agents; empty: the one that is meant for it
    """

    kind: Kind
    path: str
    output: str = ""

    @property
    def key(self) -> str:
        """Its name among the files of a scenario, and in messages."""
        return f"{f'{self.kind}:' if self.kind else ''}{self.path}{f'#{self.output}' if self.output else ''}"

    def watched(self) -> list[str]:
        """Name the files that make it another list when they change, as far as anybody can tell."""
        if self.kind in ("terraform", "tofu"):
            return [os.path.join(self.path, "terraform.tfstate")]
        found = [self.path]
        roots = [self.path] if os.path.isdir(self.path) else []
        roots += [os.path.join(os.path.dirname(self.path), each) for each in _BESIDE]
        for root in roots:
            for directory, _, names in os.walk(root):
                found += [directory, *(os.path.join(directory, name) for name in sorted(names))]
                if len(found) > MOST_WATCHED:
                    del found[MOST_WATCHED:]
                    return found
        return found


def read_source(text: str, directory: str = "") -> Source:
    """Read PATH, ansible:PATH, terraform:DIRECTORY or tofu:DIRECTORY; of outputs, `#NAME` may stand behind it.

    A path that there is, is meant as it is written. directory: where a relative one begins.
    """

    def at(path: str) -> str:
        return os.path.join(directory, os.path.expanduser(path)) if directory not in ("", ".") else path

    if os.path.exists(at(text)):
        return Source("", at(text))
    kind: Kind = ""
    for each in KINDS:
        if text.startswith(f"{each}:"):
            kind, text = each, text.removeprefix(f"{each}:")
            break
    if "," in text and kind == "ansible" and not os.path.exists(at(text)):
        return Source(kind, text)  # a list of hosts, as Ansible takes it
    path, mark, output = text.rpartition("#")
    if mark and path and not os.path.exists(at(text)):
        return Source(kind, at(path), output)
    return Source(kind, at(text))


def is_program(path: str) -> bool:
    """Tell whether a file is one to be run: executable, and a script or a binary. Some disks call all executable."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode) or not os.access(path, os.X_OK):
            return False
        with open(path, "rb") as file:
            return file.read(4).startswith((b"#!", b"\x7fELF", b"MZ"))
    except OSError:
        return False
