import random
from collections import Counter
from itertools import permutations

import pytest

from callwright.functions.formulas.formula import format_formula, parse_formula
from callwright.functions.solvers.entailment import entails
from callwright.functions.toolbox import Observation
from callwright.records import Problem
from callwright.tasks import TASKS
from callwright.tasks.entailment.synthetic import (
    FAMILIES,
    FORMULAS,
    KINDS,
    NAMES,
    NEEDLESS,
    STEPS,
    TRUTH_VALUES,
    WORDINGS,
    EntailmentFamily,
    Sentence,
    draw_entailment,
    entailment_problems,
)
from callwright.tasks.synthetic import POOLS

ENTAILMENT = TASKS["entailment"]
SEEN = [family for family in FAMILIES.values() if not family.held_out]
HELD_OUT = [family for family in FAMILIES.values() if family.held_out]
COUNTS = {"train": 162, "dev": 27, "test": 54}
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def draw_problems(family: EntailmentFamily, pool: str = "test", count: int = 15) -> list[Problem]:
    """That many problems of each answer."""
    rng = random.Random(f"{family.name}/{pool}")
    return [draw_entailment(family, answer, rng, POOLS[pool]) for answer in TRUTH_VALUES for _ in range(count)]


def pools_of(family: EntailmentFamily) -> list[str]:
    return ["test", "lessons"] if family.held_out else list(POOLS)


def read(sentence: Sentence):
    """The formula of a sentence whose words are its slots."""
    form, *slots = sentence
    return parse_formula(FORMULAS[form].format(*(slot if slot in "mn" else f"Is{slot}" for slot in slots)))


def check_arguments(family: EntailmentFamily, needless: tuple[Sentence, ...] = ()) -> None:
    for answer in TRUTH_VALUES:
        for fact in family.facts(answer):
            premises = list(map(read, (fact, *family.rules, *needless)))
            answers = {entails(premises, read(statement)) for statement in family.statements(answer)}
            assert answers == {answer}, (answer, fact, needless)


@every_family
def test_the_solver_confirms_the_answer_of_every_argument(family):
    check_arguments(family)


@pytest.mark.slow
@every_family
def test_needless_premises_change_no_answer(family):
    for sentence in NEEDLESS:
        check_arguments(family, (sentence,))


@every_family
def test_every_rule_is_needed(family):
    """The answer True needs each rule and the fact, so a skipped premise matters."""
    (fact,), (statement,) = family.facts("True"), family.statements("True")
    premises = list(map(read, (fact, *family.rules)))
    for index in range(len(premises)):
        assert entails([*premises[:index], *premises[index + 1 :]], read(statement)) == "Unknown"


def check_problem(problem: Problem) -> None:
    tools = ENTAILMENT.toolbox.open()
    results = [tools.execute(call) for call in problem.solution]
    texts = [result.text for result in results if isinstance(result, Observation)]
    assert len(texts) == len(results)
    assert texts[-1] == texts[-2] == problem.answer
    assert ENTAILMENT.grade(problem, texts[-1]) == "right"


@every_family
def test_the_gold_chain_executes_to_the_answer(family):
    for problem in draw_problems(family, count=3):
        check_problem(problem)


@pytest.mark.slow
@every_family
def test_each_pool_has_201_problems_whose_gold_chains_are_right(family):
    for pool in pools_of(family):
        for problem in draw_problems(family, pool, count=67):
            check_problem(problem)


@every_family
def test_formulas_are_written_as_the_functions_write_them(family):
    for problem in draw_problems(family, count=5):
        for call in problem.solution[:-1]:
            formula = call.arguments["formula"]
            assert formula == format_formula(parse_formula(formula))


@every_family
def test_the_chain_assumes_each_premise_in_the_order_of_the_question(family):
    for problem in draw_problems(family):
        assert 4 <= len(problem.solution) <= 7
        assert len(problem.question.split()) <= 60
        premises, statement = problem.question.removeprefix("Premises: ").split(" Statement: ")
        assert premises.count(".") == len(problem.solution) - 2
        assert statement.count(".") == 1
        sentences = [*premises.removesuffix(".").split(". "), statement]
        for sentence, call in zip(sentences, problem.solution, strict=False):
            formula = call.arguments["formula"].lower()
            assert {kind for kind in KINDS if kind in sentence.lower()} == {kind for kind in KINDS if kind in formula}


def test_premises_come_in_all_orders():
    problems = draw_problems(FAMILIES["every+no"], count=200)
    places = Counter(
        ["no" if "not" in call.arguments["formula"] else "other" for call in problem.solution[:-2]].index("no")
        for problem in problems
        if len(problem.solution) == 5 and problem.answer == "True"
    )
    assert min(places[place] for place in range(3)) > sum(places.values()) / 5  # an equal share is a third


def test_some_problems_have_a_needless_premise():
    problems = draw_problems(FAMILIES["every"], count=100)
    needless = sum(len(problem.solution) == 5 for problem in problems)
    assert 0.15 < needless / len(problems) < 0.35


def test_words_are_few():
    words = {
        word.strip(".,:").lower()
        for family in FAMILIES.values()
        for problem in draw_problems(family)
        for word in problem.question.split()
    }
    words -= {word.lower() for word in NAMES} | {form for kind in KINDS for form in (kind, f"{kind}s")}
    assert len(words) <= 36, words


@every_family
def test_the_same_kinds_and_name_never_occur_in_two_pools(family):
    used = len(family.steps) + 2 + ("both" in family.name)  # kinds and a name

    def word_choices(pool: str) -> set[frozenset[str]]:
        choices = (
            frozenset(word for word in (*KINDS, *NAMES) if f" {word}" in problem.question)
            for problem in draw_problems(family, pool, 40)
        )
        return {choice for choice in choices if len(choice) == used}

    chosen = [word_choices(pool) for pool in pools_of(family)]
    assert "both" in family.name or sum(map(len, chosen)) == len(set().union(*chosen))


def test_every_form_has_four_wordings():
    assert set(WORDINGS) == set(FORMULAS)
    assert all(len(set(wordings)) == 4 for wordings in WORDINGS.values())


@every_family
def test_each_step_derives_what_the_next_needs(family):
    for step, following in zip(family.steps, family.steps[1:], strict=False):
        assert step.derived == following.known


def test_a_held_out_family_is_a_new_composition_of_seen_steps():
    seen_steps = Counter(name for family in SEEN for name in family.name.split("+"))
    assert len(FAMILIES) >= 40 and len(HELD_OUT) >= 12
    assert set(seen_steps) == set(STEPS) and min(seen_steps.values()) >= 3
    seen = {argument for family in SEEN for argument in renamed_arguments(family)}
    assert not seen & {argument for family in HELD_OUT for argument in renamed_arguments(family)}


def renamed_arguments(family: EntailmentFamily) -> set[tuple[frozenset[Sentence], Sentence]]:
    """The premises and the statement for the answer True, under all names of the kinds."""
    (fact,), (statement,) = family.facts("True"), family.statements("True")
    kinds = "ABCDE"
    renamings = [dict(zip(kinds, renamed, strict=True)) for renamed in permutations(kinds)]

    def rename(sentence: Sentence, renaming: dict[str, str]) -> Sentence:
        return (sentence[0], *(renaming.get(slot, slot) for slot in sentence[1:]))

    return {
        (frozenset(rename(premise, renaming) for premise in (fact, *family.rules)), rename(statement, renaming))
        for renaming in renamings
    }


@pytest.mark.parametrize("pool", ["train", "dev"])
def test_a_held_out_family_cannot_be_drawn_for_train_or_dev(pool):
    with pytest.raises(ValueError, match="held out"):
        draw_entailment(HELD_OUT[0], "True", random.Random(0), POOLS[pool])


def test_families_and_answers_are_balanced():
    problems = entailment_problems(COUNTS, held_out_test=30, seed=7)
    for split, count in COUNTS.items():
        of_seen_families = [problem for problem in problems if problem.split == split][:count]
        assert set(Counter(problem.answer for problem in of_seen_families).values()) == {count // 3}
        assert set(Counter(problem.group for problem in of_seen_families).values()) == {count // len(SEEN)}
    assert Counter(problem.group for problem in problems[-30:]) == {
        f"entailment/{family.name}": 2 for family in HELD_OUT
    }


def test_the_form_of_the_statement_does_not_reveal_the_answer():
    problems = entailment_problems({"train": 540}, held_out_test=0, seed=7)
    negations = (" not ", " no ")
    for negated in (True, False):
        answers = Counter(
            p.answer
            for p in problems
            if any(word in p.question.split("Statement:")[1] for word in negations) == negated
        )
        assert min(answers.values()) > sum(answers.values()) / 5  # an equal share is a third


def test_ids_and_questions_are_unique_and_the_seed_determines_them():
    problems = entailment_problems(COUNTS, held_out_test=30, seed=7)
    assert len({p.id for p in problems}) == len({p.question for p in problems}) == 273
    assert problems[17].id == "synthetic/entailment/train/000017"
    assert problems == entailment_problems(COUNTS, held_out_test=30, seed=7)
    assert problems != entailment_problems(COUNTS, held_out_test=30, seed=8)
    assert entailment_problems({"train": 30}, held_out_test=0, seed=7) == problems[:30]
