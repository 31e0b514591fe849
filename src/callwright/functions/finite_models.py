"""Small worlds: whether formulas can be true together among at most N things.

Z3's own search often goes on for ever where a quantifier asks for one more thing ("everything likes something"),
though a world of two things would do. Among N named things a quantifier is an `and` or an `or` of N parts, and without
quantifiers Z3 always comes to an end. A world that is found proves that the formulas go together. None found proves
nothing: there are formulas that are true in infinite worlds alone.

The things need not differ, so "at most N" is meant, and a larger N finds all that a smaller one does.
"""

from collections.abc import Sequence

import z3

from callwright.functions.formula_parts import Atom, Constant, Exists, ForAll, Formula, Not, atoms
from callwright.functions.z3_question import Question

SIZES = (2, 3, 5)  # numbers of things that are tried, each an upper limit
MOST_PARTS = 10_000  # of all formulas of a question, with each quantifier expanded


def small_world(question: Question, formulas: Sequence[Formula], work: int, sizes: Sequence[int] = SIZES) -> bool:
    """Whether a small world was found in which closed formulas are all true.

    Args:
        work: units that the search may spend. Worlds whose description exceeds MOST_PARTS are not tried.
        sizes: how many things there are at most, ascending.

    Raises:
        MemoryError: as `Question.check` does.
    """
    end = question.left - work
    terms = (term for formula in formulas for atom in atoms(formula) for term in atom.terms)
    names = dict.fromkeys(term.name for term in terms if isinstance(term, Constant))
    for count in sizes:
        if question.left <= end or sum(parts_among(formula, count) for formula in formulas) > MOST_PARTS:
            return False
        things = [question.thing(f"d{number}") for number in range(count)]
        constraints = [
            z3.Or([question.thing(name) == thing for thing in things[: index + 1]]) for index, name in enumerate(names)
        ]
        world = [question.translate(formula, things) for formula in formulas]
        if question.check([*constraints, *world], question.left - end) == z3.sat:
            return True
    return False


def parts_among(formula: Formula, count: int) -> int:
    """How many parts a formula has in a world of `count` things, with each quantifier expanded.

    >>> from callwright.functions.formula import read_formula
    >>> parts_among(read_formula("all x. exists y. R(x, y)"), 3)
    13
    """
    match formula:
        case Atom():
            return 1
        case Not(body):
            return 1 + parts_among(body, count)
        case ForAll(_, body) | Exists(_, body):
            return 1 + count * parts_among(body, count)
        case _:
            return 1 + parts_among(formula.left, count) + parts_among(formula.right, count)
