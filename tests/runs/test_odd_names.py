"""Every name that a file system allows travels, whichever way a file goes: the names are made by a machine.

One run of real daemons: what a scenario does with each name leaves a file whose content is the name's number.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest
from fixtures_program import Place

CHOSEN = [
    "a b",
    "a?b=c",
    "a#b",
    "a%41b",
    "100%",
    "%2e%2e",
    "a+b&c;d",
    "host:1",
    "-rf",
    "--help",
    "@list",
    "~",
    "[a]*{b,c}",
    "$(id)`id`",
    "'\"\\",
    "a\\101\\n-",
    "\\",
    "a\nb",
    "\rb",
    "日本語",
    "é\u0301\u202e",
    "\udcff\udc80x",
    "{{ vars.names }}",
    ".hidden.",
    "x" * 255,
    "ж" * 127,
]
"""What has a meaning to some reader of names."""


def made_names(seed: int, count: int) -> list[str]:
    """Give names of random bytes, without `/`, NUL and a line break at the end."""
    chance = random.Random(seed)
    alphabet = bytes(range(1, 256)) + b" %?#+:-.&=\\\"'\n" * 12
    names: set[str] = set()
    while len(names) < count:
        raw = bytes(chance.choice(alphabet) for _ in range(chance.randint(1, 24))).replace(b"/", b"_")
        if raw not in (b".", b"..") and not raw.endswith((b"\n", b"\r")):
            names.add(os.fsdecode(raw))
    return sorted(names)


NAME = "{{ vars.names[item] }}"
URL = "{{ vars.names[item] | urlencode }}"


def scenario(names: list[str], items: str) -> str:
    """Give a scenario in which each name goes every way."""

    def job(name: str, **body: object) -> dict[str, object]:
        return {
            "name": name,
            "with_items": items,
            "run_items": "concurrent",
            **{k.replace("__", "."): v for k, v in body.items()},
        }

    owner = [
        {"name": "tree", "copy": {"local_path": "tree", "remote_path": "srv"}},
        {"name": "serve", "builtins.start_http_server": {"directory": "srv"}},
        job("copied", copy={"local_path": f"tree/{NAME}", "remote_path": f"copied/{NAME}"}),
        job("there", builtins__wait_for={"file": f"copied/{NAME}", "timeout": 60}),
        job("written", builtins__write_file={"path": f"written/{NAME}", "content": "{{ item }}"}),
        job(
            "packed",
            builtins__tar={"action": "create", "contents": f"copied/{NAME}", "archive": f"self://srv/packs/{NAME}"},
        ),
        job("asked here", builtins__http={"url": f"self://http/{URL}"}, until="res.body == item | string"),
    ]
    guest = [
        job("fetched by URL", builtins__prefetch=f"owner://{NAME}"),
        job(
            "unpacked",
            builtins__tar={"action": "extract", "contents": f"out/{NAME}", "archive": f"owner://packs/{NAME}"},
        ),
        job("asked", builtins__http={"url": f"owner://http/{URL}?q=1"}, until="res.body == item | string"),
        job("waited", builtins__wait_for={"http": f"owner://http/{URL}", "timeout": 60}),
        job("home", builtins__fetch={"remote_path": f"./{NAME}", "local_path": f"prefetched/{NAME}"}),
        job("out", builtins__fetch={"remote_path": f"out/{NAME}/copied/{NAME}", "local_path": f"unpacked/{NAME}"}),
    ]
    back = [
        {"name": "whole", "builtins.fetch": {"remote_path": "copied", "local_path": "back"}},
        {"name": "written", "builtins.fetch": {"remote_path": "written", "local_path": "written"}},
        {"name": "tree", "builtins.fetch": {"remote_path": "srv", "local_path": "tree back"}},
    ]
    return json.dumps(
        {
            "agents": [{"name": "owner", "transport": "local"}, {"name": "guest", "transport": "local"}],
            "vars": {"names": names},
            "stages": [
                {"name": "owner", "with_agents": "owner", "jobs": owner},
                {"name": "guest", "with_agents": "guest", "jobs": guest},
                {"name": "back", "with_agents": "owner", "jobs": back},
            ],
        }
    )


def contents(directory: Path) -> dict[bytes, bytes]:
    """Give each file of a directory."""
    root = os.fsencode(directory)
    return {name: Path(os.fsdecode(os.path.join(root, name))).read_bytes() for name in os.listdir(root)}


@pytest.mark.fault(82)
def test_every_name_goes_every_way(place: Place) -> None:
    names = [*CHOSEN, *made_names(20, 12)]
    expected = {os.fsencode(name): b"%d" % number for number, name in enumerate(names)}
    tree = place.home / "tree"
    tree.mkdir()
    (tree / "packs").mkdir()
    for name, content in expected.items():
        Path(os.fsdecode(os.path.join(os.fsencode(tree), name))).write_bytes(content)
    (tree / "packs" / "ends in one\n").write_bytes(b"-")  # no scenario can say it, but a directory may hold it
    text = scenario(names, f"0..{len(names) - 1}")
    done = place.run(str(place.write("s.json", text)), "--headless", "--on-failure", "abort")
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    for directory in ("back", "written", "prefetched", "unpacked"):
        assert contents(place.home / directory) == expected, directory
    assert (place.home / "tree back/packs/ends in one\n").read_bytes() == b"-"
