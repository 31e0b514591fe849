import random
import re

import pytest

from callwright.functions.toolbox import Observation
from callwright.records import Problem
from callwright.tasks.arithmetic.synthetic.family import ArithmeticFamily
from callwright.tasks.arithmetic.synthetic.problems import FAMILIES, draw_arithmetic, synthetic_problems
from callwright.tasks.arithmetic.task import ARITHMETIC
from callwright.tasks.synthetic import POOLS

TOOLBOX = ARITHMETIC.toolbox
SEEN = [family for family in FAMILIES.values() if not family.held_out]
HELD_OUT = [family for family in FAMILIES.values() if family.held_out]
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def draw_problems(family: ArithmeticFamily, pool: str = "test", count: int = 40) -> list[Problem]:
    rng = random.Random(f"{family.name}/{pool}")
    return [draw_arithmetic(family, rng, POOLS[pool]) for _ in range(count)]


def numbers_in(text: str) -> list[str]:
    return re.findall(r"\d+", text)


def observations(problem: Problem) -> list[str]:
    tools = TOOLBOX.open()
    results = [tools.execute(call) for call in problem.solution]
    return [result.text for result in results if isinstance(result, Observation)]


@every_family
def test_the_gold_chain_executes_to_the_answer(family: ArithmeticFamily):
    for problem in draw_problems(family):
        texts = observations(problem)
        assert len(texts) == len(problem.solution) == len(family.gold_calls) + 1
        assert problem.solution[-1].name == "answer"
        assert texts[-1] == problem.answer
        assert ARITHMETIC.grade(problem, texts[-1]) == "right"


@every_family
def test_the_answer_is_the_result_of_the_call_before(family: ArithmeticFamily):
    for problem in draw_problems(family):
        assert observations(problem)[-2] == problem.answer


@every_family
def test_every_number_in_a_question_and_every_result_occurs_once(family: ArithmeticFamily):
    for problem in draw_problems(family):
        numbers = numbers_in(problem.question) + observations(problem)[:-1]
        assert len(set(numbers)) == len(numbers)


@every_family
def test_every_argument_is_in_the_question_or_a_result_or_a_constant_of_the_family(family: ArithmeticFamily):
    constants = {str(part) for _, *parts in family.gold_calls for part in parts if isinstance(part, int)}
    for problem in draw_problems(family):
        known = set(numbers_in(problem.question)) | set(observations(problem)) | constants
        arguments = {str(value) for call in problem.solution for value in call.arguments.values()}
        equations = {argument for argument in arguments if "=" in argument}
        assert arguments - equations <= known
        assert all(set(numbers_in(equation)) <= known for equation in equations)


@every_family
def test_every_wording_contains_all_numbers(family: ArithmeticFamily):
    assert len(family.wordings) >= 3
    for wording in family.wordings:
        assert all(f"{{{operand}}}" in wording for operand in family.operands)
    if len(family.operands) > 1:
        orders = {
            tuple(sorted(family.operands, key=lambda name: wording.index(f"{{{name}}}"))) for wording in family.wordings
        }
        assert len(orders) > 1, "it must not be enough to copy the numbers in the order of the question"


@every_family
def test_questions_are_short_and_their_numbers_small(family: ArithmeticFamily):
    for problem in draw_problems(family):
        assert len(problem.question.split()) <= 45
        assert all(2 <= int(number) <= 999 for number in numbers_in(problem.question))
        assert not problem.answer.startswith("-")


@every_family
def test_the_same_numbers_never_occur_in_two_pools(family: ArithmeticFamily):
    pools = ["test"] if family.held_out else list(POOLS)
    drawn = [{tuple(sorted(numbers_in(problem.question))) for problem in draw_problems(family, pool)} for pool in pools]
    assert sum(map(len, drawn)) == len(set().union(*drawn))


def test_no_person_occurs_in_two_pools():
    names = [person.name for pool in POOLS.values() for person in pool.people]
    assert len(names) == len(set(names))
    assert all(len(pool.people) >= 24 for pool in POOLS.values())


def test_all_functions_and_one_to_five_steps_occur_in_the_seen_families():
    functions = {"add", "subtract", "multiply", "divide", "power", "remainder", "percent_of", "round_to", "solve"}
    assert {name for family in SEEN for name, *_ in family.gold_calls} == functions
    assert {len(family.gold_calls) for family in SEEN} == {1, 2, 3, 4, 5}


def test_held_out_families_use_only_functions_of_seen_families():
    assert len(HELD_OUT) >= 4
    assert {name for family in HELD_OUT for name, *_ in family.gold_calls} <= {
        name for family in SEEN for name, *_ in family.gold_calls
    }


@pytest.mark.parametrize("pool", ["train", "dev"])
def test_a_held_out_family_cannot_be_drawn_for_train_or_dev(pool: str):
    with pytest.raises(ValueError, match="held out"):
        draw_arithmetic(HELD_OUT[0], random.Random(0), POOLS[pool])


def test_each_family_has_the_same_number_of_problems():
    per_family = 3
    counts = {"train": per_family * len(SEEN), "dev": len(SEEN), "test": len(SEEN)}
    problems = synthetic_problems(counts, held_out_test=2 * len(HELD_OUT), seed=7)
    for family in FAMILIES.values():
        splits = [problem.split for problem in problems if problem.group.split("/")[0] == family.name]
        expected = ["test"] * 2 if family.held_out else ["train"] * per_family + ["dev", "test"]
        assert splits == expected


def test_ids_and_questions_are_unique():
    problems = synthetic_problems({"train": 400, "dev": 50, "test": 50}, held_out_test=30, seed=7)
    assert len({problem.id for problem in problems}) == len({problem.question for problem in problems}) == 530
    assert problems[123].id == "synthetic/train/000123"


def test_the_seed_determines_the_problems():
    first = synthetic_problems({"train": 60}, held_out_test=6, seed=7)
    assert first == synthetic_problems({"train": 60}, held_out_test=6, seed=7)
    assert first != synthetic_problems({"train": 60}, held_out_test=6, seed=8)


def test_a_larger_count_only_adds_problems():
    few = synthetic_problems({"train": 30}, held_out_test=0, seed=7)
    assert synthetic_problems({"train": 90}, held_out_test=0, seed=7)[:30] == few
