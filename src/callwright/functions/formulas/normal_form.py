"""A normal form that is equal for most formulas with the same meaning, up to names and order.

Only atoms are negated. There are no implications. Conjunctions and disjunctions are flat. Disjunctions of conjunctions
are multiplied out if the result is small. Quantifiers are moved inward (`all` of a conjunction, `exists` of a
disjunction) or outward (the other two cases) as far as possible.

A node is a tuple: ("literal", positive, predicate, terms), ("and" | "or", nodes), ("all" | "exists", variables, node),
("xor", parity, nodes): an odd (1) or even (0) number of the nodes is true. A term is ("constant", name), or the kind
and the name of a variable: ("all 1", "v0") is bound by the outermost quantifier, an `all`. TRUE is the empty
conjunction, FALSE the empty disjunction.
"""

from collections.abc import Iterable, Iterator
from itertools import count, product
from typing import Any, TypeAlias

from callwright.functions.formulas.nodes import And, Atom, Exists, ForAll, Formula, Iff, Implies, Not, Or, Variable, Xor

MAX_CLAUSES = 32  # multiply out only up to this many clauses

Node: TypeAlias = tuple[Any, ...]
VariableNames: TypeAlias = dict[str, str]  # a variable's name -> its unique name in the normal form

TRUE: Node = ("and", ())
FALSE: Node = ("or", ())


def clauses_of(formula: Formula) -> tuple[Node, ...]:
    """Split a closed formula into nodes whose conjunction is equivalent to it; empty if its normal form is TRUE."""
    if isinstance(formula, And):  # split before `exists` moves outward, as the other argument may have two premises
        return (*clauses_of(formula.left), *clauses_of(formula.right))
    node = _Normalizer().normalize(formula, True, {})
    return tuple(map(_with_canonical_variables, node[1] if node[0] == "and" else (node,)))


def normal_form(formula: Formula) -> Node:
    """Return the normal form of a closed formula."""
    return _with_canonical_variables(_Normalizer().normalize(formula, True, {}))


def shape_of(node: Node) -> Node:
    """Return a node's structure without its names and without the order of its parts."""
    match node:
        case ("literal", positive, _, terms):
            return "literal", positive, len(terms)
        case ("and" | "or" as kind, nodes):
            return kind, tuple(sorted(map(shape_of, nodes), key=repr))
        case ("xor", parity, nodes):
            return "xor", parity, tuple(sorted(map(shape_of, nodes), key=repr))
    return node[0], len(node[1]), shape_of(node[2])


class _Normalizer:
    def __init__(self) -> None:
        self._fresh = (f"v{number}" for number in count())
        self._cache: dict[tuple[int, bool, tuple[str, ...]], Node] = {}  # by id: the caller keeps the formula alive

    def normalize(self, formula: Formula, positive: bool, bound: VariableNames) -> Node:
        """Return the node of a part, or of its negation. Cached, because an equivalence needs both, at every level."""
        key = id(formula), positive, tuple(bound.values())
        if key not in self._cache:
            self._cache[key] = self._normalize_uncached(formula, positive, bound)
        return self._cache[key]

    def _normalize_uncached(self, formula: Formula, positive: bool, bound: VariableNames) -> Node:
        match formula:
            case Atom(predicate, terms):
                renamed = (
                    ("variable", bound[term.name]) if isinstance(term, Variable) else ("constant", term.name)
                    for term in terms
                )
                return "literal", positive, predicate, tuple(renamed)
            case Not(body):
                return self.normalize(body, not positive, bound)
            case And(left, right) | Or(left, right):
                kind = "and" if isinstance(formula, And) == positive else "or"
                return self._join(kind, (self.normalize(left, positive, bound), self.normalize(right, positive, bound)))
            case Implies(left, right):
                kind = "or" if positive else "and"
                return self._join(
                    kind, (self.normalize(left, not positive, bound), self.normalize(right, positive, bound))
                )
            case Iff(left, right) | Xor(left, right):
                return self._parity(left, right, isinstance(formula, Xor) == positive, bound)
            case ForAll(variable, body) | Exists(variable, body):
                kind = "all" if isinstance(formula, ForAll) == positive else "exists"
                name = next(self._fresh)
                return self._quantify(kind, (name,), self.normalize(body, positive, {**bound, variable.name: name}))

    def _join(self, kind: str, nodes: Iterable[Node]) -> Node:
        flattened = list(dict.fromkeys(_flatten(kind, nodes)))
        neutral, absorbing = (TRUE, FALSE) if kind == "and" else (FALSE, TRUE)
        if absorbing in flattened or any(_negate(node) in flattened for node in flattened if node[0] == "literal"):
            return absorbing
        outer = "all" if kind == "or" else "exists"
        if any(node[0] == outer for node in flattened):
            names: list[str] = []
            inner = [self._open_quantifier(node, names) if node[0] == outer else node for node in flattened]
            return self._quantify(outer, tuple(names), self._join(kind, inner))
        if kind == "or":
            factors = [node[1] if node[0] == "and" else (node,) for node in flattened]
            size = 1
            for factor in factors:
                size *= len(factor)
            if 1 < size <= MAX_CLAUSES and any(len(factor) > 1 for factor in factors):
                return self._join("and", [self._join("or", chosen) for chosen in product(*factors)])
        return flattened[0] if len(flattened) == 1 else (kind, tuple(flattened)) if flattened else neutral

    def _open_quantifier(self, node: Node, names: list[str]) -> Node:
        """Return a quantified node's body with fresh names for its variables, and add them to `names`."""
        fresh = {name: next(self._fresh) for name in node[1]}
        names += fresh.values()
        return _rename_variables(node[2], fresh)

    def _quantify(self, kind: str, names: tuple[str, ...], body: Node) -> Node:
        if body[0] == kind:
            return self._quantify(kind, (*names, *body[1]), body[2])
        if body[0] == ("and" if kind == "all" else "or"):
            parts = []
            for part in body[1]:
                fresh = {name: next(self._fresh) for name in names}
                parts.append(self._quantify(kind, tuple(fresh.values()), _rename_variables(part, fresh)))
            return self._join(body[0], parts)
        used = set(_variables(body))
        used_names = tuple(name for name in names if name in used)
        return (kind, used_names, body) if used_names else body

    def _parity(self, left: Formula, right: Formula, odd: bool, bound: VariableNames) -> Node:
        """Return an equivalence as two implications, or nested ones as one `xor` node, because order is irrelevant."""
        if not isinstance(left, Iff | Xor) and not isinstance(right, Iff | Xor):
            forward = self._join("or", (self.normalize(left, True, bound), self.normalize(right, odd, bound)))
            backward = self._join("or", (self.normalize(left, False, bound), self.normalize(right, not odd, bound)))
            return self._join("and", (forward, backward))
        nodes: list[Node] = []
        for side in (left, right):
            node = self.normalize(side, True, bound)
            if node[0] in ("or", "exists") or (node[0] == "literal" and not node[1]):
                node, odd = self.normalize(side, False, bound), not odd
            if node[0] == "xor":
                odd = odd == bool(node[1])
                nodes += node[2]
            else:
                nodes.append(node)
        return "xor", int(odd), tuple(nodes)


def _flatten(kind: str, nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        if node[0] == kind:
            yield from node[1]
        else:
            yield node


def _negate(literal: Node) -> Node:
    return "literal", not literal[1], *literal[2:]


def _rename_variables(node: Node, names: VariableNames) -> Node:
    return _substitute(node, {name: ("variable", new_name) for name, new_name in names.items()})


def _substitute(node: Node, terms_by_name: dict[str, tuple[str, str]]) -> Node:
    """Replace some variables of a node by other terms."""
    match node:
        case ("literal", positive, predicate, terms):
            changed = (term if term[0] == "constant" else terms_by_name.get(term[1], term) for term in terms)
            return "literal", positive, predicate, tuple(changed)
        case ("and" | "or" as kind, nodes):
            return kind, tuple(_substitute(child, terms_by_name) for child in nodes)
        case ("xor", parity, nodes):
            return "xor", parity, tuple(_substitute(child, terms_by_name) for child in nodes)
    return node[0], node[1], _substitute(node[2], terms_by_name)


def _with_canonical_variables(node: Node) -> Node:
    """Name the variables of a node v0, v1, ... in the order of their quantifiers, and set their kinds."""
    terms_by_name: dict[str, tuple[str, str]] = {}

    def collect(part: Node, depth: int) -> None:
        match part:
            case ("literal", *_):
                return
            case ("and" | "or", children) | ("xor", _, children):
                for child in children:
                    collect(child, depth)
            case _:
                used = dict.fromkeys(name for name in _variables(part[2]) if name in part[1])
                for name in used:
                    terms_by_name[name] = f"{part[0]} {depth}", f"v{len(terms_by_name)}"
                collect(part[2], depth + 1)

    collect(node, 1)
    return _rename_quantified_variables(_substitute(node, terms_by_name), terms_by_name)


def _rename_quantified_variables(node: Node, terms_by_name: dict[str, tuple[str, str]]) -> Node:
    """Put the new variable names into the quantifiers of a node."""
    match node:
        case ("literal", *_):
            return node
        case ("and" | "or" as kind, nodes):
            return kind, tuple(_rename_quantified_variables(child, terms_by_name) for child in nodes)
        case ("xor", parity, nodes):
            return "xor", parity, tuple(_rename_quantified_variables(child, terms_by_name) for child in nodes)
    return (
        node[0],
        tuple(sorted(terms_by_name[name][1] for name in node[1])),
        _rename_quantified_variables(node[2], terms_by_name),
    )


def _variables(node: Node) -> Iterator[str]:
    match node:
        case ("literal", _, _, terms):
            yield from (name for kind, name in terms if kind != "constant")
        case ("and" | "or", nodes) | ("xor", _, nodes):
            for child in nodes:
                yield from _variables(child)
        case _:
            yield from _variables(node[2])
