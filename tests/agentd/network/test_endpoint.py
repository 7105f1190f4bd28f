"""Hosts and ports: written in every form that is needed, read back exactly, and bound where others can reach them."""

from __future__ import annotations

import pytest

from octogram_agentd.network.endpoint import Endpoint, every_interface, host_here, host_to_bind, host_to_reach


@pytest.mark.parametrize(
    ("host", "text", "url"),
    [
        ("127.0.0.1", "127.0.0.1:80", "http://127.0.0.1:80"),
        ("0.0.0.0", "0.0.0.0:80", "http://0.0.0.0:80"),
        ("::", "[::]:80", "http://[::]:80"),
        ("fe80::1", "[fe80::1]:80", "http://[fe80::1]:80"),
        ("[::1]", "[::1]:80", "http://[::1]:80"),
        ("node-3.example", "node-3.example:80", "http://node-3.example:80"),
    ],
)
def test_an_endpoint_is_written_and_read_back(host: str, text: str, url: str) -> None:
    where = Endpoint(host, 80)
    assert (str(where), where.url) == (text, url)
    assert Endpoint.parse(text) == where


@pytest.mark.parametrize(
    "text", [":::8732", "::1:80", "::", "host", "host:", "host:x", "host:0", "h:65536", "[::1]", ""]
)
def test_what_is_no_host_and_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"port|brackets"):
        Endpoint.parse(text)


def test_a_port_alone_is_of_this_machine() -> None:
    assert Endpoint.parse("80") == Endpoint.parse(":80") == Endpoint("", 80)


@pytest.mark.parametrize(
    ("address", "bind", "reach"),
    [
        (None, "127.0.0.1", "127.0.0.1"),
        ("", "127.0.0.1", "127.0.0.1"),
        ("localhost", "127.0.0.1", "127.0.0.1"),
        ("127.0.0.5", "127.0.0.5", "127.0.0.5"),
        ("::1", "::1", "::1"),
        ("[::1]", "::1", "::1"),
        ("10.99.7.1", "::", "127.0.0.1"),
        ("fd00::7", "::", "127.0.0.1"),
        ("127.example.org", "::", "127.0.0.1"),
        ("node-3.example", "::", "127.0.0.1"),
    ],
)
def test_an_address_decides_what_is_bound(address: str | None, bind: str, reach: str) -> None:
    assert (host_to_bind(address), host_to_reach(host_to_bind(address))) == (bind, reach)


@pytest.mark.parametrize("everywhere", ["::", "0.0.0.0", ""])
def test_every_interface_of_a_machine_without_ipv6(monkeypatch: pytest.MonkeyPatch, everywhere: str) -> None:
    assert host_here(everywhere) == every_interface()

    def refuse(*_arguments: object) -> None:
        raise OSError(97, "Address family not supported by protocol")

    monkeypatch.setattr("_socket.socket", refuse)
    assert host_here(everywhere) == "0.0.0.0"
    assert host_here("127.0.0.1") == "127.0.0.1"
