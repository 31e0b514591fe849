"""Local models served over HTTP. The oracle answers instead of the student, so the results are known."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from callwright import paths
from callwright.errors import DataError, ProviderError
from callwright.evaluation.model_evaluation import ModelEvaluation
from callwright.evaluation.perturb.run import Variant, variants_of
from callwright.evaluation.run import evaluate_models
from callwright.params import EndpointParams, EndpointsParams, Params, RobustnessParams
from callwright.records import Problem
from callwright.standins.oracle.app import create_app
from callwright.tasks import TASKS, Tasks
from tests.chat.conftest import Servers
from tests.fakes import NO_MISTAKES, problem, tasks_with

pytestmark = [pytest.mark.slow]  # several servers and clients per test

ARITHMETIC = TASKS["arithmetic"]
PROBLEMS = [
    replace(
        problem(f"add(a={number}, b=30)", f"answer(value={number + 30})", question=f"What is {number} and 30?"),
        id=str(number),
        answer=str(number + 30),
        group=str(number % 3),
    )
    for number in range(6)
]


@pytest.fixture
def serve() -> Iterator[Servers]:
    servers = Servers()
    yield servers
    servers.stop_all()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose models are served elsewhere. Their folders only give them different hashes."""
    params = Path("params.yaml").resolve()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").symlink_to(params)
    for name in (paths.BASE, paths.STUDENT):
        name.mkdir(parents=True)
        (name / "config.json").write_text(str(name))
    monkeypatch.setenv("OWN_KEY", "any")
    return tmp_path


def endpoint_params(base: str, student: str, **changes: object) -> Params:
    params = Params.load()
    endpoints = EndpointsParams(
        base=EndpointParams(base_url=base, model="base-served", api_key_env="OWN_KEY"),
        student=EndpointParams(base_url=student, model="student-served", api_key_env="OWN_KEY"),
    )
    evaluate = params.evaluate.model_copy(
        update={"engine": "endpoint", "endpoints": endpoints, "resamples": 200, **changes}
    )
    teacher = params.teacher.model_copy(update={"mistakes": params.teacher.mistakes.model_validate(NO_MISTAKES)})
    return params.model_copy(update={"evaluate": evaluate, "teacher": teacher})


def evaluate(params: Params, variants: Sequence[Variant] = (), tasks: Tasks = TASKS) -> dict[str, ModelEvaluation]:
    return evaluate_models(PROBLEMS, variants, tasks, params.evaluate, params.rollout, params.teacher, params.seed)


def count_correct(evaluation: ModelEvaluation) -> int:
    return sum(checked.verdict.correct for checked in evaluation.chains.values())


def create_apps(problems: list[Problem]) -> tuple[object, object]:
    """A base that always guesses and a student that makes no mistake."""
    return create_app(problems, NO_MISTAKES | {"guessed_answer": 1.0}), create_app(problems, NO_MISTAKES)


def test_served_models_are_evaluated_at_their_endpoints(folder: Path, serve: Servers):
    base, student = create_apps(PROBLEMS)
    params = endpoint_params(serve(base), serve(student))
    variants = variants_of(PROBLEMS, TASKS, RobustnessParams(problems=6, changes=["functions", "distractor"]), 7)
    evaluated = evaluate(params, variants)
    assert list(evaluated) == ["base", "student", "teacher"]
    assert {model: count_correct(evaluation) for model, evaluation in evaluated.items()} == {
        "base": 0,
        "student": 6,
        "teacher": 6,
    }
    assert {chain.chain.model for chain in evaluated["student"].chains.values()} == {"student"}
    assert evaluated["student"].seconds > 0
    # The oracle does not read the prompt: it calls `add` even if the function has another name.
    by_change = {"functions": set(), "distractor": set()}
    for variant, chain in zip(variants, evaluated["student"].variants, strict=True):
        by_change[variant.change].add(chain.verdict.correct)
    assert by_change == {"functions": {False}, "distractor": {True}}
    assert not evaluated["teacher"].variants


def test_a_second_evaluation_sends_no_request(folder: Path, serve: Servers):
    base, student = map(serve, create_apps(PROBLEMS))
    params = endpoint_params(base, student, samples=3)
    variants = variants_of(PROBLEMS, TASKS, RobustnessParams(problems=6, changes=["distractor"]), 7)
    first = evaluate(params, variants)
    assert len(first["student"].variants) == 6
    assert {len(chains) for chains in first["student"].samples.values()} == {3}
    assert len({checked.chain.id for chains in first["student"].samples.values() for checked in chains}) == 18
    greedy = {checked.chain.id for checked in first["student"].chains.values()}
    assert greedy.isdisjoint(checked.chain.id for chains in first["student"].samples.values() for checked in chains)
    assert not first["teacher"].samples
    serve.stop_all()
    assert evaluate(params, variants) == first
    (paths.STUDENT / "config.json").write_text("trained anew")
    with pytest.raises(ProviderError, match=r"student at http.* cannot be reached: check evaluate\.endpoints\.student"):
        evaluate(params, variants)


def test_a_missing_key_is_named_in_the_error(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OWN_KEY")
    with pytest.raises(ProviderError, match=r"the key of the base at http://127\.0\.0\.1:9/v1 is missing: set OWN_KEY"):
        evaluate(endpoint_params("http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1"))


def test_too_many_chains_that_cannot_be_checked_end_the_evaluation(folder: Path, serve: Servers):
    def grade(problem: Problem, answer: str) -> str:
        if problem.id in "01":
            raise ZeroDivisionError("a defect in a grader")
        return ARITHMETIC.grade(problem, answer)

    tasks = tasks_with(replace(ARITHMETIC, grade=grade))
    base, student = map(serve, create_apps(PROBLEMS))
    with pytest.raises(DataError, match=r"2 of 6 chains cannot be checked \(limit 2%\): \S+evaluate.log says what"):
        evaluate(endpoint_params(base, student), tasks=tasks)
    assert "a defect in a grader" in paths.surprises("evaluate").read_text()
