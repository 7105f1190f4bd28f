"""Our `dataclass` beside the standard library's: no difference but when the methods are made."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, asdict, astuple, field, fields, replace
from typing import Any, ClassVar

import pytest

from octogram_tui.dataclass import dataclass


@dataclass(slots=True, kw_only=True)
class Noted:
    """The base of one."""

    TYPE: ClassVar[str] = "noted"
    seq: int = 0
    items: list[int] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Named(Noted):
    """With a field that has no default after some that have one."""

    TYPE: ClassVar[str] = "named"
    name: str
    length: int = field(init=False, default=3)


@dataclass(frozen=True, slots=True)
class Fixed:
    """Cannot be changed."""

    x: int
    y: str = "y"
    more: tuple[int, ...] = field(default_factory=tuple)
    only: int = field(default=1, kw_only=True)


@dataclass(frozen=True, slots=True)
class Wider(Fixed):
    """Inherits that."""

    z: float = 0.5
    made: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.made.append(f"{self.x}{self.y}")


@dataclass(frozen=True, eq=False)
class Single:
    """Equal to nothing else, and open to attributes of subclasses."""

    x: int = 1


@dataclass
class OwnMethods:
    """Has some methods of its own."""

    x: int = 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OwnMethods)

    def __hash__(self) -> int:
        return 7

    def __repr__(self) -> str:
        return "own"


def of_the_library(cls: type, bases: tuple[type, ...], **switches: bool) -> type:
    """Make the same class by the standard library's means."""
    content = {name: value for name, value in vars(cls).items() if name in ("__post_init__", "TYPE")}
    own = [one for one in fields(cls) if one.name in cls.__annotations__]
    return dataclasses.make_dataclass(
        cls.__name__,
        [(one.name, one.type, copy.copy(one)) for one in own],
        bases=bases,
        namespace=content,
        **switches,
    )


NOTED = of_the_library(Noted, (), slots=True, kw_only=True)
FIXED = of_the_library(Fixed, (), slots=True, frozen=True)
PAIRS = [
    (Noted, NOTED),
    (Named, of_the_library(Named, (NOTED,), slots=True, kw_only=True)),
    (Fixed, FIXED),
    (Wider, of_the_library(Wider, (FIXED,), slots=True, frozen=True)),
    (Single, of_the_library(Single, (), frozen=True, eq=False)),
]
CALLS = [
    ((), {}),
    ((1,), {}),
    ((1, "b"), {"only": 4}),
    ((1, "b", (2,), 3.0), {}),
    ((1, "b", (2,), 3.0, 4), {}),
    ((), {"name": "n", "seq": 2}),
    ((), {"name": "n", "items": [1], "length": 2}),
    ((), {"unknown": 1}),
]


def attempt(cls: Any, values: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, str]:
    """Make an instance, or say why that cannot be."""
    try:
        return cls(*values, **named), ""
    except TypeError as error:
        return None, str(error).rpartition(".")[2]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize(("values", "named"), CALLS)
def test_a_late_dataclass_is_made_and_shown_as_the_library_makes_it(
    ours: Any, theirs: Any, values: tuple[Any, ...], named: dict[str, Any]
) -> None:
    made, refused = attempt(ours, values, named)
    expected, must_be_refused = attempt(theirs, values, named)
    assert refused == must_be_refused
    if made is None:
        return
    assert astuple(made) == astuple(expected)
    assert asdict(made) == asdict(expected)
    assert repr(made) == repr(expected)
    assert ours.__match_args__ == theirs.__match_args__
    assert getattr(ours, "__slots__", None) == getattr(theirs, "__slots__", None)
    assert (ours.__hash__ is None) == (theirs.__hash__ is None)
    again = ours(*values, **named)
    assert (made == again) == (expected == theirs(*values, **named))
    assert made != expected
    if ours in (Fixed, Single):
        assert (hash(made) == hash(again)) == (hash(expected) == hash(theirs(*values, **named)))


def test_a_late_dataclass_is_copied_pickled_replaced_and_matched() -> None:
    for one in (Named(name="n", items=[1]), Fixed(1, only=2), Wider(1, "b")):
        for other in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
            assert type(other) is type(one)
            assert other == one
        assert replace(one) == one
    assert replace(Fixed(1), y="b") == Fixed(1, "b")
    match Fixed(1, "b"):
        case Fixed(1, name):
            assert name == "b"
        case _:
            pytest.fail("not matched")


def test_a_late_dataclass_that_is_frozen_refuses_every_change() -> None:
    one = Fixed(1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        one.x = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del one.x
    with pytest.raises(FrozenInstanceError):
        Single().x = 2  # type: ignore[misc]
    assert one.x == 1


def test_a_late_dataclass_keeps_the_methods_that_its_class_has_written() -> None:
    assert repr(OwnMethods()) == "own"
    assert OwnMethods(1) == OwnMethods(2)
    assert hash(OwnMethods()) == 7


def test_a_method_is_made_once_and_not_before_it_is_called() -> None:
    @dataclass(frozen=True, slots=True)
    class Late:
        x: int = 1

    before = Late.__init__
    made = Late()
    assert Late.__init__ is not before
    assert Late.__init__.__qualname__ == f"{Late.__qualname__}.__init__"
    kept = Late.__init__
    assert Late(2) != made
    assert Late.__init__ is kept
