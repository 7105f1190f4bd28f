"""How states, times and values read, and which keys there are."""

import unicodedata
from typing import Any

import pytest
from rich.cells import cell_len

from octogram_tui.errors import SettingsError
from octogram_tui.projection.row_states import AgentState, State
from octogram_tui.runtime.verbs import VERBS
from octogram_tui.tui import theme
from octogram_tui.tui.format import AGENT_LOOKS, LOOKS, block, clock, duration, plural, stamp, value
from octogram_tui.tui.keymap import ACTIONS, key_names
from octogram_tui.tui.widgets.brush import fit, fit_name


def test_every_state_has_a_look_of_one_narrow_cell() -> None:
    assert set(LOOKS) == set(State)
    assert set(AGENT_LOOKS) == set(AgentState)
    for look in (*LOOKS.values(), *AGENT_LOOKS.values()):
        assert unicodedata.east_asian_width(look.sign) in ("N", "Na"), look
        assert look.ascii_sign.isascii()
        assert len(look.sign) == len(look.ascii_sign) == 1


@pytest.mark.parametrize("name", theme.names())
def test_every_palette_has_every_style(name: str) -> None:
    palette = theme.palette(name)
    assert set(palette.styles) == set(theme.palette(theme.DEFAULT).styles)
    assert {look.style for look in (*LOOKS.values(), *AGENT_LOOKS.values())} <= set(palette.styles)


def _colour(text: str) -> tuple[int, int, int]:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _luminance(colour: tuple[int, int, int]) -> float:
    parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("name", ["dark", "light", "high-contrast", "colour-blind"])
def test_states_can_be_read_on_their_ground(name: str) -> None:
    palette = theme.palette(name)
    assert palette.theme.background
    ground = _colour(palette.theme.background)
    for look in LOOKS.values():
        style = palette.styles[look.style]
        assert style.color is not None
        below = _colour(style.bgcolor.name) if style.bgcolor else ground
        light, dark = sorted((_luminance(_colour(style.color.name)), _luminance(below)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, look


def test_unknown_theme_says_which_there_are() -> None:
    with pytest.raises(SettingsError, match="no theme 'pink'") as caught:
        theme.palette("pink")
    assert "dark" in caught.value.hint


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, ""), (0.04, "0.0s"), (59.9, "59.9s"), (59.96, "1m00s"), (63, "1m03s"), (7500, "2h05m"), (273_600, "3d04h")],
)
def test_durations(seconds: float | None, shown: str) -> None:
    assert duration(seconds) == shown


def test_clocks_and_counts() -> None:
    assert (clock(271), clock(3725)) == ("4:31", "1:02:05")
    assert (stamp(41.22), stamp(3725.0014), stamp(59.9999)) == ("00:41.220", "1:02:05.001", "01:00.000")
    assert (plural(1, "job"), plural(12345, "job")) == ("1 job", "12 345 jobs")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("ghostnet", "ghostnet"),
        ("4", '"4"'),
        ("true", '"true"'),
        ("", '""'),
        (" a", '" a"'),
        (4, "4"),
        (True, "true"),
        (None, "null"),
        ([1, "a"], '[1, "a"]'),
        ("{x}", '"{x}"'),
        ("a\x1b[1m", "a␛[1m"),
        (float("nan"), "NaN"),
    ],
)
def test_values_on_a_line(given: Any, shown: str) -> None:
    assert value(given) == shown


def test_values_over_lines() -> None:
    given = {"argv": ["ls", "-l"], "env": {}, "script": "a\nb", "deep": {"x": [1, {"y": 2}]}}
    assert block(given) == [
        "argv:",
        "  - ls",
        "  - -l",
        "env: {}",
        "script:",
        "  a",
        "  b",
        "deep:",
        "  x:",
        "    - 1",
        "    - y: 2",
    ]


def test_fit_cuts_and_fills_in_cells() -> None:
    assert fit("abc", 5) == "abc  "
    assert fit("abc", 5, right=True) == "  abc"
    assert fit("abcdef", 4) == "abc~"
    assert fit("数数数", 4) == "数 ~"
    assert fit("abc", 0) == ""


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [
        ("node_1", 8, "node_1  "),
        ("a-machine-with-a-long-name-17", 14, "a-mach~name-17"),
        ("a-machine-17", 6, "a-mac~"),
        ("\u673a\u5668" * 4, 10, "\u673a\u5668 ~\u673a\u5668"),
    ],
)
def test_a_name_that_is_cut_has_its_beginning_and_its_end(name: str, width: int, shown: str) -> None:
    assert (fit_name(name, width), cell_len(fit_name(name, width))) == (shown, width)


def test_no_action_needs_a_key_that_some_keyboards_hide() -> None:
    for action in ACTIONS:
        for key in action.keys.split(","):
            assert not key.startswith(("alt+", "ctrl+shift+")), action
            assert key not in ("left_square_bracket", "right_square_bracket", "vertical_line"), action
        assert action.says
        assert all(key_names(action)) or not action.keys
    for where in ("", "log"):  # a pane's keys stand before those of the run
        keys = [key for action in ACTIONS if action.where == where for key in action.keys.split(",") if key]
        assert len(keys) == len(set(keys))


def test_every_action_s_verbs_are_there() -> None:
    """That the palette has every verb, with or without an action, is tested with the palette."""
    assert {name for action in ACTIONS for name in action.verbs} <= set(VERBS)
    assert all(action.says for action in ACTIONS)
    acting = {action.name for action in ACTIONS if action.needs_control}
    assert acting >= {"pause or go", "step over", "breakpoint", "rerun", "skip", "edit", "back to stage", "stop"}
    assert not acting & {"explain", "compare", "filter", "event back", "first failure", "check scenario", "leave"}
