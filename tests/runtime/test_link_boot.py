"""How an agent comes up, and every way in which it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pytest
from fake_daemon import FAST, HASTY, Rig

from octogram_tui.engine.stimuli import AgentEndReport, AgentUpReport, StartFailureReport
from octogram_tui.errors import AuthFailed, ExitCode, LinkLost
from octogram_tui.transport.bundle import build_bundle


@pytest.mark.fault(25)
async def test_the_greeting_says_who_we_are(rig: Rig) -> None:
    rig.link.start()
    channel = await rig.channel()
    channel.boot(noise=b"Welcome to this machine!\r\n\x1b[1mmotd\n")
    hello = await channel.expect("hello")
    assert (hello["run"], hello["agent"], hello["epoch"], hello["rx"]) == ("run", "one", 1, None)
    channel.welcome(host="h", python="3.11.2")
    up = await rig.report(AgentUpReport)
    assert (up.home, up.host, up.python, up.pid) == ("/home/one", "h", "3.11.2", 1)
    assert rig.link.home == "/home/one"


@pytest.mark.parametrize(
    ("spec", "leads_to", "address", "bind"),
    [
        ({}, "", "127.0.0.1", "127.0.0.1"),
        ({"address": "127.0.0.5"}, "127.0.0.5", "127.0.0.5", "127.0.0.5"),
        ({"address": "gate"}, "10.0.0.7", "10.0.0.7", "::"),
        ({"address": "gate"}, "127.0.0.1", "127.0.0.1", "127.0.0.1"),
        ({"address": "203.0.113.9", "data_address": "10.0.0.7"}, "203.0.113.9", "10.0.0.7", "::"),
        ({"data_address": "fd00::7"}, "", "fd00::7", "::"),
        ({"address": "10.0.0.7", "data_address": "127.0.0.1"}, "10.0.0.7", "127.0.0.1", "127.0.0.1"),
    ],
)
async def test_what_others_are_told_is_where_the_connection_leads_unless_the_scenario_says(
    rigs: Callable[..., Rig], spec: dict[str, str], leads_to: str, address: str, bind: str
) -> None:
    rig = rigs(**spec)
    rig.transport.host = leads_to
    rig.link.start()
    channel = await rig.channel()
    channel.boot()
    hello = await channel.expect("hello")
    assert (hello["address"], hello["bind"]) == (address, bind)
    channel.welcome()
    assert (await rig.report(AgentUpReport)).address == address


async def test_the_bundle_is_pushed_when_it_is_needed(rig: Rig) -> None:
    rig.link.start()
    channel = await rig.channel()
    channel.boot('{"need":true}')
    async with asyncio.timeout(60):
        while len(channel.raw) < len(build_bundle().data):
            channel.changed.clear()
            await channel.changed.wait()
    assert channel.raw == build_bundle().data
    channel.boot()
    await channel.expect("hello")
    channel.welcome()
    await rig.report(AgentUpReport)


@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        ("none", "boot.python", "no Python 3.8"),
        ('{"error":"Python 3.8 or newer is needed; x is 2.7.1","code":6}', "boot.python", "2.7.1"),
        ('{"error":"there is no place","code":6}', "boot.place", "there is no place"),
        ("rubbish", "boot.noise", "makes no sense"),
    ],
)
async def test_a_boot_that_fails(rig: Rig, answer: str, code: str, message: str) -> None:
    rig.link.start()
    channel = await rig.channel()
    channel.boot(answer)
    failed = await rig.report(StartFailureReport)
    assert (failed.code, failed.exit_code) == (code, ExitCode.NOT_STARTED)
    assert message in failed.message
    assert rig.link.transport.description in failed.message
    assert "on " + rig.link.transport.description not in failed.hint
    assert channel.is_aborted


async def test_a_bundle_that_arrives_damaged(rig: Rig) -> None:
    rig.link.start()
    channel = await rig.channel()
    channel.boot('{"need":true}')
    channel.boot('{"error":"the bundle was damaged on its way","code":6}')
    assert "damaged" in (await rig.report(StartFailureReport)).message


@pytest.mark.fault(25)
async def test_endless_noise_before_the_boot(rig: Rig) -> None:
    rig.link.start()
    channel = await rig.channel()
    for _ in range(20):
        channel.say_bytes(b"x" * 8000)
    assert (await rig.report(StartFailureReport)).code == "boot.noise"


@pytest.mark.fault(10)
@pytest.mark.parametrize(
    ("is_noticed", "way", "said"),
    [(True, "ssh", "MTU"), (False, "ssh", "MTU"), (False, "command", "terminal in between")],
)
async def test_a_line_that_takes_nothing_large(
    rigs: Callable[..., Rig], is_noticed: bool, way: Literal["ssh", "command"], said: str
) -> None:
    rig = rigs(replace(FAST, greeting_s=0.1))
    rig.link.spec = replace(rig.link.spec, transport=way)
    rig.link.start()
    channel = await rig.channel()
    channel.boot('{"need":true}')
    await asyncio.sleep(0)
    if is_noticed:  # by a sign of life of SSH that stays without an answer
        channel.lose(LinkLost("the connection is lost: keepalive timeout"))
    failed = await rig.report(StartFailureReport)
    assert said in failed.hint
    assert failed.exit_code == ExitCode.NOT_STARTED  # what never was up is not lost


@pytest.mark.parametrize(
    ("said", "hint", "is_booted"),
    [
        ("sh: 1: no such thing", "start files", False),
        ("sh: fork: Resource temporarily unavailable", "ulimit -u", False),
        ("agentd: no place for the agent's files: /x: No space left on device", "/var/tmp", True),
        ("agentd: FileNotFoundError: [Errno 2] No such file or directory: '/proc/self/fd'", "mount /proc", True),
    ],
)
async def test_the_last_words_of_a_command_that_ends_at_once(rig: Rig, said: str, hint: str, is_booted: bool) -> None:
    rig.link.start()
    channel = await rig.channel()
    if is_booted:
        channel.boot()
    channel.complain(f"first\n{said}\n".encode())
    channel.lose()
    failed = await rig.report(StartFailureReport)
    assert failed.message.endswith(said)
    assert hint in failed.hint


async def test_a_daemon_that_was_about_to_end_is_not_the_last_word(rig: Rig) -> None:
    rig.link.start()
    for _ in range(2):
        channel = await rig.channel()
        channel.boot()
        channel.lose()
    channel = await rig.channel()
    channel.boot()
    await channel.expect("hello")
    channel.welcome()
    await rig.report(AgentUpReport)


async def test_daemons_that_end_without_a_word_are_not_asked_for_ever(rig: Rig) -> None:
    rig.link.start()
    for _ in range(3):
        channel = await rig.channel()
        channel.boot()
        channel.lose()
    failed = await rig.report(StartFailureReport)
    assert (failed.code, failed.exit_code) == ("boot.silent", ExitCode.NOT_STARTED)
    assert rig.transport.opened == 3


async def test_the_last_words_are_those_that_say_what_is_wrong(rig: Rig) -> None:
    rig.link.start()
    channel = await rig.channel()
    channel.complain(b"Error: unknown flag: --x\nSee 'kubectl exec --help' for usage.\n")
    channel.lose()
    assert (await rig.report(StartFailureReport)).message.endswith(": Error: unknown flag: --x")


@pytest.mark.fault(24)
async def test_the_last_words_of_what_is_no_shell(rig: Rig) -> None:
    rig.link.start()
    channel = await rig.channel()
    channel.say_bytes(b"welcome\r\nthis account only does \x1b[1mbackups\r\n")
    channel.lose()
    failed = await rig.report(StartFailureReport)
    assert failed.message.endswith(": this account only does ·[1mbackups")
    assert "ForceCommand" in failed.hint


async def test_a_connection_lost_during_the_boot(rig: Rig) -> None:
    rig.link.start()
    channel = await rig.channel()
    channel.lose(LinkLost("cut"))
    failed = await rig.report(StartFailureReport)
    assert failed.message == "cut"
    assert "the server's log" in failed.hint


async def test_a_greeting_that_is_refused(rig: Rig) -> None:
    rig.link.start()
    channel = await rig.channel()
    channel.boot()
    await channel.expect("hello")
    channel.say("reject", code="wrong_run", detail="this is agent two")
    channel.lose()
    failed = await rig.report(StartFailureReport)
    assert (failed.code, "this is agent two" in failed.message) == ("agent.wrong_run", True)


async def test_a_daemon_that_does_not_answer(rigs: Callable[..., Rig]) -> None:
    rig = rigs(replace(FAST, greeting_s=0.02))
    rig.link.start()
    channel = await rig.channel()
    channel.boot(noise=b"Your choice [y/n]? ")
    failed = await rig.report(StartFailureReport)
    assert (failed.code, failed.message.endswith(": Your choice [y/n]?")) == ("boot.timeout", True)
    assert ".bashrc" in failed.hint
    assert channel.is_aborted


@pytest.mark.parametrize(
    "said",
    [
        b"{}\n",
        b"[]\n",
        b"\xff\xfe\n",
        b'{"t":"hb","n":' + b"9" * 5000 + b"}\n",
        b'{"t":"hb","n":NaN}\n',
        b'{"t":"hb","n":"\\ud800"}\n',
        b'{"t":"hb","n":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
        b'{"t":"welcome","pid":"x","rx":0}\n',
        b"x" * 300_000,
    ],
)
@pytest.mark.fault(78)
async def test_a_daemon_that_speaks_another_language(rig: Rig, said: bytes) -> None:
    rig.link.start()
    channel = await rig.channel()
    channel.boot()
    await channel.expect("hello")
    channel.say_bytes(said)
    failed = await rig.report(StartFailureReport)
    assert (failed.code, failed.exit_code) == ("agent.protocol", ExitCode.NOT_STARTED)


async def test_the_transport_says_what_it_knows(rig: Rig) -> None:
    rig.transport.failures = [AuthFailed("agent one: no key fits", hint="give one")]
    rig.link.start()
    failed = await rig.report(StartFailureReport)
    assert (failed.message, failed.hint, failed.exit_code) == ("agent one: no key fits", "give one", 5)


async def test_a_defect_of_ours_fails_the_agent_and_is_told(rig: Rig, defects: list[dict[str, Any]]) -> None:
    rig.transport.failures = [RuntimeError("oops")]
    rig.link.start()
    failed = await rig.report(StartFailureReport)
    assert (failed.code, failed.exit_code) == ("bug", ExitCode.BUG)
    assert "oops" in failed.message
    assert [context["exception"].args for context in defects] == [("oops",)]
    defects.clear()


async def test_a_greeting_too_long_to_be_read(rigs: Callable[..., Rig]) -> None:
    rig = rigs(env=(("LONG", "x" * 300_000),))
    rig.link.start()
    channel = await rig.channel()
    channel.boot()
    assert (await rig.report(StartFailureReport)).code == "boot.greeting"


async def test_stopped_before_there_is_a_channel(rig: Rig) -> None:
    rig.link.start()
    rig.link.stop(force=False)
    ended = await rig.report(AgentEndReport)
    assert ended.is_clean
    assert rig.kinds() == []


async def test_stopped_before_the_greeting(rig: Rig) -> None:
    rig.link.start()
    channel = await rig.channel()
    rig.link.stop(force=False)
    assert (await rig.report(AgentEndReport)).is_clean, "a daemon that nobody greeted ends with its channel"
    assert channel.is_aborted


async def test_stopped_between_greeting_and_answer(rig: Rig) -> None:
    rig.link.start()
    channel = await rig.channel()
    channel.boot()
    await channel.expect("hello")
    rig.link.stop(force=False)
    channel.welcome()
    assert (await channel.expect("stop"))["seq"] == 1
    channel.say("stopped", seq=1, remaining=[])
    assert (await rig.report(AgentEndReport)).is_clean


@pytest.mark.parametrize("force", [False, True])
async def test_stopped_and_the_greeting_is_never_answered(rigs: Callable[..., Rig], force: bool) -> None:
    rig = rigs(HASTY)
    rig.link.start()
    channel = await rig.channel()
    channel.boot()
    await channel.expect("hello")
    rig.link.stop(force=force)
    ended = await rig.report(AgentEndReport)
    assert not ended.is_clean
    assert "did not answer" in ended.message
    assert channel.is_aborted


async def test_a_start_that_fails_while_it_is_stopped_is_not_told(rig: Rig) -> None:
    rig.link.start()
    channel = await rig.channel()
    channel.boot()
    await channel.expect("hello")
    rig.link.stop(force=False)
    channel.lose(LinkLost("cut"))
    await rig.report(AgentEndReport)
    assert rig.kinds() == []
