import random
from collections import Counter

import pytest

from callwright.functions.formulas.formula import Variable, atoms, parse_formula, predicate_arities, read_formula
from callwright.functions.function import render_call
from callwright.functions.toolbox import Observation
from callwright.records import Problem
from callwright.tasks.synthetic import POOLS
from callwright.tasks.translation.questions import translation_problem, vocabulary
from callwright.tasks.translation.synthetic.families import CONDITIONS, FAMILIES, FRAMES
from callwright.tasks.translation.synthetic.family import SLOTS, WORDS, WORDS_BY_CLASS, TranslationFamily
from callwright.tasks.translation.synthetic.problems import draw_translation, translation_problems
from callwright.tasks.translation.task import TRANSLATION

SEEN = [family for family in FAMILIES.values() if not family.held_out]
HELD_OUT = [family for family in FAMILIES.values() if family.held_out]
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def draw_problems(family: TranslationFamily, pool: str = "test", count: int = 20) -> list[Problem]:
    rng = random.Random(f"{family.name}/{pool}")
    return [draw_translation(family, rng, POOLS[pool]) for _ in range(count)]


def pools_of(family: TranslationFamily) -> list[str]:
    return ["test", "lessons"] if family.held_out else list(POOLS)


def functions(family: TranslationFamily) -> set[str]:
    return {call.name for call in draw_problems(family, count=1)[0].solution}


def check_problem(problem: Problem) -> None:
    tools = TRANSLATION.toolbox.open()
    results = [tools.execute(call) for call in problem.solution]
    texts = [result.text for result in results if isinstance(result, Observation)]
    assert len(texts) == len(problem.solution)
    assert texts[-1] == texts[-2] == problem.answer
    assert TRANSLATION.grade(problem, texts[-1]) == "right"
    assert len(set(map(render_call, problem.solution))) == len(problem.solution)


@every_family
def test_the_gold_chain_executes_to_the_answer(family: TranslationFamily):
    for problem in draw_problems(family, count=5):
        check_problem(problem)


@pytest.mark.slow
@every_family
def test_each_pool_has_200_problems_whose_gold_chains_are_right(family: TranslationFamily):
    for pool in pools_of(family):
        for problem in draw_problems(family, pool, count=200):
            check_problem(problem)


@every_family
def test_chains_and_questions_are_short(family: TranslationFamily):
    for problem in draw_problems(family):
        assert 2 <= len(problem.solution) <= 7
        assert len(problem.question) <= 150


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
    words = [
        {problem.question.split(" Vocabulary: ")[1] for problem in draw_problems(family, pool, count=40)}
        for pool in pools_of(family)
    ]
    assert sum(map(len, words)) == len(set().union(*words))


def test_words_are_few_and_distinct_and_inflect_regularly():
    assert len({word.symbol.lower() for word in WORDS}) == len(WORDS) < 100
    noun = next(word for word in WORDS_BY_CLASS["noun"] if word.text == "actor")
    assert (str(noun), noun.with_article, noun.plural, noun.symbol) == ("actor", "an actor", "actors", "Actor")
    verb, name = WORDS_BY_CLASS["verb"][1], WORDS_BY_CLASS["name"][0]
    assert (str(verb), verb.base, verb.symbol, name.symbol) == ("follows", "follow", "Follows", "ann")


def test_a_condition_agrees_with_its_subject():
    words = {slot: WORDS_BY_CLASS[word_class][0] for slot, word_class in SLOTS.items()}
    phrases = {name: list(condition.phrases(0, words).values()) for name, condition in CONDITIONS.items()}
    assert phrases["is_a"] == ["is an actor", "are actors"]
    assert phrases["and_relation"] == ["is brave and admires Ann", "are brave and admire Ann"]
    assert phrases["no_relation"] == ["does not admire Ann", "do not admire Ann"]


def test_no_two_frames_share_a_wording_but_frames_have_several():
    wordings = Counter(wording for frame in FRAMES.values() for wording in frame.wordings)
    assert wordings.most_common(1)[0][1] == 1
    assert all(len(frame.wordings) >= 2 for frame in FRAMES.values())
    assert all("{condition}" in wording or "{conditions}" in wording for wording in wordings)


def test_a_held_out_family_is_a_new_composition_of_seen_parts():
    frames = Counter(id(family.frame) for family in SEEN)
    conditions = Counter(id(family.condition) for family in SEEN)
    assert len(SEEN) >= 40 and len(HELD_OUT) >= 12
    assert set(frames) == set(map(id, FRAMES.values())) and min(frames.values()) >= 2
    assert set(conditions) == set(map(id, CONDITIONS.values())) and min(conditions.values()) >= 3
    assert not {family.formula for family in HELD_OUT} & {family.formula for family in SEEN}


def test_each_function_occurs_in_several_seen_families():
    uses = Counter(name for family in SEEN for name in functions(family))
    assert set(uses) == set(TRANSLATION.toolbox.functions)
    assert min(uses.values()) >= 4


@pytest.mark.parametrize(
    ("name", "question", "formula"),
    [
        ("every/or", "Every actor is brave or calm or both.", "all x. (Actor(x) -> (Brave(x) or Calm(x)))"),
        ("only/is", "Only actors are brave.", "all x. (not Actor(x) -> not Brave(x))"),
        ("no_one/and", "No one is brave and calm.", "not exists x. (Brave(x) and Calm(x))"),
        ("unless/is", "Ben is an actor unless Ann is brave.", "Actor(ben) or Brave(ann)"),
        ("name/nor", "Ann is neither brave nor calm.", "not Brave(ann) and not Calm(ann)"),
        ("denied/and", "It is not true that Ann is brave and calm.", "not Brave(ann) or not Calm(ann)"),
        ("to_all/is_a", "Ann admires everyone who is an artist.", "all x. (Artist(x) -> Admires(ann, x))"),
        ("if_someone/relation", "Everyone who admires Carl is an actor.", "all x. (Admires(x, carl) -> Actor(x))"),
    ],
)
def test_a_sentence_is_graded_by_its_usual_reading(name: str, question: str, formula: str):
    """The formulas were written by hand; the solver compares them with the annotation."""
    index = {"noun": 0, "other_noun": 1, "adjective": 0, "other_adjective": 1, "name": 0, "other_name": 1, "object": 2}
    words = {slot: WORDS_BY_CLASS[word_class][index.get(slot, 0)] for slot, word_class in SLOTS.items()}
    family = FAMILIES[name]
    assert family.frame.wordings[0].format(**words, **family.condition.phrases(0, words)) == question
    annotation = read_formula(family.formula.format(**{slot: word.symbol for slot, word in words.items()}))
    problem = translation_problem(question, annotation, "synthetic", family.name, "test")
    assert TRANSLATION.grade(problem, formula) == "right"


@pytest.mark.parametrize("pool", ["train", "dev"])
def test_a_held_out_family_cannot_be_drawn_for_train_or_dev(pool: str):
    with pytest.raises(ValueError, match="held out"):
        draw_translation(HELD_OUT[0], random.Random(0), POOLS[pool])


def test_the_formula_and_the_gold_chain_of_a_family():
    (problem,) = draw_problems(FAMILIES["no/is"], count=1)
    first, second = predicate_arities(parse_formula(problem.answer))
    assert problem.answer == f"all x. ({first}(x) -> not {second}(x))"
    assert [call.name for call in problem.solution] == [
        *("predicate", "predicate", "negate", "imply", "for_all", "answer")
    ]


def test_each_family_is_a_group_with_the_same_number_of_problems():
    counts = {"train": 3 * len(SEEN), "dev": len(SEEN), "test": len(SEEN)}
    problems = translation_problems(counts, held_out_test=2 * len(HELD_OUT), seed=7)
    for family in FAMILIES.values():
        splits = [problem.split for problem in problems if problem.group == f"translation/{family.name}"]
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
