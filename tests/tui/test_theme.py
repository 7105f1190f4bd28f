"""Palettes: every pair of ours can be read; a user's stands on one of ours, and is told what is wrong in it."""

from pathlib import Path

import pytest
from console_app import StillSource, console, fleet_events, screen_text, settled, until
from rich.color import Color

from octogram_tui.errors import SettingsError
from octogram_tui.tui import theme
from octogram_tui.tui.theme_contrast import TEXT
from octogram_tui.tui.widgets.contrast import contrast


@pytest.mark.parametrize("name", theme.names())
def test_every_ink_can_be_read_on_every_ground_that_it_can_stand_on(name: str) -> None:
    palette = theme.palette(name)
    assert palette.complaints == ()
    if not palette.theme.ansi:
        assert all(
            contrast(Color.parse(palette.theme.foreground or "").get_truecolor(), Color.parse(ground).get_truecolor())
            >= TEXT
            for ground in palette.grounds.values()
        )


@pytest.mark.parametrize("state", ["running", "retrying", "ok", "failed", "stale", "held"])
def test_states_of_the_colour_blind_s_theme_differ_by_more_than_red_and_green(state: str) -> None:
    """Blue and yellow are seen by nearly all: where red and green are alike, brightness or blue tells them apart."""
    styles = theme.palette("colour-blind").styles

    def seen(name: str) -> tuple[float, float]:
        colour = styles[name].color
        assert colour is not None
        red, green, blue = colour.get_truecolor()
        return 0.6 * red + 0.4 * green, float(blue)

    for other in {"running", "retrying", "ok", "failed", "stale", "held"} - {state}:
        one, two = seen(state), seen(other)
        assert max(abs(one[0] - two[0]), abs(one[1] - two[1])) > 15, (state, other)


def users(tmp_path: Path, text: str, name: str = "mine") -> Path:
    (tmp_path / "themes").mkdir(exist_ok=True)
    (tmp_path / "themes" / f"{name}.toml").write_text(text)
    return tmp_path


def test_a_user_s_theme_stands_on_one_of_ours_and_changes_what_it_names(tmp_path: Path) -> None:
    folder = users(tmp_path, 'base = "light"\n[tokens]\naccent = "#0000aa"\n[styles]\nok = "bold #005500"\n')
    mine, light = theme.palette("mine", folder), theme.palette("light")
    assert "mine" in theme.names(folder)
    assert (mine.title, mine.theme.dark, mine.theme.accent) == ("mine", False, "#0000aa")
    assert str(mine.styles["ok"]) == "bold #005500"
    assert mine.styles["failed"] == light.styles["failed"]
    assert mine.complaints == ()


def test_what_is_hard_to_read_in_it_names_the_pair(tmp_path: Path) -> None:
    found = theme.palette(
        "mine", users(tmp_path, '[styles]\nkey = "#333333"\nchip-ok = "#111111 on #222222"\n')
    ).complaints
    assert found[0] == "key (#333333) on the background (#111317) has a contrast of 1.5, and needs 4.5"
    assert any(text.startswith("chip-ok (#111111) on its own ground (#222222)") for text in found)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("base = 'drak'", "base: there is no theme 'drak'", "themes: colour-blind"),
        ("colours = 1", "there is no 'colours'", "there are: base"),
        ("[style]\nok = 'red'", "there is no 'style'", "did you mean 'styles'?"),
        ("[styles]\nfaild = 'red'", "styles: there is no 'faild'", "did you mean 'failed'?"),
        ("[styles]\nok = 'very green'", "styles.ok: 'very green' is no style", "as in"),
        ("[styles]\nok = 3", "styles.ok: 3 is no style", "as in"),
        ("[tokens]\nprimary = 'blueish'", "tokens.primary: 'blueish' is no colour", "#56b4e9"),
        ("[tokens]\nprimary = 'ansi_blue'", "tokens.primary: 'ansi_blue' is no colour", "#56b4e9"),
        ("base = 'terminal'\n[tokens]\nprimary = '#123456'", "'#123456' is no colour", "ansi_blue"),
        ("tokens = 3", "tokens: 3 is not a table", ""),
        ("dark = 'yes'", "dark: 'yes' is not bool", ""),
        ("[tokens", "is not TOML", ""),
    ],
)
def test_a_fault_in_it_is_said_with_its_place(tmp_path: Path, text: str, message: str, hint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        theme.palette("mine", users(tmp_path, text))
    assert message in str(caught.value)
    assert "mine.toml" in str(caught.value)
    assert hint in caught.value.hint


async def test_a_theme_that_is_hard_to_read_is_told_of_and_used(tmp_path: Path) -> None:
    folder = users(tmp_path, '[styles]\nkey = "#222222"\n')
    app = console(StillSource(fleet_events(2)), palette="mine", config_dir=folder)
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await until(pilot, lambda: any("key (#222222)" in notice.message for notice in app._notifications))
        assert app.theme == "mine"
        assert "deploy binaries" in screen_text(app)
