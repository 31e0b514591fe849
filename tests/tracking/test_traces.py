"""Log evaluated chains as traces to MLflow's store."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import mlflow
import pytest

from callwright.evaluation.model_evaluation import ModelEvaluation
from callwright.records import Call, CheckedChain, StepFault, Usage, Verdict
from callwright.rollouts.journal import JournalEntry
from callwright.storage.files import write_json
from callwright.tasks import TASKS
from callwright.tracking import runs
from callwright.tracking.evaluation import TABLE_ARTIFACT, evaluation_table, log_evaluation
from callwright.tracking.traces import log_traces, sample_problems
from tests.fakes import chain, checked, problem
from tests.reporting.report_fixtures import metrics

PROBLEM = problem(id="p1")
CHAIN = chain("add(2, 3)", "multiply(2)", "answer(6)", problem_id="p1", model="student", id="p1/student/0")
WRONG = CheckedChain(CHAIN, Verdict(CHAIN.id, False, (StepFault("wrong_answer", 2, "answered 6, the answer is 5"),), 2))
ATTEMPT = JournalEntry("k", CHAIN, (0.5, 0.25, 0.25), (Usage(10, 2), Usage(20, 3), Usage(30, 4)))
STUDENT = ModelEvaluation({"p1": WRONG}, 1.0, attempts={"p1": ATTEMPT})


@pytest.fixture(autouse=True)
def mlflow_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def log_and_read_traces(
    evaluated: dict[str, ModelEvaluation], problems: tuple = (PROBLEM,), limit: int = 20
) -> list[mlflow.entities.Trace]:
    with runs.pipeline_run("key") as run_id:
        log_traces(run_id, evaluated, problems, TASKS, limit)
    experiment = mlflow.get_run(run_id).info.experiment_id
    return mlflow.MlflowClient().search_traces(locations=[experiment], run_id=run_id)


@pytest.mark.slow
def test_a_trace_has_requests_replies_calls_and_results():
    (trace,) = log_and_read_traces({"student": STUDENT})
    assert {name: trace.info.tags[name] for name in ("model", "problem", "task", "chain")} == {
        "model": "student", "problem": "p1", "task": "arithmetic", "chain": "p1/student/0"}  # fmt: skip
    assert trace.info.token_usage["total_tokens"] == 12 + 23 + 34
    assert trace.info.execution_duration == 1000  # half a second and two quarters
    agent, *spans = trace.data.spans
    assert (agent.span_type, agent.inputs, agent.outputs) == ("AGENT", PROBLEM.question, "6")
    assert [(span.span_type, span.name) for span in spans] == [
        ("CHAT_MODEL", "chat"), ("TOOL", "add"), ("CHAT_MODEL", "chat"), ("TOOL", "multiply"),
        ("CHAT_MODEL", "chat"), ("TOOL", "answer")]  # fmt: skip
    assert [message["role"] for message in spans[2].inputs["messages"]] == ["system", "user", "assistant", "user"]
    assert spans[2].outputs["choices"][0]["message"]["content"] == "multiply(a=2)"
    assert (spans[1].inputs, spans[1].outputs, str(spans[1].status.status_code)) == (
        {"a": 2, "b": 3}, "5", "SpanStatusCode.OK")  # fmt: skip
    assert str(spans[3].status.status_code) == "SpanStatusCode.ERROR"
    assert spans[3].status.description == CHAIN.steps[1].error.message


@pytest.mark.slow
def test_the_verdict_is_feedback_and_a_fault_is_at_its_step():
    (trace,) = log_and_read_traces({"student": STUDENT})
    assessments = {assessment.name: assessment for assessment in trace.info.assessments}
    assert assessments["correct"].feedback.value is False
    assert assessments["answer"].expectation.value == "5"
    assert (assessments["fault"].feedback.value, assessments["fault"].rationale) == (
        "wrong_answer",
        "answered 6, the answer is 5",
    )
    assert assessments["fault"].span_id == trace.data.spans[-1].span_id


@pytest.mark.slow
def test_another_evaluation_replaces_the_traces():
    right = checked("answer(5)", correct=True, problem_id="p1", model="student", id="p1/student/0")
    assert len(log_and_read_traces({"student": STUDENT, "base": STUDENT})) == 2
    (trace,) = log_and_read_traces({"student": ModelEvaluation({"p1": right}, 1.0)})
    assert [assessment.value for assessment in trace.info.assessments if assessment.name == "correct"] == [True]


@pytest.mark.slow
def test_text_that_no_database_accepts_is_escaped():
    hostile_chain = chain("\ud800 \x00 no call", problem_id="p1", id="p1/student/0")
    odd = CheckedChain(
        hostile_chain, Verdict(hostile_chain.id, False, (StepFault("syntax", 0, "read \ud800 \x00"),), 0)
    )
    (trace,) = log_and_read_traces({"student": ModelEvaluation({"p1": odd}, 1.0)})
    assert [span.name for span in trace.data.spans] == ["student", "chat", "no call"]
    assert str(trace.data.spans[0].status.status_code) == "SpanStatusCode.ERROR"
    assert [assessment.name for assessment in trace.info.assessments if assessment.name == "fault"] == ["fault"]


@pytest.mark.slow
def test_names_that_no_tag_accepts_are_escaped_and_cut():
    odd = "\ud800 \x00\n' \" ` <b>" + "x" * 20_000
    odd_chain = chain("add(2, 3)", problem_id=odd, id=odd, model=odd)
    called = replace(odd_chain.steps[0], call=Call(odd, {odd: odd}))
    record = CheckedChain(replace(odd_chain, steps=(called,)), Verdict(odd, False, (), None))
    (trace,) = log_and_read_traces(
        {"student": ModelEvaluation({odd: record}, 1.0)}, [problem(id=odd, question=odd, answer=odd)]
    )
    tag = trace.info.tags["problem"]
    assert tag == trace.info.tags["chain"]
    assert tag.startswith(r"\ud800 \x00\n' ")
    assert tag.isprintable()
    assert len(tag) <= 1_000
    assert len(trace.data.spans[-1].name) <= 1_000


@pytest.mark.slow
def test_a_server_that_rejects_traces_causes_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    with runs.pipeline_run("key") as run_id, caplog.at_level(logging.WARNING, "callwright"):
        log_traces("0" * 32, {"student": STUDENT}, [PROBLEM], TASKS, 20)
        assert "rejected the traces of the evaluation " in caplog.text
        assert mlflow.get_run(run_id).info.status == "RUNNING"


@pytest.mark.slow
def test_the_table_and_the_plots_are_logged_once(tmp_path: Path):
    write_json(Path("student") / runs.TRAINING_FILE, {"key": "key"})
    evaluated = {model: ModelEvaluation({"p1": WRONG}, 1.0) for model in ("base", "student")}
    for _ in range(2):
        log_evaluation(Path("student"), evaluated, [PROBLEM], TASKS, metrics(("arithmetic",)), 0)
    (run,) = mlflow.search_runs(search_all_experiments=True, output_format="list")
    run_id = run.info.run_id
    assert {artifact.path for artifact in mlflow.MlflowClient().list_artifacts(run_id, "reports")} == {
        TABLE_ARTIFACT, "reports/accuracy.svg", "reports/faults.svg"}  # fmt: skip
    table = mlflow.MlflowClient().load_table(run.info.experiment_id, TABLE_ARTIFACT, run_ids=[run_id])
    assert len(table) == 1
    assert (str(table["student answer"][0]), table["student fault"][0]) == ("6", "wrong_answer")
    assert not table["student correct"][0]


def test_a_table_contains_only_valid_unicode():
    odd_problem = problem(id="p1", question="half \ud800", answer="\ud801")
    assert evaluation_table({}, [replace(odd_problem, id="\ud803")])["problem"] == ["\\ud803"]
    odd = CheckedChain(replace(CHAIN, answer="\ud802"), WRONG.verdict)
    table = evaluation_table({"base": STUDENT, "student": replace(STUDENT, chains={"p1": odd})}, [odd_problem])
    assert (table["question"], table["answer"], table["student answer"]) == (["half \\ud800"], ["\\ud801"], ["\\ud802"])
    json.dumps(table, ensure_ascii=False).encode()


def test_the_sample_alternates_tasks_and_does_not_depend_on_the_order():
    problems = [problem(id=f"{task}{index}", task=task) for task in ("a", "b") for index in range(9)]
    sampled = sample_problems(problems, 5)
    assert [chosen.task for chosen in sampled] == ["a", "b", "a", "b", "a"]
    assert sample_problems(problems[::-1], 5) == sampled
    assert len(sample_problems(problems, 99)) == 18
    assert sample_problems([], 5) == []
