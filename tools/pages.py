"""Writes the pages that are made from code, so that they say what the code does.

python -m tools.pages           writes them
python -m tools.pages --check   fails when one is not what would be written
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from octogram_tui import settings
from tools import completion_table, events_page, faults_page, man_page, procedures_page, protocol_page, states_page

ROOT = Path(__file__).resolve().parents[1]


def with_settings(text: str) -> str:
    """Give a page with its table of settings made anew: what stands between its head and the next empty line."""
    head = "| key | variable | default | meaning |\n| --- | --- | --- | --- |\n"
    before, _, rest = text.partition(head)
    _, _, after = rest.partition("\n\n")
    rows = [f"| `{s.key}` | `{s.variable}` | {_default(s.default)} | {_meaning(s)} |" for s in settings.TABLE]
    return f"{before}{head}" + "\n".join(rows) + f"\n\n{after}"


def _default(value: object) -> str:
    return "" if value == "" else f"`{str(value).lower()}`"


def _meaning(setting: settings.Setting) -> str:
    text = f"{setting.doc} ({', '.join(setting.choices)})" if setting.choices else setting.doc
    return f"{text}; not for a project's file: {setting.why_personal}" if setting.why_personal else text


def _procedures(path: str) -> Callable[[str], str]:
    return lambda _: procedures_page.page(path)


def _manual(path: str) -> Callable[[str], str]:
    return lambda _: man_page.page(path)


PAGES: dict[str, Callable[[str], str]] = {
    "docs/events.md": lambda _: events_page.page(),
    "docs/faults.md": lambda _: faults_page.page(),
    **{path: _procedures(path) for path in procedures_page.PATHS},
    "docs/command-line.md": with_settings,
    **{path: _manual(path) for path in man_page.paths()},
    "octogram_tui/completion/words.json": lambda _: completion_table.page(),
    "agentd/PROTOCOL.md": lambda _: protocol_page.page(),
    "octogram_tui/STATES.md": lambda _: states_page.page(),
}
"""What makes each page, out of what it says now."""


def stale() -> dict[str, str]:
    """Give the text of each page that is not what it should be."""
    found = {}
    for name, make in PAGES.items():
        path = ROOT / name
        text = path.read_text() if path.exists() else ""
        if make(text) != text:
            found[name] = make(text)
    return found


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them. Gives an exit code."""
    pages = stale()
    for name, text in pages.items():
        if arguments == ["--check"]:
            print(f"{name} is not what the code says: run `make docs`", file=sys.stderr)
        else:
            (ROOT / name).parent.mkdir(exist_ok=True)
            (ROOT / name).write_text(text)
    return 1 if pages and arguments == ["--check"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
