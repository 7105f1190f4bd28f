"""What a procedure declares and how it is written. The orchestrator reads the declarations, the agent runs them.

Stays light: the daemon imports it with the first procedure. No `typing` at run time.
"""

from __future__ import annotations

from octogram_agentd.procedures.values import ProcedureFailed as ProcedureFailed
from octogram_agentd.procedures.values import Uri as Uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import (
        Any,
        ClassVar,
        Dict,
        Generic,
        List,
        Mapping,
        Optional,
        Sequence,
        Tuple,
        Type,
        TypeVar,
        Union,
        overload,
    )

    from octogram_agentd.procedures.context import Context

    T = TypeVar("T")

    class _OfValue(Generic[T]):
        pass
else:

    class _OfValue:
        def __class_getitem__(cls, item: object) -> type:
            return cls


class Field(_OfValue["T"]):
    """One argument of a procedure.

    kind      str, int, float, bool, any (a YAML value as it is), list, tuple, map, record, expression,
              str_or_list, int_or_list, expression_or_list
    default   what an absent argument means; a template is allowed. A field that is neither required nor
              given has the value None
    template  whether strings in it are templates (they are, unless the original says not)
    uri       the kind of thing that an `agent://name` in it names: file, node, dal_node, rollup_node, http, or
              node_peer, dal_peer for where its peers connect; the procedure then sees a Uri
    of        the element's field for list, map and tuple (a sequence of fields for tuple)
    fields    the members of a record
    exactly_one  names of record members of which exactly one must be given
    formerly  names that it once had, in the original: a scenario may use them, and is told the new one
    above     what a number has to be more than: 0 of times for which none at all makes no sense
    minimum, maximum, max_bytes, choices, pattern  what is refused after expansion
    is_pattern  whether the text is a regular expression, refused when it cannot be one
    form      what a text stands for, by which more is refused: word, command, path, inner_path (of the home directory),
              inner_file, local_path, file_name, port, own_port, endpoint, peer, port_or_endpoint, url, header;
              of a map it is that of its keys: variables, headers
    """

    __slots__ = (
        "above",
        "choices",
        "default",
        "doc",
        "exactly_one",
        "fields",
        "form",
        "formerly",
        "is_pattern",
        "kind",
        "max_bytes",
        "maximum",
        "minimum",
        "name",
        "of",
        "pattern",
        "required",
        "template",
        "uri",
    )

    def __init__(
        self,
        kind: str,
        doc: str = "",
        *,
        required: bool = False,
        default: Any = None,
        template: bool = True,
        uri: str = "",
        of: Any = None,
        fields: Optional[Mapping[str, Field[Any]]] = None,
        exactly_one: Sequence[str] = (),
        formerly: Sequence[str] = (),
        choices: Sequence[str] = (),
        pattern: str = "",
        is_pattern: bool = False,
        form: str = "",
        above: Optional[float] = None,
        minimum: Optional[float] = None,
        maximum: Optional[float] = None,
        max_bytes: Optional[int] = None,
    ) -> None:
        self.kind = kind
        self.doc = doc
        self.required = required
        self.default = default
        self.template = template
        self.uri = uri
        self.of = of
        self.fields = dict(fields or {})
        self.exactly_one = tuple(exactly_one)
        self.formerly = tuple(formerly)
        self.choices = tuple(choices)
        self.pattern = pattern
        self.is_pattern = is_pattern
        self.form = form
        self.above = above
        self.minimum = minimum
        self.maximum = maximum
        self.max_bytes = max_bytes
        self.name = ""

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Type[Any]) -> Field[T]: ...

        @overload
        def __get__(self, instance: object, owner: Type[Any]) -> T: ...

        def __get__(self, instance: Optional[object], owner: Type[Any]) -> Union[Field[T], T]: ...


class Procedure:
    """The base of all procedures: a class with Field attributes, and `run` for what the agent does.

    procedure as a scenario writes it: family.verb (`name` is left free: many procedures have a field of that name)
    where     "agent" (run() is called there), "orchestrator" (copy, fetch) or "assertion" (assert: the engine alone)
    watched   the field that, when given, makes the engine wait for an expression, and no agent run anything
    short     the field that may stand alone: `builtins.shell: 'make'`
    exactly_one  fields of which exactly one must be given
    result    the members of what run() returns: name -> type and meaning. Empty: the result is null
    services  kinds of services that it announces, for the documentation
    """

    procedure: ClassVar[str] = ""
    where: ClassVar[str] = "agent"
    watched: ClassVar[str] = ""
    short: ClassVar[str] = ""
    exactly_one: ClassVar[Tuple[str, ...]] = ()
    result: ClassVar[Dict[str, str]] = {}
    services: ClassVar[Tuple[str, ...]] = ()
    fields: ClassVar[Dict[str, Field[Any]]] = {}
    _defaults: ClassVar[Dict[str, Any]] = {}
    _with_uris: ClassVar[List[str]] = []

    def __init_subclass__(cls) -> None:
        fields = {}
        for base in reversed(cls.__mro__):
            for name, value in vars(base).items():
                if isinstance(value, Field):
                    value.name = name
                    fields[name] = value
        cls.fields = fields
        cls._defaults = {name: field.default for name, field in fields.items()}
        cls._with_uris = [name for name, field in fields.items() if may_hold_uris(field)]
        if cls.procedure:
            REGISTRY[cls.procedure] = cls

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        """Take expanded arguments as the orchestrator sends them; what is absent is the field's default."""
        given = self.__dict__
        given.update(self._defaults)
        for name in arguments:
            if name in given:
                given[name] = arguments[name]
        for name in self._with_uris:
            given[name] = with_uris(self.fields[name], given[name])

    async def run(self, context: Context) -> Any:
        """Do the work on the agent. Returns the result (JSON, or None). Raises ProcedureFailed."""
        raise NotImplementedError(self.procedure)


REGISTRY: Dict[str, Type[Procedure]] = {}
"""Every procedure that has been imported, by name."""


def may_hold_uris(field: Field[Any]) -> bool:
    """Whether a Uri may stand in a field's value, or anywhere below it."""
    return bool(
        field.uri
        or (isinstance(field.of, Field) and may_hold_uris(field.of))
        or any(may_hold_uris(inner) for inner in field.fields.values())
    )


def with_uris(field: Field[Any], value: Any) -> Any:
    """Turn {"owned": ...} and {"remote": ..., "path": ...} into Uri wherever the field says that one stands."""
    if value is None:
        return None
    if field.uri and isinstance(value, dict):
        return Uri(value.get("owned"), value.get("remote"), value.get("path"))
    if field.kind in ("list", "str_or_list") and field.of is not None and isinstance(value, list):
        return [with_uris(field.of, v) for v in value]
    if field.kind == "map" and field.of is not None and isinstance(value, dict):
        return {k: with_uris(field.of, v) for k, v in value.items()}
    if field.kind == "record" and isinstance(value, dict):
        return {k: with_uris(field.fields[k], v) if k in field.fields else v for k, v in value.items()}
    return value
