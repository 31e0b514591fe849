"""What a model attempts in an evaluation, and what the journal keeps of it. The model is asked through `roll_out`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from callwright.chat.model import ChatModel, Message, Reply, Sampling, Tool
from callwright.errors import DataError, EndpointUnusableError
from callwright.evaluation.model_evaluation import ModelEvaluation
from callwright.evaluation.perturb.run import Variant, variants_of
from callwright.evaluation.perturb.unseen import unseen_problems
from callwright.evaluation.plan import EvaluationPlan, plan_evaluation
from callwright.evaluation.run import collect_results
from callwright.evaluation.target import EvaluationTarget
from callwright.functions.function import render_call
from callwright.params import EvaluateParams, Params, RobustnessParams
from callwright.params.evaluate import Perturbation
from callwright.records import Problem
from callwright.rollouts.budget import Meter
from callwright.rollouts.journal import open_journal
from callwright.rollouts.run import roll_out
from callwright.rollouts.sample import RolloutResult
from callwright.surprises import SurpriseLog
from callwright.tasks import TASKS, Tasks
from callwright.tasks.view import PLAIN
from tests.fakes import ChatByQuestion, ScriptedChat, problem, tasks_with

TARGET = EvaluationTarget("student", Path("models/student"), "hash of the weights")
PENS = replace(
    problem(
        "multiply(a=3, b=4)",
        "answer(value=12)",
        question="One pen costs 3 dollars. Cora buys 4 pens. How many dollars does she pay?",
        answer="12",
    ),
    id="pens",
)
BOXES = replace(problem(question="A box holds 2 rolls and 3 pies. How many things does it hold?"), id="boxes")
REPLIES = {"pen": ["multiply(3, 4)", "answer(12)"], "box": ["add(2, 3)", "answer(5)"]}


@pytest.fixture(autouse=True)
def _in_an_empty_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


PARAMS = Params.load()
ONE_SAMPLE = PARAMS.evaluate.model_copy(update={"samples": 1})


def variants(*changes: Perturbation, problems: Sequence[Problem] = (PENS,)) -> list[Variant]:
    return variants_of(problems, TASKS, RobustnessParams(problems=2, changes=list(changes)), 7)


def plan(
    *changes: Perturbation, problems: Sequence[Problem] = (PENS,), evaluate: EvaluateParams = ONE_SAMPLE
) -> EvaluationPlan:
    changed = variants(*changes, problems=problems)
    return plan_evaluation(TARGET, problems, changed, TASKS, evaluate, PARAMS.rollout, 7)


def only_varied(plan: EvaluationPlan) -> EvaluationPlan:
    return EvaluationPlan([], [], plan.varied)


async def run(plan: EvaluationPlan, model: ChatModel, log: SurpriseLog | None = None) -> RolloutResult:
    """Run what the journal does not have yet, one attempt after the other, of which half may fail."""
    rollout = PARAMS.rollout.model_copy(update={"max_failure_rate": 0.5})
    with open_journal(Path("journal.jsonl")) as journal:
        return await roll_out(plan.attempts, model, journal, 1, Meter(), rollout, log or SurpriseLog("evaluate"))


def results(plan: EvaluationPlan, limit: float = 1.0, tasks: Tasks = TASKS) -> ModelEvaluation:
    with open_journal(Path("journal.jsonl")) as journal:
        return collect_results(plan, tasks, journal, SurpriseLog("evaluate"), limit)


class CountingChat:
    """Gives each question its next reply, counts the requests, and is gone after `limit` of them."""

    name = "student"

    def __init__(self, limit: int = 1_000) -> None:
        self.requests = 0
        self._limit = limit

    async def reply(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply:
        if self.requests == self._limit:
            raise EndpointUnusableError("the server is gone")
        self.requests += 1
        replies = REPLIES["box" if "box" in str(messages[1]["content"]) else "pen"]
        steps_before = sum(message["role"] == "assistant" for message in messages)
        return await ScriptedChat(replies[steps_before]).reply(messages, tools, sampling)


def test_the_plan_has_each_problem_greedily_with_samples_and_once_per_change():
    planned = plan("order", "distractor", evaluate=ONE_SAMPLE.model_copy(update={"samples": 2}))
    assert [attempt.id for attempt in planned.attempts] == [
        "pens/student/0",
        "pens/student/sample-0",
        "pens/student/sample-1",
        "pens~order/student/0",
        "pens~distractor/student/0",
    ]
    assert [attempt.sampling.temperature > 0 for attempt in planned.attempts] == [False, True, True, False, False]
    assert len({attempt.key for attempt in planned.attempts}) == 5
    (greedy,), (reordered, distracted) = planned.greedy, planned.varied
    assert greedy.task is reordered.task is distracted.task is TASKS["arithmetic"]
    assert greedy.view == reordered.view == PLAIN
    assert len(set(distracted.view.functions) - set(TASKS["arithmetic"].toolbox.functions)) == 1


async def test_a_killed_evaluation_does_not_ask_for_changed_problems_again():
    planned = plan("order", "distractor")  # three attempts of two requests
    first, second, third = CountingChat(limit=5), CountingChat(), CountingChat()
    with pytest.raises(EndpointUnusableError):
        await run(planned, first)  # the third attempt has one of its two replies
    await run(planned, second)
    await run(planned, third)
    assert (first.requests, second.requests, third.requests) == (5, 2, 0)
    assert [checked is not None and checked.verdict.correct for checked in results(planned).variants] == [True, True]


async def test_a_renamed_function_is_called_by_its_new_name_and_stored_and_replayed_under_its_true_name():
    renamed = only_varied(plan("functions"))
    shown = renamed.varied[0].view.names["multiply"]
    await run(renamed, ScriptedChat("multiply(3, 4)", f"{shown}(3, 4)", "answer(12)"))
    (checked,) = results(renamed).variants
    assert checked is not None
    assert [fault.fault for fault in checked.verdict.faults] == ["unknown_function"]
    assert checked.verdict.correct
    assert [step.call.name for step in checked.chain.steps] == [shown, "multiply", "answer"]
    assert checked.chain.view == renamed.varied[0].view.key
    assert checked.chain.id == "pens~functions/student/0"


async def test_a_distractor_is_in_the_prompt_and_may_be_called():
    distracted = only_varied(plan("distractor"))
    (name,) = set(distracted.varied[0].view.functions) - set(TASKS["arithmetic"].toolbox.functions)
    call = TASKS["arithmetic"].toolbox.needless[name].example_call()
    model = ScriptedChat(call, "multiply(3, 4)", "answer(12)")
    await run(distracted, model)
    (checked,) = results(distracted).variants
    assert checked is not None
    assert checked.verdict.correct
    assert call in model.requests[0][0]["content"]
    assert checked.verdict.faults == ()


async def test_an_unseen_function_is_listed_called_and_replayed_with_the_tasks_that_have_it():
    (unseen,) = unseen_problems([PENS], TASKS, RobustnessParams(problems=1, changes=["unseen"]), 7)
    planned = replace(
        plan_evaluation(TARGET, [PENS], [], TASKS, ONE_SAMPLE, PARAMS.rollout, 7, unseen=[unseen]), greedy=[]
    )
    (attempt,) = planned.attempts
    assert attempt.id == "arithmetic/larger_of/0000~unseen/student/0"
    await run(planned, ScriptedChat(*map(render_call, unseen.problem.solution)))
    (checked,) = results(planned).unseen
    assert checked is not None
    assert checked.verdict.correct
    assert checked.chain.steps[0].call.name == "larger_of"


async def test_a_failed_attempt_at_a_changed_problem_affects_only_that_problem():
    both = only_varied(plan("distractor", problems=(PENS, BOXES)))
    log = SurpriseLog("evaluate")
    (failure,) = (await run(both, ChatByQuestion({"pen": [KeyError("a defect")], "box": REPLIES["box"]}), log)).failures
    assert failure.attempt_id == "pens~distractor/student/0"
    assert failure.reason.startswith("unexpected KeyError in fakes.py:")
    assert log.counts == {failure.reason: 1}
    expected = [attempt.problem.id == "boxes~distractor" for attempt in both.varied]
    assert [checked is not None for checked in results(both).variants] == expected


async def test_a_check_that_raises_drops_one_chain_up_to_the_limit():
    def grade(made: Problem, answer: str) -> str:
        if made.id.startswith("pens"):
            raise ZeroDivisionError("a defect in a grader")
        return TASKS["arithmetic"].grade(made, answer)

    planned = plan("distractor", problems=(PENS, BOXES))
    await run(planned, CountingChat())
    planned, defective = only_varied(planned), tasks_with(replace(TASKS["arithmetic"], grade=grade))
    expected = [attempt.problem.id == "boxes~distractor" for attempt in planned.varied]
    evaluation = results(planned, limit=0.5, tasks=defective)
    assert [checked is not None for checked in evaluation.variants] == expected
    with pytest.raises(DataError, match=r"1 of 2 chains cannot be checked \(limit 40%\)"):
        results(planned, limit=0.4, tasks=defective)


async def test_a_problem_with_a_failed_sample_has_no_samples():
    planned = plan(problems=(PENS, BOXES), evaluate=ONE_SAMPLE.model_copy(update={"samples": 2}))
    with pytest.raises(EndpointUnusableError):
        await run(planned, CountingChat(limit=11))  # all but the last reply of the last attempt
    evaluation = results(planned)
    assert list(evaluation.chains) == ["pens", "boxes"]
    assert {problem_id: len(chains) for problem_id, chains in evaluation.samples.items()} == {"pens": 2}
