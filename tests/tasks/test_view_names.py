"""Names of views: those of the evaluation have no word in common with those of training, nor with the true names."""

import keyword
from itertools import product
from random import Random

import pytest

from callwright.functions.needless import NEEDLESS
from callwright.tasks import TASKS
from callwright.tasks.view_names import HELD_OUT_NAMES, TRAINING_NAMES, NamePool, is_usable, share_stem, stem_of

POOLS = {"training": TRAINING_NAMES, "held-out": HELD_OUT_NAMES}


def true_words() -> set[str]:
    """The words of the shipped functions' names, except `a` and `of`, which are too short to have a stem."""
    functions = [*NEEDLESS, *(function for task in TASKS.values() for function in task.toolbox.functions.values())]
    return {word for function in functions for word in function.name.split("_") if len(word) > 2}


def shared(left: set[str] | frozenset[str], right: set[str] | frozenset[str]) -> list[tuple[str, str]]:
    return [(first, second) for first, second in product(left, right) if share_stem(first, second)]


def short_stems(stems: set[str] | frozenset[str]) -> set[str]:
    return {stem for stem in stems if len(stem) < 4}


def test_the_pools_share_no_stem():
    training, held_out = TRAINING_NAMES.stems(), HELD_OUT_NAMES.stems()
    assert not training & held_out
    assert shared(short_stems(training), held_out) == []  # stems of four letters are only shared if they are equal
    assert shared(training, short_stems(held_out)) == []


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_no_pool_shares_a_stem_with_a_true_name(pool: NamePool):
    assert shared(true_words(), pool.stems()) == []


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_no_word_occurs_twice_in_a_pool(pool: NamePool):
    words = [*pool.words, *pool.invented, *pool.parameters]
    assert len(set(words)) == len(words)


def test_words_share_a_stem_if_the_first_four_letters_of_the_shorter_begin_the_other():
    assert share_stem("gardener", "garden")
    assert share_stem("cups", "cup")
    assert not share_stem("cat", "cup")
    assert stem_of("Gardener") == "gard"


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_a_pool_draws_thousands_of_different_names_that_python_can_call(pool: NamePool):
    drawn = {name for seed in range(100) for name in pool.draw(Random(seed), 100)}
    assert len(drawn) > 3_000
    assert all(name.isidentifier() and not keyword.iskeyword(name) and name != "answer" for name in drawn)
    allowed = {*pool.words, *pool.invented}
    assert all(set(name.split("_")) <= allowed for name in drawn)
    assert {len(name.split("_")) for name in drawn} == {1, 2}


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_names_of_one_draw_are_different_and_not_taken(pool: NamePool):
    taken = set(pool.draw(Random(1), 300))
    again = pool.draw(Random(1), 300, taken)  # the same numbers: without `taken` the same names
    assert len(set(again)) == 300
    assert not taken & set(again)


def test_equal_seeds_give_equal_names():
    assert TRAINING_NAMES.draw(Random(5), 20) == TRAINING_NAMES.draw(Random(5), 20)
    assert TRAINING_NAMES.draw(Random(5), 20) != TRAINING_NAMES.draw(Random(6), 20)


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_names_of_parameters_are_different_and_not_taken(pool: NamePool):
    count = len(pool.parameters)
    assert set(pool.draw_parameters(Random(1), count)) == set(pool.parameters)
    taken = pool.parameters[:3]
    assert set(pool.draw_parameters(Random(1), count - 3, taken)) == set(pool.parameters[3:])
    assert all(map(is_usable, pool.parameters))


def test_too_many_names_are_an_error():
    with pytest.raises(ValueError, match=r"^19900 names besides 101 taken names are too many: at most 20,000$"):
        TRAINING_NAMES.draw(Random(1), 19_900, [str(number) for number in range(101)])
    count = len(TRAINING_NAMES.parameters)
    with pytest.raises(ValueError, match=rf"^{count + 1} names of parameters are too many: {count} are free$"):
        TRAINING_NAMES.draw_parameters(Random(1), count + 1)


@pytest.mark.parametrize("name", ["answer", "class", "match", "a b", "2nd", "größe"])
def test_keywords_answer_and_what_is_no_ascii_identifier_are_not_usable(name: str):
    assert not is_usable(name)


@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_invented_words_have_half_of_the_syllables_each(pool: NamePool):
    syllables = {word[start : start + 2] for word in pool.invented for start in (0, 2)}
    assert len(syllables) == 14 * 5 / 2
    other = HELD_OUT_NAMES if pool is TRAINING_NAMES else TRAINING_NAMES
    assert not syllables & {word[start : start + 2] for word in other.invented for start in (0, 2)}
