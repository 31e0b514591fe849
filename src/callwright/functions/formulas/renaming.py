"""One-to-one renamings of the predicates and constants of formulas."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from callwright.functions.formulas.nodes import Atom, Constant, Exists, ForAll, Formula, LogicArgument, Not, atoms

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
