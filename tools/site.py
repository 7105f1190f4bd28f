"""`python -m tools.site ZENSICAL FOLDER`: the site of the documentation, from the pages as they stand in a clone.

Pages lead to files of the clone, and so do those of the site: each such file is laid beside them as text. What is made
is then looked through: every link and anchor has to lead somewhere, and nothing may be fetched from elsewhere.
"""

from __future__ import annotations

import json
import posixpath
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[1]
NAME = "octogram-tui"

SECTIONS: dict[str, tuple[str, ...]] = {
    "Start": ("README.md", "docs/console.md", "docs/debugger.md", "docs/troubleshooting.md"),
    "Guide": (
        *("docs/ssh.md", "docs/slurm.md", "docs/containers.md", "docs/inventories.md", "docs/secrets.md"),
        *("docs/editors.md", "docs/debug-adapter.md", "docs/ci.md", "docs/export.md", "docs/metrics.md"),
        *("docs/traces.md", "docs/writing-a-procedure.md", "sample_scenarios/stand_ins/README.md"),
    ),
    "Reference": (
        *("docs/language.md", "docs/command-line.md", "docs/procedures.md", "docs/procedures/builtins.md"),
        *("docs/procedures/tezos.md", "docs/procedures/smart_rollup.md", "docs/events.md", "CHANGELOG.md"),
    ),
    "Inside": (
        *("octogram_tui/ARCHITECTURE.md", "octogram_tui/STATES.md", "agentd/PROTOCOL.md", "SECURITY.md"),
        *("docs/faults.md", "docs/performance.md", "docs/profiling.md", "bench/README.md", "CONTRIBUTING.md"),
    ),
}
"""What a reader needs first stands first. Pages of docs/ that are named nowhere come last, under `More`."""

WORKER = '<script src="https://unpkg.com/iframe-worker/shim" type="text/javascript"></script>'
"""What the maker writes for the search of a site that is read from a disk, and is fetched; ours stands in its place."""
LINK = re.compile(r"(?<=\]\()(?!#|[a-z]+:)([^)\s]+)(?=\))")
CODE = re.compile(r"```.*?```|~~~.*?~~~|`[^`\n]*`", re.DOTALL)
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}
EXTENSIONS = {
    "attr_list": {},
    "md_in_html": {},
    "tables": {},
    "toc": {"permalink": True, "slugify": {"object": "pymdownx.slugs.slugify", "kwds": {"case": "lower"}}},
    "pymdownx.highlight": {"pygments_lang_class": True},
    "pymdownx.superfences": {},
    "sane_lists": {},
}


class SiteError(Exception):
    """The site cannot be made, or is not as it has to be."""


def sections(root: Path = ROOT) -> dict[str, list[str]]:
    """Give every page by its section, as paths in the clone."""
    found = {title: [page for page in pages if (root / page).is_file()] for title, pages in SECTIONS.items()}
    named = {page for pages in found.values() for page in pages}
    here = [path.relative_to(root).as_posix() for path in sorted((root / "docs").rglob("*.md"))]
    more = [page for page in here if page not in named]
    return {**found, **({"More": more} if more else {})}


def place_of(page: str) -> str:
    """Give where a page of the clone stands in the site."""
    if page == "README.md":
        return "index.md"
    name = page.removeprefix("docs/")
    return f"{posixpath.dirname(name)}/about.md" if name.endswith("/README.md") else name


def title_of(text: str, page: str) -> str:
    """Give a page's name: its first heading."""
    if page == "README.md":
        return "What it is"
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return re.sub(r"[`*]", "", found[1]) if found else page


def lay_out(root: Path, to: Path) -> dict[str, list[dict[str, str]]]:
    """Write the pages and what they lead to into a folder; give the navigation. Raises SiteError."""
    found = sections(root)
    pages = {page: place_of(page) for listed in found.values() for page in listed}
    wanted: set[str] = set()
    navigation: dict[str, list[dict[str, str]]] = {}
    for title, listed in found.items():
        for page in listed:
            text = (root / page).read_text()
            place = to / pages[page]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(turned(text, page, pages, root, wanted))
            navigation.setdefault(title, []).append({title_of(text, page): pages[page]})
    for name in sorted(wanted):
        _lay_file(root / name, to / beside(name, root))
    return navigation


def turned(text: str, page: str, pages: dict[str, str], root: Path, wanted: set[str]) -> str:
    """Give a page's text with its links as they are in the site; other files that it leads to are added to wanted."""
    code = [found.span() for found in CODE.finditer(text)]

    def turn(found: re.Match[str]) -> str:
        if any(start <= found.start() < end for start, end in code):
            return found[0]
        path, hash_sign, anchor = found[1].partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
        if not (root / target).exists() or target.startswith(".."):
            raise SiteError(f"{page}: {found[1]} leads nowhere")
        if target not in pages:
            wanted.add(target)
        where = pages.get(target) or beside(target, root)
        return posixpath.relpath(where, posixpath.dirname(pages[page]) or ".") + hash_sign + anchor

    return LINK.sub(turn, text)


def beside(name: str, root: Path) -> str:
    """Give where a file or a folder of the clone is in the site. Text is shown by every browser, code by few."""
    if name.endswith((".svg", ".png", ".json")):
        return name.removeprefix("docs/")
    return f"clone/{name}/list.txt" if (root / name).is_dir() else f"clone/{name}.txt"


def _lay_file(source: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        names = sorted(path.name + "/" * path.is_dir() for path in source.iterdir() if path.name != "__pycache__")
        to.write_text("".join(f"{name}\n" for name in names))
    else:
        shutil.copyfile(source, to)


def configuration(navigation: dict[str, list[dict[str, str]]]) -> str:
    """Give the maker's configuration."""
    project = {
        "site_name": NAME,
        "site_description": "Run scenarios over many machines, and step through them",
        "docs_dir": "pages",
        "site_dir": "html",
        "use_directory_urls": False,  # so that it is read from a disk too
        "nav": [{title: listed} for title, listed in navigation.items()],
        "theme": {
            "font": False,  # that of the system: nothing is fetched from anywhere
            "features": [
                *("navigation.sections", "navigation.footer", "navigation.top", "toc.follow"),
                *("content.code.copy", "search.highlight"),
            ],
            "palette": [
                {
                    "media": f"(prefers-color-scheme: {wish})",
                    "scheme": scheme,
                    "toggle": {"icon": icon, "name": f"Switch to {other}"},
                }
                for wish, scheme, icon, other in (
                    ("light", "default", "lucide/sun", "dark"),
                    ("dark", "slate", "lucide/moon", "light"),
                )
            ],
        },
        "plugins": ["search", "offline"],  # its index is a script too: from a disk browsers fetch nothing else
        "markdown_extensions": [{name: options} for name, options in EXTENSIONS.items()],
        "extra": {"generator": False},
    }
    return json.dumps(project, indent=1)  # which is YAML as well


def searched_from_a_disk(folder: Path) -> None:
    """Put into the pages what the search needs where there is no server. Raises SiteError."""
    ours = f"<script>\n{(ROOT / 'tools' / 'site_worker.js').read_text()}</script>"
    for path in folder.rglob("*.html"):
        text = path.read_text()
        if WORKER not in text:
            raise SiteError(f"{path.relative_to(folder)}: what the search needs from a disk is not where it was")
        path.write_text(text.replace(WORKER, ours))


class Link(NamedTuple):
    """A link of a page. is_fetched: by the browser itself."""

    target: str
    is_fetched: bool


class Page(HTMLParser):
    """The links and anchors of a page of the site."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[Link] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag has."""
        given = {name: value for name, value in attrs if value is not None}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(Link(given["href"], is_fetched=False))
        elif tag == "link" and "href" in given and given.get("rel") not in ("canonical", "prev", "next"):
            self.links.append(Link(given["href"], is_fetched=True))
        elif tag in FETCHED and FETCHED[tag] in given:
            self.links.append(Link(given[FETCHED[tag]], is_fetched=True))


def faults(folder: Path) -> Iterator[str]:
    """Give all that is wrong with a site."""
    pages = {path: Page(path.read_text()) for path in sorted(folder.rglob("*.html"))}
    if not pages:
        yield "there is no page in it"
    for path, page in pages.items():
        if path.name == "404.html":
            continue  # its links are those of a server
        name = path.relative_to(folder)
        for link in page.links:
            parts = urlsplit(link.target)
            if parts.scheme or parts.netloc:
                if link.is_fetched and parts.scheme != "data":
                    yield f"{name} fetches {link.target}"
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                yield f"{name}: {link.target} leads nowhere"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                yield f"{name}: {link.target}: there is no such heading"
    for path in sorted(folder.rglob("*.css")):
        for url in re.findall(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)""", path.read_text()):
            yield f"{path.relative_to(folder)} fetches {url}"


def make(maker: Path, to: Path, root: Path = ROOT) -> int:
    """Make the site in a folder; give the number of its pages. Raises SiteError."""
    place = to.parent / f"{to.name}.made"
    shutil.rmtree(place, ignore_errors=True)
    (place / "pages").mkdir(parents=True)
    navigation = lay_out(root, place / "pages")
    (place / "mkdocs.yml").write_text(configuration(navigation))
    done = subprocess.run(
        [maker.absolute(), "build", "--strict", "--config-file", "mkdocs.yml"],
        cwd=place,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SiteError((done.stdout + done.stderr).strip())
    searched_from_a_disk(place / "html")
    wrong = list(faults(place / "html"))
    if wrong:
        raise SiteError("\n".join(dict.fromkeys(wrong)))
    shutil.rmtree(to, ignore_errors=True)
    shutil.move(place / "html", to)
    shutil.rmtree(place)
    return len(list(to.rglob("*.html")))


def main(argv: list[str]) -> int:
    """Make it; gives the exit code."""
    maker, to = Path(argv[0]), Path(argv[1])
    try:
        count = make(maker, to)
    except SiteError as error:
        print(f"site: {error}", file=sys.stderr)
        return 1
    print(f"the site has {count} pages, and every link in it leads somewhere: {to / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
