"""YAML to a tree with places: a small builder on the events of PyYAML's C parser. The only importer of yaml.

Faster than any loader of the library, and every limit is checked as events come: depth, aliases, what they expand to.
A limit of the library's own never answers first, whatever its version: see `nesting`.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from octogram_tui.model.scenario import lines_of
from octogram_tui.scenario.nesting import too_deep
from octogram_tui.scenario.scalars import BEGINS_A_TEXT, LONGEST_WORD, read_plain
from octogram_tui.scenario.tree import (
    MAX_ALIASES,
    MAX_DEPTH,
    MAX_EXPANDED_NODES,
    NOWHERE,
    Document,
    Flaw,
    Lines,
    ListNode,
    MapNode,
    Mark,
    Place,
    place_of,
)

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # a PyYAML that was built without libyaml: slower, the same events
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

_TAG = "tag:yaml.org,2002:"
_KNOWN_TAGS = frozenset(_TAG + name for name in ("str", "int", "float", "bool", "null", "map", "seq"))
_BLOCKS = frozenset("|>")
_MORE_ENDS = re.compile("[\x85\u2028\u2029]")
"""What ends a line in YAML 1.1, and in no editor."""
_UNFINISHED = object()


class _Mark(NamedTuple):
    """A place, counted from 0 as the parser does."""

    line: int
    column: int


class Refused(Exception):
    """A document that cannot be read on; carries the flaw."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.message)
        self.flaw = flaw


class TreeBuilder:
    """Builds one document. `errors` are flaws one can read past, such as a key given twice."""

    def __init__(self, text: str) -> None:
        self.parser: Any = _Loader(text)
        self.next: Any = self.parser.get_event
        if _counts_otherwise(text):
            self.lines = Lines(text)
            self.next = self.recounted
        self.errors: list[Flaw] = []
        self.doubts: list[Flaw] = []
        self.ordinary: dict[str, Any] = {}  # values of spellings of which nothing is to be said
        self.spellings: dict[tuple[int, int], str] = {}
        self.anchors: dict[str, Any] = {}
        self.sizes: dict[int, int] = {}  # by identity, of what aliases stand for
        self.aliases = 0
        self.expanded = 0
        self.depth = 0
        self.mark: Mark = NOWHERE  # of the node that was built last

    def recounted(self) -> Any:
        """Give the next event, at its place as we count lines."""
        event = self.parser.get_event()
        place = self.lines.place(event.start_mark.index)
        event.start_mark = _Mark(place.line - 1, place.column - 1)
        return event

    def document(self) -> tuple[Any, Place]:
        """Build the one document of a stream. Raises Refused and yaml.YAMLError."""
        self.next()
        event = self.next()
        if isinstance(event, StreamEndEvent):
            raise Refused(Flaw(Place(1, 1), "the file is empty", "a scenario needs at least `stages:`"))
        assert isinstance(event, DocumentStartEvent)
        root = self.node(self.next())
        place = place_of(self.mark)
        self.next()
        event = self.next()
        if not isinstance(event, StreamEndEvent):
            raise Refused(
                Flaw(_place(event.start_mark), "there is a second document in this file", "keep what is before `---`")
            )
        return root, place

    def node(self, event: Any) -> Any:
        """Build the node that begins with an event."""
        kind = type(event)
        if kind is ScalarEvent:
            return self.scalar(event)
        mark = self.mark = event.start_mark
        if kind is AliasEvent:
            return self.alias(event.anchor)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Refused(_too_deep(place_of(mark)))
        if event.tag and event.tag not in _KNOWN_TAGS and event.tag != "!":
            self.errors.append(Flaw(place_of(mark), f"the tag {_short_tag(event.tag)} is not part of the language"))
        if event.anchor:
            self.anchors[event.anchor] = _UNFINISHED
        node: Any = self.sequence(mark) if kind is SequenceStartEvent else self.mapping(mark)
        self.depth -= 1
        if event.anchor:
            self.anchors[event.anchor] = node
        self.mark = mark
        return node

    def scalar(self, event: Any) -> Any:
        """Read a scalar."""
        implicit = event.implicit
        self.mark = event.start_mark
        value: Any = event.value
        if implicit[0]:
            if len(value) <= LONGEST_WORD or value[0] not in BEGINS_A_TEXT:
                text = value
                value = self.ordinary.get(text, _UNFINISHED)
                if value is _UNFINISHED:
                    value = self.plain(text)
        elif event.style in _BLOCKS:
            mark = self.mark
            self.mark = Place(mark.line + 1, mark.column + 1, True)
        if not implicit[0] and not implicit[1]:
            value = self.tagged(event.tag, value)
        if event.anchor:
            self.anchors[event.anchor] = value
        return value

    def plain(self, text: str) -> Any:
        """Read a scalar that is written without quotes."""
        reading = read_plain(text)
        if reading.warning:
            self.doubts.append(Flaw(place_of(self.mark), reading.warning, f"write '{text}' in quotes for a text"))
        if reading.is_respelled:
            place = place_of(self.mark)
            self.spellings[place.line, place.column] = text
        if not reading.warning and not reading.is_respelled:
            self.ordinary[text] = reading.value
        return reading.value

    def sequence(self, mark: Mark) -> ListNode:
        """Build the elements of a list."""
        node = ListNode.at(mark)
        marks = node.marks
        following, scalar = self.next, self.scalar
        while True:
            event = following()
            kind = type(event)
            if kind is SequenceEndEvent:
                return node
            node.append(scalar(event) if kind is ScalarEvent else self.node(event))
            marks.append(self.mark)

    def mapping(self, mark: Mark) -> MapNode:
        """Build the members of a map; a key given twice is an error, at the second place."""
        node = MapNode.at(mark)
        merges: list[tuple[Any, Place]] = []
        marks = node.marks
        following, scalar = self.next, self.scalar
        while True:
            event = following()
            if type(event) is not ScalarEvent:
                if type(event) is MappingEndEvent:
                    break
                raise Refused(_no_key(event))
            key = event.value
            inner = following()
            value = scalar(inner) if type(inner) is ScalarEvent else self.node(inner)
            if key in node:
                hint = f"it is in line {node.key_place(key).line} already; keep one of them"
                self.errors.append(Flaw(_place(event.start_mark), f"`{key}` is given twice", hint))
            elif key == "<<" and event.implicit[0]:
                merges.append((value, place_of(self.mark)))
            else:
                node[key] = value
                began: Any = event.start_mark
                marks[key] = (began, self.mark)
        for value, where in merges:
            self.merge(node, value, where)
        return node

    def merge(self, node: MapNode, value: Any, place: Place) -> None:
        """Add the members of other maps (`<<`); what the map itself says comes first."""
        for source in value if isinstance(value, ListNode) else [value]:
            if not isinstance(source, MapNode):
                self.errors.append(Flaw(place, "`<<` takes a map or a list of maps"))
                return
            for key, element in source.items():
                if key not in node:
                    node[key] = element
                    node.marks[key] = source.marks[key]

    def alias(self, name: str) -> Any:
        """Give what an alias stands for."""
        if name not in self.anchors:
            raise Refused(Flaw(place_of(self.mark), f"there is no anchor &{name} before this"))
        value = self.anchors[name]
        if value is _UNFINISHED:
            raise Refused(Flaw(place_of(self.mark), f"*{name} stands inside of what it names"))
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            raise Refused(Flaw(place_of(self.mark), f"there are more than {MAX_ALIASES} aliases in this file"))
        self.expanded += self.size(value)
        if self.expanded > MAX_EXPANDED_NODES:
            raise Refused(Flaw(place_of(self.mark), f"aliases expand to more than {MAX_EXPANDED_NODES} values"))
        return value

    def size(self, value: Any) -> int:
        """Count the values that an alias expands to, those of aliases within it included."""
        if not isinstance(value, (MapNode, ListNode)):
            return 1
        known = self.sizes.get(id(value))
        if known is None:
            elements = value.values() if isinstance(value, MapNode) else value
            known = self.sizes[id(value)] = 1 + sum(map(self.size, elements))
        return known

    def tagged(self, tag: str | None, text: str) -> Any:
        """Read a scalar with a tag of its own."""
        if tag is None or tag in ("!", _TAG + "str"):
            return text
        if tag in _KNOWN_TAGS:
            return read_plain(text)[0]
        self.errors.append(Flaw(place_of(self.mark), f"the tag {_short_tag(tag)} is not part of the language"))
        return text


def _no_key(event: Any) -> Flaw:
    """Say why something cannot be a key; most often it is a template without quotes."""
    if type(event) is MappingStartEvent and event.flow_style:
        message = "a template that stands alone must be quoted: '{{ … }}'"
        return Flaw(_place(event.start_mark), message, "without quotes YAML reads the braces as a map in a map")
    return Flaw(_place(event.start_mark), "a key must be a plain word", "write `key: value`")


def _place(mark: Any) -> Place:
    return NOWHERE if mark is None else Place(mark.line + 1, mark.column + 1)


def _short_tag(tag: str) -> str:
    return "!!" + tag.removeprefix(_TAG) if tag.startswith(_TAG) else tag


def read_yaml(file: str, text: str) -> Document:
    """Read a YAML document. Never raises: what is wrong is in `errors`."""
    errors: list[Flaw]
    try:
        builder = TreeBuilder(text)
    except yaml.YAMLError as error:
        return Document(file, None, NOWHERE, text, [_flaw(error, text)], [], {})
    root, place = None, NOWHERE
    try:
        root, place = builder.document()
    except Refused as refusal:
        builder.errors.append(refusal.flaw)
    except yaml.YAMLError as error:
        builder.errors.append(_nested_before(error, text) or _flaw(error, text))
    finally:
        builder.parser.dispose()
    errors = builder.errors
    return Document(file, root, place, text, errors, builder.doubts, builder.spellings)


def _too_deep(place: Place) -> Flaw:
    return Flaw(place, f"this is nested more than {MAX_DEPTH} levels deep")


def _nested_before(error: yaml.YAMLError, text: str) -> Flaw | None:
    """Tell whether the text passes our limit on depth before the place where the parser gave up, looking ahead."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return None
    parser: Any = _Loader(text)
    position = 0
    open_levels: list[bool] = []  # whether each is written with brackets
    try:
        while True:
            event = parser.get_event()
            position = event.end_mark.index
            if isinstance(event, CollectionStartEvent):
                open_levels.append(bool(event.flow_style))
            elif isinstance(event, CollectionEndEvent):
                open_levels.pop()
    except yaml.YAMLError:
        found = too_deep(text, position, mark.index, len(open_levels), sum(open_levels), MAX_DEPTH)
    finally:
        parser.dispose()
    if found is None:
        return None
    return _too_deep(Lines(text).place(found))


def _flaw(error: yaml.YAMLError, text: str) -> Flaw:
    """Say what the parser did not like, in one line."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        place = Lines(text).place(mark.index) if mark is not None and _counts_otherwise(text) else _place(mark)
        line = _line(text, place.line)
        problem = str(error.problem or error.context or "it is no YAML")
        if "\t" in line[: max(place.column, 1)]:
            return Flaw(place, "a tab stands where YAML wants spaces", "indent with spaces only")
        message, hint = problem, ""
        for start, (said, advice) in _PROBLEMS.items():
            if problem.startswith(start):
                message, hint = said or problem, advice
        return Flaw(place, message, hint)
    position = getattr(error, "position", None)
    if isinstance(position, int):
        place = Lines(text).place(len(text.encode()[:position].decode(errors="replace")))
        message = "there is a control character that YAML does not allow"
        return Flaw(place, message, "write it as \\x.. in double quotes")
    return Flaw(NOWHERE, " ".join(str(error).split()))


def _counts_otherwise(text: str) -> bool:
    """Whether the parser may count more lines in a text than we do."""
    return not text.isascii() and _MORE_ENDS.search(text) is not None


def _line(text: str, number: int) -> str:
    lines = lines_of(text)
    return lines[number - 1] if 0 < number <= len(lines) else ""


_PROBLEMS: dict[str, tuple[str, str]] = {
    "mapping values are not allowed": (
        "a `:` stands where none may be",
        "quote a text that holds `: `, and check the indentation",
    ),
    "could not find expected ':'": ("a `:` is missing after this key", "a key is written `key: value`"),
    "did not find expected key": ("a key is expected here", "check the indentation"),
    "did not find expected '-' indicator": ("a `- ` is expected here", "check the indentation"),
    "found character that cannot start any token": (
        "this character cannot begin a value",
        "quote the text",
    ),
    "found unexpected end of stream": ("the file ends inside of a quoted text", "close the quote"),
    "did not find expected ',' or": ("a `,` or the closing bracket is missing", "quote templates: '{{ … }}'"),
    "exceeded maximum nesting depth": ("this is nested deeper than the YAML library reads", ""),
    "found unknown escape character": ("", "use single quotes for texts with backslashes"),
}
