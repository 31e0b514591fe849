"""Pair the formulas of two arguments under one renaming, by their normal forms and without a solver."""

from collections.abc import Iterator, Sequence

from callwright.functions.formulas.nodes import LogicArgument
from callwright.functions.formulas.normal_form import Node, clauses_of, normal_form, shape_of
from callwright.functions.formulas.renaming import EMPTY_RENAMING, Renaming

MAX_TRIES = 8_000  # pairs of nodes that one search compares


class TooManyTriesError(Exception):
    """A search compared MAX_TRIES pairs of nodes without a result."""


class ClauseSearch:
    """Backtracking search that pairs each given clause with a known one, those with the fewest possible pairs first."""

    def __init__(self, given: LogicArgument, known: LogicArgument, whole: bool) -> None:
        self.given = tuple(dict.fromkeys(clause for premise in given.premises for clause in clauses_of(premise)))
        self.known = tuple(dict.fromkeys(clause for premise in known.premises for clause in clauses_of(premise)))
        self._statements = normal_form(given.statement), normal_form(known.statement)
        self._match_all_known = whole
        self._tries = 0
        self._best = (EMPTY_RENAMING, -1)
        self._shapes: dict[Node, Node] = {}

    def succeeds(self) -> bool:
        """Whether one renaming pairs every given clause, and the statement.

        Raises:
            TooManyTriesError: there is no result after MAX_TRIES.
        """
        statement, known_statement = self._statements
        return any(
            self._can_pair(self.given, frozenset(), names)
            for names in self.match(statement, known_statement, EMPTY_RENAMING)
        )

    def best_renaming(self) -> Renaming:
        """The renaming that paired the most clauses."""
        return self._best[0]

    def _can_pair(self, unpaired: tuple[Node, ...], used: frozenset[int], names: Renaming) -> bool:
        paired = len(self.given) - len(unpaired)
        if paired > self._best[1]:
            self._best = names, paired
        if not unpaired:
            return not self._match_all_known or len(used) == len(self.known)
        fewest: tuple[Node, list[tuple[int, Renaming]]] | None = None
        for clause in unpaired:
            partners = [
                (index, extended)
                for index, known_clause in enumerate(self.known)
                for extended in self.match(clause, known_clause, names)
            ]
            if fewest is None or len(partners) < len(fewest[1]):
                fewest = clause, partners
                if len(partners) <= 1:
                    break
        assert fewest is not None
        clause, partners = fewest
        remaining = tuple(other for other in unpaired if other is not clause)
        return any(self._can_pair(remaining, used | {index}, extended) for index, extended in partners)

    def match(self, node: Node, known_node: Node, names: Renaming) -> Iterator[Renaming]:
        """As `unify`, for whole formulas: the renamings hold no variables."""
        return (extended.without_variables() for extended in self.unify(node, known_node, names))

    def unify(self, node: Node, known_node: Node, names: Renaming) -> Iterator[Renaming]:
        """The extensions of a renaming that make two nodes equal, whatever the order of their parts."""
        self._tries += 1
        if self._tries > MAX_TRIES:
            raise TooManyTriesError
        if self._shape(node) != self._shape(known_node):
            return
        match node, known_node:
            case ("literal", _, predicate, terms), ("literal", _, known_part, known_parts):
                extended = names.with_mapping(f"predicate/{len(terms)}", predicate, known_part)
                for (kind, name), (known_kind, known_name) in zip(terms, known_parts, strict=True):
                    extended = (
                        extended.with_mapping(kind, name, known_name) if extended and kind == known_kind else None
                    )
                if extended is not None:
                    yield extended
            case ("and" | "or", nodes), (_, known_parts):
                yield from self._unify_all(nodes, known_parts, names)
            case ("xor", _, nodes), (_, _, known_parts):
                yield from self._unify_all(nodes, known_parts, names)
            case (_, _, body), (_, _, known_part):
                yield from self.unify(body, known_part, names)

    def _unify_all(self, nodes: Sequence[Node], known_nodes: Sequence[Node], names: Renaming) -> Iterator[Renaming]:
        if not nodes:
            yield names
            return
        for index, known_node in enumerate(known_nodes):
            for extended in self.unify(nodes[0], known_node, names):
                yield from self._unify_all(nodes[1:], (*known_nodes[:index], *known_nodes[index + 1 :]), extended)

    def _shape(self, node: Node) -> Node:
        if node not in self._shapes:
            self._shapes[node] = shape_of(node)
        return self._shapes[node]
