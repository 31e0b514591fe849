"""Execute the equations of a written solution as calls, and select the gold chain that leads to the answer."""

from enum import IntEnum
from fractions import Fraction
from typing import NamedTuple

from callwright.errors import CallError
from callwright.functions.numbers import as_argument, format_number
from callwright.functions.toolbox import ANSWER
from callwright.problems.gsm8k_equations import (
    Amount,
    Equation,
    EquationError,
    ExpressionTree,
    Number,
    Operation,
    Percent,
    parse_expression,
    read_result,
)
from callwright.records import Call
from callwright.tasks.arithmetic.functions import round_to
from callwright.tasks.arithmetic.task import ARITHMETIC

TOOLBOX = ARITHMETIC.toolbox  # the functions that models get too
MAX_DECIMALS = 12  # a written result with more is not taken for a rounded one
MAX_OPERATIONS = 500  # in one solution, executed or looked up; GSM8K's longest solution has 18


class Agreement(IntEnum):
    """How a written result relates to the result of the calls, from the best to the worst."""

    EXACT = 0
    ROUNDED = 1
    WRONG = 2


class ExecutedCall(NamedTuple):
    """An executed call, the operands that earlier calls may have returned, and its result."""

    call: Call
    operands: tuple[Fraction, ...]
    result: Fraction


class Interpretation(NamedTuple):
    """One way to execute an equation.

    Attributes:
        calls: all calls up to and including those of the equation.
        result: what the last of them returned.
        written: the written result, in the unit of `result`.
    """

    agreement: Agreement
    calls: list[ExecutedCall]
    result: Fraction
    written: Fraction


class Worksheet:
    """Executes equations in reading order.

    If a solution writes a rounded result (1/3 = 0.33), a later 0.33 means either the exact or the rounded result,
    whichever gives the next written result. The rounded one is the result of a `round_to` call.
    """

    def __init__(self) -> None:
        self._toolbox = TOOLBOX.open()
        self._executed_calls: list[ExecutedCall] = []
        self._operation_count = 0
        self._exact_by_written: dict[Fraction, Fraction] = {}  # rounded written result -> exact result
        self._wrong_results: set[Fraction] = set()  # written results that no interpretation confirms
        self._use_exact_results = True
        self._used_inexact_result = False

    def execute_equation(self, equation: Equation) -> None:
        """Execute an equation's operations. An equation from prose is ignored if its result is wrong.

        Raises:
            EquationError: the equation cannot be parsed, or an operation does not execute.
        """
        tree, written = parse_expression(equation.expression), read_result(equation.result)
        if not isinstance(tree, Operation):
            return
        interpretations = self._interpretations(_as_percent_of_product(tree) if written.is_percent else tree, written)
        best = min(interpretations, key=lambda interpretation: interpretation.agreement)
        if not equation.from_annotation and best.agreement == Agreement.WRONG:
            return
        self._executed_calls = best.calls
        if best.agreement == Agreement.WRONG:
            self._wrong_results.add(best.written)
        elif best.agreement == Agreement.EXACT:
            self._exact_by_written.pop(best.written, None)
            self._wrong_results.discard(best.written)
        else:
            self._exact_by_written[best.written] = best.result

    def chain(self, goal: Fraction) -> tuple[Call, ...]:
        """The calls that lead to the goal, in order, then `answer`; unused calls are dropped.

        Raises:
            EquationError: no call returns the goal, or the calls that lead to it use a wrong written result.
        """
        if goal in self._exact_by_written:
            self._round(self._exact_by_written[goal], goal)
        indices = [index for index, executed in enumerate(self._executed_calls) if executed.result == goal]
        if not indices:
            raise EquationError("equations do not reach the answer" if self._executed_calls else "no equations")
        last = self._executed_calls[indices[-1]]
        chain, used_values = [last], set(last.operands)
        for executed in reversed(self._executed_calls[: indices[-1]]):
            if executed.result in used_values:
                chain.insert(0, executed)
                used_values.update(executed.operands)
        if self._wrong_results & used_values - {executed.result for executed in chain}:
            raise EquationError("a written result is wrong")
        return (*(executed.call for executed in chain), Call(ANSWER, {"value": as_argument(goal)}))

    def _interpretations(self, tree: ExpressionTree, written: Amount) -> list[Interpretation]:
        """Execute the tree with the exact earlier results, and if that differs, with the rounded ones too."""
        calls_before, interpretations = self._executed_calls, []
        failure: EquationError | None = None
        self._used_inexact_result = False
        for use_exact_results in (True, False):
            if not use_exact_results and not self._used_inexact_result:
                break
            self._use_exact_results = use_exact_results
            self._executed_calls = list(calls_before)
            try:
                result, written_result = self._in_same_unit(self._evaluate(tree), written)
                agreement = _agreement(result, written_result)
                interpretations.append(Interpretation(agreement, self._executed_calls, result, written_result))
            except EquationError as error:
                failure = failure or error
        self._executed_calls = calls_before
        if failure and not interpretations:
            raise failure
        return interpretations

    def _in_same_unit(self, result: Amount, written: Amount) -> tuple[Fraction, Fraction]:
        """The executed and the written result in the same unit."""
        if result.is_percent and (written.is_percent or result.value == written.value):
            return result.value, written.value
        return self._as_number(result), written.value / 100 if written.is_percent else written.value

    def _evaluate(self, tree: ExpressionTree) -> Amount:
        """Execute the innermost operations first, from left to right; keep percentages as long as possible.

        `50 * 20%` is percent_of(50, 20); `100% - 20%` is 80 percent; `1 - 20%` is 1 - 0.2.
        """
        if isinstance(tree, Number):
            return Amount(self._resolve_operand(tree.value), False)
        if isinstance(tree, Percent):
            value = self._as_number(self._evaluate(tree.operand))
            if not self._is_result(value) and self._is_result(value / 100):  # an earlier share, now written in percent
                return Amount(value / 100, False)
            return Amount(value, True)
        left, right = self._evaluate(tree.left), self._evaluate(tree.right)
        if tree.name == "power":
            return Amount(self._apply("power", base=self._as_number(left), exponent=self._as_number(right)), False)
        if tree.name == "multiply" and (left.is_percent or right.is_percent):
            amount, percent = (left, right) if right.is_percent else (right, left)
            return Amount(self._apply("percent_of", amount=amount.value, percent=percent.value), amount.is_percent)
        if left.is_percent and (right.is_percent or tree.name == "divide"):
            in_percent = not (right.is_percent and tree.name == "divide")
            return Amount(self._apply(tree.name, a=left.value, b=right.value), in_percent)
        return Amount(self._apply(tree.name, a=self._as_number(left), b=self._as_number(right)), False)

    def _as_number(self, amount: Amount) -> Fraction:
        """The value; a percentage that a call returned becomes a number by a `divide` call, a written one directly."""
        if not amount.is_percent:
            return amount.value
        if self._is_result(amount.value):
            return self._apply("divide", a=amount.value, b=Fraction(100))
        return amount.value / 100

    def _resolve_operand(self, written: Fraction) -> Fraction:
        """The number that a written operand means: itself, or the earlier result that was written like this."""
        if written not in self._exact_by_written:
            return written
        self._used_inexact_result = True
        exact = self._exact_by_written[written]
        return exact if self._use_exact_results else self._round(exact, written)

    def _round(self, exact: Fraction, written: Fraction) -> Fraction:
        return self._execute(Call("round_to", {"number": as_argument(exact), "decimals": _decimals(written)}), (exact,))

    def _is_result(self, value: Fraction) -> bool:
        return any(executed.result == value for executed in self._executed_calls)

    def _apply(self, name: str, **operands: Fraction) -> Fraction:
        call = Call(name, {parameter: as_argument(value) for parameter, value in operands.items()})
        return self._execute(call, tuple(operands.values()))

    def _execute(self, call: Call, operands: tuple[Fraction, ...]) -> Fraction:
        self._operation_count += 1
        if self._operation_count > MAX_OPERATIONS:
            raise EquationError("too many operations")
        for executed in self._executed_calls:
            swapped = call.name in ("add", "multiply") and executed.operands == operands[::-1]
            if executed.call == call or (executed.call.name == call.name and swapped):
                return executed.result
        observation = self._toolbox.execute(call)
        if isinstance(observation, CallError):
            raise EquationError("a step does not execute")
        self._executed_calls.append(ExecutedCall(call, operands, observation.value))
        return self._executed_calls[-1].result


def _as_percent_of_product(tree: Operation) -> ExpressionTree:
    """The tree of `8 * 5% = 40%` or `3 / 4 * 100% = 75%`: percent of a product, as the result is in percent too."""
    if tree.name != "multiply" or isinstance(tree.left, Percent) == isinstance(tree.right, Percent):
        return tree
    left, right = (side.operand if isinstance(side, Percent) else side for side in (tree.left, tree.right))
    return Percent(Operation("multiply", left, right))


def _agreement(result: Fraction, written: Fraction) -> Agreement:
    decimals = _decimals(written)
    if result == written:
        return Agreement.EXACT
    if decimals > MAX_DECIMALS or result * written < 0:
        return Agreement.WRONG
    return Agreement.ROUNDED if round_to(result, decimals) == written else Agreement.WRONG


def _decimals(written: Fraction) -> int:
    """The number of decimals; for a number that does not terminate, more than MAX_DECIMALS."""
    integer, _, decimals = format_number(written).partition(".")
    return MAX_DECIMALS + 1 if "/" in integer else len(decimals)
