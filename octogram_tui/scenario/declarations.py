"""Reads which procedures a Python file declares, without running it: classes, and fields that are written out.

What cannot be told from the text alone is said, with its line; nothing is guessed.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import types
from collections.abc import Callable, Sequence
from typing import Any

from octogram_agentd.procedures.base import Field, Procedure
from octogram_tui.cuts import beginning
from octogram_tui.scenario.forms import FORMS

OURS = "octogram_agentd"
KINDS = ("str", "int", "float", "bool", "any", "list", "tuple", "map", "record", "expression")
_DECLARED = ("procedure", "where", "short", "exactly_one", "result", "services")
_CALLABLE: dict[str, Callable[..., Any]] = {"dict": dict, "list": list, "tuple": tuple}
_MAX_SHIFT = 64
_MAX_BITS = 1024
_MAX_LENGTH = 64 * 1024
"""How much a calculation may give: a few lines of doubling would keep whoever reads them busy for ever."""


class Unreadable(Exception):
    """What a file declares cannot be told without running it, or is wrong (`is_wrong`): then running is no help."""

    def __init__(self, line: int, message: str, *, is_wrong: bool = False) -> None:
        super().__init__(message)
        self.line = line
        self.message = message
        self.is_wrong = is_wrong


class _Foreign:
    """A value from a library that knows nothing of procedures: it is no field, and no part of one."""


_FOREIGN = _Foreign()


class _Local:
    """What is no field itself, but known only to those who run the file: a function, a class, a computed text."""


_LOCAL = _Local()


def read_declarations(source: str, path: str, module: str) -> None:
    """Define the procedures of a file, without what they do. Raises SyntaxError and Unreadable."""
    try:
        _Reader(module).read(ast.parse(source, path).body)
    except RecursionError:
        raise Unreadable(1, "it is nested too deeply", is_wrong=True) from None


def outdated_import(source: str) -> tuple[int, str] | None:
    """Give the line of the first import under the daemon's former name, and what to write; None without one.

    Raises SyntaxError.
    """
    lines = source.split("\n")
    for node in ast.walk(ast.parse(source)):
        names: Sequence[str | None] = ()
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        if any(name is not None and name.partition(".")[0] == "agentd" for name in names):
            assert isinstance(node, (ast.Import, ast.ImportFrom))
            return node.lineno, lines[node.lineno - 1].strip().replace("agentd", OURS, 1)
    return None


class _Reader:
    """Follows the statements of one file."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.names: dict[str, Any] = {"__name__": module}
        self.declared: dict[str, int] = {}  # the names of procedures, and their lines

    def read(self, body: Sequence[ast.stmt]) -> None:
        """Follow the statements at the outermost level."""
        for statement in body:
            match statement:
                case ast.Import() | ast.ImportFrom():
                    self.take_import(statement)
                case ast.Assign() | ast.AnnAssign():
                    self.assign(statement)
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    self.names[statement.name] = _LOCAL
                case ast.ClassDef():
                    self.names[statement.name] = self.make_class(statement)
                case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                    self.read([each for each in statement.body if isinstance(each, (ast.Import, ast.ImportFrom))])
                    self.read(statement.orelse)
                case _:
                    self.pass_over(statement)

    # -- names ----------------------------------------------------------------------------------------------------

    def take_import(self, statement: ast.Import | ast.ImportFrom) -> None:
        """Bind what is imported: of our own procedures it is the thing itself, all else is foreign."""
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                is_ours = self.is_ours(alias.name)
                whole = self.imported(alias.name, statement.lineno) if is_ours else _FOREIGN
                first = alias.name.partition(".")[0]
                self.names[alias.asname or first] = (
                    whole if alias.asname or not is_ours else self.imported(first, statement.lineno)
                )
            return
        name = statement.module or ""
        if statement.level or not self.is_ours(name):
            self.names.update({alias.asname or alias.name: _FOREIGN for alias in statement.names})
            return
        module = self.imported(name, statement.lineno)
        for alias in statement.names:
            found = getattr(module, alias.name, None)
            if found is None:
                try:
                    found = importlib.import_module(f"{name}.{alias.name}")
                except ImportError:
                    message = f"`{alias.name}` is not in {name}"
                    raise Unreadable(statement.lineno, message, is_wrong=True) from None
            self.names[alias.asname or alias.name] = found

    def is_ours(self, name: str) -> bool:
        """Tell whether a module is one of our procedures': no other is imported here."""
        return name == f"{OURS}.procedures" or name.startswith(f"{OURS}.procedures.")

    def imported(self, name: str, line: int) -> types.ModuleType:
        """Give a module of ours."""
        try:
            return importlib.import_module(name)
        except ImportError:
            raise Unreadable(line, f"there is no module {name}", is_wrong=True) from None

    def assign(self, statement: ast.Assign | ast.AnnAssign) -> None:
        """Bind a name; one whose value cannot be told is in nobody's way until it is used."""
        if statement.value is None:
            return
        for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
            if not isinstance(target, ast.Name):
                self.pass_over(statement)
                continue
            try:
                self.names[target.id] = self.value(statement.value, self.names)
            except Unreadable as reason:
                self.names[target.id] = reason

    def pass_over(self, statement: ast.stmt) -> None:
        """Leave a statement alone, unless it may declare a procedure; the names that it binds are not known."""
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                found = self.names.get(node.id)
                if isinstance(found, type) and issubclass(found, (Procedure, Field)):
                    raise Unreadable(node.lineno, f"`{node.id}` is used where only running the file shows what for")
                if isinstance(node.ctx, ast.Store):
                    reason = f"`{node.id}` is set where only running the file shows to what"
                    self.names[node.id] = Unreadable(node.lineno, reason)

    # -- classes --------------------------------------------------------------------------------------------------

    def make_class(self, node: ast.ClassDef) -> Any:
        """Make a class with what its body declares."""
        bases = [self.value(base, self.names) for base in node.bases]
        if not all(isinstance(base, type) for base in bases):
            if any(isinstance(base, type) and issubclass(base, Procedure) for base in bases):
                raise Unreadable(node.lineno, f"not all that `{node.name}` derives from is written out")
            return _LOCAL
        is_procedure = any(issubclass(base, Procedure) for base in bases)
        if is_procedure and (node.keywords or node.decorator_list):
            raise Unreadable(node.lineno, f"`{node.name}` is made by a decorator or a metaclass")
        try:
            attributes = self.attributes(node)
        except Unreadable:
            if is_procedure:
                raise
            return _LOCAL
        if not is_procedure and not any(isinstance(value, Field) for value in attributes.values()):
            return _LOCAL
        try:
            return type(node.name, tuple(bases), {**attributes, "__module__": self.module})
        except TypeError as error:
            raise Unreadable(node.lineno, str(error), is_wrong=True) from None

    def attributes(self, node: ast.ClassDef) -> dict[str, Any]:
        """Read the body of a class; its functions are for the agent."""
        result: dict[str, Any] = {"__doc__": ast.get_docstring(node)}
        scope = dict(self.names)
        for statement in node.body:
            match statement:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    if name in (*_DECLARED, "__init_subclass__"):
                        raise Unreadable(statement.lineno, f"`{name}` is a function")
                    scope[name] = _LOCAL
                case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                    if statement.value is None:
                        continue
                    value = scope[name] = self.value(statement.value, scope)
                    if name in _DECLARED and not _is_written_out(value):
                        raise Unreadable(statement.lineno, f"`{name}` is not written out")
                    if name in ("procedure", "where", "short") and not isinstance(value, str):
                        raise Unreadable(statement.lineno, f"`{name}` is not a text", is_wrong=True)
                    if name == "procedure" and value:
                        self.declare(value, statement.lineno)
                    result[name] = value
                case ast.Pass() | ast.Expr(value=ast.Constant()):
                    pass
                case _:
                    message = f"the body of `{node.name}` has more than fields and functions"
                    raise Unreadable(statement.lineno, message)
        return result

    def declare(self, name: str, line: int) -> None:
        """Note a procedure's name. Raises Unreadable when another class of the file has it, which would be lost."""
        if name in self.declared:
            message = f"`{name}` is declared in line {self.declared[name]} already"
            raise Unreadable(line, message, is_wrong=True)
        self.declared[name] = line

    # -- values ---------------------------------------------------------------------------------------------------

    def value(self, node: ast.expr, scope: dict[str, Any]) -> Any:
        """Give what an expression is. Raises Unreadable where only running it would tell."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self.named(name, node.lineno, scope)
            case ast.List(elts=elements):
                return [self.value(each, scope) for each in elements]
            case ast.Tuple(elts=elements):
                return tuple(self.value(each, scope) for each in elements)
            case ast.Dict(keys=keys, values=values):
                return self.dictionary(keys, values, scope, node.lineno)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                number = self.value(operand, scope)
                if isinstance(number, (int, float)):
                    return -number
            case ast.BinOp(left=left, op=operator, right=right):
                return self.operation(self.value(left, scope), operator, self.value(right, scope), node.lineno)
            case ast.Attribute(value=owner, attr=name):
                return self.member(self.value(owner, scope), name, node.lineno)
            case ast.Call():
                return self.call(node, scope)
            case ast.Subscript(value=owner):
                if isinstance(self.value(owner, scope), _Foreign):
                    return _FOREIGN
            case ast.JoinedStr() | ast.Compare() | ast.Lambda() | ast.Set() | ast.SetComp() | ast.DictComp():
                return _LOCAL
            case ast.ListComp() | ast.GeneratorExp():
                return _LOCAL
        raise Unreadable(node.lineno, f"`{_shown(node)}` is not written out")

    def named(self, name: str, line: int, scope: dict[str, Any]) -> Any:
        """Give the value of a name."""
        if name in scope:
            found = scope[name]
            if isinstance(found, Unreadable):
                raise Unreadable(line, f"`{name}`: {found.message} (line {found.line})", is_wrong=found.is_wrong)
            return found
        if name in _CALLABLE:
            return _CALLABLE[name]
        if name == "object":
            return object
        if hasattr(builtins, name):
            return _FOREIGN
        raise Unreadable(line, f"`{name}` is not defined", is_wrong=True)

    def dictionary(
        self, keys: list[ast.expr | None], values: list[ast.expr], scope: dict[str, Any], line: int
    ) -> dict[Any, Any]:
        """Give a dictionary; `**` takes in another one."""
        result: dict[Any, Any] = {}
        for key, each in zip(keys, values, strict=True):
            value = self.value(each, scope)
            if key is not None:
                try:
                    result[self.value(key, scope)] = value
                except TypeError as error:
                    raise Unreadable(line, str(error), is_wrong=True) from None
            elif isinstance(value, dict):
                result.update(value)
            else:
                raise Unreadable(line, f"`**{_shown(each)}` is not written out")
        return result

    def operation(self, left: Any, operator: ast.operator, right: Any, line: int) -> Any:
        """Give a sum, or what else numbers are written as."""
        numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
        if isinstance(operator, ast.Add) and type(left) is type(right) and type(left) in (str, list, tuple):
            if len(left) + len(right) > _MAX_LENGTH:
                raise Unreadable(line, f"this is longer than {_MAX_LENGTH}")
            return left + right
        if numbers and any(isinstance(n, int) and n.bit_length() > _MAX_BITS for n in (left, right)):
            raise Unreadable(line, "these numbers are too large")
        if numbers and isinstance(operator, ast.Add):
            return left + right
        if numbers and isinstance(operator, ast.Sub):
            return left - right
        if numbers and isinstance(operator, ast.Mult):
            return left * right
        if numbers and isinstance(operator, ast.LShift) and isinstance(right, int) and 0 <= right <= _MAX_SHIFT:
            return left << right
        if isinstance(left, _Foreign) or isinstance(right, _Foreign):
            return _FOREIGN
        raise Unreadable(line, "this calculation is not written out")

    def member(self, owner: Any, name: str, line: int) -> Any:
        """Give a member of one of our modules, or of a procedure."""
        if isinstance(owner, _Foreign):
            return _FOREIGN
        is_ours = isinstance(owner, types.ModuleType) and owner.__name__.startswith(OURS)
        is_procedure = isinstance(owner, type) and issubclass(owner, Procedure)
        if not is_ours and not is_procedure:
            raise Unreadable(line, f"`.{name}` is not written out")
        if not hasattr(owner, name):
            raise Unreadable(line, f"there is no `{name}` in {owner.__name__}", is_wrong=True)
        return getattr(owner, name)

    def call(self, node: ast.Call, scope: dict[str, Any]) -> Any:
        """Make a field, or a container; a library's result is foreign."""
        function = self.value(node.func, scope)
        if not isinstance(function, _Foreign) and function is not Field and function not in _CALLABLE.values():
            raise Unreadable(node.lineno, f"what `{_shown(node.func)}` gives is known to those who run it")
        positional = [self.value(each, scope) for each in node.args]
        named = self.dictionary(
            [None if each.arg is None else ast.Constant(each.arg) for each in node.keywords],
            [each.value for each in node.keywords],
            scope,
            node.lineno,
        )
        if isinstance(function, _Foreign):
            if _may_be_field([positional, named]):
                raise Unreadable(node.lineno, f"what `{_shown(node)}` gives is known to those who run it")
            return _FOREIGN
        if not _is_written_out([positional, named]):
            raise Unreadable(node.lineno, f"`{_shown(node)}` is not written out")
        try:
            made = function(*positional, **named)
        except (TypeError, ValueError, AttributeError) as error:
            message = str(error).replace("Field.__init__()", "Field")
            raise Unreadable(node.lineno, message, is_wrong=True) from None
        if isinstance(made, Field) and made.kind.removesuffix("_or_list") not in KINDS:
            raise Unreadable(node.lineno, f"there is no kind of field `{made.kind}`", is_wrong=True)
        if isinstance(made, Field) and made.form and made.form not in FORMS:
            raise Unreadable(node.lineno, f"there is no form of field `{made.form}`", is_wrong=True)
        return made


def _may_be_field(value: Any) -> bool:
    """Tell whether something in a value is a field or a procedure, or may become one."""
    if isinstance(value, (list, tuple)):
        return any(map(_may_be_field, value))
    if isinstance(value, dict):
        return any(map(_may_be_field, value.values()))
    return isinstance(value, (Field, _Local)) or (isinstance(value, type) and issubclass(value, (Field, Procedure)))


def _is_written_out(value: Any) -> bool:
    """Tell whether nothing in a value is foreign or local."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_written_out, value))
    if isinstance(value, dict):
        return all(map(_is_written_out, value.values()))
    return not isinstance(value, (_Foreign, _Local))


def _shown(node: ast.expr) -> str:
    text = ast.unparse(node)
    return beginning(text, 60)
