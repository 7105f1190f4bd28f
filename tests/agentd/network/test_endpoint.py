"""Hosts and ports: written in every form that is needed, read back exactly, and bound where others can reach them."""

from __future__ import annotations

import pytest

from octogram_agentd.network.endpoint import (
    Endpoint,
    as_url,
    host_to_bind,
    host_to_reach,
    is_loopback,
    why_not_for_others,
)
from octogram_agentd.network.interfaces import every_interface, host_here, hosts_of_one


@pytest.mark.parametrize(
    ("host", "text", "url"),
    [
        ("127.0.0.1", "127.0.0.1:80", "http://127.0.0.1:80"),
        ("0.0.0.0", "0.0.0.0:80", "http://0.0.0.0:80"),
        ("::", "[::]:80", "http://[::]:80"),
        ("fe80::1", "[fe80::1]:80", "http://[fe80::1]:80"),
        ("[::1]", "[::1]:80", "http://[::1]:80"),
        ("fe80::1%eth0", "[fe80::1%eth0]:80", "http://[fe80::1%25eth0]:80"),
        ("::ffff:10.0.0.1", "[::ffff:10.0.0.1]:80", "http://[::ffff:10.0.0.1]:80"),
        ("node-3.example", "node-3.example:80", "http://node-3.example:80"),
    ],
)
def test_an_endpoint_is_written_and_read_back(host: str, text: str, url: str) -> None:
    where = Endpoint(host, 80)
    assert (str(where), where.url) == (text, url)
    assert Endpoint.parse(text) == where


@pytest.mark.parametrize(
    "text",
    [
        *(":::8732", "::1:80", "::", "host", "host:", "host:x", "host:0", "h:65536", "[::1]", "", "host:²", "host:-1"),
        *("[host]:80", "[]:80", "[::1:80", "::1]:80", "[[::1]]:80", "[fe80::1%]:80", "a b:80", "me@host:80", "h/x:80"),
        *("http://host:80", "host:80:90"),
    ],
)
def test_what_is_no_host_and_port_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"port|brackets"):
        Endpoint.parse(text)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        *(("host", "host", 22), ("host:80", "host", 80), ("10.0.0.1", "10.0.0.1", 22), ("::1", "::1", 22)),
        *(
            ("[::1]", "::1", 22),
            ("[::1]:80", "::1", 80),
            ("fe80::1%eth0", "fe80::1%eth0", 22),
            ("::1:80", "::1:80", 22),
        ),
    ],
)
def test_a_missing_port_is_the_usual_one_where_there_is_one(text: str, host: str, port: int) -> None:
    assert Endpoint.parse(text, 22) == Endpoint(host, port)


@pytest.mark.parametrize(
    "text",
    [
        "host:",
        "host:x",
        "a b",
        "[host]",
        "me@host",
        "host:0",
        "a:b:c",
        ":::",
        "::1::",
        "::12345",
        "fe80::1%",
    ],
)
def test_a_usual_port_makes_nothing_of_what_is_wrong(text: str) -> None:
    with pytest.raises(ValueError, match=r"port|brackets|host"):
        Endpoint.parse(text, 22)


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.8.7", "::1", "[::1]", "0:0:0:0:0:0:0:1"]
)
def test_hosts_that_mean_each_machine_itself(host: str) -> None:
    assert is_loopback(host)
    assert "itself" in why_not_for_others(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "169.254.1.2", "fe80::1%eth0", "[fe80::1]", "::ffff:127.0.0.1"])
def test_hosts_that_no_other_machine_can_be_told(host: str) -> None:
    assert why_not_for_others(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "127.example.org", "::10", "fd00::1", "1::1", "feline.example", "gate"])
def test_hosts_that_others_may_know(host: str) -> None:
    assert not why_not_for_others(host)
    assert not is_loopback(host)


def test_a_url_without_a_scheme_is_one_of_http() -> None:
    assert as_url("10.0.0.1:80/x") == "http://10.0.0.1:80/x"
    assert as_url("https://h/x") == "https://h/x"


def test_a_usual_port_may_stand_for_none() -> None:
    assert Endpoint.parse("gate", 0) == Endpoint("gate", 0)
    assert Endpoint.parse("[::1]", 0) == Endpoint("::1", 0)
    assert Endpoint.parse("gate:2222", 0) == Endpoint("gate", 2222)


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


@pytest.mark.fault(89)
@pytest.mark.parametrize(
    ("bind", "address", "hosts"),
    [
        ("127.0.0.1", "127.0.0.1", ["127.0.0.1"]),
        ("::1", "::1", ["::1"]),
        ("::", "127.0.0.9", ["127.0.0.9", "127.0.0.1"]),  # stands here for an address of this machine
        ("::", "203.0.113.77", ["::"]),  # nobody's: the address that others know it by is that of a router
        ("0.0.0.0", "name.example", ["0.0.0.0"]),
        ("::", "fe80::1%nothing", ["::"]),
    ],
)
def test_a_file_server_listens_where_it_is_looked_for_and_nowhere_else(
    bind: str, address: str, hosts: list[str]
) -> None:
    assert hosts_of_one(bind, address) == hosts
