"""The definition of truth in a finite model, without a solver: the reference for the tests."""

from dataclasses import dataclass

from callwright.functions.formulas.formula import And, Atom, Exists, ForAll, Formula, Implies, Not, Or, Xor


@dataclass(frozen=True)
class FiniteModel:
    """A model whose elements are 0, 1, ..., size - 1.

    Attributes:
        facts: (predicate, elements) -> whether the predicate is true of these elements.
        constants: name -> element.
    """

    size: int
    facts: dict[tuple[str, tuple[int, ...]], bool]
    constants: dict[str, int]

    def holds(self, formula: Formula, variables: dict[str, int] | None = None) -> bool:
        """Whether a formula is true; `variables` maps its free variables to elements."""
        variables = variables or {}
        match formula:
            case Atom(predicate, terms):
                return self.facts[predicate, tuple({**self.constants, **variables}[term.name] for term in terms)]
            case Not(body):
                return not self.holds(body, variables)
            case ForAll(variable, body):
                return all(self.holds(body, {**variables, variable.name: element}) for element in range(self.size))
            case Exists(variable, body):
                return any(self.holds(body, {**variables, variable.name: element}) for element in range(self.size))
        left, right = self.holds(formula.left, variables), self.holds(formula.right, variables)
        match formula:
            case And():
                return left and right
            case Or():
                return left or right
            case Implies():
                return not left or right
            case Xor():
                return left != right
        return left == right
