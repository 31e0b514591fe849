"""Every regular expression of the package, the methods it is used by, and strings made to slow it down."""

import ast
import importlib
import re
import re._constants as op  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import callwright

PACKAGE = Path(callwright.__file__).parent
_METHODS = ("search", "match", "fullmatch", "finditer", "findall", "sub", "split")
_ONE_START = {"match", "fullmatch"}


@dataclass(frozen=True)
class Used:
    """A pattern, where it is (`agent/parsing/parse.py: _FENCE`), and the methods by which it is used."""

    location: str
    pattern: re.Pattern[str]
    methods: frozenset[str]


def patterns_in_use() -> tuple[list[Used], list[str]]:
    """All patterns, and the locations where one is built in a function, so that nothing can look at it."""
    trees = {path: ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}
    trees = {path: tree for path, tree in trees.items() if _imports_re(tree) or "re." in path.read_text()}
    anywhere = _methods_by_name(trees.values())
    used: list[Used] = []
    hidden: list[str] = []
    for path, tree in trees.items():
        if not _imports_re(tree):
            continue
        name = path.relative_to(PACKAGE).as_posix()
        here = _methods_by_name([tree])
        module = importlib.import_module(".".join(("callwright", *path.relative_to(PACKAGE).with_suffix("").parts)))
        for attribute, value in vars(module).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str) and _assigns(tree, attribute):
                methods = here[attribute] if attribute.startswith("_") else anywhere[attribute]
                used.append(Used(f"{name}: {attribute}", value, frozenset(methods or {"search", "fullmatch"})))
        for call, where in _calls_in_functions(tree):
            if isinstance(call.args[0], ast.Constant):
                method = call.func.attr if call.func.attr != "compile" else "search"  # type: ignore[attr-defined]
                used.append(
                    Used(
                        f"{name}: {where}, {call.args[0].value!r}", re.compile(call.args[0].value), frozenset({method})
                    )
                )
            else:
                hidden.append(f"{name}: {where}")
    return used, hidden


def _imports_re(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Import) and any(alias.name == "re" for alias in node.names) for node in ast.walk(tree)
    )


def _assigns(tree: ast.Module, name: str) -> bool:
    targets = (target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets)
    named = (node for target in targets for node in ast.walk(target))
    return any(isinstance(node, ast.Name) and node.id == name for node in named)


def _methods_by_name(trees: Any) -> defaultdict[str, set[str]]:
    methods_by_name: defaultdict[str, set[str]] = defaultdict(set)
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in _METHODS:
            methods_by_name[node.value.id].add(node.attr)
    return methods_by_name


def _calls_in_functions(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        for node in ast.walk(function):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=method)) if method in (
                    *_METHODS,
                    "compile",
                ):
                    yield node, function.name


def attacks(pattern: re.Pattern[str], size: int) -> list[str]:
    """Strings of at most `size` characters that repeat what the pattern repeats, then end in an unexpected way."""
    items = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    repeated = list(dict.fromkeys(text for text in _repeated(items) if text))[:12]
    prefixes = list(dict.fromkeys(["", *(_sample(items[:end]) for end in range(1, len(items) + 1))]))[:8]
    full = _sample(items)
    units = [*repeated, full, full[:-1], *(prefix + text for prefix in prefixes[1:4] for text in repeated[:4])]
    units += [left + right for left, right in product(repeated[:5], repeat=2) if left != right]
    strings: dict[str, None] = {}
    for unit in dict.fromkeys(text for text in units if text):
        many = unit * (size // len(unit))
        for prefix, tail in product(prefixes[:4], ("", "\x00")):
            strings[(prefix + many)[: size - len(tail)] + tail] = None
    for left, right in product(repeated[:4], repeat=2):
        strings[(left * (size // 2 // len(left)) + right * (size // 2 // len(right)))[: size - 1] + "\x00"] = None
    return list(strings)


def _repeated(items: Any) -> Iterator[str]:
    for code, argument in items:
        if code in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            if argument[1] > 8:
                yield from _samples(argument[2])
            yield from _repeated(argument[2])
        elif code is op.SUBPATTERN:
            yield from _repeated(argument[3])
        elif code is op.ATOMIC_GROUP:
            yield from _repeated(argument)
        elif code is op.BRANCH:
            for branch in argument[1]:
                yield from _repeated(branch)
        elif code in (op.ASSERT, op.ASSERT_NOT):
            yield from _repeated(argument[1])


def _samples(items: Any) -> list[str]:
    """Texts that match: one for each branch, where the first item branches."""
    if len(items) == 1 and items[0][0] is op.BRANCH:
        return [_sample(branch) for branch in items[0][1][1]]
    if len(items) == 1 and items[0][0] is op.SUBPATTERN:
        return _samples(items[0][1][3])
    if len(items) == 1 and items[0][0] is op.IN:
        return [_of_set(items[0][1], start) for start in range(min(4, len(items[0][1])))]
    return [_sample(items)]


def _sample(items: Any) -> str:
    parts = []
    for code, argument in items:
        if code is op.LITERAL:
            parts.append(chr(argument))
        elif code is op.NOT_LITERAL:
            parts.append("a" if chr(argument) != "a" else "b")
        elif code is op.ANY:
            parts.append("a")
        elif code is op.IN:
            parts.append(_of_set(argument))
        elif code in (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT):
            parts.append(_sample(argument[2]) * min(max(argument[0], 1), 40))
        elif code is op.SUBPATTERN:
            parts.append(_sample(argument[3]))
        elif code is op.ATOMIC_GROUP:
            parts.append(_sample(argument))
        elif code is op.BRANCH:
            parts.append(_sample(argument[1][0]))
    return "".join(parts)


_CATEGORIES = {op.CATEGORY_DIGIT: "1", op.CATEGORY_SPACE: " ", op.CATEGORY_WORD: "a", op.CATEGORY_NOT_DIGIT: "a",
               op.CATEGORY_NOT_SPACE: "a", op.CATEGORY_NOT_WORD: "-"}  # fmt: skip


def _of_set(items: Any, start: int = 0) -> str:
    if items[0][0] is op.NEGATE:
        refused = re.compile(
            f"[{''.join(re.escape(chr(item[1])) for item in items if item[0] is op.LITERAL)}]"
            if any(item[0] is op.LITERAL for item in items)
            else r"(?!)"
        )
        return next(character for character in "a 1-.(" if not refused.match(character))
    code, argument = items[start]
    if code is op.LITERAL:
        return chr(argument)
    return chr(argument[0]) if code is op.RANGE else _CATEGORIES[argument]
