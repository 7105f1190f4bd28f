"""Paths become parts of URLs and come back as the same bytes; what a user wrote as a URL stays as it is."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octogram_agentd.network.urls import sendable, unquoted
from octogram_agentd.processes.filenames import NAME_BYTES, fitting
from octogram_tui.engine.events import ServiceAnnounced
from octogram_tui.engine.services import ServiceTable
from octogram_tui.template.filters import urlencode

PATHS = st.binary(min_size=1, max_size=60).filter(lambda path: b"\0" not in path and not path.startswith(b"/"))
URLS = st.from_regex(r"https?://[a-z.]{1,9}(:[0-9]{1,4})?(/[^\0]{0,40})?(\?[^\0]{0,20})?", fullmatch=True)


@given(PATHS)
def test_a_path_is_the_same_behind_a_url(path: bytes) -> None:
    services = ServiceTable()
    services.addresses.update({"a": "10.0.0.1", "b": "10.0.0.2"})
    services.record(ServiceAnnounced(agent="b", kind="http", name="http", ports={"http": 80}))
    name = os.fsdecode(path)
    found = services.resolve("file", f"b://{name}", "a")
    assert found["path"] == name
    parts = urlsplit(found["remote"])
    assert (parts.netloc, parts.query, parts.fragment) == ("10.0.0.2:80", "", "")
    assert unquoted(parts.path.encode("ascii")) == b"/" + path
    assert sendable(found["remote"]) == found["remote"]
    assert unquoted(urlencode(name).encode("ascii")) == path


@given(URLS)
def test_a_url_is_sent_as_it_was_written(url: str) -> None:
    sent = sendable(url)
    assert sent.isascii()
    assert sent.isprintable()
    assert " " not in sent
    assert sendable(sent) == sent
    kept = [char for char in url if " " < char < "\x7f"]
    rest = iter(sent)
    assert all(char in rest for char in kept), "what needs no quoting is there, in its order"
    assert unquoted(sent.encode()) == unquoted(url.encode())


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://h/a b?c d#e f", "http://h/a%20b?c%20d#e%20f"),
        ("http://h/a%20b%2Fc+d%zz", "http://h/a%20b%2Fc+d%zz"),
        ("http://h/é\n", "http://h/%C3%A9%0A"),
        ("http://bücher.example:80/x", "http://xn--bcher-kva.example:80/x"),
        ("http://[::1]:80/[x]?a=[b]|{c}", "http://[::1]:80/[x]?a=[b]|{c}"),
        ("http://h?q=/x", "http://h?q=/x"),
        ("http://h/\udcff", "http://h/%FF"),
    ],
)
def test_what_cannot_be_sent_is_quoted(url: str, sent: str) -> None:
    assert sendable(url) == sent


@pytest.mark.parametrize("path", [b"%", b"%4", b"%+1", b"% 1", b"%1_", b"%0x", b"a%"])
def test_a_percent_that_quotes_nothing_is_one(path: bytes) -> None:
    assert unquoted(path) == path


@given(st.text(min_size=1, max_size=300).filter(lambda name: name.isprintable()))
def test_a_name_of_ours_is_never_too_long(name: str) -> None:
    whole = os.fsencode(fitting("job-1-", name))
    assert len(whole) <= NAME_BYTES
    assert whole.startswith(b"job-1-")
    assert os.fsencode(name).endswith(whole[6:])
    assert len(whole) in (NAME_BYTES, 6 + len(os.fsencode(name)))
