import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.problems.decontaminate import SAME_QUESTION, SHARED_WORDS, decontaminate, normalise
from callwright.problems.source import DroppedRow
from callwright.records import Problem

THIRTEEN_WORDS = "one two three four five six seven eight nine ten eleven twelve thirteen"


def problem(question: str, source: str = "gsm8k", name: str = "x") -> Problem:
    return Problem(name, "arithmetic", question, "1", (), source, "g", "train")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  How\tmany\nAPPLES?! ", "how many apples"),
        ("It costs $1,200.50.", "it costs $ 1200.50"),
        ("1, 2, 345", "1 2 345"),
        ("Sam’s dog can't", "sams dog cant"),
        ("well-known", "well known"),
        ("３ ﬁsh", "3 fish"),
        ("5*3 = ?", "5 * 3 ="),
        ("20% of 5 kg", "20 % of 5 kg"),
        ("", ""),
    ],
)
def test_normalise_keeps_words_numbers_and_symbols(text: str, expected: str):
    assert normalise(text) == expected


def test_accents_are_compared_up_to_a_limit_per_letter():
    assert normalise("cafe\u0301") == normalise("café") != normalise("cafe")
    assert normalise("e" + "\u0301\u0323" * 20_000) == normalise("e" + "\u0301\u0323" * 15)


@given(st.text(alphabet=st.sampled_from("aB1,.'-*/% 3(ß½é²∧_\n\u0301")))
def test_normalising_twice_changes_nothing(text: str):
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize("source", ["synthetic", "gsm8k"])
def test_a_test_question_is_dropped_from_train_for_every_source(source: str):
    train = [problem("How many?", source, "a"), problem("How much?", source, "b")]
    kept, dropped = decontaminate(train, [problem("how many", "jsonl")])
    assert kept == train[1:]
    assert dropped == [DroppedRow("a", SAME_QUESTION, "x")]


def test_a_problem_with_thirteen_words_of_a_test_question_is_dropped_from_train():
    train = [problem(f"Before: {THIRTEEN_WORDS.upper()}.", name="a")]
    assert decontaminate(train, [problem(f"{THIRTEEN_WORDS}, then")]) == ([], [DroppedRow("a", SHARED_WORDS, "x")])


def test_a_problem_with_twelve_shared_words_stays():
    train = [problem(THIRTEEN_WORDS.removesuffix("thirteen") + "after")]
    assert decontaminate(train, [problem(THIRTEEN_WORDS)]) == (train, [])


@pytest.mark.parametrize(("train_source", "test_source"), [("synthetic", "gsm8k"), ("gsm8k", "synthetic")])
def test_shared_words_are_ignored_if_a_problem_is_synthetic(train_source: str, test_source: str):
    train = [problem(f"{THIRTEEN_WORDS} and", train_source)]
    assert decontaminate(train, [problem(f"{THIRTEEN_WORDS} or", test_source)]) == (train, [])


def test_the_ngram_size_is_a_parameter():
    train = [problem("one two four", name="a"), problem("two one", name="b")]
    kept, dropped = decontaminate(train, [problem("one two three")], ngram_size=2)
    assert kept == train[1:]
    assert dropped == [DroppedRow("a", SHARED_WORDS, "x")]
    with pytest.raises(ValueError, match="ngram"):
        decontaminate(train, [], ngram_size=0)
