"""`dataclass`, as that of the standard library, but that a class gets its methods when they are first needed.

Making a class's methods is compiling them, which is most of what a dataclass costs: a start makes some 140 classes, and
a run needs methods of a third of them. What `fields`, `replace`, `asdict`, `match`, `copy` and `pickle` go by is there
from the beginning; only `__dataclass_params__` are not what was asked for: they say what was made at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(
        cls: type | None = None, *, frozen: bool = False, slots: bool = False, kw_only: bool = False, eq: bool = True
    ) -> Any:
        """Make a dataclass, or give what makes one of those arguments."""

        def make(cls: Any) -> type:
            own = set(cls.__dict__)
            made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(cls)
            late = {"__init__": _init_of(made, is_frozen=frozen), "__repr__": _method_of(made, "__repr__", repr=True)}
            if eq:
                late["__eq__"] = _method_of(made, "__eq__", eq=True)
                if frozen:
                    late["__hash__"] = _method_of(made, "__hash__", eq=True, unsafe_hash=True)
                elif "__hash__" not in own:
                    made.__hash__ = None
            if "__eq__" in own:  # Python has set a hash of None then, which nobody wrote
                own.discard("__hash__")
            for name, find in late.items():
                if name not in own:
                    setattr(made, name, _late(made, name, find))
            if frozen:
                made.__setattr__, made.__delattr__ = _refuse_to_set, _refuse_to_delete
                if slots:  # what sets attributes in copies, and is refused
                    made.__getstate__, made.__setstate__ = _state_of, _take_state
            return made

        return make if cls is None else make(cls)


def _late(cls: type, name: str, find: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
    """Give what stands in for a method until it is called the first time."""

    def method(*args: Any, **kwargs: Any) -> Any:
        found = find()
        found.__qualname__ = f"{cls.__qualname__}.{name}"
        setattr(cls, name, found)
        return found(*args, **kwargs)

    method.__name__ = name
    return method


def _init_of(cls: Any, *, is_frozen: bool) -> Callable[[], Callable[..., None]]:
    """Give what makes `__init__`; of a frozen class one that sets slots themselves, in half the time of `setattr`."""

    def make() -> Callable[..., None]:
        names: dict[str, Any] = {"absent__": dataclasses.MISSING, "set__": object.__setattr__}
        parameters: dict[bool, list[str]] = {False: ["self"], True: []}  # by whether they are given by name only
        body = []
        for field in dataclasses.fields(cls):
            name, value = field.name, field.name
            default = ""
            if field.default_factory is not dataclasses.MISSING:
                names[f"new_{name}__"] = field.default_factory
                default = "=absent__"
                value = f"new_{name}__() if {name} is absent__ else {name}" if field.init else f"new_{name}__()"
            elif field.default is not dataclasses.MISSING:
                names[f"default_{name}__"] = field.default
                default = f"=default_{name}__"
                value = name if field.init else f"default_{name}__"
            elif not field.init:
                continue
            if field.init:
                parameters[field.kw_only is True].append(name + default)
            slot = getattr(cls, name, None)
            if not is_frozen:
                body.append(f"self.{name} = {value}")
            elif isinstance(slot, MemberDescriptorType):
                names[f"set_{name}__"] = slot.__set__
                body.append(f"set_{name}__(self, {value})")
            else:
                body.append(f"set__(self, {name!r}, {value})")
        if hasattr(cls, "__post_init__"):
            body.append("self.__post_init__()")
        given = [*parameters[False], *(["*"] if parameters[True] else []), *parameters[True]]
        exec(f"def __init__({', '.join(given)}):\n " + "\n ".join(body or ["pass"]), names)
        init: Callable[..., None] = names["__init__"]
        return init

    return make


def _method_of(cls: Any, name: str, **switches: bool) -> Callable[[], Callable[..., Any]]:
    """Give what lets `dataclasses` make a method, in a class that has the same fields and is forgotten."""

    def make() -> Callable[..., Any]:
        fields = {field.name: field for field in dataclasses.fields(cls)}
        content = {"__module__": cls.__module__, "__doc__": cls.__doc__ or "-", **fields}
        content["__annotations__"] = {field.name: field.type for field in fields.values()}
        asked: dict[str, Any] = {"init": False, "repr": False, "eq": False, "match_args": False, **switches}
        twin: type = dataclasses.dataclass(**asked)(type(cls.__name__, (), content))
        method: Callable[..., Any] = twin.__dict__[name]
        return method

    return make


def _refuse_to_set(_self: object, name: str, _value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state_of(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _take_state(self: Any, state: Iterable[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
