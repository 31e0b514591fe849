import json
from collections import Counter
from pathlib import Path

import pytest

from callwright.errors import CallError, DataError
from callwright.functions.function import render_call
from callwright.problems import folio
from callwright.problems.folio import read_folio
from callwright.records import Problem
from callwright.tasks import TASKS
from tests.working_tree import ROOT

PUBLIC = ROOT.parent / "shared/data/folio"
STORY = {
    "premises": ["All dogs bark. ", "Rex is a dog or a cat."],
    "premises-FOL": ["∀x (Dog(x) → Bark(x))", "Dog(rex) ⊕ Cat(rex)"],
}
VALIDATION = {
    **STORY,
    "conclusion": "Rex barks or is a cat.",
    "conclusion-FOL": "Bark(rex) ∨ Cat(rex)",
    "label": "True",
}
TRAIN = {**STORY, "story_id": 3, "conclusion": "Rex barks.", "label": "Unknown"}


def write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n")
    return path


def calls(problem: Problem) -> list[str]:
    return [render_call(call) for call in problem.solution]


def observation_texts(problem: Problem) -> list[str]:
    toolbox = TASKS[problem.task].toolbox.open()
    observations = [toolbox.execute(call) for call in problem.solution]
    assert not [observation for observation in observations if isinstance(observation, CallError)]
    return [observation.text for observation in observations]


def test_each_annotated_sentence_becomes_a_translation_problem(tmp_path: Path):
    problems = read_folio(write(tmp_path / "mine.jsonl", VALIDATION), "test").problems
    first, second, last = (problem for problem in problems if problem.task == "translation")
    assert [first.id, second.id] == ["folio/mine/0/premise-0", "folio/mine/0/premise-1"]
    assert last.id == "folio/mine/0/conclusion"
    assert first.question == "All dogs bark. Vocabulary: Bark(x), Dog(x)."
    assert first.answer == "all x. (Dog(x) -> Bark(x))"
    assert calls(second) == [
        "predicate(name='Dog', terms=['rex'])",
        "predicate(name='Cat', terms=['rex'])",
        "exclusive(left='Dog(rex)', right='Cat(rex)')",
        "answer(value='Dog(rex) xor Cat(rex)')",
    ]
    assert last.question == "Rex barks or is a cat. Vocabulary: Bark(x), Cat(x), rex."


def test_an_annotated_conclusion_becomes_an_entailment_problem_with_an_executed_chain(tmp_path: Path):
    problem = read_folio(write(tmp_path / "mine.jsonl", VALIDATION), "test").problems[-1]
    assert (problem.id, problem.task, problem.answer) == ("folio/mine/0", "entailment", "True")
    assert problem.question == (
        "Premises: All dogs bark. Rex is a dog or a cat. Statement: Rex barks or is a cat. "
        "Vocabulary: Bark(x), Cat(x), Dog(x), rex."
    )
    assert calls(problem) == [
        "assume(formula='all x. (Dog(x) -> Bark(x))')",
        "assume(formula='Dog(rex) xor Cat(rex)')",
        "entails(formula='Bark(rex) or Cat(rex)')",
        "answer(value='True')",
    ]
    assert observation_texts(problem)[-2:] == ["True", "True"]


def test_a_conclusion_without_annotation_gives_no_gold_chain(tmp_path: Path):
    problem = read_folio(write(tmp_path / "mine.jsonl", TRAIN), "train").problems[-1]
    assert (problem.task, problem.answer, problem.solution) == ("entailment", "Unknown", ())
    assert problem.group == "folio/mine/3"


def test_the_label_uncertain_becomes_unknown(tmp_path: Path):
    row = {**VALIDATION, "conclusion": "Rex is big.", "conclusion-FOL": "Big(rex)", "label": "Uncertain"}
    assert read_folio(write(tmp_path / "mine.jsonl", row), "test").problems[-1].answer == "Unknown"


def test_a_story_is_one_group_and_each_sentence_gives_one_problem(tmp_path: Path):
    other = {**VALIDATION, "conclusion": "Rex is a cat.", "conclusion-FOL": "Cat(rex)", "label": "Uncertain"}
    problems = read_folio(write(tmp_path / "mine.jsonl", VALIDATION, "", other), "test").problems
    assert len({problem.group for problem in problems}) == 1
    # two premises and a conclusion, then the second conclusion; blank lines are counted
    assert [problem.id.removeprefix("folio/mine/") for problem in problems] == [
        *("0/premise-0", "0/premise-1", "0/conclusion", "0"),
        *("2/conclusion", "2"),
    ]


@pytest.mark.parametrize(
    ("changes", "locations", "reason"),
    [
        ({"premises-FOL": ["∀x (Dog(x) → Bark(x)", "Dog(rex)"]}, ["1 premise-0", "1"], folio.NOT_A_FORMULA),
        ({"premises-FOL": ["Dog(x) → Bark(x)", "Dog(rex)"]}, ["1 premise-0", "1"], folio.FREE_VARIABLE),
        ({"premises-FOL": ["Dog(a, b) → Dog(a)", "Dog(rex)"]}, ["1 premise-0", "1"], folio.INCONSISTENT_ARITY),
        ({"premises-FOL": ["Dog(rex, ann)", "Dog(rex)"]}, ["1"], folio.INCONSISTENT_ARITY),
        ({"premises-FOL": ["Dog(rex)"]}, ["1"], folio.UNPAIRED_ANNOTATIONS),
        ({"label": "False"}, ["1"], "the label is False, the formulas say True"),
        ({"premises-FOL": ["Dog(rex)", "¬Dog(rex)"]}, ["1"], "the premises contradict each other"),
        ({"label": "maybe"}, ["1"], "label is not True, False, Unknown or Uncertain"),
        ({"premises": "Rex"}, ["1"], "premises is missing"),
        ({"premises": [" "], "premises-FOL": [" "]}, ["1"], "premises is missing"),
        ({"conclusion": " "}, ["1"], "conclusion is missing"),
    ],
)
def test_unusable_parts_are_dropped_with_their_location_and_reason(
    tmp_path: Path, changes: dict[str, object], locations: list[str], reason: str
):
    path = write(tmp_path / "bad.jsonl", {**VALIDATION, **changes})
    dropped = read_folio(path, "test").dropped
    assert [(row.where, row.reason) for row in dropped] == [(f"{path}:{location}", reason) for location in locations]


def translations(problems: list[Problem]) -> dict[str, tuple[str, str]]:
    """Name of the sentence in the row -> (sentence, formula)."""
    return {
        problem.id.rpartition("/")[2]: (problem.question.partition(" Vocabulary")[0], problem.answer)
        for problem in problems
        if problem.task == "translation"
    }


def paired(*sentences: str, annotations: list[str], **changes: object) -> dict[str, object]:
    return {**TRAIN, "premises": list(sentences), "premises-FOL": annotations, **changes}


@pytest.mark.parametrize(
    ("sentences", "annotations", "detail"),
    [
        (("Rex barks.", "", "Max purrs."), ["Bark(rex)", "Cat(max)", "Purr(max)"], "premise 2 has no sentence"),
        (("Rex barks.", "Max is a cat.", "Max purrs."), ["Bark(rex)", " ", "Purr(max)"], "premise 2 has no annotation"),
        # "Tim sings." does not become Cat(max), although there are as many sentences as annotations
        (
            ("Rex barks.", "Max purrs.", " ", "Tim sings."),
            ["Bark(rex)", "Purr(max)", "Cat(max)", ""],
            "premise 3 has no sentence",
        ),
    ],
)
def test_a_premise_without_its_partner_leaves_out_the_question_and_keeps_the_other_sentences(
    tmp_path: Path, sentences: tuple[str, ...], annotations: list[str], detail: str
):
    result = read_folio(write(tmp_path / "mine.jsonl", paired(*sentences, annotations=annotations)), "train")
    assert translations(result.problems) == {
        "premise-0": ("Rex barks.", "Bark(rex)"),
        "premise-1": ("Max purrs.", "Purr(max)"),
    }
    assert [(dropped.reason, dropped.detail) for dropped in result.dropped] == [(folio.UNPAIRED_ANNOTATIONS, detail)]


def test_no_sentence_is_paired_if_a_blank_could_stand_for_any_of_them(tmp_path: Path):
    row = paired("Rex barks.", "", "Max purrs.", annotations=["Bark(rex)", "Purr(max)"])
    result = read_folio(write(tmp_path / "mine.jsonl", row), "train")
    assert result.problems == []
    assert [dropped.detail for dropped in result.dropped] == ["3 premises, 2 annotations"]


@pytest.mark.parametrize(
    ("sentences", "annotations"),
    [
        (("", "Rex barks.", "Max purrs."), ["", "Bark(rex)", "Purr(max)"]),
        (("Rex barks.", "Max purrs."), ["Bark(rex)", "Purr(max)", " "]),
        (("Rex barks.", "Max purrs.", "", ""), ["Bark(rex)", "Purr(max)"]),
    ],
)
def test_blank_pairs_and_blanks_at_the_end_change_nothing(
    tmp_path: Path, sentences: tuple[str, ...], annotations: list[str]
):
    result = read_folio(write(tmp_path / "mine.jsonl", paired(*sentences, annotations=annotations)), "train")
    assert translations(result.problems) == {
        "premise-0": ("Rex barks.", "Bark(rex)"),
        "premise-1": ("Max purrs.", "Purr(max)"),
    }
    assert result.problems[-1].question.startswith("Premises: Rex barks. Max purrs. Statement: ")
    assert result.dropped == []


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_conclusion_with_a_blank_annotation_is_one_without_annotation(tmp_path: Path, blank: str | None):
    result = read_folio(write(tmp_path / "mine.jsonl", {**VALIDATION, "conclusion-FOL": blank}), "test")
    assert [problem.id for problem in result.problems] == [
        "folio/mine/0/premise-0",
        "folio/mine/0/premise-1",
        "folio/mine/0",
    ]
    assert (result.problems[-1].answer, result.problems[-1].solution) == ("True", ())
    assert result.dropped == []


@pytest.mark.parametrize("annotation", [5, 1.5, False, ["Bark(rex)"], {}])
def test_a_conclusion_whose_annotation_is_not_text_leaves_out_the_question_only(tmp_path: Path, annotation: object):
    path = write(tmp_path / "mine.jsonl", {**VALIDATION, "conclusion-FOL": annotation})
    result = read_folio(path, "test")
    assert [problem.id for problem in result.problems] == ["folio/mine/0/premise-0", "folio/mine/0/premise-1"]
    assert list(map(str, result.dropped)) == [f"{path}:1: {folio.NOT_A_FORMULA} (conclusion-FOL is not text)"]


def test_lines_that_are_not_rows_are_dropped(tmp_path: Path):
    dropped = read_folio(write(tmp_path / "bad.jsonl", "{", "[1]"), "test").dropped
    assert [row.reason for row in dropped] == ["malformed JSON", "not a JSON object"]


def test_the_error_for_a_missing_file_says_where_to_get_it(tmp_path: Path):
    with pytest.raises(DataError, match=r"no such file or directory; download .* from the Yale-LILY/FOLIO repository"):
        read_folio(tmp_path / "none.jsonl", "train")


@pytest.mark.skipif(not PUBLIC.exists(), reason="needs the public FOLIO files")
@pytest.mark.parametrize(("name", "translation", "entailment"), [("train", 1_654, 961), ("validation", 544, 182)])
def test_the_public_files_become_problems(name: str, translation: int, entailment: int):
    source_result = read_folio(PUBLIC / f"{name}.jsonl", "test")
    assert Counter(problem.task for problem in source_result.problems) == {
        "translation": translation,
        "entailment": entailment,
    }
    for problem in source_result.problems:
        if problem.solution:
            texts = observation_texts(problem)
            assert texts[-1] == problem.answer
            assert texts[-1] in texts[:-1]  # grounded
            assert len(set(map(render_call, problem.solution))) == len(problem.solution)
    unreadable = [row for row in source_result.dropped if row.reason in (folio.NOT_A_FORMULA, folio.FREE_VARIABLE)]
    sentences = [row for row in unreadable if "premise" in row.where or "conclusion" in row.where]
    assert len(sentences) <= 0.05 * translation
