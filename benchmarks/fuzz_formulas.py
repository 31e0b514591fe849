"""Call the functions of logic with random and hostile formulas: no exception, nothing slow, and the time that Z3 takes.

The inputs are formulas in mixed notations, some with characters changed, some as long or deep as the limits allow;
names with troublesome characters; arguments that are not formulas; and questions about premises that are hard for Z3.
All calls go through the toolboxes that a model uses.

    python benchmarks/fuzz_formulas.py [--count N] [--seed N] [--questions SHARE]
"""

import argparse
import os
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callwright.errors import CallError
from callwright.functions.formulas.formula import (
    MAX_FORMULA_CHARACTERS,
    And,
    Atom,
    Constant,
    Exists,
    ForAll,
    Formula,
    Iff,
    Implies,
    Not,
    Or,
    Variable,
    Xor,
    format_formula,
    free_variables,
)
from callwright.functions.guard import LIMIT_REACHED, SOLVER_SECONDS
from callwright.functions.solvers.worker import current_worker
from callwright.functions.toolbox import OpenToolbox, Toolbox
from callwright.records import Call
from callwright.tasks.entailment.functions import TOOLBOX
from callwright.tasks.translation.functions import ALL

SIGNS: dict[type, Sequence[str]] = {
    Not: ("not ", "Not ", "~", "!", "¬", " -", r"\neg "),
    And: ("and", "And", "&", "&&", "∧", "/\\", r"\land"),
    Or: ("or", "OR", "|", "||", "∨", "\\/", r"\lor"),
    Xor: ("xor", "⊕", r"\oplus"),
    Implies: ("->", "==>", "→", "implies", r"\to"),
    Iff: ("<->", "<==>", "↔", "iff", r"\iff"),
    ForAll: ("all ", "forall ", "∀", r"\forall "),
    Exists: ("exists ", "Exists ", "∃", r"\exists "),
}
BINARY = (And, Or, Xor, Implies, Iff)
VARIABLES = [f"{letter}{digit}" for letter in "xyzuvw" for digit in range(10)]
NAMES = (
    "P(a)",
    "x",
    "rex",
    "²",
    "٣",
    "007",
    "OR",
    "not",
    "all",
    "c++",
    "e\u0301",
    "\ud83d",
    "\u202e",
    "\0",
    "a" * 80,
    "ß",
)
CHARACTERS = "xyzPQabc019 \t\n()[]{}.,:;-~!¬∀∃∧∨→↔⊕&|<>=\\/^'\"²٣é\u0301\ud83d\u202e\0_+#"
ORDER = (
    "all x. all y. all z. ((R(x, y) and R(y, z)) -> R(x, z))",
    "all x. not R(x, x)",
    "all x. exists y. R(x, y)",
    "all x. all y. (R(x, y) -> (exists z. (R(x, z) and R(z, y))))",
)


@dataclass(frozen=True)
class Style:
    """Parameters of random formulas."""

    predicates: int
    arity: int
    constants: int
    variables: float  # share of the terms
    quantifiers: float  # share of the parts
    universal: float  # share of the quantifiers
    connectives: Sequence[type]

    @staticmethod
    def draw(rng: random.Random) -> "Style":
        return Style(
            predicates=rng.choice((1, 2, 5, 40)),
            arity=rng.choice((1, 2, 3, 8)),
            constants=rng.choice((1, 3, 20, 60)),
            variables=rng.choice((0.5, 0.9, 1)),
            quantifiers=rng.choice((0.1, 0.3, 0.5, 0.8)),
            universal=rng.choice((0.3, 0.5, 0.8, 1)),
            connectives=rng.choice((BINARY, (Xor, Iff), (And, Or, Implies), (Or, Implies))),
        )


def random_formula(rng: random.Random, style: Style, parts: int, depth: int, bound: tuple[str, ...] = ()) -> Formula:
    """Return a formula with at most `parts` parts. It has no free variables if `bound` is empty."""
    if depth <= 1 or parts <= 1 or (bound and rng.random() < 0.05):
        number = rng.randrange(style.predicates)
        terms = (
            Variable(rng.choice(bound))
            if bound and rng.random() < style.variables
            else Constant(f"c{rng.randrange(style.constants)}")
            for _ in range(1 + number * 7 % style.arity)
        )
        return Atom(f"P{number}", tuple(terms))
    kind = rng.random()
    if kind < style.quantifiers and len(bound) < len(VARIABLES):
        quantifier = ForAll if rng.random() < style.universal else Exists
        name = VARIABLES[len(bound)]
        return quantifier(Variable(name), random_formula(rng, style, parts - 1, depth - 1, (*bound, name)))
    if kind < style.quantifiers + 0.1:
        return Not(random_formula(rng, style, parts - 1, depth - 1, bound))
    left = (parts - 1) // 2 if rng.random() < 0.7 else max(1, parts - 3)
    formulas = (random_formula(rng, style, count, depth - 1, bound) for count in (left, parts - 1 - left))
    formula: Formula = rng.choice(style.connectives)(*formulas)
    return formula


def close(formula: Formula) -> Formula:
    """Bind the free variables of a formula."""
    for name in sorted(free_variables(formula)):
        formula = ForAll(Variable(name), formula)
    return formula


def write_formula(rng: random.Random, formula: Formula) -> str:
    """Write a formula in a mixture of notations."""
    match formula:
        case Atom():
            return str(formula)
        case Not(body):
            return f"{rng.choice(SIGNS[Not])}({write_formula(rng, body)})"
        case ForAll(variable, body) | Exists(variable, body):
            separator = rng.choice(("", ".", ":", ","))
            return f"{rng.choice(SIGNS[type(formula)])}{variable.name}{separator} [{write_formula(rng, body)}]"
    left, right = write_formula(rng, formula.left), write_formula(rng, formula.right)
    return f"({left}) {rng.choice(SIGNS[type(formula)])} {{{right}}}"


def change_characters(rng: random.Random, text: str) -> str:
    """Insert, remove or replace some characters."""
    characters = list(text)
    for _ in range(rng.choice((1, 2, 5, 20))):
        index = rng.randrange(len(characters) + 1)
        characters[index : index + rng.randrange(3)] = rng.choice(("", rng.choice(CHARACTERS), rng.choice(NAMES)))
    return "".join(characters)


def random_tokens(rng: random.Random) -> str:
    """Return tokens in random order."""
    tokens = [sign for signs in SIGNS.values() for sign in signs] + [*NAMES, *VARIABLES[:3], "P(x)", "(", ")", ",", "."]
    return rng.choice(("", " ")).join(rng.choices(tokens, k=rng.choice((1, 5, 30, 400))))


def text_at_the_limit(rng: random.Random) -> str:
    """Return a repetitive text as long as a formula may be, or a little longer."""
    length = MAX_FORMULA_CHARACTERS + rng.choice((-1, 0, 0, 1))
    unit = rng.choice((*CHARACTERS, *NAMES, "all x ", "not ", "P(x) and ", "(((", "[{(", "a-", "x,", "-->", "P(a)."))
    end = rng.choice(("", "P(x)", ")", "(x)"))
    return (unit * length)[: length - len(end)] + end


def random_text(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.2:
        return random_tokens(rng)
    if kind < 0.35:
        return text_at_the_limit(rng)
    text = write_formula(
        rng, random_formula(rng, Style.draw(rng), rng.choice((3, 10, 40, 190)), rng.choice((4, 12, 28)))
    )
    return change_characters(rng, text) if rng.random() < 0.5 else text


def random_value(rng: random.Random) -> Any:
    """Return an argument for a parameter that takes a formula, a name or a list of names."""
    plain: tuple[Any, ...] = (None, True, 7, 1e400, [], {}, "", [[]], {"a": [None]}, *NAMES)
    kind = rng.random()
    if kind < 0.7:
        return random_text(rng)
    if kind < 0.85:
        return [rng.choice(plain) for _ in range(rng.choice((1, 2, 8, 9, 64, 2_000)))]
    return rng.choice(plain)


def random_call(rng: random.Random, toolbox: Toolbox) -> Call:
    function = rng.choice(list(toolbox.functions.values()))
    arguments = {name: random_value(rng) for name in function.parameters if rng.random() < 0.95}
    if rng.random() < 0.05:
        arguments[rng.choice(("0", "9", "more"))] = random_value(rng)
    return Call(function.name, arguments)


def random_question(rng: random.Random) -> list[Call]:
    """Return calls that assume premises and ask about a statement, at most as many as are allowed."""
    style, depth, parts = Style.draw(rng), rng.choice((6, 12, 28)), rng.choice((5, 20, 60, 190))
    count = rng.choice((1, 3, 10, 30, 60))
    formulas = [close(random_formula(rng, style, parts, depth)) for _ in range(count)]
    texts = [*(rng.sample(ORDER, rng.randrange(5)))]
    for formula in formulas:
        try:
            texts.append(format_formula(formula))
        except ValueError:  # too deep
            continue
    statement = format_formula(close(random_formula(rng, style, 10, 4)))
    return [*(Call("assume", {"formula": text}) for text in texts), Call("entails", {"formula": statement})]


class Outcomes:
    """Counts of the results of all calls, the exceptions, and the slowest calls."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.raised: list[str] = []
        self.slowest_outside = (0.0, "")  # processor seconds in this process, call
        self.slowest_in_worker = (0.0, "")  # processor seconds in the worker, call

    def execute(self, tools: OpenToolbox, call: Call) -> None:
        (pid_before, worker_before), start = _worker_seconds(), time.thread_time()
        try:
            result = tools.execute(call)
        except Exception as error:
            self.raised.append(f"{type(error).__name__}: {ascii(str(error))[:200]} in {ascii(call)[:200]}")
            return
        parent_seconds, (pid_after, worker_after) = time.thread_time() - start, _worker_seconds()
        worker_seconds = worker_after - worker_before if pid_after == pid_before else SOLVER_SECONDS
        description = ascii(call)[:120]
        self.slowest_outside = max(self.slowest_outside, (parent_seconds, description))
        if pid_before is not None:
            self.slowest_in_worker = max(self.slowest_in_worker, (worker_seconds, description))
        if isinstance(result, CallError):
            limit = result.message.startswith(LIMIT_REACHED)
            self.counts[LIMIT_REACHED if limit else result.fault] += 1
        else:
            self.counts["answered"] += 1


def _worker_seconds() -> tuple[int | None, float]:
    """Return the worker's process id and the processor seconds that it has used, in steps of 0.01 s."""
    pid = current_worker().pid
    if pid is None:
        return None, 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return pid, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fuzz(count: int, seed: int, question_share: float) -> Outcomes:
    """Execute random inputs.

    Args:
        count: number of inputs.
        question_share: share of the inputs that are a question with its premises; the others are single calls.
    """
    rng, outcomes = random.Random(seed), Outcomes()
    logic_toolbox, assumption_toolbox = Toolbox(ALL), TOOLBOX
    assumption_toolbox.open().execute(Call("entails", {"formula": "P(a)"}))  # load Z3 before the measurement
    for _ in range(count):
        if rng.random() < question_share:
            tools = assumption_toolbox.open()
            for call in random_question(rng):
                outcomes.execute(tools, call)
        else:
            toolbox = rng.choice((logic_toolbox, logic_toolbox, assumption_toolbox))
            outcomes.execute(toolbox.open(), random_call(rng, toolbox))
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--questions", type=float, default=0.1)
    options = parser.parse_args()
    start = time.perf_counter()
    outcomes = fuzz(options.count, options.seed, options.questions)
    for line in outcomes.raised[:20]:
        print(line)
    print(f"{options.count:,} inputs, {outcomes.counts.total():,} calls, {time.perf_counter() - start:.0f} s")
    for name, count in outcomes.counts.most_common():
        print(f"  {count:7,}  {name}")
    print(f"exceptions: {len(outcomes.raised)}")
    seconds, call = outcomes.slowest_outside
    print(f"slowest outside the worker: {seconds * 1000:.0f} ms, {call}")
    seconds, call = outcomes.slowest_in_worker
    share = seconds / SOLVER_SECONDS
    print(f"slowest in the worker: {seconds:.2f} s of processor time, {share:.1%} of its limit, {call}")


if __name__ == "__main__":
    main()
