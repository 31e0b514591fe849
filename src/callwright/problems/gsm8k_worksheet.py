"""Equations worked out as executed calls, and the gold chain that leads through them to the answer."""

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

TOOLBOX = ARITHMETIC.toolbox  # what the models will be offered
MAX_DECIMALS = 12  # of a written result that may be a rounded one
MAX_OPERATIONS = 500  # of one solution, executed or looked up; GSM8K's longest takes 18
EXACT, ROUNDED, WRONG = range(3)  # how a written result relates to what the calls returned


class ExecutedCall(NamedTuple):
    """An executed call, the operands whose origin matters, and its result."""

    call: Call
    operands: tuple[Fraction, ...]
    result: Fraction


class Worksheet:
    """Works equations out in reading order.

    Where a solution writes a rounded result (1/3 = 0.33), a later 0.33 stands for the exact result or for the rounded
    one, whichever gives the result written next; the rounded one is a `round_to` call.
    """

    def __init__(self) -> None:
        self._toolbox = TOOLBOX.open()
        self._executed_calls: list[ExecutedCall] = []
        self._operation_count = 0
        self._exact_by_written: dict[Fraction, Fraction] = {}  # inexact written result -> what the calls returned
        self._wrong_results: set[Fraction] = set()  # written results that no reading confirms
        self._use_exact_results = True
        self._used_inexact_result = False

    def execute_equation(self, equation: Equation) -> None:
        """Execute an equation's operations. One outside a calculator mark must hold.

        Raises:
            EquationError: it cannot be read, or an operation does not execute.
        """
        tree, written = parse_expression(equation.expression), read_result(equation.result)
        if not isinstance(tree, Operation):
            return
        readings = self._interpretations(_as_percent_of_product(tree) if written.percent else tree, written)
        agreement, lines, result, shown = min(readings, key=lambda reading: reading[0])
        if not equation.from_annotation and agreement == WRONG:
            return
        self._executed_calls = lines
        if agreement == WRONG:
            self._wrong_results.add(shown)
        elif agreement == EXACT:
            self._exact_by_written.pop(shown, None)
            self._wrong_results.discard(shown)
        else:
            self._exact_by_written[shown] = result

    def chain(self, goal: Fraction) -> tuple[Call, ...]:
        """The calls that lead to the goal, in order, then `answer`; calls that lead nowhere are left out.

        Raises:
            EquationError: no call returns the goal, or the way there rests on a wrong written result.
        """
        if goal in self._exact_by_written:
            self._round(self._exact_by_written[goal], goal)
        reaching = [place for place, line in enumerate(self._executed_calls) if line.result == goal]
        if not reaching:
            raise EquationError("equations do not reach the answer" if self._executed_calls else "no equations")
        last = self._executed_calls[reaching[-1]]
        kept, wanted = [last], set(last.operands)
        for line in reversed(self._executed_calls[: reaching[-1]]):
            if line.result in wanted:
                kept.insert(0, line)
                wanted.update(line.operands)
        if self._wrong_results & wanted - {line.result for line in kept}:
            raise EquationError("a written result is wrong")
        return (*(line.call for line in kept), Call(ANSWER, {"value": as_argument(goal)}))

    def _interpretations(
        self, tree: ExpressionTree, written: Amount
    ) -> list[tuple[int, list[ExecutedCall], Fraction, Fraction]]:
        """With exact results carried on, then with rounded ones: (agreement, lines, result, written result)."""
        before, readings = self._executed_calls, []
        failure: EquationError | None = None
        self._used_inexact_result = False
        for self._use_exact_results in (True, False):
            if not self._use_exact_results and not self._used_inexact_result:
                break
            self._executed_calls = list(before)
            try:
                result, shown = self._in_same_unit(self._evaluate(tree), written)
                readings.append((_agreement(result, shown), self._executed_calls, result, shown))
            except EquationError as error:
                failure = failure or error
        self._executed_calls = before
        if failure and not readings:
            raise failure
        return readings

    def _in_same_unit(self, worked: Amount, written: Amount) -> tuple[Fraction, Fraction]:
        """The worked and the written result in the same unit."""
        if worked.percent and (written.percent or worked.value == written.value):
            return worked.value, written.value
        return self._as_number(worked), written.value / 100 if written.percent else written.value

    def _evaluate(self, tree: ExpressionTree) -> Amount:
        """Innermost operations first, left to right; percentages stay percentages as long as they can.

        `50 * 20%` is percent_of(50, 20); `100% - 20%` is 80 percent; `1 - 20%` is 1 - 0.2.
        """
        if isinstance(tree, Number):
            return Amount(self._resolve_operand(tree.value), False)
        if isinstance(tree, Percent):
            value = self._as_number(self._evaluate(tree.of))
            if not self._is_result(value) and self._is_result(value / 100):  # a share found before, now said in percent
                return Amount(value / 100, False)
            return Amount(value, True)
        left, right = self._evaluate(tree.left), self._evaluate(tree.right)
        if tree.name == "power":
            return Amount(self._apply("power", base=self._as_number(left), exponent=self._as_number(right)), False)
        if tree.name == "multiply" and (left.percent or right.percent):
            amount, percent = (left, right) if right.percent else (right, left)
            return Amount(self._apply("percent_of", amount=amount.value, percent=percent.value), amount.percent)
        if left.percent and (right.percent or tree.name == "divide"):
            in_percent = not (right.percent and tree.name == "divide")
            return Amount(self._apply(tree.name, a=left.value, b=right.value), in_percent)
        return Amount(self._apply(tree.name, a=self._as_number(left), b=self._as_number(right)), False)

    def _as_number(self, amount: Amount) -> Fraction:
        """A percentage that a call returned is divided by 100; a written one is read so."""
        if not amount.percent:
            return amount.value
        if self._is_result(amount.value):
            return self._apply("divide", a=amount.value, b=Fraction(100))
        return amount.value / 100

    def _resolve_operand(self, written: Fraction) -> Fraction:
        if written not in self._exact_by_written:
            return written
        self._used_inexact_result = True
        return (
            self._exact_by_written[written]
            if self._use_exact_results
            else self._round(self._exact_by_written[written], written)
        )

    def _round(self, exact: Fraction, written: Fraction) -> Fraction:
        return self._execute(Call("round_to", {"number": as_argument(exact), "decimals": _decimals(written)}), (exact,))

    def _is_result(self, value: Fraction) -> bool:
        return any(line.result == value for line in self._executed_calls)

    def _apply(self, name: str, **operands: Fraction) -> Fraction:
        call = Call(name, {parameter: as_argument(value) for parameter, value in operands.items()})
        return self._execute(call, tuple(operands.values()))

    def _execute(self, call: Call, operands: tuple[Fraction, ...]) -> Fraction:
        self._operation_count += 1
        if self._operation_count > MAX_OPERATIONS:
            raise EquationError("too many operations")
        for line in self._executed_calls:
            swapped = call.name in ("add", "multiply") and line.operands == operands[::-1]
            if line.call == call or (line.call.name == call.name and swapped):
                return line.result
        outcome = self._toolbox.execute(call)
        if isinstance(outcome, CallError):
            raise EquationError("a step does not execute")
        self._executed_calls.append(ExecutedCall(call, operands, outcome.value))
        return self._executed_calls[-1].result


def _as_percent_of_product(tree: Operation) -> ExpressionTree:
    """`8 * 5% = 40%` and `3 / 4 * 100% = 75%`: a multiple of a percentage, in an equation that ends in percent."""
    if tree.name != "multiply" or isinstance(tree.left, Percent) == isinstance(tree.right, Percent):
        return tree
    left, right = (side.of if isinstance(side, Percent) else side for side in (tree.left, tree.right))
    return Percent(Operation("multiply", left, right))


def _agreement(result: Fraction, written: Fraction) -> int:
    decimals = _decimals(written)
    if result == written:
        return EXACT
    if decimals > MAX_DECIMALS or result * written < 0:
        return WRONG
    return ROUNDED if round_to(result, decimals) == written else WRONG


def _decimals(written: Fraction) -> int:
    """Places after the point; of a number that does not terminate, more than MAX_DECIMALS."""
    whole, _, places = format_number(written).partition(".")
    return MAX_DECIMALS + 1 if "/" in whole else len(places)
