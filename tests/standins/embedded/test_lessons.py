"""Lessons of the embedded student."""

from itertools import islice

import pytest

from callwright.problems.decontaminate import normalise
from callwright.standins.embedded.lessons import draw_lessons
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems
from callwright.tasks.entailment.synthetic import entailment_problems
from callwright.tasks.translation.synthetic.problems import translation_problems


@pytest.mark.parametrize(
    ("task", "generate"),
    [
        ("arithmetic", synthetic_problems),
        ("translation", translation_problems),
        ("entailment", entailment_problems),
    ],
)
def test_lessons_share_no_question_with_any_split(task, generate):
    problems = generate({"train": 150, "dev": 20, "test": 50}, 20, 7)
    questions = {normalise(messages[1]["content"]) for messages in islice(draw_lessons(TASKS[task], 0.5, 7), 500)}
    assert not questions & {normalise(problem.question) for problem in problems}


@pytest.mark.parametrize("task", ["arithmetic", "translation", "entailment"])
def test_careful_lessons_are_free_of_mistakes_and_most_careless_ones_differ_from_them(task):
    careful, careless = (
        [list(messages) for messages in islice(draw_lessons(TASKS[task], share, 7), 120)] for share in (0.0, 1.0)
    )
    assert all("Error" not in message["content"] for messages in careful for message in messages[1:])
    assert all(messages[-1]["content"].startswith("answer(") for messages in careful)
    careful_openings = {messages[0]["content"] for messages in careful}
    assert careful_openings == {messages[0]["content"] for messages in careless}, "one system prompt"
    assert sum(a[2:] != b[2:] for a, b in zip(careful, careless, strict=True)) > 60
