"""Models of ours served over HTTP: the oracle answers in the student's place, so what comes out is known."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from callwright import paths
from callwright.errors import DataError, ProviderError
from callwright.evaluation.evaluated import ModelEvaluation
from callwright.evaluation.perturb.run import variants_of
from callwright.evaluation.run import evaluate_models
from callwright.params import EndpointParams, EndpointsParams, Params, RobustnessParams
from callwright.records import Problem
from callwright.standins.oracle.app import create_app
from callwright.tasks import TASKS
from tests.chat.conftest import Servers
from tests.fakes import NO_MISTAKES, problem

pytestmark = [pytest.mark.slow]  # several servers and clients a test

ARITHMETIC = TASKS["arithmetic"]
PROBLEMS = [
    replace(
        problem(f"add(a={place}, b=30)", f"answer(value={place + 30})", question=f"What is {place} and 30?"),
        id=str(place),
        answer=str(place + 30),
        group=str(place % 3),
    )
    for place in range(6)
]


@pytest.fixture
def serve() -> Iterator[Servers]:
    servers = Servers()
    yield servers
    servers.stop_all()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose models are served elsewhere: their folders tell them apart, and are never loaded."""
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
    at = EndpointsParams(
        base=EndpointParams(base_url=base, model="base-served", api_key_env="OWN_KEY"),
        student=EndpointParams(base_url=student, model="student-served", api_key_env="OWN_KEY"),
    )
    evaluate = params.evaluate.model_copy(update={"engine": "endpoint", "endpoints": at, "resamples": 200, **changes})
    teacher = params.teacher.model_copy(update={"mistakes": params.teacher.mistakes.model_validate(NO_MISTAKES)})
    return params.model_copy(update={"evaluate": evaluate, "teacher": teacher})


def right(one: ModelEvaluation) -> int:
    return sum(chain.verdict.correct for chain in one.chains.values())


def apps(problems: list[Problem]) -> tuple[object, object]:
    """A base that always guesses and a student that makes no mistake."""
    return create_app(problems, NO_MISTAKES | {"guessed_answer": 1.0}), create_app(problems, NO_MISTAKES)


def test_served_models_are_asked_where_they_are_served(folder: Path, serve: Servers):
    base, student = apps(PROBLEMS)
    params = endpoint_params(serve(base), serve(student))
    variants = variants_of(PROBLEMS, RobustnessParams(problems=6, changes=["functions", "distractor"]), 7)
    found = evaluate_models(PROBLEMS, variants, params)
    assert list(found) == ["base", "student", "teacher"]
    assert {name: right(one) for name, one in found.items()} == {"base": 0, "student": 6, "teacher": 6}
    assert {chain.chain.model for chain in found["student"].chains.values()} == {"student"}
    assert found["student"].seconds > 0
    # The oracle does not read the prompt: it keeps calling `add`, also where that has another name.
    by_change = {"functions": set(), "distractor": set()}
    for variant, chain in zip(variants, found["student"].variants, strict=True):
        by_change[variant.change].add(chain.verdict.correct)
    assert by_change == {"functions": {False}, "distractor": {True}}
    assert not found["teacher"].variants


def test_what_was_asked_once_is_not_asked_again(folder: Path, serve: Servers):
    base, student = map(serve, apps(PROBLEMS))
    params = endpoint_params(base, student, samples=3)
    first = evaluate_models(PROBLEMS, [], params)
    assert {len(chains) for chains in first["student"].samples.values()} == {3}
    assert len({one.chain.id for chains in first["student"].samples.values() for one in chains}) == 18
    assert not first["teacher"].samples
    serve.stop_all()
    assert evaluate_models(PROBLEMS, [], params) == first
    (paths.STUDENT / "config.json").write_text("trained anew")
    with pytest.raises(ProviderError, match=r"student at http.* cannot be reached: check evaluate\.endpoints\.student"):
        evaluate_models(PROBLEMS, [], params)


def test_a_key_that_is_not_set_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OWN_KEY")
    with pytest.raises(ProviderError, match=r"the key of the base at http://127\.0\.0\.1:9/v1 is missing: set OWN_KEY"):
        evaluate_models(PROBLEMS, [], endpoint_params("http://127.0.0.1:9/v1", "http://127.0.0.1:9/v1"))


def test_an_evaluation_of_which_much_cannot_be_checked_ends_and_says_where_the_reason_is(
    folder: Path, serve: Servers, monkeypatch: pytest.MonkeyPatch
):
    def grade(one: Problem, answer: str) -> str:
        if one.id in "01":
            raise ZeroDivisionError("a defect of a grader's")
        return ARITHMETIC.grade(one, answer)

    monkeypatch.setitem(TASKS, "arithmetic", replace(ARITHMETIC, grade=grade))
    base, student = map(serve, apps(PROBLEMS))
    with pytest.raises(DataError, match=r"2 of 6 chains cannot be checked \(limit 2%\): \S+evaluate.log says what"):
        evaluate_models(PROBLEMS, [], endpoint_params(base, student))
    assert "a defect of a grader's" in paths.surprises("evaluate").read_text()
