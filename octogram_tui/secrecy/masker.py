"""What stands in the place of secrets: in all that people and programs read, and in what a run keeps to be resumed.

A mask names the secret and how its text was made, as `(secret token)` or `(secret token as base64)`. Sealed, it is
also told from a text that only looks like it, so that each seal is opened again, with the value as it is then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from octogram_tui.errors import AttachRefused
from octogram_tui.secrecy.finder import Finder, Needle, Span
from octogram_tui.secrecy.names import SHORTEST, label
from octogram_tui.secrecy.walk import Way, walk

_LABEL = re.compile(r"\(secret ([A-Za-z_][A-Za-z0-9_]*(?: as [^()]*)?)\)")
_LOOKS_LIKE_ONE = re.compile(r"\((?=(?:part of )?secret [A-Za-z_])")
_SEAL = "\x1a"
_SEALED = re.compile(f"{_SEAL}([^;{_SEAL}]*);")
_NUMBER = f"{_SEAL}#;"
_IS_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,4000})(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_OF_NUMBERS = frozenset("0123456789.+-e")
_PART = re.compile(r"(.*)@([0-9]+)-([0-9]+)")


class Masker:
    """Knows the values of secrets. It costs next to nothing as long as there are none.

    A secret may have had several values; all of them are masked, and the last one is what masks are opened to.
    """

    def __init__(self) -> None:
        self._finder = Finder()
        self._by_code: dict[str, str] = {}
        self._whole: dict[str, str] = {}  # values that are too short to be looked for, each with its code
        self._learned_anew: set[tuple[str, str]] = set()
        self._has_numbers = False  # some value may be a number, or a part of one
        self._tell: Callable[[str], None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether there is no secret."""
        return not self._by_code

    def learn(self, name: str, value: str) -> bool:
        """Mask a value from now on. Tells whether it is also found within other texts: a short one is not."""
        return self._learn(name, [value])

    def _learn(self, name: str, values: Sequence[str]) -> bool:
        from octogram_tui.secrecy.forms import AS_NUMBER, forms_of  # what it takes is not for runs without a secret

        known = {needle.text: needle for needle in self._finder.needles}
        by_code, whole = dict(self._by_code), dict(self._whole)
        is_found = False
        for value in values:
            if self._tell is not None:
                self._tell(value)
            forms = forms_of(value)
            self._has_numbers = (
                self._has_numbers or set(value) <= _OF_NUMBERS or any(form.how == AS_NUMBER for form in forms)
            )
            coded = {name: value, **{f"{name} as {form.how}": form.text for form in forms if form.how}}
            by_code.update(coded)
            if not forms:
                if value:  # an empty one stands everywhere
                    whole[value] = name
                continue
            is_found = True
            for code, text in coded.items():
                known.setdefault(text, Needle(text, code))
        self._by_code, self._whole = by_code, whole
        if is_found:
            self._finder = Finder(known.values())  # in one piece, and once: others may be looking meanwhile
        return is_found

    def tell_values(self, tell: Callable[[str], None], *, of_later_too: bool) -> None:
        """Tell somebody of every value; of_later_too: also of those that are learned later, before they are masked."""
        for code, value in self._by_code.items():
            if " as " not in code:
                tell(value)
        self._tell = tell if of_later_too else None

    def has(self, name: str) -> bool:
        """Whether a variable is secret."""
        return name in self._by_code

    def learn_anew(self, name: str, value: Any) -> None:
        """Mask what a secret was set to during a run, which may be any value of JSON: then each text in it.

        What is short in one stands for other things, the exit code of a result say.
        """
        is_part = isinstance(value, dict | list)
        texts = [text for text in _texts_in(value) if not is_part or len(text) >= SHORTEST]
        fresh = [text for text in dict.fromkeys(texts) if (name, text) not in self._learned_anew]
        if fresh:
            self._learned_anew.update((name, text) for text in fresh)
            self._learn(name, fresh)
        if texts:
            self._by_code = {**self._by_code, name: texts[-1]}

    # -- for people and programs ----------------------------------------------------------------------------------

    def mask(self, value: Any, *, has_free_numbers: bool = True) -> Any:
        """Give a value of JSON with masks; the same one where there is nothing to hide.

        has_free_numbers: its numbers may be anything, and one of a secret becomes a text with a mask.
        What looks like a mask, and is none, is made to look different: nobody takes it for a secret.
        """
        if self.is_idle:
            return value
        number = str if self._has_numbers and has_free_numbers else None
        return walk(value, Way(self._shows_nothing, self._masked, number))

    def lines(self, lines: list[str], before: str = "", *, is_cut: bool = False) -> list[str]:
        """Mask lines that others may follow. before: the last of those that came before; is_cut: nobody knows those."""
        return self._masked(lines, before=before, is_open=True, is_cut=is_cut)

    def tail(self, before: str, lines: list[str]) -> str:
        """Give what of lines, and of what came before them, is to be given as `before` with the lines that follow."""
        return self._finder.tail(before, lines)

    def text(self, text: str) -> str:
        """Mask a text that may hold masks already."""
        if len(text) < SHORTEST:
            return text
        spans = self._finder.spans([text])
        if spans is None:
            return text
        return "".join(_masked_span(part) if isinstance(part, Span) else part for part in _split(text, spans[0]))

    def _masked(self, texts: list[str], *, before: str = "", is_open: bool = False, is_cut: bool = False) -> list[str]:
        spans = self._finder.spans(texts, before=before, is_open=is_open, is_cut=is_cut)
        result = []
        for number, text in enumerate(texts):
            code = self._whole.get(text)
            if code is not None:
                result.append(label(code))
                continue
            parts = _split(text, spans[number] if spans else ())
            clean = [part if isinstance(part, Span) else _LOOKS_LIKE_ONE.sub("( ", part) for part in parts]
            result.append("".join(_masked_span(part) if isinstance(part, Span) else part for part in clean))
        return result

    def reveal(self, value: Any) -> Any:
        """Give what an operator sent with the values in the places of masks that were shown."""
        return value if self.is_idle else walk(value, Way(lambda text: "(secret " not in text, self._revealed))

    def _revealed(self, texts: list[str]) -> list[str]:
        return [_LABEL.sub(lambda found: self._by_code.get(found[1], found[0]), text) for text in texts]

    # -- for the run itself ---------------------------------------------------------------------------------------

    def seal(self, value: Any) -> Any:
        """Give a value of JSON with seals in the places of secrets. `unseal` gives the value back exactly."""
        return walk(value, Way(self._needs_no_seal, self._sealed, _number if self._has_numbers else None))

    def _sealed(self, texts: list[str]) -> list[str]:
        spans = None if self.is_idle else self._finder.spans(texts)
        result = []
        for number, text in enumerate(texts):
            code = self._whole.get(text)
            if code is not None:
                result.append(f"{_SEAL}{code};")
            elif spans is None and _SEAL not in text:
                result.append(text)
            else:
                parts = _split(text, spans[number] if spans else ())
                result.append(
                    "".join(_seal_of(p) if isinstance(p, Span) else p.replace(_SEAL, f"{_SEAL};") for p in parts)
                )
        return result

    def unseal(self, value: Any) -> Any:
        """Give back what was sealed, with each secret as it is now. Raises AttachRefused for one that is not known."""
        if isinstance(value, str):
            if _SEAL not in value:
                return value
            if value.startswith(_NUMBER):
                text = self._opened(value[len(_NUMBER) :])
                return json.loads(text) if _IS_NUMBER.fullmatch(text) else text  # a value may have changed to a text
            return self._opened(value)
        if isinstance(value, list):
            return [self.unseal(each) for each in value]
        if isinstance(value, dict):
            return {self.unseal(name): self.unseal(each) for name, each in value.items()}
        return value

    def _opened(self, text: str) -> str:
        return _SEALED.sub(lambda found: self._value_of(found[1]), text)

    def _value_of(self, code: str) -> str:
        if not code:
            return _SEAL
        part = _PART.fullmatch(code)
        whole = self._by_code.get(part[1] if part else code)
        if whole is not None:
            return whole[int(part[2]) : int(part[3])] if part else whole
        name = code.partition(" ")[0].partition("@")[0]
        if name not in self._by_code:
            raise AttachRefused(
                f"the run used the secret `{name}`, and nothing says where its value comes from now",
                hint=f"give it: --secret {name}=env:VARIABLE, or file:, command:, keyring:",
            )
        return self._by_code[name]  # another value has no such form: what was made of it is not known any more

    # -- both -----------------------------------------------------------------------------------------------------

    def _shows_nothing(self, text: str) -> bool:
        return self._has_none(text) and "secret " not in text

    def _needs_no_seal(self, text: str) -> bool:
        return self._has_none(text) and _SEAL not in text

    def _has_none(self, text: str) -> bool:
        if len(text) < SHORTEST:
            return text not in self._whole
        return not self._finder.may_hold(text)


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(each)
    elif isinstance(value, str):
        yield value.strip("\r\n")
    elif value is not None and not isinstance(value, bool):
        yield repr(value)


def _number(text: str) -> str:
    return _NUMBER + text


def _split(text: str, spans: Sequence[Span]) -> list[str | Span]:
    parts: list[str | Span] = []
    at = 0
    for span in spans:
        parts += [text[at : span.start], span]
        at = span.end
    return [*parts, text[at:]]


def _masked_span(span: Span) -> str:
    if span.is_more:
        return ""
    code = span.needle.code
    return f"(secret {code})" if span.is_whole else f"(part of secret {code.partition(' ')[0]})"


def _seal_of(span: Span) -> str:
    part = "" if span.is_whole else f"@{span.first}-{span.last}"
    return f"{_SEAL}{span.needle.code}{part};"
