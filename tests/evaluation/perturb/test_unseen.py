"""Functions that training never shows: their problems, the check of chains that call them, and their results."""

import pickle
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from callwright.agent.protocol import TEXT
from callwright.errors import CallError
from callwright.evaluation.perturb.unseen import TasksWithUnseen, UnseenProblem, compute_unseen, unseen_problems
from callwright.params import Params, RobustnessParams
from callwright.records import Call, Chain, Problem, Step
from callwright.surprises import SurpriseLog
from callwright.tasks import TASKS, Tasks, load_tasks
from callwright.tasks.parts import TaskUnseen
from callwright.validation.execution import execute_again
from callwright.validation.replay import check_chain
from tests.fakes import checked
from tests.tasks.words.task import WORDS

UNSEEN = RobustnessParams(problems=42, changes=["unseen"])
WITH_UNSEEN = TasksWithUnseen(TASKS)


@cache
def problems_of_all_tasks() -> tuple[Problem, ...]:
    """Sixty test problems of each task."""
    counts = {"train": 0, "dev": 0, "test": 60}
    return tuple(made for task in TASKS.values() for made in task.part("synthetic").generate(counts, 0, 5))


@cache
def made() -> tuple[UnseenProblem, ...]:
    return tuple(unseen_problems(problems_of_all_tasks(), TASKS, UNSEEN, seed=7))


def solve(problem: Problem, calls: Sequence[Call], tasks: Tasks = WITH_UNSEEN) -> Chain:
    """A chain that makes these calls."""
    steps = [Step("", call, None, None) for call in calls]
    executed = execute_again(steps, tasks[problem.task].toolbox).steps
    return Chain("c", problem.id, "m", "text", executed, "answered", executed[-1].observation)


def test_each_task_and_each_of_its_functions_has_as_many_problems():
    assert Counter(each.problem.task for each in made()) == {"arithmetic": 14, "translation": 14, "entailment": 14}
    of_function = Counter(each.function for each in made() if each.problem.task == "arithmetic")
    assert set(of_function.values()) == {2}  # 14 problems for 7 functions
    # Two of the sixty problems of translation can be told with but_not, which is less than a quarter of 14.
    assert Counter(each.function for each in made() if each.problem.task == "translation") == {
        "imply_not": 4,
        "but_not": 2,
        "all_are": 4,
        "some_are": 4,
    }
    assert [each.problem.id for each in made()[:2]] == [
        "arithmetic/larger_of/0000~unseen",
        "arithmetic/larger_of/0001~unseen",
    ]
    assert len({each.problem.id for each in made()}) == 42


def test_the_seed_determines_the_problems():
    assert tuple(unseen_problems(problems_of_all_tasks(), TASKS, UNSEEN, seed=7)) == made()
    assert tuple(unseen_problems(problems_of_all_tasks(), TASKS, UNSEEN, seed=8)) != made()


def test_only_the_tasks_of_the_test_problems_get_unseen_functions_and_only_if_the_change_is_listed():
    arithmetic = [each for each in problems_of_all_tasks() if each.task == "arithmetic"]
    assert {each.problem.task for each in unseen_problems(arithmetic, TASKS, UNSEEN, 7)} == {"arithmetic"}
    assert unseen_problems(arithmetic, TASKS, RobustnessParams(problems=42, changes=["names"]), 7) == []


def test_every_solution_calls_its_function_and_is_right_grounded_and_listed():
    for unseen in made():
        problem, task = unseen.problem, WITH_UNSEEN[unseen.problem.task]
        names = [call.name for call in problem.solution]
        assert unseen.function in names
        assert set(names) <= set(unseen.view.functions)
        verdict = check_chain(solve(problem, problem.solution), problem, task).verdict
        assert verdict.correct, (problem, verdict.faults)
        assert verdict.faults == ()


def test_a_problem_without_premises_needs_no_function_that_assumes_them():
    solution = (Call("entails", {"formula": "Cat(rex) or not Cat(rex)"}), Call("answer", {"value": "True"}))
    problem = Problem("p", "entailment", "?", "True", solution, "test", "g", "test")
    assert [each.function for each in unseen_problems([problem], TASKS, UNSEEN, 7)] == ["denies"]


def test_the_prompt_lists_the_function_and_not_those_that_could_do_without_it():
    for unseen in made():
        task = WITH_UNSEEN[unseen.problem.task]
        messages, _ = TEXT.render(task, unseen.problem.question, (), unseen.view)
        prompt = messages[0]["content"]
        assert f"\n{unseen.function}(" in prompt
        part = task.part("unseen")
        (missing,) = [each.missing for each in part.functions if each.function.name == unseen.function]
        assert not any(f"\n{name}(" in prompt for name in missing)
        others = {each.function.name for each in part.functions} - {unseen.function}
        assert not any(f"\n{name}(" in prompt for name in others)


def test_the_prompt_mentions_no_function_that_it_does_not_list():
    for unseen in {each.function: each for each in made()}.values():
        toolbox = WITH_UNSEEN[unseen.problem.task].toolbox
        messages, _ = TEXT.render(WITH_UNSEEN[unseen.problem.task], "How many?", (), unseen.view)
        without_quantifiers = re.sub(r"\bexists \w\.", "", messages[0]["content"])  # of formulas in examples
        words = set(re.findall(r"\w+", without_quantifiers))
        hidden = {*toolbox.functions, *toolbox.needless} - set(unseen.view.functions)
        assert words & hidden == set(), unseen.function


def test_the_instructions_name_the_function_that_stands_in_for_a_missing_one():
    denies = next(each for each in made() if each.function == "denies")
    messages, _ = TEXT.render(WITH_UNSEEN["entailment"], "?", (), denies.view)
    assert "then ask denies about the statement" in messages[0]["content"]
    assert "with what denies returned" in messages[0]["content"]


def test_unseen_functions_are_unknown_without_them():
    for unseen in made():
        result = TASKS[unseen.problem.task].toolbox.open().execute(Call(unseen.function, {}))
        assert isinstance(result, CallError)
        assert result.fault == "unknown_function"


def problem_of(function: str) -> Problem:
    return next(each.problem for each in made() if each.function == function)


def test_an_answer_is_not_grounded_if_a_premise_is_missing_whatever_the_premises_are_assumed_with():
    for function in ("assume_false", "assume_both", "denies"):
        generated = unseen_problems(
            problems_of_all_tasks(), TASKS, RobustnessParams(problems=360, changes=["unseen"]), 7
        )
        unknown = next(each for each in generated if (each.function, each.problem.answer) == (function, "Unknown"))
        calls = [
            call for call in unknown.problem.solution if call.name not in ("assume", "assume_false", "assume_both")
        ]
        verdict = check_chain(solve(unknown.problem, calls), unknown.problem, WITH_UNSEEN["entailment"]).verdict
        assert [(fault.fault, fault.step) for fault in verdict.faults] == [("unfaithful_call", 0)]


def test_a_part_of_a_formula_that_no_call_built_is_a_fault_of_the_new_function_too():
    made_up = Problem(
        "p", "translation", "No dog is big. Vocabulary: ...", "Dog(rex) -> not Big(rex)", (), "t", "g", "test"
    )
    chain = solve(
        made_up,
        [
            Call("imply_not", {"left": "Dog(rex) and Dog(rex)", "right": "Big(rex)"}),
            Call("answer", {"value": "Dog(rex) and Dog(rex) -> not Big(rex)"}),
        ],
    )
    (fault,) = check_chain(chain, made_up, WITH_UNSEEN["translation"]).verdict.faults
    assert (fault.fault, fault.step) == ("ungrounded_answer", 0)


def test_a_denied_contradiction_takes_an_assumption_back():
    chain = solve(
        problem_of("denies"),
        [
            Call("assume", {"formula": "Cat(rex)"}),
            Call("assume", {"formula": "not Cat(rex)"}),
            Call("denies", {"formula": "Cat(rex)"}),
            Call("denies", {"formula": "Cat(rex)"}),
            Call("denies", {"formula": "not Cat(rex)"}),
        ],
    )
    assert [step.observation for step in chain.steps] == [
        "assumed (1 so far)",
        "assumed (2 so far)",
        None,
        "False",
        "True",
    ]


def test_two_premises_are_assumed_together_or_not_at_all():
    tools = WITH_UNSEEN["entailment"].toolbox.open()
    refused = tools.execute(Call("assume_both", {"first": "Cat(rex)", "second": "Cat(rex, rex)"}))
    assert isinstance(refused, CallError)
    assert tools.state == []


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (("larger_of", 4, 9), "9"),
        (("smaller_of", 4, 9), "4"),
        (("common_divisor", 12, 18), "6"),
        (("common_multiple", 4, 6), "12"),
        (("full_groups", 17, 5), "3"),
        (("groups_needed", 17, 5), "4"),
        (("groups_needed", 15, 5), "3"),
        (("digit_sum", -274), "13"),
    ],
)
def test_an_unseen_function_of_arithmetic_does_what_its_description_says(call: tuple[object, ...], expected: str):
    name, *arguments = call
    result = (
        WITH_UNSEEN["arithmetic"]
        .toolbox.open()
        .execute(Call(str(name), {str(index): value for index, value in enumerate(arguments)}))
    )
    assert not isinstance(result, CallError)
    assert result.text == expected


def test_another_process_loads_the_same_tasks():
    copy = pickle.loads(pickle.dumps(TasksWithUnseen(load_tasks([]))))
    assert "digit_sum" in copy["arithmetic"].toolbox.functions


def test_a_users_function_keeps_its_name_and_the_unseen_one_of_that_name_is_not_used():
    (join_backwards,) = [each.function for each in WORDS.part("unseen").functions]
    taken = replace(WORDS, toolbox=WORDS.toolbox.with_functions([join_backwards]))
    assert TasksWithUnseen(Tasks([taken]))["words"] is taken
    of_words = [Problem("p", "words", "?", "a", (), "t", "g", "test")]
    assert unseen_problems(of_words, Tasks([taken]), UNSEEN, 7) == []
    assert len(unseen_problems(of_words, Tasks([WORDS]), UNSEEN, 7)) == 3  # there are no more


def test_a_function_whose_problems_cannot_be_made_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> list[Problem]:
        raise KeyError("a defect")

    monkeypatch.chdir(tmp_path)
    (unseen,) = WORDS.part("unseen").functions
    task = replace(WORDS, parts={"unseen": TaskUnseen((replace(unseen, generate=fail),))})
    log = SurpriseLog("evaluate")
    of_words = [Problem("p", "words", "?", "a", (), "t", "g", "test")]
    assert unseen_problems(of_words, Tasks([task]), UNSEEN, 7, log) == []
    assert log.path.read_text().startswith("join_backwards~unseen: unexpected KeyError")


def test_results_are_by_task_and_function():
    chosen = [each for each in made() if each.function in ("larger_of", "digit_sum", "denies")]
    chains = [
        None if each.function == "denies" else checked("answer(5)", correct=each.function == "larger_of")
        for each in chosen
    ]
    params = Params.load().evaluate.model_copy(update={"resamples": 200})
    results = compute_unseen(chosen, chains, params)
    assert results is not None
    assert {name: (interval.value, interval.n) for name, interval in results.items()} == {
        "overall": (0.5, 4),
        "arithmetic": (0.5, 4),
        "arithmetic/larger_of": (1.0, 2),
        "arithmetic/digit_sum": (0.0, 2),
    }
    assert compute_unseen([], [], params) is None
