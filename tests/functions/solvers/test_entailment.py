import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from callwright.errors import CallError
from callwright.functions.formulas.formula import parse_formula
from callwright.functions.guard import LIMIT_REACHED
from callwright.functions.solvers import entailment
from callwright.functions.solvers.entailment import Contradiction, entails, equivalent
from callwright.functions.solvers.worker import run_in_worker, stop_worker

SOCRATES = ["all x. (Human(x) -> Mortal(x))", "Human(socrates)"]
NO_FINITE_MODEL = [
    "all x. exists y. R(x, y)",
    "all x. all y. all z. ((R(x, y) and R(y, z)) -> R(x, z))",
    "all x. not R(x, x)",
]


def entailment_of(premises: list[str], statement: str) -> object:
    return entails([parse_formula(premise) for premise in premises], parse_formula(statement))


@pytest.mark.parametrize(
    ("premises", "statement", "expected"),
    [
        (SOCRATES, "Mortal(socrates)", "True"),
        (SOCRATES, "not Mortal(socrates)", "False"),
        (SOCRATES, "Human(plato)", "Unknown"),
        (SOCRATES, "Wise(socrates)", "Unknown"),
        (["all x. (A(x) -> B(x))", "not B(rex)"], "A(rex)", "False"),  # contraposition
        (["A(rex) or B(rex)", "A(rex) -> C(rex)", "B(rex) -> C(rex)"], "C(rex)", "True"),  # cases
        (["A(rex) xor B(rex)", "A(rex)"], "B(rex)", "False"),
        (["A(rex) <-> B(rex)", "not B(rex)"], "not A(rex)", "True"),
        (["all x. exists y. R(x, y)"], "exists x. exists y. R(x, y)", "True"),
        (["all x. exists y. R(x, y)"], "exists y. all x. R(x, y)", "Unknown"),  # the order of quantifiers matters
        (
            ["all x. (P(x) and (exists x. Q(x)))"],
            "exists z. (P(z) and Q(z))",
            "True",
        ),  # the inner x is another variable
        ([], "exists x. (P(x) or not P(x))", "True"),  # something exists
        ([], "P(rex) and not P(rex)", "False"),
        (["A(rex)"], "not B(max) or A(rex)", "True"),
        (["not A(rex)", "A(max)"], "A(rex)", "False"),  # so rex and max are different
        (["A(rex)", "all x. all y. ((A(x) and A(y)) -> B(x))"], "B(rex)", "True"),
    ],
)
def test_a_statement_follows_is_refuted_or_stays_open(premises, statement, expected):
    assert entailment_of(premises, statement) == expected


@pytest.mark.parametrize(
    ("premises", "first"),
    [
        (["A(rex)", "B(rex)", "not A(rex)", "C(rex)"], 2),
        (["A(rex) and not A(rex)"], 0),
        (["all x. (A(x) -> B(x))", "A(rex)", "all x. not B(x)"], 2),
    ],
)
def test_the_premise_that_causes_a_contradiction_is_found(premises, first):
    assert entailment_of(premises, "D(rex)") == Contradiction(first)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("not (A(rex) and B(rex))", "not A(rex) or not B(rex)", "yes"),
        ("all x. not A(x)", "not (exists x. A(x))", "yes"),
        ("all x. A(x)", "all y. A(y)", "yes"),
        ("A(rex) -> B(rex)", "B(rex) -> A(rex)", "no"),
        ("A(rex)", "A(max)", "no"),
        ("A(rex)", "B(rex)", "no"),
        ("R(rex, max)", "R(max, rex)", "no"),
        ("all x. (A(x) xor B(x))", "all x. ((A(x) or B(x)) and not (A(x) and B(x)))", "yes"),
    ],
)
def test_formulas_are_equivalent_or_are_not(left, right, expected):
    assert equivalent(parse_formula(left), parse_formula(right)) == expected


def test_formulas_that_need_an_infinite_model_are_undecided_on_every_run():
    results = set()
    for _ in range(3):
        entailment._entails.cache_clear()
        results.add(entailment_of(NO_FINITE_MODEL, "R(a, b)"))
    assert results == {"undecided"}


# Three axioms that need infinitely many elements, eight facts, and two formulas that contradict each other. With or
# without the last formula, Z3 works until its units are used up.
NEARLY_ENDLESS = [*NO_FINITE_MODEL, *(f"R(c{n}, c{n + 1})" for n in range(8)), "P(a)", "not P(a)"]


@pytest.fixture
def busy_machine() -> Iterator[None]:
    """Two processes that use all the processor time that they can get."""
    spin = [sys.executable, "-c", "while True: pass"]
    with subprocess.Popen(spin) as first, subprocess.Popen(spin) as second:
        yield
        first.kill()
        second.kill()


def results_of_new_workers(premises: list[str], statement: str, runs: int) -> set[object]:
    """Ask several workers, each right after its start, and return the different results."""
    results = set()
    for _ in range(runs):
        stop_worker()
        entailment._entails.cache_clear()
        results.add(entailment_of(premises, statement))
    return results


def test_a_result_that_needs_the_whole_budget_does_not_depend_on_the_load(busy_machine):
    assert results_of_new_workers(NEARLY_ENDLESS, "P(b)", 3) == {Contradiction(12)}
    assert results_of_new_workers(NEARLY_ENDLESS, "R(c0, c8)", 2) == {Contradiction(12)}
    assert results_of_new_workers(NEARLY_ENDLESS[:-1], "R(a, c0)", 2) == {"undecided"}


def test_equal_questions_spend_equal_work_after_different_questions():
    question = tuple(map(parse_formula, NEARLY_ENDLESS)), parse_formula("P(b)")
    stop_worker()
    first = run_in_worker("tests.functions.solvers.worker_functions:remaining_work", *question)
    for count in range(1, 6):
        entailment_of([f"all x. (P{number}(x) -> P{number + 1}(x))" for number in range(count)], "P0(a)")
        entailment_of(NO_FINITE_MODEL, f"R(a, b{count})")
    assert run_in_worker("tests.functions.solvers.worker_functions:remaining_work", *question) == first
    assert first[0] == 12
    assert 0 < first[1][-1] < 300_000, "this question is meant to be hard"


def test_all_checks_of_a_question_share_one_budget():
    def all_different(count: int) -> list[str]:  # more constants than a finite model has elements
        return [f"A{number}(c{number}) and not A{number}(c{number + 1})" for number in range(count)]

    question = tuple(map(parse_formula, [*NEARLY_ENDLESS, *all_different(20)])), parse_formula("P(b)")
    remaining = run_in_worker("tests.functions.solvers.worker_functions:remaining_work", *question)[1]
    assert remaining == sorted(remaining, reverse=True)
    assert remaining[-1] > -1_000, "Z3 stops at most some units after its limit"


def test_a_call_that_the_worker_did_not_survive_is_not_cached():
    entailment._entails.cache_clear()
    killed = threading.Event()

    def kill() -> None:
        while not killed.wait(0.01):
            stop_worker()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with pytest.raises(CallError) as caught:
            while True:
                entailment_of(NO_FINITE_MODEL, "R(a, b)")
                entailment._entails.cache_clear()
    finally:
        killed.set()
        killer.join()
    assert caught.value.fault == "execution_error" and caught.value.message.startswith(LIMIT_REACHED)
    assert entailment._entails.cache_info().currsize == 0
    assert entailment_of(NO_FINITE_MODEL, "R(a, b)") == "undecided"
    assert entailment._entails.cache_info().currsize == 1  # the work was counted, so the next result would be the same


def test_the_numbers_of_constants_predicates_and_parts_are_limited():
    facts = [f"P{number}(c{number}) and Q(d{number})" for number in range(63)]
    assert entailment_of(facts, "Q(d0)") == "True"
    with pytest.raises(CallError, match="the formulas together have more than 128 names of things, the limit"):
        entailment_of([*facts, "Q(e0) and Q(e1) and Q(e2)"], "Q(d0)")
    with pytest.raises(CallError, match="more than 128 predicates"):
        entailment_of([f"P{number}(a)" for number in range(129)], "P0(a)")
    with pytest.raises(CallError, match="more than 1,000 parts"):
        entailment_of([" and ".join(["P(a)"] * 10)] * 53, "P(a)")  # 19 parts each


def test_a_free_variable_and_a_predicate_with_two_arities_are_rejected():
    with pytest.raises(CallError, match="x is bound by no quantifier") as caught:
        entailment_of(["P(x)"], "P(rex)")
    assert caught.value.fault == "bad_arguments"
    with pytest.raises(CallError, match="P stands with 1 and with 2 names"):
        entailment_of(["P(rex)"], "P(rex, max)")


def test_problems_with_the_same_structure_share_a_cached_result():
    entailment._entails.cache_clear()
    for kind, name in (("Dog", "rex"), ("Cat", "tom"), ("P0", "c0")):
        assert entailment_of([f"all x. ({kind}(x) -> Kind(x))", f"{kind}({name})"], f"Kind({name})") == "True"
    assert entailment._entails.cache_info().misses == 1
    assert entailment_of(["all x. (Dog(x) -> Kind(x))", "Dog(rex)"], "Kind(max)") == "Unknown"
    assert entailment._entails.cache_info().misses == 2


def test_a_repeated_question_is_answered_from_the_cache():
    entailment_of(SOCRATES, "Mortal(socrates)")
    start = time.process_time()
    for _ in range(1_000):
        entailment_of(SOCRATES, "Mortal(socrates)")
    assert time.process_time() - start < 1


def test_z3_and_sympy_are_not_loaded_in_the_main_process():
    script = (
        "import sys; from callwright.functions.formulas.formula import parse_formula as f;"
        "from callwright.functions.solvers.entailment import entails;"
        "print(entails([f('A(rex)')], f('A(rex)')), 'z3' in sys.modules, 'sympy' in sys.modules)"
    )
    completed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert completed.stdout.split() == ["True", "False", "False"]
