"""Pair the formulas of two logic arguments under one renaming, by their normal forms and without a solver."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from callwright.functions.formulas.nodes import Atom, Constant, Exists, ForAll, Formula, LogicArgument, Not, atoms
from callwright.functions.formulas.normal_form import Node, clauses_of, normal_form, shape_of

Symbol: TypeAlias = tuple[
    str, str
]  # (kind, name); the kind is "predicate/ARITY", "constant", or the kind of a variable in a normal form


@dataclass(frozen=True, slots=True)
class Renaming:
    """A one-to-one renaming from a given argument to a known one. It may be incomplete.

    Attributes:
        forward: symbol of the given argument -> name in the known one.
        backward: symbol of the known argument -> name in the given one.
    """

    forward: Mapping[Symbol, str]
    backward: Mapping[Symbol, str]

    def with_mapping(self, kind: str, name: str, known_name: str) -> "Renaming | None":
        """Return the renaming extended by one mapping; None if the mapping contradicts it."""
        renamed_to, renamed_from = self.forward.get((kind, name)), self.backward.get((kind, known_name))
        if renamed_to is None and renamed_from is None:
            return Renaming({**self.forward, (kind, name): known_name}, {**self.backward, (kind, known_name): name})
        return self if renamed_to == known_name and renamed_from == name else None

    def without_variables(self) -> "Renaming":
        """Return the part that also applies to other formulas, because each formula has its own variables."""
        forward, backward = (
            {symbol: name for symbol, name in names.items() if symbol[0].startswith(("predicate/", "constant"))}
            for names in (self.forward, self.backward)
        )
        return Renaming(forward, backward)


EMPTY_RENAMING = Renaming({}, {})


def symbols_of(*formulas: Formula) -> dict[Symbol, None]:
    """Return the predicates and constants in order of appearance, as the keys of a dict."""
    symbols: dict[Symbol, None] = {}
    for formula in formulas:
        for atom in atoms(formula):
            symbols[f"predicate/{len(atom.terms)}", atom.predicate] = None
            symbols |= {("constant", term.name): None for term in atom.terms if isinstance(term, Constant)}
    return symbols


def propose_renamings(given: LogicArgument, known: LogicArgument, likely: Renaming) -> Iterator[dict[Symbol, str]]:
    """Yield complete renamings (symbol of the given argument -> known name): one extends `likely`, one starts empty.

    Both pair the remaining symbols by name if possible, else by order of appearance.
    """
    symbols = symbols_of(given.statement, *given.premises)
    known_symbols = symbols_of(known.statement, *known.premises)
    earlier: list[dict[Symbol, str]] = []
    for start in (likely.forward, {}):
        names = {symbol: known_name for symbol, known_name in start.items() if symbol in symbols}
        taken = {(kind, known_name) for (kind, _), known_name in names.items()}
        free = dict.fromkeys(known_symbol for known_symbol in known_symbols if known_symbol not in taken)
        for symbol in symbols:
            if symbol in names:
                continue
            normalized = _normalized(symbol[1])
            candidates = [known_symbol for known_symbol in free if known_symbol[0] == symbol[0]]
            choice = next(
                (known_symbol for known_symbol in candidates if _normalized(known_symbol[1]) == normalized), None
            )
            choice = choice or next(iter(candidates), None)
            if choice is None:
                break
            names[symbol] = choice[1]
            free.pop(choice)
        else:
            if names not in earlier:
                earlier.append(names)
                yield names


def _normalized(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def rename(formula: Formula, names: Mapping[Symbol, str]) -> Formula:
    """Rename the predicates and constants of a formula."""
    match formula:
        case Atom(predicate, terms):
            renamed = (Constant(names["constant", term.name]) if isinstance(term, Constant) else term for term in terms)
            return Atom(names[f"predicate/{len(terms)}", predicate], tuple(renamed))
        case Not(body):
            return Not(rename(body, names))
        case ForAll(variable, body) | Exists(variable, body):
            return type(formula)(variable, rename(body, names))
        case _:
            return type(formula)(rename(formula.left, names), rename(formula.right, names))


MAX_TRIES = 8_000  # pairs of nodes that one search may compare


class TooManyTriesError(Exception):
    """A search compared MAX_TRIES pairs of nodes without a result."""


class ClauseSearch:
    """Backtracking search that pairs each given clause with a known one.

    It continues with the clause that has the fewest possible partners.

    Args:
        require_all_premises: whether each known clause must be paired too.
    """

    def __init__(self, given: LogicArgument, known: LogicArgument, require_all_premises: bool) -> None:
        self.given_clauses = tuple(
            dict.fromkeys(clause for premise in given.premises for clause in clauses_of(premise))
        )
        self.known_clauses = tuple(
            dict.fromkeys(clause for premise in known.premises for clause in clauses_of(premise))
        )
        self._statements = normal_form(given.statement), normal_form(known.statement)
        self._require_all_premises = require_all_premises
        self._tries = 0
        self._best = (EMPTY_RENAMING, -1)
        self._shapes: dict[Node, Node] = {}

    def succeeds(self) -> bool:
        """Whether one renaming pairs the statements and each given clause with a known one.

        Raises:
            TooManyTriesError: there is no result after MAX_TRIES comparisons.
        """
        statement, known_statement = self._statements
        return any(
            self._can_pair(self.given_clauses, frozenset(), renaming)
            for renaming in self.unify_closed(statement, known_statement, EMPTY_RENAMING)
        )

    def best_renaming(self) -> Renaming:
        """Return the renaming that paired the most clauses."""
        return self._best[0]

    def _can_pair(self, unpaired: tuple[Node, ...], used: frozenset[int], renaming: Renaming) -> bool:
        """Whether the unpaired given clauses can be paired too; `used` holds the indices of paired known clauses."""
        paired = len(self.given_clauses) - len(unpaired)
        if paired > self._best[1]:
            self._best = renaming, paired
        if not unpaired:
            return not self._require_all_premises or len(used) == len(self.known_clauses)
        fewest: tuple[Node, list[tuple[int, Renaming]]] | None = None
        for clause in unpaired:
            partners = [
                (index, extended)
                for index, known_clause in enumerate(self.known_clauses)
                for extended in self.unify_closed(clause, known_clause, renaming)
            ]
            if fewest is None or len(partners) < len(fewest[1]):
                fewest = clause, partners
                if len(partners) <= 1:
                    break
        assert fewest is not None
        clause, partners = fewest
        remaining = tuple(other for other in unpaired if other is not clause)
        return any(self._can_pair(remaining, used | {index}, extended) for index, extended in partners)

    def unify_closed(self, node: Node, known_node: Node, renaming: Renaming) -> Iterator[Renaming]:
        """Like `unify`, for closed formulas; drops the variables from the results."""
        return (extended.without_variables() for extended in self.unify(node, known_node, renaming))

    def unify(self, node: Node, known_node: Node, renaming: Renaming) -> Iterator[Renaming]:
        """Yield the extensions of a renaming that make two nodes equal up to the order of their parts."""
        self._tries += 1
        if self._tries > MAX_TRIES:
            raise TooManyTriesError
        if self._shape(node) != self._shape(known_node):
            return
        match node, known_node:
            case ("literal", _, predicate, terms), ("literal", _, known_predicate, known_terms):
                extended = renaming.with_mapping(f"predicate/{len(terms)}", predicate, known_predicate)
                for (kind, name), (known_kind, known_name) in zip(terms, known_terms, strict=True):
                    extended = (
                        extended.with_mapping(kind, name, known_name) if extended and kind == known_kind else None
                    )
                if extended is not None:
                    yield extended
            case ("and" | "or", nodes), (_, known_nodes):
                yield from self._unify_all(nodes, known_nodes, renaming)
            case ("xor", _, nodes), (_, _, known_nodes):
                yield from self._unify_all(nodes, known_nodes, renaming)
            case (_, _, body), (_, _, known_body):
                yield from self.unify(body, known_body, renaming)

    def _unify_all(self, nodes: Sequence[Node], known_nodes: Sequence[Node], renaming: Renaming) -> Iterator[Renaming]:
        """Pair each node with a different known node, in every order."""
        if not nodes:
            yield renaming
            return
        for index, known_node in enumerate(known_nodes):
            for extended in self.unify(nodes[0], known_node, renaming):
                yield from self._unify_all(nodes[1:], (*known_nodes[:index], *known_nodes[index + 1 :]), extended)

    def _shape(self, node: Node) -> Node:
        if node not in self._shapes:
            self._shapes[node] = shape_of(node)
        return self._shapes[node]
