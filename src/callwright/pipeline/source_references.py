"""What one Python file refers to: the modules and names that it imports, and the texts that may name modules or files.

Found in the syntax tree; the file is not executed. Imports inside functions count, because the process that runs the
function reaches them. Imports under `if TYPE_CHECKING:` do not.
"""

import ast
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import resolve_name
from itertools import product
from pathlib import Path

from callwright.errors import DataError

LAZY_EXPORTS = "lazy_exports"  # see callwright.lazy: name -> the module that is imported when the name is used
PART = "part"  # Task.part: a text that names a module of a task's folder
IMPORT_MODULE = "import_module"  # importlib's, with a text and, for a relative name, a package
FOLDER = "folder"  # the argument of Task that names this folder


@dataclass(frozen=True, slots=True)
class References:
    """What a file refers to.

    Attributes:
        names: dotted names of imports, also those by `import_module`, and of attributes of imported modules:
            `callwright.records.Chain`.
        texts: all strings without white space that are no docstrings.
        parts: the texts given to a method `part`.
        folders: the texts given as an argument `folder`; `__package__` stands for the file's own package.
        exports: name -> dotted name: what the file imports at its top level, and what it exports lazily.
    """

    names: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    exports: dict[str, str] = field(default_factory=dict)


def read_references(file: Path, module: str) -> References:
    """The references of a file.

    Args:
        module: the file's dotted name, for relative imports.

    Raises:
        DataError: the file cannot be read or parsed.
    """
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    try:
        tree = ast.parse(file.read_bytes(), file.name)
    except OSError as error:
        raise DataError(f"{os.path.relpath(file)} cannot be read: {error.strerror}") from None
    except (SyntaxError, ValueError) as error:
        raise DataError(f"{os.path.relpath(file)} cannot be parsed: {error}") from None
    visitor = _Visitor(module, package)
    visitor.visit(tree)
    visitor.add_attributes()
    return visitor.references


def has_code(file: Path) -> bool:
    """Whether a file has any statement besides its docstring."""
    tree = ast.parse(file.read_bytes(), file.name)
    return any(not _is_text(statement) for statement in tree.body)


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


class _Visitor(ast.NodeVisitor):
    def __init__(self, module: str, package: str) -> None:
        self.references = References()
        self._module = module
        self._package = package
        self._bound: dict[str, str] = {}  # local name -> dotted name, in any scope of the file
        self._chains: set[tuple[str, ...]] = set()  # `a.b.c` as written
        self._depth = 0  # of functions and classes

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            self._visit_all(node.orelse)
        else:
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.references.names.add(alias.name)
            top = alias.name.partition(".")[0]
            self._bind(alias.asname or top, alias.name if alias.asname else top)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:
            parents = self._package.split(".")
            base = ".".join([*parents[: len(parents) - node.level + 1], *filter(None, [base])])
        for alias in node.names:
            name = f"{base}.{alias.name}"
            self.references.names.add(name)
            self._bind(alias.asname or alias.name, name)

    def _bind(self, local: str, name: str) -> None:
        self._bound[local] = name
        if self._depth == 0:
            self.references.exports[local] = name

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._visit_scope(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_scope(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._visit_scope(node)

    def _visit_scope(self, node: ast.AST) -> None:
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1

    def visit_Attribute(self, node: ast.Attribute) -> None:
        attributes: list[str] = []
        target: ast.expr = node
        while isinstance(target, ast.Attribute):
            attributes.append(target.attr)
            target = target.value
        if isinstance(target, ast.Name):
            self._chains.add((target.id, *reversed(attributes)))
        else:
            self.visit(target)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
        if name == LAZY_EXPORTS:
            self.references.exports.update(_lazy_exports(node))
            return  # its texts count where a name is imported
        if name == PART and node.args:
            self.references.parts.update(_texts(node.args[0]))
        if name == IMPORT_MODULE:
            self._add_imported(node)
        for keyword in node.keywords:
            if keyword.arg == FOLDER:
                self.references.folders.update(self._module_names(keyword.value))
        self.generic_visit(node)

    def _add_imported(self, call: ast.Call) -> None:
        given = dict(zip(("name", "package"), call.args, strict=False))
        given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        packages = [*self._module_names(given.get("package"))] or [""]
        for name, package in product(self._module_names(given.get("name")), packages):
            with suppress(ImportError):  # a relative name without a package, or above the top one
                self.references.names.add(resolve_name(name, package))

    def _module_names(self, node: ast.expr | None) -> Iterator[str]:
        """The text of a literal; the name that `__package__` or `__name__` stands for."""
        own_names = {"__package__": self._package, "__name__": self._module}
        if isinstance(node, ast.Name) and node.id in own_names:
            yield own_names[node.id]
        yield from _texts(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not _is_text(node):
            self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._visit_all([value for value in node.values if not isinstance(value, ast.Constant)])

    def visit_Constant(self, node: ast.Constant) -> None:
        if not isinstance(node.value, str):
            return
        if not any(map(str.isspace, node.value)):
            self.references.texts.add(node.value)
        elif "import " in node.value:  # the code of a process that is started with `python -c`
            try:
                self.visit(ast.parse(node.value))
            except SyntaxError:
                return

    def _visit_all(self, nodes: list[ast.stmt] | list[ast.expr]) -> None:
        for node in nodes:
            self.visit(node)

    def add_attributes(self) -> None:
        """Add the attributes of imported modules, whichever of import and use comes first in the file."""
        for first, *rest in self._chains:
            if first in self._bound:
                self.references.names.add(".".join([self._bound[first], *rest]))


def _texts(node: ast.expr | None) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _lazy_exports(call: ast.Call) -> Iterator[tuple[str, str]]:
    for table in call.args:
        if isinstance(table, ast.Dict):
            for key, value in zip(table.keys, table.values, strict=True):
                for name, module in product(_texts(key), _texts(value)):
                    yield name, f"{module}.{name}"
