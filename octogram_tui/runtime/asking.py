"""One request to a run from outside, and its answer; nothing is left behind of having asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from octogram_tui.errors import AttachRefused, RequestDenied
from octogram_tui.runtime.client import Client
from octogram_tui.runtime.verbs import Asked, verb_of

ANSWER_S = 15.0  # for a run that is busy, or whose disk is slow


async def ask(path: str, asked: Asked, *, takes_control: bool = False, within_s: float = ANSWER_S) -> dict[str, Any]:
    """Ask a run for something, and give its answer: {led_to: types of the events that came at once}, or a log.

    takes_control: from a console that holds it, which has it again afterwards.
    Raises AttachRefused when nothing was asked or no answer came, RequestDenied when the run would not do it.
    """
    needs_control = verb_of(asked).needs_control
    client = await Client.connect(path, only_watch=not needs_control)
    answers = client.answers()
    try:
        async with asyncio.timeout(within_s):
            if needs_control:
                await _gain_control(client, answers, takes_control=takes_control)
            client.send(asked)
            async for said in answers:
                problem = said.get("refused") or said.get("problem")
                if problem:
                    raise RequestDenied(str(problem))
                if "answered" in said:
                    return said
    except TimeoutError:
        raise AttachRefused(f"the run does not answer within {within_s:g} s", hint="it may still do it") from None
    finally:
        await client.close()  # control falls back to who held it before
    raise AttachRefused("the run ended before it answered")


async def _gain_control(client: Client, answers: AsyncIterator[dict[str, Any]], *, takes_control: bool) -> None:
    """Wait until this client may act. Raises AttachRefused when another one holds control and is to keep it."""
    has_asked = False
    async for said in answers:
        if said.get("control"):
            return
        if "control" in said and not has_asked:
            if not takes_control:
                raise AttachRefused(
                    "a console holds control of this run: nothing was asked",
                    hint="`--take-control` takes it for this one request",
                )
            client.take_control()
            has_asked = True
