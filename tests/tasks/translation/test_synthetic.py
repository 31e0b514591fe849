import random
from collections import Counter

import pytest

from callwright.functions.formulas.formula import Variable, atoms, format_formula, parse_formula, predicate_arities
from callwright.functions.function import render_call
from callwright.functions.toolbox import Observation
from callwright.records import Problem
from callwright.tasks.synthetic import POOLS
from callwright.tasks.translation.questions import vocabulary
from callwright.tasks.translation.synthetic.families import FAMILIES, HELD_OUT, SEEN
from callwright.tasks.translation.synthetic.family import WORDS, WORDS_BY_CLASS, TranslationFamily
from callwright.tasks.translation.synthetic.problems import draw_translation, translation_problems
from callwright.tasks.translation.task import TRANSLATION

every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def draw_problems(family: TranslationFamily, pool: str = "test", count: int = 40) -> list[Problem]:
    rng = random.Random(f"{family.name}/{pool}")
    return [draw_translation(family, rng, POOLS[pool]) for _ in range(count)]


def functions(family: TranslationFamily) -> set[str]:
    return {call.name for call in draw_problems(family, count=1)[0].solution}


@every_family
def test_the_gold_chain_executes_to_the_answer(family: TranslationFamily):
    for problem in draw_problems(family, count=10):
        tools = TRANSLATION.toolbox.open()
        results = [tools.execute(call) for call in problem.solution]
        texts = [result.text for result in results if isinstance(result, Observation)]
        assert len(texts) == len(problem.solution)
        assert texts[-1] == texts[-2] == problem.answer
        assert TRANSLATION.grade(problem, texts[-1]) == "right"
        assert len(set(map(render_call, problem.solution))) == len(problem.solution)


@every_family
def test_chains_and_questions_are_short(family: TranslationFamily):
    for problem in draw_problems(family):
        assert 2 <= len(problem.solution) <= 6
        assert len(problem.question) <= 110


@every_family
def test_a_question_is_a_sentence_and_its_vocabulary(family: TranslationFamily):
    for problem in draw_problems(family):
        sentence, listed = problem.question.split(" Vocabulary: ")
        formula = parse_formula(problem.answer)
        assert listed == f"{vocabulary(formula)}."
        constants = {term.name for atom in atoms(formula) for term in atom.terms if not isinstance(term, Variable)}
        stems = {symbol.lower().removesuffix("s") for symbol in [*predicate_arities(formula), *constants]}
        assert all(stem in sentence.lower() for stem in stems)
        assert sentence[0].isupper() and sentence.endswith(".")


def test_the_order_of_the_vocabulary_does_not_reveal_the_formula():
    problems = [problem for family in SEEN for problem in draw_problems(family)]
    two_predicates = [problem for problem in problems if len(predicate_arities(parse_formula(problem.answer))) == 2]
    in_order = [
        problem
        for problem in two_predicates
        if list(predicate_arities(parse_formula(problem.answer)))
        == sorted(predicate_arities(parse_formula(problem.answer)))
    ]
    assert 0.3 < len(in_order) / len(two_predicates) < 0.7


@every_family
def test_no_combination_of_words_occurs_in_two_pools(family: TranslationFamily):
    pools = ["test", "lessons"] if family.held_out else list(POOLS)
    words = [{problem.question.split(" Vocabulary: ")[1] for problem in draw_problems(family, pool)} for pool in pools]
    assert sum(map(len, words)) == len(set().union(*words))


def test_words_are_distinct_and_inflect_regularly():
    assert len({word.symbol.lower() for word in WORDS}) == len(WORDS)
    noun = next(word for word in WORDS_BY_CLASS["noun"] if word.text == "actor")
    assert (str(noun), noun.with_article, noun.plural, noun.symbol) == ("actor", "an actor", "actors", "Actor")
    verb, name = WORDS_BY_CLASS["verb"][0], WORDS_BY_CLASS["name"][0]
    assert (str(verb), verb.base, verb.symbol, name.symbol) == ("follows", "follow", "Follows", "ann")


def test_no_two_families_share_a_wording():
    wordings = Counter(wording for family in FAMILIES.values() for wording in family.wordings)
    assert wordings.most_common(1)[0][1] == 1
    assert all(len(family.wordings) >= 3 for family in FAMILIES.values())


def test_the_seen_families_use_all_functions():
    seen = set().union(*map(functions, SEEN))
    assert seen == set(TRANSLATION.toolbox.functions)
    assert len(HELD_OUT) >= 4 and set().union(*map(functions, HELD_OUT)) <= seen


def test_no_held_out_family_has_the_formula_of_a_seen_one():
    assert not {family.formula for family in HELD_OUT} & {family.formula for family in SEEN}


@pytest.mark.parametrize("pool", ["train", "dev"])
def test_a_held_out_family_cannot_be_drawn_for_train_or_dev(pool: str):
    with pytest.raises(ValueError, match="held out"):
        draw_translation(HELD_OUT[0], random.Random(0), POOLS[pool])


def test_the_formula_and_the_gold_chain_of_one_family():
    (problem,) = {problem.question: problem for problem in draw_problems(FAMILIES["no"], count=1)}.values()
    formula = parse_formula(problem.answer)
    first, second = predicate_arities(formula)
    assert problem.answer == f"all x. ({first}(x) -> not {second}(x))" == format_formula(formula)
    assert [call.name for call in problem.solution] == [
        *("predicate", "predicate", "negate", "imply", "for_all", "answer")
    ]


def test_each_family_has_the_same_number_of_problems():
    counts = {"train": 3 * len(SEEN), "dev": len(SEEN), "test": len(SEEN)}
    problems = translation_problems(counts, held_out_test=2 * len(HELD_OUT), seed=7)
    for family in FAMILIES.values():
        splits = [problem.split for problem in problems if problem.group.split("/")[1] == family.name]
        assert splits == (["test"] * 2 if family.held_out else ["train"] * 3 + ["dev", "test"])


def test_ids_and_questions_are_unique():
    problems = translation_problems({"train": 480, "dev": 48, "test": 160}, held_out_test=60, seed=7)
    assert len({problem.id for problem in problems}) == len({problem.question for problem in problems}) == 748
    assert problems[123].id == "synthetic/translation/train/000123"


def test_the_seed_determines_the_problems_and_a_larger_count_only_adds_problems():
    first = translation_problems({"train": 40}, held_out_test=5, seed=7)
    assert first == translation_problems({"train": 40}, held_out_test=5, seed=7)
    assert first != translation_problems({"train": 40}, held_out_test=5, seed=8)
    assert translation_problems({"train": 90}, held_out_test=0, seed=7)[:40] == first[:40]
