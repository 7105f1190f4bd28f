"""`make site`: where pages and links go, and what the look through the finished site finds. CI makes the real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import site


def test_every_page_is_in_the_site_once_and_the_first_is_the_readme() -> None:
    pages = [page for listed in site.sections().values() for page in listed]
    assert pages[0] == "README.md"
    assert len(pages) == len({site.place_of(page) for page in pages})
    assert {path.relative_to(site.ROOT).as_posix() for path in (site.ROOT / "docs").rglob("*.md")} <= {*pages}
    assert all((site.ROOT / page).is_file() for listed in site.SECTIONS.values() for page in listed)


def test_a_page_that_is_named_nowhere_comes_last(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "new.md").write_text("# Something `new`\n")
    (tmp_path / "README.md").write_text("# It\n[new](docs/new.md#x) [code](src) `[no](link.md)` ![pic](docs/a.svg)\n")
    (tmp_path / "docs" / "a.svg").write_text("<svg/>")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "one.py").write_text("")
    navigation = site.lay_out(tmp_path, tmp_path / "to")
    assert navigation == {"Start": [{"What it is": "index.md"}], "More": [{"Something new": "new.md"}]}
    text = (tmp_path / "to" / "index.md").read_text()
    assert text == "# It\n[new](new.md#x) [code](clone/src/list.txt) `[no](link.md)` ![pic](a.svg)\n"
    assert (tmp_path / "to" / "clone" / "src" / "list.txt").read_text() == "one.py\n"
    assert (tmp_path / "to" / "a.svg").is_file()


def test_a_link_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("[gone](gone.md)\n")
    with pytest.raises(site.SiteError, match=r"README\.md: gone\.md leads nowhere"):
        site.lay_out(tmp_path, tmp_path / "to")


def test_all_pages_of_the_project_can_be_laid_out(tmp_path: Path) -> None:
    site.lay_out(site.ROOT, tmp_path)
    assert (tmp_path / "clone/sample_scenarios/list.txt").is_file()


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ('<a href="b.html#there">x</a><a href="https://example.org/">x</a><img src="data:image/png;base64,x">', None),
        ('<a href="gone.html">x</a>', "a.html: gone.html leads nowhere"),
        ('<a href="b.html#gone">x</a>', "a.html: b.html#gone: there is no such heading"),
        ('<a href="#gone">x</a>', "a.html: #gone: there is no such heading"),
        ('<script src="https://cdn.example/x.js"></script>', "a.html fetches https://cdn.example/x.js"),
        ('<link rel="stylesheet" href="//fonts.example/x.css">', "a.html fetches //fonts.example/x.css"),
        ('<img src="https://example.org/x.png">', "a.html fetches https://example.org/x.png"),
    ],
)
def test_what_is_wrong_with_a_site_is_found(tmp_path: Path, page: str, fault: str | None) -> None:
    (tmp_path / "a.html").write_text(page)
    (tmp_path / "b.html").write_text('<h1 id="there">x</h1>')
    assert list(site.faults(tmp_path)) == ([] if fault is None else [fault])
    (tmp_path / "c.css").write_text("@import url('https://fonts.example/f.css')")
    assert "c.css fetches https://fonts.example/f.css" in list(site.faults(tmp_path))


def test_an_empty_site_is_a_fault(tmp_path: Path) -> None:
    assert list(site.faults(tmp_path)) == ["there is no page in it"]


def test_what_a_search_from_a_disk_needs_stands_in_the_pages_and_is_missed_where_it_does_not(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text(f"<body>{site.WORKER}</body>")
    site.searched_from_a_disk(tmp_path)
    assert "window.Worker = class" in page.read_text()
    assert list(site.faults(tmp_path)) == []
    with pytest.raises(site.SiteError, match=r"index\.html: what the search needs"):
        site.searched_from_a_disk(tmp_path)
