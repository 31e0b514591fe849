"""Formulas in a normal form in which most ways of saying the same look alike, names and order apart.

Negations stand before atoms alone, implications are gone, conjunctions and disjunctions are flat, disjunctions of
conjunctions are multiplied out as long as they stay small, and quantifiers stand as far inside (`all` of a
conjunction, `exists` of a disjunction) or as far outside (the other two) as they can.

A node is a tuple: ("literal", positive, predicate, terms), ("and" | "or", nodes), ("all" | "exists", variables, node),
("xor", parity, nodes): an odd (1) or even (0) number of the nodes is true. A term is ("constant", name), or the kind
and the name of a variable: ("all 1", "v0") is bound by the outermost quantifier, an `all`. TRUE and FALSE are the
conjunction and the disjunction of nothing.
"""

from collections.abc import Iterable, Iterator
from itertools import count, product
from typing import Any, TypeAlias

from callwright.functions.formula_parts import (
    And,
    Atom,
    Exists,
    ForAll,
    Formula,
    Iff,
    Implies,
    Not,
    Or,
    Variable,
    Xor,
)

MAX_CLAUSES = 32  # that multiplying out may make

Node: TypeAlias = tuple[Any, ...]
Bound: TypeAlias = dict[str, str]  # a variable's name -> the name that it has here alone

TRUE: Node = ("and", ())
FALSE: Node = ("or", ())
_OTHER = {"and": "or", "or": "and", "all": "exists", "exists": "all"}


def clauses_of(formula: Formula) -> tuple[Node, ...]:
    """What a closed formula states, as nodes that all have to hold; none if it is true by its form."""
    if isinstance(formula, And):  # split before `exists` is drawn out of it: what is joined may have been two premises
        return (*clauses_of(formula.left), *clauses_of(formula.right))
    node = _Normal().read(formula, True, {})
    return tuple(map(_with_kinds, node[1] if node[0] == "and" else (node,)))


def normal_form(formula: Formula) -> Node:
    """The normal form of a closed formula."""
    return _with_kinds(_Normal().read(formula, True, {}))


def shape_of(node: Node) -> Node:
    """What a node looks like without its names and without the order of its parts."""
    match node:
        case ("literal", positive, _, terms):
            return "literal", positive, len(terms)
        case ("and" | "or" as kind, parts):
            return kind, tuple(sorted(map(shape_of, parts), key=repr))
        case ("xor", parity, parts):
            return "xor", parity, tuple(sorted(map(shape_of, parts), key=repr))
    return node[0], len(node[1]), shape_of(node[2])


class _Normal:
    def __init__(self) -> None:
        self._fresh = (f"v{number}" for number in count())
        self._known: dict[tuple[int, bool, tuple[str, ...]], Node] = {}

    def read(self, formula: Formula, positive: bool, bound: Bound) -> Node:
        """A part, or its negation; remembered, as an equivalence may need both, and so may each part of it."""
        key = id(formula), positive, tuple(bound.values())
        if key not in self._known:
            self._known[key] = self._read(formula, positive, bound)
        return self._known[key]

    def _read(self, formula: Formula, positive: bool, bound: Bound) -> Node:
        match formula:
            case Atom(predicate, terms):
                named = (
                    ("variable", bound[one.name]) if isinstance(one, Variable) else ("constant", one.name)
                    for one in terms
                )
                return "literal", positive, predicate, tuple(named)
            case Not(body):
                return self.read(body, not positive, bound)
            case And(left, right) | Or(left, right):
                kind = "and" if isinstance(formula, And) == positive else "or"
                return self._join(kind, (self.read(left, positive, bound), self.read(right, positive, bound)))
            case Implies(left, right):
                kind = "or" if positive else "and"
                return self._join(kind, (self.read(left, not positive, bound), self.read(right, positive, bound)))
            case Iff(left, right) | Xor(left, right):
                return self._parity(left, right, isinstance(formula, Xor) == positive, bound)
            case ForAll(variable, body) | Exists(variable, body):
                kind = "all" if isinstance(formula, ForAll) == positive else "exists"
                name = next(self._fresh)
                return self._quantify(kind, (name,), self.read(body, positive, {**bound, variable.name: name}))

    def _join(self, kind: str, parts: Iterable[Node]) -> Node:
        flat = list(dict.fromkeys(_flat(kind, parts)))
        neutral, absorbing = (TRUE, FALSE) if kind == "and" else (FALSE, TRUE)
        if absorbing in flat or any(_negated(part) in flat for part in flat if part[0] == "literal"):
            return absorbing
        outer = "all" if kind == "or" else "exists"
        if any(part[0] == outer for part in flat):
            names: list[str] = []
            inner = [self._opened(part, names) if part[0] == outer else part for part in flat]
            return self._quantify(outer, tuple(names), self._join(kind, inner))
        if kind == "or":
            factors = [part[1] if part[0] == "and" else (part,) for part in flat]
            size = 1
            for factor in factors:
                size *= len(factor)
            if 1 < size <= MAX_CLAUSES and any(len(factor) > 1 for factor in factors):
                return self._join("and", [self._join("or", chosen) for chosen in product(*factors)])
        return flat[0] if len(flat) == 1 else (kind, tuple(flat)) if flat else neutral

    def _opened(self, node: Node, names: list[str]) -> Node:
        """A quantified node's body, its variables renamed, so that they meet no others."""
        new = {name: next(self._fresh) for name in node[1]}
        names += new.values()
        return _renamed(node[2], new)

    def _quantify(self, kind: str, names: tuple[str, ...], body: Node) -> Node:
        if body[0] == kind:
            return self._quantify(kind, (*names, *body[1]), body[2])
        if body[0] == ("and" if kind == "all" else "or"):
            parts = []
            for part in body[1]:
                new = {name: next(self._fresh) for name in names}
                parts.append(self._quantify(kind, tuple(new.values()), _renamed(part, new)))
            return self._join(body[0], parts)
        used = set(_variables(body))
        kept = tuple(name for name in names if name in used)
        return (kind, kept, body) if kept else body

    def _parity(self, left: Formula, right: Formula, odd: bool, bound: Bound) -> Node:
        """Two implications, as people also write them; a row of equivalences stays one, as its order tells nothing."""
        if not isinstance(left, Iff | Xor) and not isinstance(right, Iff | Xor):
            both = self._join("or", (self.read(left, True, bound), self.read(right, odd, bound)))
            return self._join(
                "and", (both, self._join("or", (self.read(left, False, bound), self.read(right, not odd, bound))))
            )
        parts: list[Node] = []
        for side in (left, right):
            node = self.read(side, True, bound)
            if node[0] in ("or", "exists") or (node[0] == "literal" and not node[1]):
                node, odd = self.read(side, False, bound), not odd
            if node[0] == "xor":
                odd = odd == bool(node[1])
                parts += node[2]
            else:
                parts.append(node)
        return "xor", int(odd), tuple(parts)


def _flat(kind: str, parts: Iterable[Node]) -> Iterator[Node]:
    for part in parts:
        if part[0] == kind:
            yield from part[1]
        else:
            yield part


def _negated(literal: Node) -> Node:
    return "literal", not literal[1], *literal[2:]


def _renamed(node: Node, new: Bound) -> Node:
    return _mapped(node, {name: ("variable", other) for name, other in new.items()})


def _mapped(node: Node, new: dict[str, tuple[str, str]]) -> Node:
    """The node with other terms in place of some variables."""
    match node:
        case ("literal", positive, predicate, terms):
            changed = (term if term[0] == "constant" else new.get(term[1], term) for term in terms)
            return "literal", positive, predicate, tuple(changed)
        case ("and" | "or" as kind, parts):
            return kind, tuple(_mapped(part, new) for part in parts)
        case ("xor", parity, parts):
            return "xor", parity, tuple(_mapped(part, new) for part in parts)
    return node[0], node[1], _mapped(node[2], new)


def _with_kinds(node: Node) -> Node:
    """The node with its variables named v0, v1, ... in the order of their quantifiers, and told apart by these."""
    new: dict[str, tuple[str, str]] = {}

    def collect(part: Node, depth: int) -> None:
        match part:
            case ("literal", *_):
                return
            case ("and" | "or", parts) | ("xor", _, parts):
                for one in parts:
                    collect(one, depth)
            case _:
                used = dict.fromkeys(name for name in _variables(part[2]) if name in part[1])
                for name in used:
                    new[name] = f"{part[0]} {depth}", f"v{len(new)}"
                collect(part[2], depth + 1)

    collect(node, 1)
    return _numbered(_mapped(node, new), new)


def _numbered(node: Node, new: dict[str, tuple[str, str]]) -> Node:
    """The node with its quantifiers naming their variables as its terms do."""
    match node:
        case ("literal", *_):
            return node
        case ("and" | "or" as kind, parts):
            return kind, tuple(_numbered(part, new) for part in parts)
        case ("xor", parity, parts):
            return "xor", parity, tuple(_numbered(part, new) for part in parts)
    return node[0], tuple(sorted(new[name][1] for name in node[1])), _numbered(node[2], new)


def _variables(node: Node) -> Iterator[str]:
    match node:
        case ("literal", _, _, terms):
            yield from (name for kind, name in terms if kind != "constant")
        case ("and" | "or", parts) | ("xor", _, parts):
            for part in parts:
                yield from _variables(part)
        case _:
            yield from _variables(node[2])
