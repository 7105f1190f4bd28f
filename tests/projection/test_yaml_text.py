"""Lines of YAML taken apart for their colours."""

import random
import string

import pytest

from octogram_tui.projection.yaml_text import block_lines, key_path, parts


def shown(line: str, *, in_block: bool = False) -> list[tuple[str, str]]:
    return [(part.text, part.kind) for part in parts(line, in_block=in_block) if part.text.strip()]


K, M, S, T, X = "key", "mark", "string", "template", "text"


@pytest.mark.parametrize(
    ("line", "texts", "kinds"),
    [
        ("  - name: sell one  # why", "- |name|:| sell one  |# why", (M, K, M, X, "comment")),
        ("price: '{{ vars.price }} #1'", "price|:|'|{{ vars.price }}| #1'", (K, M, S, T, S)),
        ("# all of it", "# all of it", ("comment",)),
        ("with_agents: ^shop_(\\d)$", "with_agents|:| ^shop_(\\d)$", (K, M, X)),
        ("url: http://here/#top", "url|:| http://here/#top", (K, M, X)),
        ('a: [1, "x"]', 'a|:|[|1|,|"x"|]', (K, M, M, X, M, S, M)),
        ("'it''s': 'don''t'", "'it''s'|:|'don''t'", (K, M, S)),
        ("---", "---", (X,)),
    ],
)
def test_parts_of_a_line(line: str, texts: str, kinds: tuple[str, ...]) -> None:
    assert shown(line) == list(zip(texts.split("|"), kinds, strict=True))


def test_a_template_in_a_key_is_seen() -> None:
    assert ("{{ re[1] }}", "template") in shown("sold_{{ re[1] }}: true")


def test_what_a_block_scalar_holds_has_no_keys() -> None:
    lines = [
        "jobs:",
        "  - builtins.shell: |",
        "      left: $(cat)  # no comment",
        "",
        "      echo {{ vars.a }}",
        "    env: >-",
        "      folded",
        "  - name: a > b",
        "  - |",
        "    alone",
        "end: x",
    ]
    assert block_lines(lines) == {2, 3, 4, 6, 9}
    assert shown(lines[2], in_block=True) == [(lines[2], "text")]
    assert ("{{ vars.a }}", "template") in shown(lines[4], in_block=True)


def test_no_character_is_lost_or_made_whatever_the_line_holds() -> None:
    chance = random.Random(3)
    letters = "ab:#'\"{}[]%,|>- \\&*!" + string.digits
    for _ in range(2_000):
        line = "".join(chance.choice(letters) for _ in range(chance.randrange(40)))
        assert "".join(part.text for part in parts(line)) == line
        assert "".join(part.text for part in parts(line, in_block=True)) == line


def test_path_of_a_line_is_that_of_its_indentation() -> None:
    lines = [
        "jobs:",
        "  - name: sell",
        "    builtins.shell:",
        "      script: x",
        "      env:",
        "        STOCK: '1'",
        "    retry: 3",
    ]
    assert key_path(lines, 5, 1) == ["builtins.shell", "env", "STOCK"]
    assert key_path(lines, 6, 1) == ["retry"]
    assert key_path(lines, 0, 0) == ["jobs"]
    assert key_path(["  - 7"], 0, 0) == []
