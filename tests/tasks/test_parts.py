"""A task is one folder and one line: everything that a stage wants to know about it is asked for through the task."""

import random
import subprocess
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from callwright.agent.loop import solve
from callwright.agent.parsing.parse import parse_call
from callwright.chat.model import Sampling
from callwright.chat.openai.endpoint import EndpointChat
from callwright.errors import DataError, ParamsError
from callwright.evaluation.perturb.question import reorder_sentences, replace_names
from callwright.evaluation.perturb.views import reword_descriptions
from callwright.functions.toolbox import Toolbox
from callwright.params import Params, ProblemsParams
from callwright.problems.load import load_problems
from callwright.records import Problem
from callwright.standins.embedded.build import build_embedded_student
from callwright.standins.embedded.fit import Length
from callwright.standins.embedded.lessons import draw_lessons
from callwright.standins.embedded.recipe import RECIPE
from callwright.standins.oracle.app import create_app
from callwright.standins.oracle.confused_names import check_confused_names
from callwright.standins.oracle.script import MISTAKES, write_script
from callwright.tasks import TASKS, Tasks
from callwright.tasks.arithmetic.functions import add, answer, subtract
from callwright.tasks.parts import (
    PART_TYPES,
    SyntheticProblems,
    TaskDescriptions,
    TaskLessons,
    TaskMistakes,
    TaskWording,
)
from callwright.tasks.task import Task
from tests.fakes import NO_MISTAKES, problem, teacher
from tests.tasks import words
from tests.tasks.words.task import WORDS
from tests.working_tree import ROOT

WITH_WORDS = Tasks((*TASKS.values(), *words.TASKS))  # the one line


def problems_params(**synthetic: dict[str, int]) -> ProblemsParams:
    shipped = Params.load(ROOT / "params.yaml").problems.model_dump()
    return ProblemsParams.model_validate({**shipped, "source": "synthetic", "synthetic": synthetic})


def made_problems() -> list[Problem]:
    counts = {"train": 12, "dev": 2, "test": 4, "held_out_test": 3}
    loaded = load_problems(problems_params(words=counts), 7, WITH_WORDS, parse_call)
    assert loaded.dropped == []  # every solution was executed, every answer graded
    return [made for split in loaded.splits.values() for made in split]


def test_problems_of_a_new_task_are_made_checked_and_split():
    problems = made_problems()
    assert [made.split for made in problems] == ["train"] * 12 + ["dev"] * 2 + ["test"] * (4 + 3)
    assert [made.group for made in problems].count("turned") == 3  # the held-out ones
    assert problems[0].id == "synthetic/words/train/000000"


async def test_the_oracle_solves_them_and_makes_the_tasks_own_mistakes():
    problems = made_problems()[:6]
    for mistake, function in ((None, "turn"), ("unknown_function", "concatenate"), ("extra_step", "turn")):
        shares = {**NO_MISTAKES, **({mistake: 1.0} if mistake else {})}
        model = EndpointChat(teacher(), create_app(problems, shares, tasks=WITH_WORDS))
        chains = [await solve(made, WORDS, model, Sampling()) for made in problems]
        await model.close()
        calls = {step.call.name for chain in chains for step in chain.steps}
        assert function in calls
        right = [WORDS.grade(made, str(chain.answer)) for made, chain in zip(problems, chains, strict=True)]
        assert right == ["wrong" if mistake == "extra_step" else "right"] * 6


@pytest.mark.parametrize("mistake", MISTAKES)
def test_no_mistake_breaks_a_script_of_a_new_task(mistake: str):
    for made in made_problems():
        script = write_script(made, WORDS, mistake, random.Random(made.id))
        assert script.steps[-1].call.name == "answer"


def test_its_questions_and_functions_are_changed_in_its_own_way():
    made = made_problems()[0]
    task, *likes = made.question.split(". ")
    assert reorder_sentences(made, WORDS, random.Random(1)) == f"{task}. {likes[1][:-1]}. {likes[0]}."
    described = reword_descriptions(made, WORDS, 7).descriptions
    assert described == {
        "join": "One word: the first, and the second after it.",
        "turn": "A word, its last letters first.",
    }
    with_other_people = replace_names(made, WORDS, random.Random(1))  # the default: the part does not say how
    assert with_other_people != made.question
    assert with_other_people.split(". ")[0] == task


def test_its_lessons_share_no_problem_with_its_splits_and_are_careless_in_its_own_way():
    careful, careless = ([*islice(draw_lessons(WORDS, share, 7), 60)] for share in (0.0, 1.0))
    questions = {made.question for made in made_problems()}
    assert not questions & {messages[1]["content"] for messages in careful}
    assert not [message for messages in careful for message in messages if "Error" in message["content"]]
    wrong = [messages for messages in careless if "Error" in str(messages)]
    assert len(wrong) == 30  # every lesson of the family with two calls: one of two
    assert all("concatenate(" in str(messages) or "backwards(" in str(messages) for messages in wrong)


def test_a_task_in_one_module_gives_the_same_parts():
    in_folder = {name: WORDS.part(name) for name in PART_TYPES}
    in_module = Task("words", WORDS.toolbox, WORDS.instructions, WORDS.grade, parts=in_folder)
    assert {name: in_module.part(name) for name in PART_TYPES} == in_folder
    assert None not in in_folder.values()


def test_a_given_part_takes_the_place_of_the_folders():
    own = TaskWording(replace_names=lambda made, _: made.question)
    task = Task("words", WORDS.toolbox, WORDS.instructions, WORDS.grade, folder=WORDS.folder, parts={"wording": own})
    assert task.part("wording") is own
    assert task.part("mistakes") == WORDS.part("mistakes")


@pytest.mark.parametrize("name", TASKS)
def test_a_task_that_ships_has_every_part(name: str):
    for part, part_type in PART_TYPES.items():
        if name != "translation" or part not in ("labels", "wording"):  # its labels and sentences stay as they are
            assert isinstance(TASKS[name].part(part), part_type)


def own_task(**parts: object) -> Task:
    """A task whose functions are named as some of arithmetic's, with these parts."""
    return Task("own", Toolbox((add, subtract, answer)), "Do it.", WORDS.grade, parts=parts)


def test_a_users_function_is_not_confused_because_another_task_has_one_of_its_name():
    solution = ("add(a=2, b=3)", "subtract(a=5, b=1)", "answer(value=4)")
    made = problem(*solution, task="own", answer="4")

    def called(task: Task, mistake: str) -> set[str]:
        scripts = [write_script(made, task, mistake, random.Random(seed)) for seed in range(20)]
        return {step.call.name for script in scripts for step in script.steps}

    assert called(own_task(), "unknown_function") == {"add", "subtract", "answer", "add_of", "subtract_of"}
    assert write_script(made, own_task(), "extra_step", random.Random(1)).mistake is None  # it does not fit: dropped
    confused = own_task(
        mistakes=TaskMistakes({"add": ("subtract",)}, {"add": "sum"}, extra_functions=("subtract", "divide"))
    )
    assert called(confused, "unknown_function") == {"add", "subtract", "answer", "sum", "subtract_of"}
    scripts = [write_script(made, confused, "wrong_function", random.Random(seed)) for seed in range(20)]
    assert {script.steps[0].call.name for script in scripts} == {"subtract"}  # the only function that is confused
    scripts = [write_script(made, confused, "extra_step", random.Random(seed)) for seed in range(20)]
    assert {script.steps[2].call.name for script in scripts} == {"subtract"}  # the toolbox has no divide


@pytest.mark.parametrize(
    ("mistakes", "message"),
    [
        (TaskMistakes({"ad": ("subtract",)}), "confused_functions: there is no function ad (did you mean add?)"),
        (
            TaskMistakes({"add": ("substract",)}),
            "confused_functions: there is no function substract (did you mean subtr",
        ),
        (TaskMistakes({}, {"adds": "sum"}), "invented_functions: there is no function adds (did you mean add?)"),
        (
            TaskMistakes(extra_functions=("x",)),
            "extra_functions: there is no function x (known: add, subtract, answer)",
        ),
    ],
)
def test_a_misspelt_function_in_the_mistakes_is_an_error_of_one_line(mistakes: TaskMistakes, message: str):
    tasks = Tasks([own_task(mistakes=mistakes)])
    problems = [problem("add(a=2, b=3)", "answer(value=5)", task="own", answer="5")]
    create_app(problems, NO_MISTAKES, tasks=tasks)  # uses no mistakes
    with pytest.raises(ParamsError) as caught:
        create_app(problems, {**NO_MISTAKES, "wrong_function": 0.5}, tasks=tasks)
    assert str(caught.value).startswith(f"task own: its part mistakes: {message}")
    recipe = RECIPE.model_copy(update={"tasks": {"own": 1.0}})
    with pytest.raises(ParamsError) as caught:
        build_embedded_student(Path("unused"), recipe, tasks, 1, Length(steps=1))
    assert str(caught.value).startswith(f"task own: its part mistakes: {message}")


def test_a_task_can_take_over_mistakes_that_name_functions_which_it_does_not_have():
    task = own_task(mistakes=TASKS["arithmetic"].part("mistakes"))
    check_confused_names(task, Tasks([task]))


def test_parts_are_imported_only_when_they_are_asked_for():
    code = """
import sys
import callwright.tasks as tasks
names = ("synthetic", "lessons", "wording", "mistakes", "labels", "descriptions", "unseen", "people")
def parts():
    return {name for name in sys.modules if name.startswith("callwright.tasks.") and name.split(".")[-1] in names}
assert parts() == set(), parts()
import callwright.pipeline.validate
assert parts() == set(), parts()
for task in tasks.TASKS.values():
    task.part("mistakes")
    assert task.folder + ".mistakes" in sys.modules
assert {name.split(".")[-1] for name in parts()} == {"mistakes"}, parts()
for task in tasks.TASKS.values():
    task.part("wording")
assert not {name for name in parts() if name.endswith((".synthetic", ".lessons"))}, parts()
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"wordings": TaskWording()}, r"task own: there is no part wordings \(did you mean wording\?\)"),
        (
            {"x": TaskWording()},
            r"there is no part x \(known: synthetic, lessons, wording, mistakes, labels, descriptions, unseen\)",
        ),
        ({"wording": TaskMistakes()}, r"task own: its part wording has to be a callwright\.tasks\.parts\.TaskWording"),
    ],
)
def test_an_unknown_or_mistyped_part_is_an_error(parts: dict[str, object], message: str):
    with pytest.raises(ValueError, match=message):
        own_task(**parts)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("Look.", r'^descriptions: training: add: write a tuple of paraphrases, such as \("Adds two numbers\.",\)$'),
        (None, r"^descriptions: training: add: write a tuple of paraphrases"),
        (("",), r"^descriptions: training: add: a paraphrase has to be a text of one line, not ''$"),
        ((3,), r"^descriptions: training: add: a paraphrase has to be a text of one line, not 3$"),
        (
            ("Two\nlines.",),
            r"^descriptions: training: add: a paraphrase has to be a text of one line, not 'Two.nlines\.'$",
        ),
    ],
)
def test_paraphrases_that_cannot_be_shown_are_an_error_of_one_line(texts: Any, message: str):
    with pytest.raises(ValueError, match=message):
        TaskDescriptions(training={"add": texts})
    with pytest.raises(ValueError, match=message.replace("training", "held_out")):
        TaskDescriptions(held_out={"add": texts})


def test_paraphrases_of_a_function_that_does_not_exist_are_an_error():
    line = r"^task own: its part descriptions: there is no function ad \(did you mean add\?\)$"
    with pytest.raises(ValueError, match=line):
        own_task(descriptions=TaskDescriptions(training={"ad": ("Adds.",)}))
    with pytest.raises(ValueError, match=line):
        own_task(descriptions=TaskDescriptions(held_out={"ad": ("Adds.",)}))
    own_task(descriptions=TaskDescriptions(training={"add": ("Adds.",), "day_after": ("A day later.",)}))


@pytest.mark.parametrize(
    ("package", "code", "message"),  # packages of different names, as Python imports a module once
    [
        ("misspelt_part", "MISTAKE = 1", r"has to define MISTAKES, a callwright\.tasks\.parts\.TaskMistakes"),
        ("mistyped_part", "MISTAKES = {}", r"has to define MISTAKES, a callwright\.tasks\.parts\.TaskMistakes"),
        ("broken_part", "import gone", "cannot be imported: ModuleNotFoundError: No module named 'gone'"),
    ],
)
def test_a_part_that_cannot_be_used_is_an_error_of_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, code: str, message: str
):
    (tmp_path / package).mkdir()
    (tmp_path / package / "mistakes.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    task = Task("own", WORDS.toolbox, "Do it.", WORDS.grade, folder=package)
    assert task.part("wording") is None  # the folder has none
    with pytest.raises(ParamsError, match=rf"^{package}\.mistakes {message}") as caught:
        task.part("mistakes")
    assert "\n" not in str(caught.value)


def test_a_listed_task_that_does_not_exist_gives_one_line_with_a_suggestion():
    counts = {"train": 1, "dev": 1, "test": 1, "held_out_test": 0}
    with pytest.raises(ParamsError) as caught:
        load_problems(problems_params(arithmatic=counts), 7, TASKS, parse_call)
    assert str(caught.value) == (
        "params.yaml: problems.synthetic.arithmatic is not a parameter (did you mean arithmetic?)"
    )


def test_a_listed_task_without_the_part_gives_one_line():
    counts = {"train": 1, "dev": 1, "test": 1, "held_out_test": 0}
    with pytest.raises(ParamsError) as caught:
        load_problems(problems_params(own=counts), 7, Tasks((own_task(),)), parse_call)
    assert str(caught.value) == (
        "params.yaml: problems.synthetic.own: the task has no part `synthetic`: give it one (docs/own-functions.md), "
        "or remove the line"
    )
    with pytest.raises(ParamsError, match=r"^params\.yaml: recipe\.tasks\.own: the task has no part `lessons`"):
        next(draw_lessons(own_task(), 0.0, 7))


@pytest.mark.parametrize(
    ("made", "mistakes", "message"),
    [
        (replace(problem(), solution=()), {}, "lessons of own: a problem of group has no solution"),
        (problem("divide(a=1, b=0)", "answer(value=1)"), {}, "lessons of own: the gold solution of p does not execute"),
        (problem(), {"skiped_step": 1.0}, r"there is no mistake skiped_step \(did you mean skipped_step\?\)"),
    ],
    ids=["no solution", "it does not execute", "misspelt mistake"],
)
def test_lessons_that_cannot_be_made_are_an_error_of_one_line(made: Problem, mistakes: dict[str, float], message: str):
    lessons = TaskLessons([lambda _: made], mistakes)
    with pytest.raises(DataError, match=message):
        next(draw_lessons(own_task(lessons=lessons), 0.5, 7))


def fail(*_: object) -> Problem:
    raise KeyError("first line\nsecond line")


def test_a_part_that_raises_is_an_error_of_one_line_with_task_part_and_location():
    own = own_task(synthetic=SyntheticProblems(fail), lessons=TaskLessons([fail]))
    counts = {"train": 1, "dev": 1, "test": 1, "held_out_test": 0}
    line = r"^task own: its part `{}` fails: unexpected KeyError in test_parts\.py:\d+: .*second line'$"
    with pytest.raises(DataError, match=line.format("synthetic")):
        load_problems(problems_params(own=counts), 7, Tasks((own,)), parse_call)
    with pytest.raises(DataError, match=line.format("lessons")):
        next(draw_lessons(own, 0.0, 7))


def test_the_order_of_a_section_does_not_change_the_problems():
    counts = {"train": 4, "dev": 2, "test": 2, "held_out_test": 1}
    names = ("arithmetic", "translation", "entailment")
    first, second = (
        load_problems(problems_params(**dict.fromkeys(order, counts)), 7, TASKS, parse_call).splits
        for order in (names, names[::-1])
    )
    assert first == second
