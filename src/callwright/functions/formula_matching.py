"""Whether two sets of premises with a statement say the same, up to what their predicates and constants are called."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TypeAlias

from callwright.errors import CallError
from callwright.functions.formula_parts import (
    Atom,
    Constant,
    Exists,
    ForAll,
    Formula,
    Not,
    atoms,
)
from callwright.functions.normal_form import Node, clauses_of, normal_form, shape_of
from callwright.functions.solver import equivalent

MAX_TRIES = 8_000  # pairs of nodes that are compared for one question
MAX_ASKED = 24  # questions to the solver for one question
MAX_RENAMINGS = 4  # with which the solver is asked

Answer: TypeAlias = Literal["yes", "no", "undecided"]
Symbol: TypeAlias = tuple[str, str]  # ("predicate/2" | "constant" | a variable's kind, name)


@dataclass(frozen=True, slots=True)
class Argument:
    """Premises and a statement about which they are asked."""

    premises: tuple[Formula, ...]
    statement: Formula


class _TooManyTriesError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _Names:
    """A one-to-one renaming as far as it is known."""

    there: Mapping[Symbol, str]
    back: Mapping[Symbol, str]

    def with_pair(self, kind: str, name: str, other: str) -> "_Names | None":
        known, taken = self.there.get((kind, name)), self.back.get((kind, other))
        if known is None and taken is None:
            return _Names({**self.there, (kind, name): other}, {**self.back, (kind, other): name})
        return self if known == other and taken == name else None

    def without_variables(self) -> "_Names":
        """What is known of other formulas too: a variable's name is its formula's own."""
        there, back = (
            {symbol: name for symbol, name in names.items() if symbol[0].startswith(("predicate/", "constant"))}
            for names in (self.there, self.back)
        )
        return _Names(there, back)


_NOTHING = _Names({}, {})


def says_the_same(given: Argument, known: Argument, *, whole: bool) -> Answer:
    """Whether every premise given is a known one, and the statement the known one, under one renaming.

    Premises are compared in parts: what one formula joins by `and`, another argument may say in two. First by their
    normal forms, which needs no solver; then the solver is asked under the likeliest renamings, a bounded number of
    times.

    Args:
        whole: whether all known premises have to be given too.

    Returns:
        "undecided" where the bounds did not suffice to find a renaming, or to know that there is none.
    """
    if _is_alike(given, known, whole):
        return "yes"
    search = _Search(given, known, whole)
    try:
        if search.succeeds():
            return "yes"
        exhausted = False
    except _TooManyTriesError:
        exhausted = True
    found = _ask_solver(given, known, whole, search.likely_names())
    return "undecided" if found == "no" and exhausted else found


def unmatched(given: Argument, known: Argument) -> Formula | None:
    """A formula given that resembles none of the known ones, whatever its names; None if each resembles one."""
    search = _Search(given, known, False)
    try:
        if not any(True for _ in search.match(normal_form(given.statement), normal_form(known.statement), _NOTHING)):
            return given.statement
        for premise in given.premises:
            for clause in clauses_of(premise):
                if not any(True for one in search.known for _ in search.match(clause, one, _NOTHING)):
                    return premise
    except _TooManyTriesError:
        pass
    return None


def _is_alike(given: Argument, known: Argument, whole: bool) -> bool:
    """Word for word: what most chains come to."""
    ours, theirs = set(given.premises), set(known.premises)
    return given.statement == known.statement and ours <= theirs and (not whole or ours == theirs)


class _Search:
    """Backtracking over normal forms: a premise is paired with a known one where few pairs are possible."""

    def __init__(self, given: Argument, known: Argument, whole: bool) -> None:
        self.given = tuple(dict.fromkeys(clause for premise in given.premises for clause in clauses_of(premise)))
        self.known = tuple(dict.fromkeys(clause for premise in known.premises for clause in clauses_of(premise)))
        self._statements = normal_form(given.statement), normal_form(known.statement)
        self._whole = whole
        self._tries = 0
        self._best = (_NOTHING, -1)
        self._shapes: dict[Node, Node] = {}

    def succeeds(self) -> bool:
        """
        Raises:
            _TooManyTriesError: it is not known yet after MAX_TRIES.
        """
        ours, theirs = self._statements
        return any(self._pairs(self.given, frozenset(), names) for names in self.match(ours, theirs, _NOTHING))

    def likely_names(self) -> _Names:
        """The renaming under which most premises had a partner."""
        return self._best[0]

    def _pairs(self, waiting: tuple[Node, ...], used: frozenset[int], names: _Names) -> bool:
        done = len(self.given) - len(waiting)
        if done > self._best[1]:
            self._best = names, done
        if not waiting:
            return not self._whole or len(used) == len(self.known)
        fewest: tuple[Node, list[tuple[int, _Names]]] | None = None
        for clause in waiting:
            partners = [
                (place, found) for place, one in enumerate(self.known) for found in self.match(clause, one, names)
            ]
            if fewest is None or len(partners) < len(fewest[1]):
                fewest = clause, partners
                if len(partners) <= 1:
                    break
        assert fewest is not None
        clause, partners = fewest
        rest = tuple(one for one in waiting if one is not clause)
        return any(self._pairs(rest, used | {place}, found) for place, found in partners)

    def match(self, ours: Node, theirs: Node, names: _Names) -> Iterator[_Names]:
        """As `unify`, of whole formulas."""
        return (found.without_variables() for found in self.unify(ours, theirs, names))

    def unify(self, ours: Node, theirs: Node, names: _Names) -> Iterator[_Names]:
        """The renamings, as far as known, that make two nodes the same, their parts in any order."""
        self._tries += 1
        if self._tries > MAX_TRIES:
            raise _TooManyTriesError
        if self._shape(ours) != self._shape(theirs):
            return
        match ours, theirs:
            case ("literal", _, predicate, terms), ("literal", _, other, others):
                found = names.with_pair(f"predicate/{len(terms)}", predicate, other)
                for (kind, name), (other_kind, another) in zip(terms, others, strict=True):
                    found = found.with_pair(kind, name, another) if found and kind == other_kind else None
                if found is not None:
                    yield found
            case ("and" | "or", parts), (_, others):
                yield from self._unify_all(parts, others, names)
            case ("xor", _, parts), (_, _, others):
                yield from self._unify_all(parts, others, names)
            case (_, _, body), (_, _, other):
                yield from self.unify(body, other, names)

    def _unify_all(self, parts: Sequence[Node], others: Sequence[Node], names: _Names) -> Iterator[_Names]:
        if not parts:
            yield names
            return
        for place, other in enumerate(others):
            for found in self.unify(parts[0], other, names):
                yield from self._unify_all(parts[1:], (*others[:place], *others[place + 1 :]), found)

    def _shape(self, node: Node) -> Node:
        if node not in self._shapes:
            self._shapes[node] = shape_of(node)
        return self._shapes[node]


def _ask_solver(given: Argument, known: Argument, whole: bool, likely: _Names) -> Answer:
    asked = 0
    open_questions = False

    def same(left: Formula, right: Formula) -> bool:
        nonlocal asked, open_questions
        if left == right:
            return True
        if asked >= MAX_ASKED:
            open_questions = True
            return False
        asked += 1
        try:
            found = equivalent(left, right)
        except CallError:  # the solver's limits
            found = "undecided"
        open_questions |= found == "undecided"
        return found == "yes"

    for names in islice(_renamings(given, known, likely), MAX_RENAMINGS):
        premises = [_rename(premise, names) for premise in given.premises]
        if not same(_rename(given.statement, names), known.statement):
            continue
        partners = [_partner(premise, known.premises, same) for premise in premises]
        if None not in partners and (not whole or len(set(partners)) == len(set(known.premises))):
            return "yes"
    return "undecided" if open_questions else "no"


def _partner(premise: Formula, known: Sequence[Formula], same: Callable[[Formula, Formula], bool]) -> int | None:
    """The place of a known premise that says the same; those of the same symbols alone can, but for idle ones."""
    symbols = _symbols(premise)
    alike = [place for place, one in enumerate(known) if _symbols(one) == symbols]
    return next((place for place in alike if same(premise, known[place])), None)


def _symbols(*formulas: Formula) -> dict[Symbol, None]:
    """Predicates and constants in order of appearance."""
    found: dict[Symbol, None] = {}
    for formula in formulas:
        for atom in atoms(formula):
            found[f"predicate/{len(atom.terms)}", atom.predicate] = None
            found |= {("constant", one.name): None for one in atom.terms if isinstance(one, Constant)}
    return found


def _renamings(given: Argument, known: Argument, likely: _Names) -> Iterator[dict[Symbol, str]]:
    """Complete renamings: the likely one and none, each with the other symbols by name, then by order of appearance."""
    ours = _symbols(given.statement, *given.premises)
    theirs = _symbols(known.statement, *known.premises)
    made: list[dict[Symbol, str]] = []
    for start in (likely.there, {}):
        names = {symbol: other for symbol, other in start.items() if symbol in ours}
        taken = {(kind, other) for (kind, _), other in names.items()}
        free = dict.fromkeys(one for one in theirs if one not in taken)
        for symbol in ours:
            if symbol in names:
                continue
            plain = _plain(symbol[1])
            same_kind = [one for one in free if one[0] == symbol[0]]
            choice = next((one for one in same_kind if _plain(one[1]) == plain), None)
            choice = choice or next(iter(same_kind), None)
            if choice is None:
                break
            names[symbol] = choice[1]
            free.pop(choice)
        else:
            if names not in made:
                made.append(names)
                yield names


def _plain(name: str) -> str:
    return "".join(one for one in name.casefold() if one.isalnum())


def _rename(formula: Formula, names: Mapping[Symbol, str]) -> Formula:
    match formula:
        case Atom(predicate, terms):
            new = (Constant(names["constant", one.name]) if isinstance(one, Constant) else one for one in terms)
            return Atom(names[f"predicate/{len(terms)}", predicate], tuple(new))
        case Not(body):
            return Not(_rename(body, names))
        case ForAll(variable, body) | Exists(variable, body):
            return type(formula)(variable, _rename(body, names))
        case _:
            return type(formula)(_rename(formula.left, names), _rename(formula.right, names))
