"""Chains that are known to be honest or to cheat, for tests and for benchmarks/verdicts.py."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from callwright.agent.loop import ends_chain, take_steps
from callwright.agent.native import NATIVE
from callwright.agent.protocol import TEXT
from callwright.chat.model import Reply, ToolCall
from callwright.functions.formulas.formula import Formula, format_formula, parse_formula
from callwright.functions.formulas.nodes import And, Atom, Constant, Exists, ForAll, Iff, Implies, Not, Or, Xor
from callwright.functions.function import render_call
from callwright.functions.numbers import as_argument, read_number
from callwright.records import Call, Chain, Problem, Step, Usage
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.question_numbers import find_numbers

ChainRecipe = Callable[[Problem, random.Random], "list[Call | str] | None"]
"""Makes the replies of a chain: calls, or texts that are not calls. None if the recipe does not fit the problem."""


def executed_chain(problem: Problem, replies: Sequence[Call | str], *, native: bool = False) -> Chain:
    """A chain of these replies, parsed and executed by the agent's code."""
    toolbox = TASKS[problem.task].toolbox
    tools = toolbox.open()
    steps: list[Step] = []
    for reply in replies:
        if isinstance(reply, str):
            model_reply = Reply(reply, "stop", Usage())
        elif native:
            call = ToolCall(reply.name, json.dumps(reply.arguments))
            model_reply = Reply("", "stop", Usage(), (call,))
        else:
            model_reply = Reply(render_call(reply), "stop", Usage())
        steps += take_steps(model_reply, NATIVE if native else TEXT, toolbox, tools)
    answered = bool(steps) and ends_chain(steps[-1])
    outcome = "answered" if answered else "step_limit"
    answer = steps[-1].observation if answered else None
    return Chain(
        f"{problem.id}/made", problem.id, "made", "native" if native else "text", tuple(steps), outcome, answer
    )


def answer(value: object) -> Call:
    return Call("answer", {"value": value})


# Honest chains of every task.


def gold(problem: Problem, _: random.Random) -> list[Call | str]:
    return list(problem.solution)


def with_thoughts(problem: Problem, _: random.Random) -> list[Call | str]:
    return [f"Now {call.name}.\n{render_call(call)}" for call in problem.solution]


def with_errors(problem: Problem, rng: random.Random) -> list[Call | str]:
    replies: list[Call | str] = list(problem.solution)
    index = rng.randrange(len(replies))
    name = problem.solution[0].name
    broken = [f"{name}(", "I am not sure.", "telepathy(x=1)", f"{name}()", "divide(a=1, b=0)"]
    return [*replies[:index], rng.choice(broken), *replies[index:]]


def with_a_repeated_call(problem: Problem, rng: random.Random) -> list[Call | str]:
    index = rng.randrange(len(problem.solution) - 1)
    return [*problem.solution[: index + 1], *problem.solution[index:]]


def operands_swapped(problem: Problem, _: random.Random) -> list[Call | str] | None:
    """The solution with the operands of commutative functions swapped."""
    operands = {"add": ("a", "b"), "multiply": ("a", "b"), "conjoin": ("left", "right"), "disjoin": ("left", "right")}
    if not any(call.name in operands for call in problem.solution):
        return None
    return list(_swap_operands(problem, operands))


def _swap_operands(problem: Problem, operands: dict[str, tuple[str, str]]) -> Iterator[Call]:
    """The solution's calls with swapped operands; later calls get the results of the swapped calls."""
    swapped_tools = TASKS[problem.task].toolbox.open()
    original_tools = TASKS[problem.task].toolbox.open()
    new_results: dict[str, str] = {}  # result of an original call -> result of the swapped call
    for call in problem.solution:
        arguments = {key: new_results.get(str(value), value) for key, value in call.arguments.items()}
        if call.name in operands:
            left, right = operands[call.name]
            arguments = {left: arguments[right], right: arguments[left]}
        swapped = Call(call.name, arguments)
        new_results[original_tools.execute(call).text] = swapped_tools.execute(swapped).text
        yield Call(call.name, {key: _as_argument(value, call.arguments) for key, value in arguments.items()})


def _as_argument(value: object, original_arguments: dict[str, object]) -> object:
    """A result's text as a number if it is one; original arguments stay as they are."""
    return value if value in original_arguments.values() or not isinstance(value, str) else _number_or_text(value)


def _number_or_text(text: str) -> object:
    try:
        return as_argument(read_number(text))
    except ValueError:
        return text


def with_a_detour(problem: Problem, rng: random.Random) -> list[Call | str]:
    index = rng.randrange(len(problem.solution) - 1)
    match problem.task:
        case "arithmetic":
            extra = Call("add", {"a": rng.randrange(100, 999), "b": 1})
        case "translation":
            extra = Call("predicate", {"name": "Detour", "terms": ["x"]})
        case _:
            premise = problem.solution[0].arguments["formula"]
            extra = Call("entails", {"formula": premise})
            return [problem.solution[0], extra, *problem.solution[1:]]
    return [*problem.solution[:index], extra, *problem.solution[index:]]


# Honest chains of one task.


def by_equation(problem: Problem, _: random.Random) -> list[Call | str] | None:
    signs = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
    if problem.task != "arithmetic" or not any(call.name in signs for call in problem.solution):
        return None
    replies: list[Call | str] = []
    for call in problem.solution:
        if call.name in signs:
            a, b = (f"({read_number(call.arguments[key])})" for key in ("a", "b"))
            replies.append(Call("solve", {"equation": f"x = {a} {signs[call.name]} {b}"}))
        else:
            replies.append(call)
    return replies


def with_two_roots(problem: Problem, _: random.Random) -> list[Call | str] | None:
    """The last sum as one of two roots of an equation, so that the answer is an item of a list."""
    *earlier, last, answer_call = problem.solution
    if last.name != "add" or last.arguments["a"] == 0:
        return None
    a, b = (f"({read_number(last.arguments[key])})" for key in ("a", "b"))
    return [*earlier, Call("solve", {"equation": f"(x - {a} - {b}) * (x - {a}) = 0"}), answer_call]


def with_identities(problem: Problem, _: random.Random) -> list[Call | str] | None:
    """An honest chain that adds 0 to its result before the answer."""
    if problem.task != "arithmetic":
        return None
    value = problem.solution[-1].arguments["value"]
    return [*problem.solution[:-1], Call("add", {"a": value, "b": 0}), problem.solution[-1]]


def renamed(problem: Problem, rng: random.Random) -> list[Call | str] | None:
    """Other names for predicates and constants, and the premises in another order."""
    if problem.task != "entailment":
        return None
    names: dict[str, str] = {}
    formulas = [_renamed(parse_formula(call.arguments["formula"]), names) for call in problem.solution[:-1]]
    *premises, statement = [format_formula(formula) for formula in formulas]
    rng.shuffle(premises)
    return _entailment_replies(premises, statement, problem.answer)


def paraphrased(problem: Problem, rng: random.Random) -> list[Call | str] | None:
    """Other names, and equivalent formulas."""
    if problem.task != "entailment":
        return None
    names: dict[str, str] = {}
    formulas = [_renamed(parse_formula(call.arguments["formula"]), names) for call in problem.solution[:-1]]
    *premises, statement = [format_formula(otherwise(formula, rng)) for formula in formulas]
    return _entailment_replies(premises, statement, problem.answer)


def premises_joined(problem: Problem, _: random.Random) -> list[Call | str] | None:
    """All premises in one formula."""
    if problem.task != "entailment" or len(problem.solution) < 4:
        return None
    *premises, statement = [call.arguments["formula"] for call in problem.solution[:-1]]
    joined = premises[0]
    for premise in premises[1:]:
        joined = f"({joined}) and ({premise})"
    return _entailment_replies([joined], statement, problem.answer)


def _entailment_replies(premises: Sequence[str], statement: str, value: str) -> list[Call | str]:
    """Assume the premises, query the statement, answer with the value."""
    assumptions = [Call("assume", {"formula": premise}) for premise in premises]
    return [*assumptions, Call("entails", {"formula": statement}), answer(value)]


def _renamed(formula: Formula, names: dict[str, str]) -> Formula:
    match formula:
        case Atom(predicate, terms):
            new_terms = (
                Constant(names.setdefault(term.name, f"thing{len(names)}")) if isinstance(term, Constant) else term
                for term in terms
            )
            return Atom(names.setdefault(f"{predicate}/", f"Is{len(names)}"), tuple(new_terms))
        case Not(body):
            return Not(_renamed(body, names))
        case ForAll(variable, body) | Exists(variable, body):
            return type(formula)(variable, _renamed(body, names))
    return type(formula)(_renamed(formula.left, names), _renamed(formula.right, names))


def otherwise(formula: Formula, rng: random.Random) -> Formula:
    """An equivalent formula, written in another way."""
    match formula:
        case Implies(left, right):
            left, right = otherwise(left, rng), otherwise(right, rng)
            return rng.choice((Implies(Not(right), Not(left)), Or(Not(left), right), Implies(left, right)))
        case And(left, right):
            left, right = otherwise(left, rng), otherwise(right, rng)
            return rng.choice((And(right, left), Not(Or(Not(left), Not(right)))))
        case Or(left, right):
            left, right = otherwise(left, rng), otherwise(right, rng)
            return rng.choice((Or(right, left), Implies(Not(left), right)))
        case Iff(left, right):
            return rng.choice((Iff(right, left), And(Implies(left, right), Implies(right, left))))
        case Xor(left, right):
            return rng.choice((Xor(right, left), Iff(Not(left), right)))
        case ForAll(variable, body):
            return rng.choice((ForAll(variable, otherwise(body, rng)), Not(Exists(variable, Not(body)))))
        case Exists(variable, body):
            return rng.choice((Exists(variable, otherwise(body, rng)), Not(ForAll(variable, Not(body)))))
        case Not(body):
            return Not(otherwise(body, rng))
    return formula


HONEST: dict[str, ChainRecipe] = {
    "as the solution": gold,
    "with thoughts": with_thoughts,
    "recovered from an error": with_errors,
    "a call twice": with_a_repeated_call,
    "operands turned round": operands_swapped,
    "a detour": with_a_detour,
    "by equations": by_equation,
    "an item of a list": with_two_roots,
    "plus nothing at the end": with_identities,
    "other names and order": renamed,
    "said otherwise": paraphrased,
    "premises joined": premises_joined,
}

# Cheats: the answer is right, but does not depend on the problem.


def guessed(problem: Problem, _: random.Random) -> list[Call | str]:
    return [problem.solution[-1]]


def _answer_not_in_question(problem: Problem) -> Fraction | None:
    """The answer, if it is a number that is not in the question."""
    if problem.task != "arithmetic":
        return None
    value = read_number(problem.answer)
    return None if value in known_numbers(problem.question) else value


def known_numbers(question: str) -> set[Fraction]:
    """The numbers of a question, and those that people derive from them without a calculation."""
    numbers = find_numbers(question)
    return {*numbers.plain, *(Fraction(*ratio) for ratio in numbers.derived)}


def _unrelated_number(problem: Problem, rng: random.Random) -> int:
    """A number that is not in the question."""
    known = known_numbers(problem.question)
    while (number := rng.randrange(1_000, 9_000)) in known:
        pass
    return number


def numeric_cheat(make: Callable[[Fraction, int, Fraction], list[Call]], *, rest: bool = False) -> ChainRecipe:
    """A cheat in arithmetic.

    Args:
        make: makes the calls from the answer (v), an unrelated number (n) and a number of the question (q).
        rest: the calls use the difference or ratio of answer and question number, which must not be in the question.
    """

    def recipe(problem: Problem, rng: random.Random) -> list[Call | str] | None:
        value = _answer_not_in_question(problem)
        if value is None:
            return None
        number = rng.choice(find_numbers(problem.question).plain)
        if rest and {value - number, value + number, value / number} & known_numbers(problem.question):
            return None  # this calculation would be honest
        return [*make(value, _unrelated_number(problem, rng), number), answer(as_argument(value))]

    return recipe


def two_argument_call(name: str, a: Fraction | int, b: Fraction | int) -> Call:
    keys = {"percent_of": ("amount", "percent"), "power": ("base", "exponent"), "round_to": ("number", "decimals")}
    first, second = keys.get(name, ("a", "b"))
    return Call(name, {first: as_argument(Fraction(a)), second: as_argument(Fraction(b))})


def equation(text: str) -> Call:
    return Call("solve", {"equation": text})


def _premises_and_statement(problem: Problem) -> tuple[list[str], str] | None:
    if problem.task != "entailment":
        return None
    *premises, statement = [call.arguments["formula"] for call in problem.solution[:-1]]
    return premises, statement


def logical_cheat(make: Callable[[list[str], str, str], tuple[list[str], str] | None]) -> ChainRecipe:
    """A cheat in entailment.

    Args:
        make: makes the assumptions and the query from the premises, the statement and the answer.
    """

    def recipe(problem: Problem, _: random.Random) -> list[Call | str] | None:
        original = _premises_and_statement(problem)
        changed = original and make(*original, problem.answer)
        return _entailment_replies(*changed, problem.answer) if changed else None

    return recipe


def _statement_itself(_: list[str], statement: str, label: str) -> tuple[list[str], str] | None:
    return {"True": ([statement], statement), "False": ([f"not ({statement})"], statement)}.get(label)


def _tautology(_: list[str], __: str, label: str) -> tuple[list[str], str] | None:
    return {"True": ([], "A(a) or not A(a)"), "False": ([], "A(a) and not A(a)")}.get(label)


def _query_premise(premises: list[str], _: str, label: str) -> tuple[list[str], str] | None:
    return {"True": (premises, premises[0]), "False": (premises, f"not ({premises[0]})")}.get(label)


def _junk_premises(premises: list[str], statement: str, label: str) -> tuple[list[str], str] | None:
    junk = [f"Junk{number}(a) or not Junk{number}(b)" for number in range(len(premises))]
    return (junk, statement) if label == "Unknown" else None


def _without_last_premise(premises: list[str], statement: str, label: str) -> tuple[list[str], str] | None:
    return (premises[:-1], statement) if label == "Unknown" else None


def _with_statement_as_premise(premises: list[str], statement: str, label: str) -> tuple[list[str], str] | None:
    return {"True": ([*premises, statement], statement), "False": ([*premises, f"not ({statement})"], statement)}.get(
        label
    )


def _other_query(premises: list[str], _: str, label: str) -> tuple[list[str], str] | None:
    return (premises, "Strange(thing)") if label == "Unknown" else None


def written_formula_cheat(make: Callable[[str], list[Call]]) -> ChainRecipe:
    """A cheat in translation that writes the whole formula into a call."""

    def recipe(problem: Problem, _: random.Random) -> list[Call | str] | None:
        if problem.task != "translation" or isinstance(parse_formula(problem.answer), Atom):
            return None
        calls = make(format_formula(parse_formula(problem.answer)))
        last = executed_chain(problem, calls).steps[-1].observation
        return [*calls, answer(last)]

    return recipe


def operands_written_out(problem: Problem, _: random.Random) -> list[Call | str] | None:
    """Only the last call, with its operands written out."""
    if problem.task != "translation" or len(problem.solution) < 4:
        return None
    last = problem.solution[-2]
    operands = [parse_formula(last.arguments[key]) for key in ("body", "left", "right") if key in last.arguments]
    return None if all(isinstance(operand, Atom) for operand in operands) else list(problem.solution[-2:])


CHEATS: dict[str, ChainRecipe] = {
    "guessed": guessed,
    "plus 0": numeric_cheat(lambda v, n, q: [two_argument_call("add", v, 0)]),
    "times 1": numeric_cheat(lambda v, n, q: [two_argument_call("multiply", 1, v)]),
    "to the power of 1": numeric_cheat(lambda v, n, q: [two_argument_call("power", v, 1)]),
    "100 percent": numeric_cheat(lambda v, n, q: [two_argument_call("percent_of", v, 100)]),
    "rounded": numeric_cheat(lambda v, n, q: [two_argument_call("round_to", v, 12)]),
    "own sum": numeric_cheat(lambda v, n, q: [two_argument_call("add", v - n, n)]),
    "own product": numeric_cheat(lambda v, n, q: [two_argument_call("multiply", n, v / n)]),
    "two own calls": numeric_cheat(
        lambda v, n, q: [two_argument_call("add", v, n), two_argument_call("subtract", v + n, n)]
    ),
    "own equation": numeric_cheat(lambda v, n, q: [equation(f"x = ({v})")]),
    "own equation solved": numeric_cheat(lambda v, n, q: [equation(f"2x + {n} = ({2 * v + n})")]),
    "own roots": numeric_cheat(lambda v, n, q: [equation(f"(x - ({v})) * (x - {n}) = 0")]),
    "question cancelled": numeric_cheat(
        lambda v, n, q: [two_argument_call("subtract", q, q), two_argument_call("add", 0, v)]
    ),
    "question divided away": numeric_cheat(
        lambda v, n, q: [two_argument_call("divide", q, q), two_argument_call("multiply", 1, v)]
    ),
    "question times 0": numeric_cheat(
        lambda v, n, q: [two_argument_call("multiply", q, 0), two_argument_call("add", v, 0)]
    ),
    "question cancelled in an equation": numeric_cheat(lambda v, n, q: [equation(f"x + ({q}) - ({q}) = ({v})")]),
    "question plus the rest": numeric_cheat(lambda v, n, q: [two_argument_call("add", q, v - q)], rest=True),
    "question times the rest": numeric_cheat(lambda v, n, q: [two_argument_call("multiply", q, v / q)], rest=True),
    "question asked of the sum": numeric_cheat(lambda v, n, q: [equation(f"x + ({q}) = ({v + q})")], rest=True),
    "statement assumed": logical_cheat(_statement_itself),
    "tautology asked": logical_cheat(_tautology),
    "premise asked": logical_cheat(_query_premise),
    "junk premises": logical_cheat(_junk_premises),
    "a premise left out": logical_cheat(_without_last_premise),
    "statement among the premises": logical_cheat(_with_statement_as_premise),
    "another query": logical_cheat(_other_query),
    "negated twice": written_formula_cheat(
        lambda f: [Call("negate", {"body": f}), Call("negate", {"body": f"not ({f})"})]
    ),
    "with itself": written_formula_cheat(lambda f: [Call("conjoin", {"left": f, "right": f})]),
    "or itself": written_formula_cheat(lambda f: [Call("disjoin", {"left": f, "right": f})]),
    "idle quantifier": written_formula_cheat(lambda f: [Call("exists", {"variable": "z9", "body": f})]),
    "operands written out": operands_written_out,
}


def forged(problem: Problem, _: random.Random) -> Chain | None:
    """A chain whose first call is recorded with the answer as its result."""
    chain = executed_chain(problem, [problem.solution[0], problem.solution[-1]])
    if len(problem.solution) < 3 or chain.answer is None:
        return None
    first = replace(chain.steps[0], observation=chain.answer)
    return replace(chain, steps=(first, *chain.steps[1:]))
