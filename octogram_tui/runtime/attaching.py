"""How a link comes to its daemon: a channel, the boot, the greetings; again and again, as long as there is hope."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from octogram_tui.errors import BootstrapFailed, LinkLost, TransportError
from octogram_tui.runtime.attachment import NO_PROCESS, SILENT_END, Attachment
from octogram_tui.runtime.greeting import hello
from octogram_tui.transport.base import Channel
from octogram_tui.transport.boots import FirstBoot, OnWait
from octogram_tui.transport.bundle import BOOT_HINTS, Failed, Need, build_bundle

if TYPE_CHECKING:
    from octogram_tui.runtime.link import Link
    from octogram_tui.runtime.starter import Starter

TERMINAL_HINT = "the command has to pass on all that it is given: a terminal in between (`-t`) does not"
LARGE_PACKETS_HINT = "when small things work there and large ones stand still, packets are too large: try a lower MTU"
CUT_HINT = "nothing had answered yet: see the server's log, and whether limits or start files there end a session"

AFTER_SILENCE = 2
"""How often more a daemon is looked for after one that ended without a word."""

BootTurn = Callable[[OnWait], AbstractAsyncContextManager[FirstBoot]]
"""Waits until the daemon of an agent may boot; told why it waits."""


class Attaching:
    """The attempts of one link to attach."""

    def __init__(self, link: Link, boot_turn: BootTurn, starter: Starter | None) -> None:
        self.hurry = asyncio.Event()  # the run ends: no leisure before the next attempt
        self.is_greeted = False  # a daemon was, whether it has answered or not
        self._link = link
        self._limits = link.settings.limits
        self._boot_turn = boot_turn
        self._starter = starter
        self._loop = asyncio.get_running_loop()
        self._epoch = link.settings.first_epoch
        self._is_sending = False  # the daemon's program: the first that is large

    async def within_fence(self) -> None:
        """Attach, as often as it takes, before a daemon that nobody reaches must have ended. Raises TransportError."""
        fence_s = self._loop.time() + self._link.settings.fence_s
        delay_s = self._limits.retry_s if self._link.was_up else 0.0
        failure: TransportError = LinkLost("its lease is over, and it did not answer any more")
        while True:
            await self._wait_to_retry(random.uniform(0, delay_s))
            delay_s = min(max(delay_s * 2, self._limits.retry_s), self._limits.longest_retry_s)
            try:
                async with asyncio.timeout_at(fence_s):  # whatever one attempt takes
                    await self.once()
                return
            except TimeoutError:
                raise failure from None
            except TransportError as error:
                # A daemon that was there and does not answer may be leaving: the next one tells what became of it.
                may_heal = error.is_retryable or isinstance(error, BootstrapFailed)
                if not may_heal or self._link.is_given_up or self._loop.time() >= fence_s:
                    raise
                failure = error

    async def first(self) -> None:
        """Attach to a daemon that nobody knows of, or have one begin. Raises TransportError.

        One that was there, and was about to end, may take our channel with it: the next finds none, or a new one.
        """
        for more in range(AFTER_SILENCE, -1, -1):
            try:
                return await self.once()
            except BootstrapFailed as error:
                if error.code != SILENT_END or not more:
                    raise
            except LinkLost as error:  # what never was up is not lost: it could not be started
                raise BootstrapFailed(str(error), hint=error.hint, code="boot.cut") from error

    async def _wait_to_retry(self, delay_s: float) -> None:
        """Wait between two attempts; less when somebody is in a hurry."""
        if self.hurry.is_set():
            await asyncio.sleep(min(delay_s, self._limits.hurried_retry_s))
            return
        try:
            async with asyncio.timeout(delay_s):
                await self.hurry.wait()
        except TimeoutError:
            pass

    async def once(self) -> None:
        """Wait for our turn, open a channel, boot, greet, until the daemon answers. Raises TransportError.

        The first time what starts daemons on the machine is asked for one.
        """
        link = self._link
        starter, self._starter = self._starter, None
        attachment = None
        try:
            async with self._boot_turn(link.tell_wait) as first:
                if starter is not None and starter.pays:
                    attachment = await self._by_starter(starter, first)
                if attachment is None:
                    attachment = await self._by_command(first)
        finally:
            if starter is not None:
                starter.leave()
        assert attachment.channel is not None
        link.attached(attachment, attachment.channel)

    async def _by_starter(self, starter: Starter, first: FirstBoot) -> Attachment | None:
        """Have a starter bring the daemon up; None where that fails: why, the other way tells, if it fails too."""
        link = self._link
        attachment = self._begin()
        try:
            async with asyncio.timeout(self._limits.greeting_s / 2):
                place = await starter.place()
                if not place:
                    return None
                first.over()
                try:
                    channel = attachment.channel = await link.transport.connect(place, attachment)
                except TransportError:
                    starter.give_up()
                    return None
                channel.write(starter.order(link.spec.name, attachment.nonce))
                await self._boot(attachment, channel)
                self._greet(channel)
                await attachment.welcome
        except TimeoutError:
            starter.give_up()
            attachment.abort()
            return None
        except TransportError:
            attachment.abort()
            return None
        except BaseException:
            attachment.abort()
            raise
        return attachment

    async def _by_command(self, first: FirstBoot) -> Attachment:
        """Bring the daemon up by a command on the machine. Raises TransportError."""
        link = self._link
        attachment = self._begin()
        nonce = attachment.nonce
        hold = ["--hold"] if link.spec.transport == "slurm" else []
        words = ["attach", "--run", link.settings.run, "--agent", link.spec.name, *hold, *link.whereto()]
        argv = link.argv(nonce, words)
        greeting_s = self._limits.greeting_s
        was_greeted = self.is_greeted
        try:
            async with asyncio.timeout(None) as limit:
                channel = attachment.channel = await link.transport.open(argv, attachment)
                limit.reschedule(self._loop.time() + greeting_s)
                await self._boot(attachment, channel)
                first.over()
                self._greet(channel)
                await attachment.welcome
        except TimeoutError:
            attachment.abort()
            raise BootstrapFailed(
                f"agent {link.spec.name}: no answer from {link.transport.description} within {greeting_s:g} s"
                f"{attachment.last_words}",
                hint=self._stuck_hint() if self._is_sending else BOOT_HINTS["boot.timeout"],
                code="boot.timeout",
            ) from None
        except TransportError as error:
            attachment.abort()
            if isinstance(error, BootstrapFailed) and error.code == NO_PROCESS:
                self.is_greeted = was_greeted  # nobody has begun who could have heard it
            if self._is_sending:
                error.hint = error.hint or self._stuck_hint()
            elif isinstance(error, LinkLost):
                error.hint = error.hint or CUT_HINT
            raise
        except BaseException:
            attachment.abort()
            raise
        return attachment

    def _begin(self) -> Attachment:
        link = self._link
        self._epoch += 1
        self._is_sending = False
        place, nonce = link.transport.description, secrets.token_hex(8)
        return Attachment(link, link.spec.name, place, nonce, kind=link.spec.transport)

    def _stuck_hint(self) -> str:
        return TERMINAL_HINT if self._link.spec.transport == "command" else LARGE_PACKETS_HINT

    async def _boot(self, attachment: Attachment, channel: Channel) -> None:
        """Wait until the daemon's program runs; send it when the machine does not have it."""
        event = await attachment.booted
        if isinstance(event, Need):
            self._is_sending = True
            channel.write(build_bundle().data)
            await channel.drain()
            event = await attachment.started
            self._is_sending = False
        if isinstance(event, Failed):
            raise BootstrapFailed(
                f"agent {self._link.spec.name}: {self._link.transport.description}: {event.message}",
                code=event.code or "boot.failed",
                hint=BOOT_HINTS.get(event.code, ""),
            )

    def _greet(self, channel: Channel) -> None:
        link, inbox = self._link, self._link.inbox
        line = hello(
            link.spec,
            link.settings,
            address=link.address,
            epoch=self._epoch,
            seen=inbox.numbering.seen if inbox.birth else None,
            taken=inbox.taken_bytes if inbox.birth else None,
            birth=inbox.birth,
        )
        inbox.begins()
        self.is_greeted = True
        channel.write(line)
