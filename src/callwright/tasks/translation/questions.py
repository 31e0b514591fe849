"""Build the question and the gold chain of a translation problem from a sentence and its formula."""

from callwright.functions.formulas.formula import Formula, Variable, atoms, format_formula, predicate_arities
from callwright.records import Problem, Split
from callwright.tasks.translation.functions import building_calls

TASK = "translation"
_VARIABLE_LETTERS = "xyzwuv"


def vocabulary(*formulas: Formula) -> str:
    """The predicates of formulas, then their constants. Both in alphabetical order, which does not reveal the formula.

    Raises:
        CallError: a predicate is used with two numbers of terms.

    >>> from callwright.functions.formulas.formula import read_formula
    >>> vocabulary(read_formula("all x. (Student(x) -> Likes(x, ann))"))
    'Likes(x, y), Student(x), ann'
    """
    predicates = [
        f"{name}({', '.join(map(_variable, range(arity)))})" for name, arity in predicate_arities(*formulas).items()
    ]
    constants = {
        term.name
        for formula in formulas
        for atom in atoms(formula)
        for term in atom.terms
        if not isinstance(term, Variable)
    }
    return ", ".join((*sorted(predicates), *sorted(constants)))


def _variable(index: int) -> str:
    """x, y, z, w, u, v, then x1, y1, ..."""
    round_number, letter = divmod(index, len(_VARIABLE_LETTERS))
    return f"{_VARIABLE_LETTERS[letter]}{round_number or ''}"


def translation_problem(
    sentence: str, formula: Formula, source: str, group: str, split: Split, problem_id: str = ""
) -> Problem:
    """A problem whose question is the sentence and the vocabulary, and whose solution builds the formula.

    Raises:
        CallError: the formula has a free variable, or uses a predicate with two numbers of terms.
    """
    return Problem(
        id=problem_id,
        task=TASK,
        question=f"{sentence} Vocabulary: {vocabulary(formula)}.",
        answer=format_formula(formula),
        solution=building_calls(formula),
        source=source,
        group=group,
        split=split,
    )
