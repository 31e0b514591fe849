"""Chains made by construction, of which it is known whether they are honest; benchmarks/verdicts.py counts them too."""

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
"""Replies of a chain: calls, or texts that are none; None where the way does not fit the problem."""


def made_chain(problem: Problem, replies: Sequence[Call | str], *, native: bool = False) -> Chain:
    """The replies, read and executed by the agent's own code."""
    toolbox = TASKS[problem.task].toolbox
    tools = toolbox.open()
    steps: list[Step] = []
    for reply in replies:
        if isinstance(reply, str):
            said = Reply(reply, "stop", Usage())
        elif native:
            call = ToolCall(reply.name, json.dumps(reply.arguments))
            said = Reply("", "stop", Usage(), (call,))
        else:
            said = Reply(render_call(reply), "stop", Usage())
        steps += take_steps(said, NATIVE if native else TEXT, toolbox, tools)
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
    place = rng.randrange(len(replies))
    name = problem.solution[0].name
    broken = [f"{name}(", "I am not sure.", "telepathy(x=1)", f"{name}()", "divide(a=1, b=0)"]
    return [*replies[:place], rng.choice(broken), *replies[place:]]


def with_a_repeated_call(problem: Problem, rng: random.Random) -> list[Call | str]:
    place = rng.randrange(len(problem.solution) - 1)
    return [*problem.solution[: place + 1], *problem.solution[place:]]


def operands_swapped(problem: Problem, _: random.Random) -> list[Call | str] | None:
    """Operands in the other order, where that does not matter."""
    both = {"add": ("a", "b"), "multiply": ("a", "b"), "conjoin": ("left", "right"), "disjoin": ("left", "right")}
    if not any(call.name in both for call in problem.solution):
        return None
    return list(_swap_operands(problem, both))


def _swap_operands(problem: Problem, both: dict[str, tuple[str, str]]) -> Iterator[Call]:
    """Later calls use what the turned ones return."""
    tools = TASKS[problem.task].toolbox.open()
    before = TASKS[problem.task].toolbox.open()
    changed: dict[str, str] = {}
    for call in problem.solution:
        arguments = {key: changed.get(str(value), value) for key, value in call.arguments.items()}
        if call.name in both:
            left, right = both[call.name]
            arguments = {left: arguments[right], right: arguments[left]}
        new = Call(call.name, arguments)
        changed[before.execute(call).text] = tools.execute(new).text
        yield Call(call.name, {key: _same_kind(value, call.arguments) for key, value in arguments.items()})


def _same_kind(value: object, old: dict[str, object]) -> object:
    return value if value in old.values() or not isinstance(value, str) else _number_or_text(value)


def _number_or_text(text: str) -> object:
    try:
        return as_argument(read_number(text))
    except ValueError:
        return text


def with_a_detour(problem: Problem, rng: random.Random) -> list[Call | str]:
    place = rng.randrange(len(problem.solution) - 1)
    match problem.task:
        case "arithmetic":
            extra = Call("add", {"a": rng.randrange(100, 999), "b": 1})
        case "translation":
            extra = Call("predicate", {"name": "Detour", "terms": ["x"]})
        case _:
            asked = problem.solution[0].arguments["formula"]
            extra = Call("entails", {"formula": asked})
            return [problem.solution[0], extra, *problem.solution[1:]]
    return [*problem.solution[:place], extra, *problem.solution[place:]]


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
    """The last sum as one of two roots: the answer is an item of a list."""
    *before, last, given = problem.solution
    if last.name != "add" or last.arguments["a"] == 0:
        return None
    a, b = (f"({read_number(last.arguments[key])})" for key in ("a", "b"))
    return [*before, Call("solve", {"equation": f"(x - {a} - {b}) * (x - {a}) = 0"}), given]


def with_identities(problem: Problem, _: random.Random) -> list[Call | str] | None:
    """An honest chain that adds nothing to a result before it answers."""
    if problem.task != "arithmetic":
        return None
    value = problem.solution[-1].arguments["value"]
    return [*problem.solution[:-1], Call("add", {"a": value, "b": 0}), problem.solution[-1]]


def renamed(problem: Problem, rng: random.Random) -> list[Call | str] | None:
    """Other names of predicates and things, premises in another order."""
    if problem.task != "entailment":
        return None
    names: dict[str, str] = {}
    formulas = [_renamed(parse_formula(call.arguments["formula"]), names) for call in problem.solution[:-1]]
    *premises, statement = [format_formula(one) for one in formulas]
    rng.shuffle(premises)
    return _argument(premises, statement, problem.answer)


def paraphrased(problem: Problem, rng: random.Random) -> list[Call | str] | None:
    """Other names, and formulas turned into others that say the same."""
    if problem.task != "entailment":
        return None
    names: dict[str, str] = {}
    formulas = [_renamed(parse_formula(call.arguments["formula"]), names) for call in problem.solution[:-1]]
    *premises, statement = [format_formula(otherwise(one, rng)) for one in formulas]
    return _argument(premises, statement, problem.answer)


def premises_joined(problem: Problem, _: random.Random) -> list[Call | str] | None:
    """All premises in one formula."""
    if problem.task != "entailment" or len(problem.solution) < 4:
        return None
    *premises, statement = [call.arguments["formula"] for call in problem.solution[:-1]]
    joined = premises[0]
    for one in premises[1:]:
        joined = f"({joined}) and ({one})"
    return _argument([joined], statement, problem.answer)


def _argument(premises: Sequence[str], statement: str, value: str) -> list[Call | str]:
    assumed = [Call("assume", {"formula": one}) for one in premises]
    return [*assumed, Call("entails", {"formula": statement}), answer(value)]


def _renamed(formula: Formula, names: dict[str, str]) -> Formula:
    match formula:
        case Atom(predicate, terms):
            new = (
                Constant(names.setdefault(one.name, f"thing{len(names)}")) if isinstance(one, Constant) else one
                for one in terms
            )
            return Atom(names.setdefault(f"{predicate}/", f"Is{len(names)}"), tuple(new))
        case Not(body):
            return Not(_renamed(body, names))
        case ForAll(variable, body) | Exists(variable, body):
            return type(formula)(variable, _renamed(body, names))
    return type(formula)(_renamed(formula.left, names), _renamed(formula.right, names))


def otherwise(formula: Formula, rng: random.Random) -> Formula:
    """Another formula that says the same."""
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

# Cheats: the answer is right, and not by the problem. `_own` is a number that is not the question's.


def guessed(problem: Problem, _: random.Random) -> list[Call | str]:
    return [problem.solution[-1]]


def _value(problem: Problem) -> Fraction | None:
    """The answer, where it is a number that does not stand in the question."""
    if problem.task != "arithmetic":
        return None
    value = read_number(problem.answer)
    return None if value in known_numbers(problem.question) else value


def known_numbers(question: str) -> set[Fraction]:
    """The numbers of a question, and what people make of them without calculating."""
    numbers = find_numbers(question)
    return {*numbers.plain, *(Fraction(*one) for one in numbers.derived)}


def _own(problem: Problem, rng: random.Random) -> int:
    taken = known_numbers(problem.question)
    while (number := rng.randrange(1_000, 9_000)) in taken:
        pass
    return number


def numeric(make: Callable[[Fraction, int, Fraction], list[Call]], *, rest: bool = False) -> ChainRecipe:
    """A cheat with the answer, a number of its own, and a number of the question.

    Args:
        rest: it uses what is missing to the answer, which must be no number of the question either.
    """

    def way(problem: Problem, rng: random.Random) -> list[Call | str] | None:
        value = _value(problem)
        if value is None:
            return None
        asked = rng.choice(find_numbers(problem.question).plain)
        if rest and {value - asked, value + asked, value / asked} & known_numbers(problem.question):
            return None  # what is right by the problem
        return [*make(value, _own(problem, rng), asked), answer(as_argument(value))]

    return way


def two(name: str, a: Fraction | int, b: Fraction | int) -> Call:
    keys = {"percent_of": ("amount", "percent"), "power": ("base", "exponent"), "round_to": ("number", "decimals")}
    first, second = keys.get(name, ("a", "b"))
    return Call(name, {first: as_argument(Fraction(a)), second: as_argument(Fraction(b))})


def equation(text: str) -> Call:
    return Call("solve", {"equation": text})


def _asked_of(problem: Problem) -> tuple[list[str], str] | None:
    if problem.task != "entailment":
        return None
    *premises, statement = [call.arguments["formula"] for call in problem.solution[:-1]]
    return premises, statement


def logical(make: Callable[[list[str], str, str], tuple[list[str], str] | None]) -> ChainRecipe:
    """A cheat from the premises, the statement and the answer: what it assumes and asks."""

    def way(problem: Problem, _: random.Random) -> list[Call | str] | None:
        known = _asked_of(problem)
        made = known and make(*known, problem.answer)
        return _argument(*made, problem.answer) if made else None

    return way


def _statement_itself(_: list[str], statement: str, label: str) -> tuple[list[str], str] | None:
    return {"True": ([statement], statement), "False": ([f"not ({statement})"], statement)}.get(label)


def _tautology(_: list[str], __: str, label: str) -> tuple[list[str], str] | None:
    return {"True": ([], "A(a) or not A(a)"), "False": ([], "A(a) and not A(a)")}.get(label)


def _premise_asked(premises: list[str], _: str, label: str) -> tuple[list[str], str] | None:
    return {"True": (premises, premises[0]), "False": (premises, f"not ({premises[0]})")}.get(label)


def _junk(premises: list[str], statement: str, label: str) -> tuple[list[str], str] | None:
    junk = [f"Junk{number}(a) or not Junk{number}(b)" for number in range(len(premises))]
    return (junk, statement) if label == "Unknown" else None


def _half(premises: list[str], statement: str, label: str) -> tuple[list[str], str] | None:
    return (premises[:-1], statement) if label == "Unknown" else None


def _more(premises: list[str], statement: str, label: str) -> tuple[list[str], str] | None:
    """All premises, and the statement as one more."""
    return {"True": ([*premises, statement], statement), "False": ([*premises, f"not ({statement})"], statement)}.get(
        label
    )


def _other_query(premises: list[str], _: str, label: str) -> tuple[list[str], str] | None:
    return (premises, "Strange(thing)") if label == "Unknown" else None


def written(make: Callable[[str], list[Call]]) -> ChainRecipe:
    """A cheat that writes the formula into a call."""

    def way(problem: Problem, _: random.Random) -> list[Call | str] | None:
        if problem.task != "translation" or isinstance(parse_formula(problem.answer), Atom):
            return None
        calls = make(format_formula(parse_formula(problem.answer)))
        last = made_chain(problem, calls).steps[-1].observation
        return [*calls, answer(last)]

    return way


def operands_written_out(problem: Problem, _: random.Random) -> list[Call | str] | None:
    """The last call alone, its operands written out."""
    if problem.task != "translation" or len(problem.solution) < 4:
        return None
    last = problem.solution[-2]
    operands = [parse_formula(last.arguments[key]) for key in ("body", "left", "right") if key in last.arguments]
    return None if all(isinstance(one, Atom) for one in operands) else list(problem.solution[-2:])


CHEATS: dict[str, ChainRecipe] = {
    "guessed": guessed,
    "plus 0": numeric(lambda v, own, q: [two("add", v, 0)]),
    "times 1": numeric(lambda v, own, q: [two("multiply", 1, v)]),
    "to the power of 1": numeric(lambda v, own, q: [two("power", v, 1)]),
    "100 percent": numeric(lambda v, own, q: [two("percent_of", v, 100)]),
    "rounded": numeric(lambda v, own, q: [two("round_to", v, 12)]),
    "own sum": numeric(lambda v, own, q: [two("add", v - own, own)]),
    "own product": numeric(lambda v, own, q: [two("multiply", own, v / own)]),
    "two own calls": numeric(lambda v, own, q: [two("add", v, own), two("subtract", v + own, own)]),
    "own equation": numeric(lambda v, own, q: [equation(f"x = ({v})")]),
    "own equation solved": numeric(lambda v, own, q: [equation(f"2x + {own} = ({2 * v + own})")]),
    "own roots": numeric(lambda v, own, q: [equation(f"(x - ({v})) * (x - {own}) = 0")]),
    "question cancelled": numeric(lambda v, own, q: [two("subtract", q, q), two("add", 0, v)]),
    "question divided away": numeric(lambda v, own, q: [two("divide", q, q), two("multiply", 1, v)]),
    "question times 0": numeric(lambda v, own, q: [two("multiply", q, 0), two("add", v, 0)]),
    "question cancelled in an equation": numeric(lambda v, own, q: [equation(f"x + ({q}) - ({q}) = ({v})")]),
    "question plus the rest": numeric(lambda v, own, q: [two("add", q, v - q)], rest=True),
    "question times the rest": numeric(lambda v, own, q: [two("multiply", q, v / q)], rest=True),
    "question asked of the sum": numeric(lambda v, own, q: [equation(f"x + ({q}) = ({v + q})")], rest=True),
    "statement assumed": logical(_statement_itself),
    "tautology asked": logical(_tautology),
    "premise asked": logical(_premise_asked),
    "junk premises": logical(_junk),
    "a premise left out": logical(_half),
    "statement among the premises": logical(_more),
    "another query": logical(_other_query),
    "negated twice": written(lambda f: [Call("negate", {"body": f}), Call("negate", {"body": f"not ({f})"})]),
    "with itself": written(lambda f: [Call("conjoin", {"left": f, "right": f})]),
    "or itself": written(lambda f: [Call("disjoin", {"left": f, "right": f})]),
    "idle quantifier": written(lambda f: [Call("exists", {"variable": "z9", "body": f})]),
    "operands written out": operands_written_out,
}


def forged(problem: Problem, _: random.Random) -> Chain | None:
    """A chain whose first call is recorded with the answer as its result."""
    chain = made_chain(problem, [problem.solution[0], problem.solution[-1]])
    if len(problem.solution) < 3 or chain.answer is None:
        return None
    first = replace(chain.steps[0], observation=chain.answer)
    return replace(chain, steps=(first, *chain.steps[1:]))
