"""The page that `export` writes, in a real browser: nothing of a job's runs in it, and it is read without scripts."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, browser, program
from exported import evil_run, page_of, run_of

pytestmark = [pytest.mark.browser, pytest.mark.skipif(program() is None, reason="there is no Chromium here")]

OPENED = "[...document.querySelectorAll('details.entry[open]')].map(each => each.dataset.agent).join()"
SHOWN = "[...document.querySelectorAll('#jobs .entry')].filter(each => each.checkVisibility()).length"


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[Browser]:
    async with browser(tmp_path / "profile") as one:
        yield one


async def seen(tab: Browser, page: Path, *, width: int = 1024, scheme: str = "light") -> None:
    await tab.do("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
    await tab.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    await tab.open(page.as_uri())
    await until(tab, "document.readyState", "complete")
    await until(tab, "location.href", page.name)


async def choose(tab: Browser, name: str, value: str) -> None:
    place = f"document.getElementById('{name}')"
    await tab.says(f"{place}.value = '{value}'; {place}.dispatchEvent(new Event('change'))")


async def until(tab: Browser, expression: str, wanted: Any) -> None:
    async with asyncio.timeout(60):
        while str(wanted) not in str(await tab.says(expression)):
            await asyncio.sleep(0.02)


def saved(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


async def test_nothing_of_a_job_runs_and_nothing_is_fetched(tab: Browser, tmp_path: Path) -> None:
    page = page_of(tmp_path / "j", evil_run())
    # As if the escapes were gone too: what is let in is decided by its content.
    torn = page.replace(
        "</main>", "<script>window.pwned=2</script><img src='http://127.0.0.1:9/x' onerror='window.pwned=3'></main>"
    )
    assert torn != page
    for name, text, is_torn in (("evil.html", page, False), ("torn.html", torn, True)):
        tab.requested.clear()
        path = saved(tmp_path / name, text)
        await seen(tab, path)
        await tab.says("document.getElementById('f-open').click()")
        await until(tab, OPENED, "onclick")
        for link in range(3):
            await tab.says(f"[...document.querySelectorAll('summary, .matrix a')][{link}].click()")
        assert await tab.says("typeof window.pwned") == "undefined"
        if not is_torn:
            assert tab.requested == [path.as_uri()]
            assert tab.troubles == []
    assert len([each for each in tab.troubles if "Content Security Policy" in each]) >= 2  # the script, the picture


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1024, "light"), (1920, "dark")])
async def test_it_fits_and_has_the_colours_that_were_asked_for(
    tab: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    agents = [f"a_rather_long_name_of_a_node_{number}" for number in range(12)]
    message = "what_failed_has_no_blank_and_does_not_end" * 20
    run = run_of(job="a job whose name goes on " * 4, agents=agents, message=message, lines=["x" * 900])
    page = saved(tmp_path / "r.html", page_of(tmp_path / "j", run))
    await seen(tab, page, width=width, scheme=scheme)
    await tab.says("for (const each of document.querySelectorAll('details')) each.open = true")
    assert await tab.says("document.documentElement.clientWidth") <= width
    assert await tab.says("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    first = await tab.says("document.querySelector('.first-failure').getBoundingClientRect().top")
    assert first < 640  # it is seen at once
    ground = await tab.says("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground))) < 200) == (scheme == "dark")
    await choose(tab, "theme", "light")
    ground = await tab.says("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", ground))) > 600


async def test_one_finds_one_s_way_by_keys_links_and_filters(tab: Browser, tmp_path: Path) -> None:
    page = saved(
        tmp_path / "r.html", page_of(tmp_path / "j", run_of(lines=["a needle", "hay"], message="it is broken"))
    )
    await seen(tab, page)
    assert await tab.says(SHOWN) == 4  # three rows and a process
    await tab.says("document.querySelector('.first-failure .where a').click()")
    await until(tab, OPENED, "n_3")
    assert await tab.says("document.activeElement.tagName") == "SUMMARY"
    await tab.press("/")
    assert await tab.says("document.activeElement.id") == "f-text"
    await tab.do("Input.insertText", text="BROKEN")
    await until(tab, "document.getElementById('f-count').textContent", "3 of 4")
    assert await tab.says("CSS.highlights.get('found').size") > 3
    for name, value, count in (("f-state", "failed", 1), ("f-state", "ok", 2), ("f-job", "send", 2)):
        await choose(tab, name, value)
        assert await tab.says(SHOWN) == count
    await tab.says("document.getElementById('f-reset').click()")
    await until(tab, SHOWN, 4)
    landmarks = "['header', 'main', 'nav[aria-label]', '[role=search]'].every(each => document.querySelector(each))"
    assert await tab.says(landmarks)
    labels = "[...document.querySelectorAll('main > section')].map(each => each.getAttribute('aria-labelledby'))"
    assert await tab.says(f"{labels}.every(each => document.getElementById(each))")
    assert tab.troubles == []


async def test_it_is_read_without_scripts_and_on_paper(tab: Browser, tmp_path: Path) -> None:
    page = saved(tmp_path / "r.html", page_of(tmp_path / "j", run_of(lines=["a needle"], message="it is broken")))
    await tab.do("Emulation.setScriptExecutionDisabled", value=True)
    await seen(tab, page)
    assert await tab.says("document.querySelector('.filter').checkVisibility()") is False
    assert "it is broken" in await tab.says("document.querySelector('.first-failure').innerText")
    await tab.do("Emulation.setEmulatedMedia", media="print")
    # What failed is open on paper, and nothing is there that one would press.
    assert await tab.says("document.querySelector('.e-failed pre').checkVisibility()")
    assert await tab.says("document.querySelector('nav').checkVisibility()") is False
    printed = await tab.do("Page.printToPDF", printBackground=True)
    assert base64.b64decode(printed["data"]).startswith(b"%PDF-")
