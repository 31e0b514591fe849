import json
from pathlib import Path

import pytest

from callwright.errors import DataError
from callwright.functions.formulas.formula import format_formula
from callwright.problems.proofwriter import SentenceError, read_proofwriter, read_sentence
from tests.working_tree import ROOT

PUBLIC = ROOT.parent / "shared/data/proofwriter/test.json"


@pytest.mark.parametrize(
    ("sentence", "formula"),
    [
        ("Anne is kind.", "Kind(anne)"),
        ("The bald eagle is not round.", "not Round(bald_eagle)"),
        ("The cat chases the bald eagle.", "Chases(cat, bald_eagle)"),
        ("The cat does not chase the dog.", "not Chases(cat, dog)"),
        ("The tiger sees the tiger", "Sees(tiger, tiger)"),
        ("Big people are kind.", "all x. (Big(x) -> Kind(x))"),
        ("All cold people are not rough.", "all x. (Cold(x) -> not Rough(x))"),
        ("Furry, young things are white.", "all x. ((Furry(x) and Young(x)) -> White(x))"),
        ("If someone is big then they are kind.", "all x. (Big(x) -> Kind(x))"),
        ("If someone is big and not red then they are kind.", "all x. ((Big(x) and not Red(x)) -> Kind(x))"),
        (
            "If something is big and red and it does not see the cow then it eats the cow.",
            "all x. ((Big(x) and Red(x) and not Sees(x, cow)) -> Eats(x, cow))",
        ),
        ("If someone likes the cat then they like the dog.", "all x. (Likes(x, cat) -> Likes(x, dog))"),
        (
            "If someone needs the cat and the cat is big then they do not need the dog.",
            "all x. ((Needs(x, cat) and Big(cat)) -> not Needs(x, dog))",
        ),
        ("If someone is big then the cat sees the dog.", "all x. (Big(x) -> Sees(cat, dog))"),
        ("If Anne is big and Bob is not red then Anne is kind.", "(Big(anne) and not Red(bob)) -> Kind(anne)"),
        ("If the cat is not big then the cat is red.", "not Big(cat) -> Red(cat)"),
        (
            "If the cat sees the dog and something is red then it is big.",
            "all x. ((Sees(cat, dog) and Red(x)) -> Big(x))",
        ),
    ],
)
def test_supported_sentences_become_formulas(sentence, formula):
    assert format_formula(read_sentence(sentence)) == formula


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "Anne might be kind.",
        "The cat chases a dog.",
        "Some cats are red.",
        "Some things are red.",
        "No people are red.",
        "Nobody is red.",
        "Anne is not.",
        "Most, big things are red.",
        "Someone is kind.",
        "If it is big then it is kind.",
        "If someone is big and someone is red then they are kind.",
        "If Anne is big then they are kind.",
        "If someone is big or red then they are kind.",
        "If someone is big.",
        "If someone is big then red.",
        "The old bald eagle is big.",
    ],
)
def test_other_sentences_are_rejected(sentence):
    with pytest.raises(SentenceError):
        read_sentence(sentence)


def row(**changes: object) -> dict[str, object]:
    question = "Based on the above information, is the following statement true, false, or unknown? Rex is kind."
    return {
        "id": "ProofWriter_AttNeg-OWA-D5-7_Q3",
        "context": "Rex is big. Big things are kind.",
        "question": question,
        "options": ["A) True", "B) False", "C) Unknown"],
        "answer": "A",
        **changes,
    }


def write(folder: Path, *rows: object) -> Path:
    path = folder / "dev.json"
    path.write_text(json.dumps(rows))
    return path


def test_a_row_becomes_a_problem_with_an_executed_gold_chain(tmp_path):
    (problem,) = read_proofwriter(write(tmp_path, row()), "dev").problems
    assert problem.id == "proofwriter/dev/0"
    assert problem.group == "proofwriter/ProofWriter_AttNeg-OWA-D5-7"
    assert problem.question == "Premises: Rex is big. Big things are kind. Statement: Rex is kind."
    assert (problem.task, problem.answer, problem.split) == ("entailment", "True", "dev")
    assert [call.name for call in problem.solution] == ["assume", "assume", "entails", "answer"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"context": "Rex is big. Nobody is kind."}, "a sentence of no known form"),
        ({"context": "Rex is big. Someone is kind."}, "a fact about nobody in particular"),
        ({"context": ""}, "context is missing"),
        ({"answer": "D"}, "answer is not A, B or C"),
        ({"answer": None}, "answer is missing"),
        ({"question": "Rex is kind."}, "the question has no statement"),
        ({"answer": "C"}, "the label is Unknown, the formulas say True"),
        ({"context": "Rex is big. Rex is not big."}, "the premises contradict each other"),
    ],
)
def test_an_unusable_row_is_dropped_with_its_reason(tmp_path, changes, reason):
    source_result = read_proofwriter(write(tmp_path, row(), row(**changes), "text"), "dev")
    assert len(source_result.problems) == 1
    first, second = source_result.dropped
    assert (first.where, first.reason) == (f"{tmp_path / 'dev.json'}: row 1", reason)
    assert second.reason == "not a JSON object"


@pytest.mark.parametrize("content", ["{", '{"a": 1}', "\xff", "[" * 100_000])
def test_a_file_of_another_format_gives_a_clear_error(tmp_path, content):
    path = tmp_path / "test.json"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(DataError, match=r"test\.json: not a"):
        read_proofwriter(path, "test")
    with pytest.raises(DataError, match=r"no such file or directory; download data/ProofWriter/train\.json"):
        read_proofwriter(tmp_path / "train.json", "train")


@pytest.mark.skipif(not PUBLIC.exists(), reason="needs ProofWriter's test.json")
def test_the_public_test_problems_become_formulas_and_agree_with_their_labels():
    source_result = read_proofwriter(PUBLIC, "test")
    assert len(source_result.problems) + len(source_result.dropped) == 600
    reasons = {row.reason for row in source_result.dropped}
    assert reasons <= {
        "the label is Unknown, the formulas say True",
        "the label is Unknown, the formulas say False",
        "the premises contradict each other",
    }  # docs/proofwriter.md: what forward chaining does not find
    assert len(source_result.problems) >= 590
