"""Drives a console at random: keys, mouse, pastes, sizes, what the run tells, and how it is attached."""

import asyncio
import contextlib
import os
import random
from typing import Any

from console_app import StillSource, screen_text
from hostile_events import Hostile
from storms import Storms
from textual import events
from textual.errors import NoWidget
from textual.geometry import Size
from textual.pilot import Pilot

from octogram_tui.engine import events as ev
from octogram_tui.engine.stimuli import Stimulus
from octogram_tui.model.breakpoint import WHEN
from octogram_tui.model.entries import ProblemEntry, StageEntry
from octogram_tui.model.ids import InstanceId
from octogram_tui.tui import theme
from octogram_tui.tui.app import ConsoleApp, ConsoleOutcome
from octogram_tui.tui.key_presets import PRESETS
from octogram_tui.tui.keymap import ACTIONS
from octogram_tui.tui.live_keys import Keys
from octogram_tui.tui.widgets.line_view import LineView
from tools.pretended_run import PretendedRun

SIZES = [(80, 24), (120, 40), (200, 60), (40, 12), (159, 30), (100, 20), (20, 5), (160, 45), (119, 8), (250, 70)]
TINY = [(1, 1), (2, 30), (200, 1), (9, 3), (400, 100)]
OF_ACTIONS = sorted({key for action in ACTIONS for key in action.default_keys})
OF_PRESETS = sorted({key for keys in PRESETS.values() for some in keys.values() for key in some.split()})
OF_FORMS = "backspace delete a x 5 d s ctrl+s y n r ctrl+u ctrl+w ctrl+q ctrl+p shift+up shift+end insert f12 é".split()
SIGNS = {"space": " ", "exclamation_mark": "!", "slash": "/", "question_mark": "?", "colon": ":", "ampersand": "&",
         "equals_sign": "=", "asterisk": "*", "comma": ",", "full_stop": ".", "plus": "+", "minus": "-"}  # fmt: skip
PASTES = ["one", "two\nlines", "é数[bold", "\x1b[2J", "", "x" * 5000, "[1, 2"]
LINES = ["line", "", "数数数数 " * 40, "\x1b[31mred\x1b[0m", "[/]", "x" * 300]
MOVES = {"j", "k", "g", "G", "up", "down", "home", "end", "pageup", "pagedown"}
TURNS = 25
OPENING = 20
KINDS = "key key key key key key key click double wheel drag paste size event hostile storm attached theme keys"
MUCH = 5_000 if "OCTOGRAM_RANDOM_STEPS" in os.environ else 50
"""So many events the largest storms have."""
FLEETS = [1, 3, 12, 40, 300] if "OCTOGRAM_RANDOM_STEPS" in os.environ else [1, 3, 12, 40]


class FleetBehind(StillSource):
    """A source that does as it is told, when time is given to it."""

    def __init__(self, rng: random.Random) -> None:
        self.fleet = PretendedRun(rng.choice(FLEETS), seed=rng.randrange(1000), fails=rng.random() < 0.8)
        self.fleet.begin(paused=rng.random() < 0.3)
        super().__init__(self.fleet.advance(rng.choice([0.0, 2.0, 6.0, 20.0])))
        self.plan: list[StageEntry] = self._events[0].plan  # type: ignore[attr-defined]
        stages = [entry["stage"] for entry in self.plan]
        jobs = [job["job"] for entry in self.plan for job in entry["jobs"]]
        self.hostile = Hostile(rng, stages, jobs, self.fleet.names)
        self.storms = Storms(rng, self.plan, self.fleet.names, much=MUCH)
        self.seq = 0

    def send(self, stimulus: Stimulus) -> None:
        super().send(stimulus)
        self.fleet.take(stimulus)

    def numbered(self, *more: ev.Event) -> None:
        for event in more:  # the fleet numbers its own: here all are numbered as they come
            self.seq += 1
            event.seq = 100_000 + self.seq
        if more:
            self.tell(*more)

    def happens(self, rng: random.Random) -> None:
        """Let something happen."""
        more = self.fleet.advance(self.fleet.now_s + rng.choice([0.1, 1.0, 5.0]))
        at_s = self.fleet.now_s
        agent = rng.choice(self.fleet.names)
        about: dict[str, Any] = {"instance": InstanceId(rng.choice(self.plan)["stage"], "j", agent)}
        match rng.randrange(9):
            case 6:
                more.append(
                    ev.BreakpointSet(
                        at_s=at_s,
                        number=rng.randrange(1, 40),
                        pattern=rng.choice(["*", f"@{agent}", self.plan[0]["stage"], "x/y@z[*]", "/[/]*"]),
                        when=rng.choice(WHEN),
                        condition=rng.choice(["", "vars.a", "[/]" * 90]),
                        log=rng.choice(["", "\x1b[2J{{"]),
                        is_off=rng.random() < 0.3,
                    )
                )
            case 7:
                number = rng.randrange(1, 40)
                more.append(ev.BreakpointRemoved(at_s=at_s, number=number))
                more.append(ev.BreakpointMet(at_s=at_s, number=number, message="數" * 90, is_log=rng.random() < 0.5))
                more.append(ev.RunPaused(at_s=at_s, reason="breakpoint", message=f"{agent}: [/]"))
            case 8:
                more.append(ev.HoldModeChosen(at_s=at_s, mode=rng.choice(["all", "alone"])))
                held = rng.choice([agent, "*", f"{agent[:3]}*"])
                more.append(ev.AgentHeld(at_s=at_s, agent=held, reason="breakpoint", message="[/]"))
                more.append(
                    ev.JobHeld(at_s=at_s, **about, point=rng.choice(["before", "after"]), breakpoint=3, order=9)
                )
                if rng.random() < 0.5:
                    more.append(ev.AgentReleased(at_s=at_s, agent=held, follows=rng.random() < 0.5))
            case 0:
                plan = rng.sample(self.plan, rng.randrange(len(self.plan) + 1))
                plan = [{**entry, "jobs": entry["jobs"][: rng.randrange(3)]} for entry in plan]
                more.append(ev.ScenarioReloaded(at_s=at_s, plan=plan, changes=["edited"]))
            case 1:
                problem: ProblemEntry = {"file": "f", "line": 1, "message": "no", "hint": ""}
                more.append(ev.ScenarioRejected(at_s=at_s, problems=[problem]))
            case 2:
                more.append(ev.AgentLost(at_s=at_s, agent=agent, message="gone"))
            case 3:
                lines = [rng.choice(LINES) for _ in range(rng.choice([1, 50, 3000]))]
                more.append(ev.JobOutput(at_s=at_s, agent=agent, **about, lines=lines, dropped=rng.choice([0, 0, 7])))
            case 4:
                more.append(ev.VariableChanged(at_s=at_s, name=rng.choice(["a", "[/]", "slots"]), value=[1], by="x"))
        self.numbered(*more)


class Drive:
    """A console under way. `done` has every step, to be repeated: the seed gives the same ones."""

    kinds = KINDS

    def __init__(self, pilot: Pilot[ConsoleOutcome], source: Any, rng: random.Random) -> None:
        assert isinstance(pilot.app, ConsoleApp)
        self.app = pilot.app
        self.source = source
        self.done: list[str] = []
        self._pilot = pilot
        self._rng = rng
        self._is_away = False  # in another window: nobody presses keys here then
        self._is_scrolled = False  # by hand: then the cursor may be anywhere

    async def step(self) -> None:
        """Do something, and look at what came of it."""
        kind = self._rng.choice(self.kinds.split())
        if self._is_away and kind not in ("event", "hostile", "storm", "size", "attached"):
            self._is_away = False
            self.app.post_message(events.AppFocus())
            await self.settle()
        self.done.append(await getattr(self, f"_do_{kind}")())
        await self.settle()
        for _ in range(OPENING):  # a screen that is being opened has nothing yet
            if not self._has_room or screen_text(self.app, on_top=True).strip():
                break
            await self._pilot.pause()
        if self.app.screen.focused is None:
            self.app.sync()  # as the next tick would
            await self.settle()
        self.check()

    async def settle(self) -> None:
        for _ in range(TURNS):
            await asyncio.sleep(0)
        self.app.screen._on_timer_update()

    def check(self) -> None:
        app, after = self.app, f"after {' | '.join(self.done[-12:])} at {self.app.size}"
        assert app._exception is None, after
        if self._has_room:
            assert screen_text(app, on_top=True).strip(), f"blank {after}"
        focused = app.screen.focused
        if focused is None:
            assert self._is_away or app.screen is not app.run_screen or not self._is_settled, (
                f"nothing has the keys {after}"
            )
            return
        assert focused.is_attached, f"{focused} has the keys and is gone {after}"
        if isinstance(focused, LineView) and focused.size and self._is_settled:
            assert focused.display, f"{focused} has the keys and is not seen {after}"
            if focused.has_cursor and focused.count() and not self._is_scrolled:
                line = focused.cursor - focused.scroll_offset.y
                assert 0 <= line < focused.visible_lines, f"the cursor of {focused} is off the screen {after}"

    @property
    def _has_room(self) -> bool:
        """Whether there is room for a word."""
        return self.app.size.width >= 20 and self.app.size.height >= 3

    @property
    def _is_settled(self) -> bool:
        """Whether nothing is on its way: a focus or a size may be."""
        pumps = (self.app, self.app.screen, self.app.screen.focused or self.app)
        return all(not pump._message_queue.qsize() for pump in pumps)

    # What is done

    async def _do_key(self) -> str:
        # Some at once, as from a hand that is faster than the screen; and not by `press`, which waits for each.
        return await self._press(self._rng.choice([OF_ACTIONS, OF_ACTIONS, OF_PRESETS, OF_FORMS]))

    async def _press(self, some: list[str]) -> str:
        """Press one key of some, or a few at once."""
        keys = self._rng.choices(some, k=self._rng.choice([1, 1, 1, 3]))
        for key in keys:
            self.key(key)
        self._is_scrolled = self._is_scrolled and not MOVES & set(keys)
        return " ".join(keys)

    def key(self, key: str, character: str | None = None) -> None:
        """Let a key come."""
        self.app.post_message(events.Key(key, character or (key if len(key) == 1 else SIGNS.get(key))))

    def _place(self) -> tuple[int, int]:
        width, height = self.app.size
        return self._rng.randrange(width), self._rng.randrange(height)

    async def _do_click(self, times: int = 1) -> str:
        at = self._place()
        with contextlib.suppress(NoWidget):  # of a screen that is just being opened: the pilot looks, the app does not
            await self._pilot.click(offset=at, times=times)
        return f"click {at} x{times}"

    async def _do_double(self) -> str:
        return await self._do_click(2)

    async def _do_wheel(self) -> str:
        x, y = self._place()
        kind = self._rng.choice(
            [events.MouseScrollUp, events.MouseScrollDown, events.MouseScrollLeft, events.MouseScrollRight]
        )
        for _ in range(self._rng.choice([1, 5])):
            self._mouse(kind, x, y)
        self._is_scrolled = True
        return f"{kind.__name__} {x, y}"

    async def _do_drag(self) -> str:
        (x, y), (to_x, to_y) = self._place(), self._place()
        self._mouse(events.MouseDown, x, y)
        self._mouse(events.MouseMove, to_x, to_y)
        if self._rng.random() < 0.9:  # else let go outside
            self._mouse(events.MouseUp, to_x, to_y)
        self._is_scrolled = True
        return f"drag {x, y} {to_x, to_y}"

    def _mouse(self, kind: type[events.MouseEvent], x: int, y: int) -> None:
        where: dict[str, Any] = {"x": x, "y": y, "screen_x": x, "screen_y": y, "delta_x": 0, "delta_y": 0}
        self.app.post_message(kind(None, button=1, shift=False, meta=False, ctrl=False, **where))

    async def _do_paste(self) -> str:
        text = self._rng.choice(PASTES)
        self.app.post_message(events.Paste(text))
        return f"paste {text[:10]!r}"

    async def _do_size(self) -> str:
        rng = self._rng
        size = Size(*rng.choice([*SIZES, *TINY, (rng.randrange(20, 251), rng.randrange(5, 71))]))
        self.app.post_message(events.Resize(size, size))
        self._is_scrolled = self._is_scrolled or size.height < 12
        return f"{size.width}x{size.height}"

    async def _do_event(self) -> str:
        self.source.happens(self._rng)
        return "event"

    async def _do_hostile(self) -> str:
        made = self.source.hostile.event(self.source.fleet.now_s)
        self.source.numbered(made)
        return repr(made)[:300]

    async def _do_storm(self) -> str:
        """Much in one batch, and keys while it comes."""
        made = self.source.storms.batch()
        for event in made:
            event.at_s = self.source.fleet.now_s
        self.source.numbered(*made)
        return f"storm of {len(made)} {made[0].TYPE if made else ''} | {await self._do_key()}"

    async def _do_keys(self) -> str:
        """Other keys: of a preset, or as a user with odd habits has them."""
        preset = self._rng.choice(list(PRESETS))
        if self._rng.random() < 0.5:
            self.app.action_use_preset(preset)
            return f"keys {preset}"
        names = [action.name for action in ACTIONS]
        odd = [action.default_keys for action in ACTIONS]
        self._rng.shuffle(odd)
        self.app.use_keys(Keys(dict(zip(names, odd, strict=True))))
        return "keys shuffled"

    async def _do_attached(self) -> str:
        source, rng = self.source, self._rng
        match rng.randrange(5):
            case 0:
                source.has_control = not source.has_control
            case 1:
                source.is_connected = rng.random() < 0.8
            case 2:
                source.refusals.append(rng.choice(LINES))
            case 3:
                self.app.post_message(events.AppBlur())
                self._is_away = True
            case 4 if rng.random() < 0.1:
                self.app.source_ended()
        self.app.call_later(self.app.sync)
        return "attached"

    async def _do_theme(self) -> str:
        name = self._rng.choice(theme.names())
        self.app.action_use_theme(name)
        return name
