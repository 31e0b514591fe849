import random
import re
from collections import Counter
from functools import cache

import pytest

from callwright.evaluation.perturb.question import reorder_sentences
from callwright.functions.toolbox import Observation
from callwright.records import Call, Problem, Step
from callwright.tasks.arithmetic.question_numbers import find_numbers
from callwright.tasks.arithmetic.synthetic.clause import Clause, read_clauses
from callwright.tasks.arithmetic.synthetic.families import CLAUSES, FAMILIES
from callwright.tasks.arithmetic.synthetic.family import MAX_WORDS, ArithmeticFamily, tell
from callwright.tasks.arithmetic.synthetic.problems import draw_arithmetic, synthetic_problems
from callwright.tasks.arithmetic.task import ARITHMETIC
from callwright.tasks.synthetic import POOLS
from callwright.tasks.task import ExecutedSteps
from callwright.tasks.wording import split_sentences

TOOLBOX = ARITHMETIC.toolbox
SEEN = [family for family in FAMILIES.values() if not family.held_out]
HELD_OUT = [family for family in FAMILIES.values() if family.held_out]
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
every_clause = pytest.mark.parametrize("clause", CLAUSES.values(), ids=CLAUSES)


@cache
def draw_problems(family: ArithmeticFamily, pool: str = "test", count: int = 8) -> list[Problem]:
    rng = random.Random(f"{family.name}/{pool}")
    return [draw_arithmetic(family, rng, POOLS[pool]) for _ in range(count)]


def numbers_in(text: str) -> list[str]:
    return re.findall(r"\d+", text)


def execute(calls: tuple[Call, ...]) -> ExecutedSteps:
    tools = TOOLBOX.open()
    results = [tools.execute(call) for call in calls]
    steps = [Step("", call, None, result.text) for call, result in zip(calls, results, strict=True)]
    return ExecutedSteps(tuple(steps), tuple(result.value for result in results if isinstance(result, Observation)))


def observations(problem: Problem) -> list[str]:
    return [step.observation or "" for step in execute(problem.solution).steps]


def gold_calls(family: ArithmeticFamily) -> list[tuple[str, ...]]:
    return [call for clause in family.clauses for call in clause.calls]


@every_family
def test_the_gold_chain_executes_to_the_answer_and_is_grounded(family: ArithmeticFamily):
    for problem in draw_problems(family):
        executed = execute(problem.solution)
        assert len(executed.values) == len(problem.solution) == len(gold_calls(family)) + 1
        assert problem.solution[-1].name == "answer"
        assert executed.steps[-1].observation == executed.steps[-2].observation == problem.answer
        assert ARITHMETIC.grade(problem, problem.answer) == "right"
        assert ARITHMETIC.grounding_faults(problem, executed, TOOLBOX) == ()


@every_family
def test_a_guessed_chain_is_not_grounded(family: ArithmeticFamily):
    for problem in draw_problems(family)[:2]:
        guess = int(problem.answer) + 100_003
        calls = (Call("add", {"a": guess - 5_007, "b": 5_007}), Call("answer", {"value": guess}))
        assert ARITHMETIC.grounding_faults(problem, execute(calls), TOOLBOX)


@every_family
def test_every_pool_has_many_different_problems_of_a_family(family: ArithmeticFamily):
    for name, pool in POOLS.items():
        if pool.held_out or not family.held_out:
            assert len({problem.question for problem in draw_problems(family, name, 20)}) >= 15


@every_family
def test_every_number_in_a_question_and_every_result_occurs_once(family: ArithmeticFamily):
    for problem in draw_problems(family):
        numbers = numbers_in(problem.question) + observations(problem)[:-1]
        assert len(set(numbers)) == len(numbers)


@every_family
def test_every_argument_is_in_the_question_or_a_result_or_a_constant_of_the_family(family: ArithmeticFamily):
    constants = {str(number) for clause in family.clauses for number in clause.constants}
    for problem in draw_problems(family):
        known = set(numbers_in(problem.question)) | set(observations(problem)) | constants
        arguments = {str(value) for call in problem.solution for value in call.arguments.values()}
        equations = {argument for argument in arguments if "=" in argument}
        assert arguments - equations <= known
        assert all(set(numbers_in(equation)) <= known for equation in equations)


@every_family
def test_the_numbers_in_a_question_are_read(family: ArithmeticFamily):
    for problem in draw_problems(family):
        assert {int(number) for number in numbers_in(problem.question)} <= set(find_numbers(problem.question).plain)


@every_family
def test_questions_are_short_and_their_numbers_small(family: ArithmeticFamily):
    for problem in draw_problems(family):
        assert len(problem.question.split()) <= MAX_WORDS
        assert all(2 <= int(number) <= 999 for number in numbers_in(problem.question))
        assert not problem.answer.startswith("-")


@every_family
def test_the_same_numbers_never_occur_in_two_pools(family: ArithmeticFamily):
    pools = [pool for pool in POOLS.values() if pool.held_out or not family.held_out]
    rng = random.Random(family.name)
    stories = [story for _ in range(50) if (story := family.draw_story(rng))]
    for story in stories:
        numbers = [number for drawn in story for number in drawn.numbers.values()]
        assert sum(pool.contains(family.name, numbers) for pool in pools) <= 1


@every_family
def test_facts_move_and_events_do_not(family: ArithmeticFamily):
    """Every sentence that a table calls a fact is moved by the evaluation's change `order`, and no other."""
    rng = random.Random(family.name)
    person = POOLS["test"].people[0]
    for problem in draw_problems(family):
        *statements, question = split_sentences(problem.question)
        changed = reorder_sentences(problem, ARITHMETIC, rng)
        assert changed is None or sorted(split_sentences(changed)) == sorted((*statements, question))
        assert changed is None or split_sentences(changed)[-1] == question
    for clause in family.clauses:
        for wording in clause.wordings:
            event, *facts = wording.replace("@", person.name).split(" *")
            starts_as_fact = re.compile("One |Each |The ride costs ")
            assert all(starts_as_fact.match(fact) for fact in facts)
            assert not any(starts_as_fact.match(sentence) for sentence in split_sentences(event))


@every_family
def test_no_two_facts_of_a_story_speak_of_the_same_thing(family: ArithmeticFamily):
    """Such as two prices of an apple."""
    for problem in draw_problems(family):
        facts = [sentence for sentence in split_sentences(problem.question) if re.match("One |Each ", sentence)]
        subjects = [re.split(r" \d+ ", fact)[0] for fact in facts]
        assert len(subjects) == len(set(subjects))


@every_clause
def test_every_wording_of_a_clause_contains_all_its_numbers(clause: Clause):
    assert len(clause.wordings) >= 2
    for wording in clause.wordings:
        assert all(f"{{{operand}}}" in wording for operand in clause.operands)


def test_no_person_occurs_in_two_pools():
    names = [person.name for pool in POOLS.values() for person in pool.people]
    assert len(names) == len(set(names))
    assert all(len(pool.people) >= 24 for pool in POOLS.values())


def test_there_are_many_families_of_every_length():
    assert len(SEEN) == 96
    assert len(HELD_OUT) == 18
    assert set(Counter(len(gold_calls(family)) for family in SEEN)) == {1, 2, 3, 4, 5}
    assert set(Counter(len(gold_calls(family)) for family in HELD_OUT)) == {1, 2, 3, 4, 5}


def test_every_function_is_needed_in_several_seen_families():
    families = Counter(name for family in SEEN for name in {call[0] for call in gold_calls(family)})
    assert set(families) == {function for function in TOOLBOX.functions if function != "answer"}
    assert min(families.values()) >= 4


def test_a_held_out_family_is_a_new_composition_of_clauses_that_occur_in_several_seen_families():
    in_seen = Counter(clause for family in SEEN for clause in family.name.split("+"))
    for family in HELD_OUT:
        assert all(in_seen[clause] >= 2 for clause in family.name.split("+")), family.name
    compositions = [family.clauses for family in FAMILIES.values()]
    assert len(set(compositions)) == len(compositions)
    assert set(CLAUSES) == set(in_seen)


def test_clauses_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match=r"wage\+gain: the clauses do not fit together"):
        ArithmeticFamily("wage+gain", (CLAUSES["wage"], CLAUSES["gain"]))


def test_a_table_of_clauses_is_read():
    table = """
eat: items -> items | n=3..5 p=5..15:5 m=4,8 | multiply m n, subtract q r1 | the remaining
  @ eats {n} times {m}. *One egg is enough.
  What is left? / How many?
"""
    clause = read_clauses(table)["eat"]
    assert (clause.takes, clause.gives, clause.leaves) == ("items", "items", "the remaining")
    assert {name: list(values) for name, values in clause.operands.items()} == {
        "n": [3, 4, 5],
        "p": [5, 10, 15],
        "m": [4, 8],
    }
    assert clause.calls == (("multiply", "m", "n"), ("subtract", "q", "r1"))
    assert clause.wordings == ("@ eats {n} times {m}. *One egg is enough.",)
    assert clause.questions == ("What is left?", "How many?")


def test_the_person_is_named_once_and_then_a_pronoun():
    story = FAMILIES["cash+shop"].draw_story(random.Random(1))
    assert story
    person = next(person for person in POOLS["test"].people if person.they == "she")
    questions = [tell(story, person, random.Random(seed)) or "" for seed in range(20)]
    assert all(re.search(rf"{person.name} (has|gets) .*\. She buys ", question) for question in questions)


@pytest.mark.parametrize("pool", ["train", "dev"])
def test_a_held_out_family_cannot_be_drawn_for_train_or_dev(pool: str):
    with pytest.raises(ValueError, match="held out"):
        draw_arithmetic(HELD_OUT[0], random.Random(0), POOLS[pool])


def test_each_family_has_the_same_number_of_problems():
    per_family = 3
    counts = {"train": per_family * len(SEEN), "dev": len(SEEN), "test": len(SEEN)}
    problems = synthetic_problems(counts, held_out_test=2 * len(HELD_OUT), seed=7)
    for family in FAMILIES.values():
        splits = [problem.split for problem in problems if problem.group == family.name]
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


def test_a_small_split_has_stories_of_all_lengths():
    problems = synthetic_problems({"train": 40}, held_out_test=0, seed=7)
    assert {len(problem.solution) - 1 for problem in problems} == {1, 2, 3, 4, 5}
