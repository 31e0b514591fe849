import random
from collections import Counter

import pytest

from callwright.functions.toolbox import Observation
from callwright.records import Problem
from callwright.tasks import TASKS
from callwright.tasks.entailment.synthetic import (
    FAMILIES,
    KINDS,
    NAMES,
    STYLE_COUNT,
    TRUTH_VALUES,
    WORDINGS,
    EntailmentFamily,
    draw_entailment,
    entailment_problems,
)
from callwright.tasks.synthetic import POOLS

ENTAILMENT = TASKS["entailment"]
SEEN = [family for family in FAMILIES.values() if not family.held_out]
HELD_OUT = [family for family in FAMILIES.values() if family.held_out]
COUNTS = {"train": 180, "dev": 36, "test": 36}
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def draw_problems(family: EntailmentFamily, pool: str = "test", count: int = 15) -> list[Problem]:
    rng = random.Random(f"{family.name}/{pool}")
    return [draw_entailment(family, answer, rng, POOLS[pool]) for answer in TRUTH_VALUES for _ in range(count)]


@every_family
def test_the_gold_chain_executes_to_a_grounded_answer(family):
    for problem in draw_problems(family):
        tools = ENTAILMENT.toolbox.open()
        results = [tools.execute(call) for call in problem.solution]
        texts = [result.text for result in results if isinstance(result, Observation)]
        assert len(texts) == len(results)
        assert texts[-1] == texts[-2] == problem.answer
        assert ENTAILMENT.grade(problem, texts[-1]) == "right"


@every_family
def test_chains_have_four_to_six_calls_and_questions_are_short(family):
    for problem in draw_problems(family):
        assert 4 <= len(problem.solution) <= 6
        assert len(problem.question.split()) <= 36
        premises, statement = problem.question.removeprefix("Premises: ").split(" Statement: ")
        assert premises.count(".") == len(problem.solution) - 2
        assert statement.count(".") == 1


def test_words_are_few():
    words = {
        word.strip(".,:").lower()
        for family in FAMILIES.values()
        for problem in draw_problems(family)
        for word in problem.question.split()
    }
    words -= {word.lower() for word in (*KINDS, *NAMES)}
    assert len(words) <= 16, words


@every_family
def test_the_same_kinds_and_name_never_occur_in_two_pools(family):
    pools = ["test", "lessons"] if family.held_out else list(POOLS)

    def word_choices(pool: str) -> set[frozenset[str]]:
        return {
            frozenset(word for word in (*KINDS, *NAMES) if f" {word}" in problem.question)
            for problem in draw_problems(family, pool, 60)
        }

    # three kinds and a name; with fewer kinds, the unused ones may be in another pool
    complete = [{choice for choice in word_choices(pool) if len(choice) == 4} for pool in pools]
    assert sum(map(len, complete)) == len(set().union(*complete))


def test_every_form_has_its_wordings_and_every_family_every_answer():
    assert all(len(wordings) == STYLE_COUNT for wordings in WORDINGS.values())
    assert all(set(family.arguments) == set(TRUTH_VALUES) for family in FAMILIES.values())
    assert len(SEEN) >= 5 and len(HELD_OUT) >= 2


def test_held_out_families_use_only_forms_of_seen_families():
    def forms(families: list[EntailmentFamily]) -> set[str]:
        return {
            sentence[0]
            for family in families
            for argument in family.arguments.values()
            for sentence in (*argument.premises, argument.statement)
        }

    assert forms(HELD_OUT) <= forms(SEEN) == set(WORDINGS)


@pytest.mark.parametrize("pool", ["train", "dev"])
def test_a_held_out_family_cannot_be_drawn_for_train_or_dev(pool):
    with pytest.raises(ValueError, match="held out"):
        draw_entailment(HELD_OUT[0], "True", random.Random(0), POOLS[pool])


def test_families_and_answers_are_balanced():
    problems = entailment_problems(COUNTS, held_out_test=12, seed=7)
    for split, count in COUNTS.items():
        of_seen_families = [problem for problem in problems if problem.split == split][:count]
        assert set(Counter(problem.answer for problem in of_seen_families).values()) == {count // 3}
        assert len({problem.group.split("/")[0] for problem in of_seen_families}) == len(SEEN)
    held_out = {problem.group.split("/")[0] for problem in problems[-12:]}
    assert held_out == {family.name for family in HELD_OUT}


def test_the_form_of_the_statement_does_not_reveal_the_answer():
    problems = entailment_problems({"train": 540}, held_out_test=0, seed=7)
    for negated in (True, False):
        answers = Counter(p.answer for p in problems if (" not " in p.question.split("Statement:")[1]) == negated)
        assert min(answers.values()) > sum(answers.values()) / 6  # an equal share is a third


def test_ids_and_questions_are_unique_and_the_seed_determines_them():
    problems = entailment_problems(COUNTS, held_out_test=12, seed=7)
    assert len({p.id for p in problems}) == len({p.question for p in problems}) == 264
    assert problems[17].id == "synthetic/entailment/train/000017"
    assert problems == entailment_problems(COUNTS, held_out_test=12, seed=7)
    assert problems != entailment_problems(COUNTS, held_out_test=12, seed=8)
    assert entailment_problems({"train": 30}, held_out_test=0, seed=7) == problems[:30]
