"""Translation problems: how their question is worded, and the gold chain that their formula makes."""

from callwright.functions.formulas.formula import Formula, Variable, atoms, format_formula, predicate_arities
from callwright.records import Problem, Split
from callwright.tasks.translation.functions import building_calls

TASK = "translation"
_VARIABLE_LETTERS = "xyzwuv"


def vocabulary(*formulas: Formula) -> str:
    """The predicates and constants of formulas, each kind in alphabetical order, so that it gives no structure away.

    Raises:
        CallError: a predicate stands with two numbers of terms.

    >>> from callwright.functions.formulas.formula import read_formula
    >>> vocabulary(read_formula("all x. (Student(x) -> Likes(x, ann))"))
    'Likes(x, y), Student(x), ann'
    """
    predicates = [
        f"{name}({', '.join(_VARIABLE_LETTERS[i % 6] + str(i // 6 or '') for i in range(places))})"
        for name, places in predicate_arities(*formulas).items()
    ]
    constants = {
        term.name
        for formula in formulas
        for atom in atoms(formula)
        for term in atom.terms
        if not isinstance(term, Variable)
    }
    return ", ".join((*sorted(predicates), *sorted(constants)))


def translation_problem(
    sentence: str, formula: Formula, source: str, group: str, split: Split, problem_id: str = ""
) -> Problem:
    """A sentence with the words to say it in, and the calls that build its formula.

    Raises:
        CallError: the formula has a free variable or is at odds with itself.
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
