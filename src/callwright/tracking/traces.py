"""Log evaluated chains as MLflow traces, so that MLflow's pages show requests, replies, calls and results.

A trace is one chain: an agent span; in it, per step, a chat span with the request's messages and the reply, and a tool
span with the call and its result. The assessments are the verdict and the faults.

Times: a chat span lasts as long as its request did, including retries. A call's duration is not recorded, so its span
has length 0. Traces have the time at which they were logged.
"""

import hashlib
import logging
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain as flattened
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from callwright.agent.protocol import PROTOCOLS
from callwright.evaluation.model_evaluation import ModelEvaluation
from callwright.progress import track
from callwright.records import CheckedChain, Problem, Step, Usage
from callwright.rollouts.journal import JournalEntry
from callwright.tasks import Tasks
from callwright.tasks.task import Task
from callwright.tasks.view import PLAIN
from callwright.text import escape_controls, one_line
from callwright.tracking.runs import redacted_tracking_uri

if TYPE_CHECKING:
    from mlflow.entities import LiveSpan

log = logging.getLogger("callwright")

TRACES_PER_REQUEST = 500  # traces that one search returns
MAX_TAG_CHARS = 1_000  # of a tag's value, and of a span's name


def log_traces(
    run_id: str,
    evaluated: Mapping[str, ModelEvaluation],
    problems: Sequence[Problem],
    tasks: Tasks,
    limit: int,
) -> None:
    """Log a sample of every model's chains in the active run, the same problems for all models.

    Earlier traces of the run are deleted. If the server rejects traces, a warning is logged; nothing depends on them.

    Args:
        run_id: the active run.
        evaluated: results by model.
        limit: maximum number of traces per model.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    sampled = sample_problems(problems, limit)
    try:
        _delete_earlier_traces(run_id)
        logged = [
            (_log_chain(model, results, problem, tasks[problem.task]), problem, results)
            for model, results in evaluated.items()
            for problem in track(sampled, f"traces of {model}", len(sampled), "traces")
        ]
        mlflow.flush_trace_async_logging()
        for spans, problem, results in track(logged, "assessments", len(logged), "traces"):
            _log_assessments(spans, problem, results.chains[problem.id])
    except MlflowException as error:
        log.warning(
            "MLflow at %s rejected the traces of the evaluation (%s): the chains are still in data/evaluation; "
            "`callwright show CHAIN_ID` prints one",
            redacted_tracking_uri(),
            error.error_code,
        )


def sample_problems(problems: Sequence[Problem], limit: int) -> list[Problem]:
    """Up to `limit` problems, alternating between the tasks; a hash of their ids decides which of a task come first."""
    by_task: dict[str, list[Problem]] = defaultdict(list)
    for problem in sorted(problems, key=_sampling_key):
        by_task[problem.task].append(problem)
    interleaved = flattened.from_iterable(zip_longest(*(by_task[task] for task in sorted(by_task))))
    return [problem for problem in interleaved if problem is not None][:limit]


def _sampling_key(problem: Problem) -> tuple[bytes, str]:
    return hashlib.sha256(problem.id.encode("utf-8", "surrogatepass")).digest(), problem.id


def _delete_earlier_traces(run_id: str) -> None:
    """Delete the traces that an earlier evaluation of the same student logged."""
    import mlflow

    client = mlflow.MlflowClient()
    experiment = client.get_run(run_id).info.experiment_id
    while earlier := client.search_traces(
        locations=[experiment], run_id=run_id, include_spans=False, max_results=TRACES_PER_REQUEST, flush=True
    ):
        client.delete_traces(experiment, trace_ids=[trace.info.trace_id for trace in earlier])


def _log_chain(model: str, results: ModelEvaluation, problem: Problem, task: Task) -> "list[LiveSpan]":
    """Log a chain; returns the agent span, then the tool span of each step, which takes the step's faults."""
    import mlflow
    from mlflow.entities import SpanStatus, SpanStatusCode, SpanType
    from mlflow.tracing.constant import SpanAttributeKey

    checked = results.chains[problem.id]
    chain = checked.chain
    request_seconds, usage = _request_seconds_and_usage(checked, results.attempts.get(problem.id))
    start_ns = time.time_ns() - round(sum(request_seconds) * 1e9)
    root = mlflow.start_span_no_context(
        model,
        span_type=SpanType.AGENT,
        inputs=_escape_json(problem.question),
        attributes={"outcome": chain.outcome},
        tags={
            name: one_line(text, MAX_TAG_CHARS)
            for name, text in (("model", model), ("problem", problem.id), ("task", problem.task), ("chain", chain.id))
        },
        start_time_ns=start_ns,
    )
    if not usage:
        root.set_attribute(SpanAttributeKey.CHAT_USAGE, _token_usage(chain.usage))
    spans = [root]
    for index, (step, seconds) in enumerate(zip(chain.steps, request_seconds, strict=True)):
        start_ns = _log_request(root, checked, problem, task, index, start_ns, seconds, usage[index] if usage else None)
        spans.append(_log_call(root, step, start_ns))
    answered = chain.outcome == "answered"
    status = SpanStatus(SpanStatusCode.OK) if answered else SpanStatus(SpanStatusCode.ERROR, chain.outcome)
    root.end(outputs=_escape_json(chain.answer), status=status, end_time_ns=start_ns)
    return spans


def _request_seconds_and_usage(
    checked: CheckedChain, attempt: JournalEntry | None
) -> tuple[Sequence[float], Sequence[Usage]]:
    """Seconds and tokens of the request behind each step; zeros and empty if one reply held several steps."""
    steps = len(checked.chain.steps)
    seconds = attempt.request_s if attempt else ()
    usage = attempt.request_usage if attempt else ()
    return seconds if len(seconds) == steps else [0.0] * steps, usage if len(usage) == steps else ()


def _log_request(
    root: "LiveSpan",
    checked: CheckedChain,
    problem: Problem,
    task: Task,
    index: int,
    start_ns: int,
    seconds: float,
    usage: Usage | None,
) -> int:
    """Log the request and the reply of step `index`; returns the end time in ns."""
    import mlflow
    from mlflow.entities import SpanType
    from mlflow.tracing import set_span_chat_tools
    from mlflow.tracing.constant import SpanAttributeKey

    chain = checked.chain
    protocol = PROTOCOLS[chain.protocol]
    messages, tools = protocol.render(task, problem.question, chain.steps[:index])
    span = mlflow.start_span_no_context(
        "chat",
        span_type=SpanType.CHAT_MODEL,
        parent_span=root,
        inputs=_escape_json({"model": chain.model, "messages": messages, **({"tools": tools} if tools else {})}),
        attributes={SpanAttributeKey.MESSAGE_FORMAT: "openai"},
        start_time_ns=start_ns,
    )
    if tools:
        set_span_chat_tools(span, tools)
    if usage is not None:
        span.set_attribute(SpanAttributeKey.CHAT_USAGE, _token_usage(usage))
    step = PLAIN.show_step(chain.steps[index], task.toolbox)  # evaluated chains were made in the plain view
    reply = {"index": 0, "message": protocol.reply_message(step, index)}
    end_ns = start_ns + round(seconds * 1e9)
    span.end(outputs=_escape_json({"choices": [reply]}), end_time_ns=end_ns)
    return end_ns


def _log_call(root: "LiveSpan", step: Step, time_ns: int) -> "LiveSpan":
    """Log the call, or that no call could be parsed, with the result or the error."""
    import mlflow
    from mlflow.entities import SpanStatus, SpanStatusCode, SpanType

    span = mlflow.start_span_no_context(
        one_line(step.call.name, MAX_TAG_CHARS) if step.call else "no call",
        span_type=SpanType.TOOL if step.call else SpanType.PARSER,
        parent_span=root,
        inputs=_escape_json(step.call.arguments if step.call else step.thought),
        start_time_ns=time_ns,
    )
    if step.error:
        message = escape_controls(step.error.message)
        status = SpanStatus(SpanStatusCode.ERROR, message)
        span.end(outputs={"error": step.error.fault, "message": message}, status=status, end_time_ns=time_ns)
    else:
        span.end(outputs=_escape_json(step.observation), end_time_ns=time_ns)
    return span


def _log_assessments(spans: "Sequence[LiveSpan]", problem: Problem, checked: CheckedChain) -> None:
    """Log the right answer, the verdict, and each fault at its step."""
    import mlflow
    from mlflow.entities import AssessmentSource

    root, *steps = spans
    source = AssessmentSource("CODE", "callwright")
    mlflow.log_expectation(trace_id=root.trace_id, name="answer", value=escape_controls(problem.answer), source=source)
    mlflow.log_feedback(trace_id=root.trace_id, name="correct", value=checked.verdict.correct, source=source)
    for fault in checked.verdict.faults:
        mlflow.log_feedback(
            trace_id=root.trace_id,
            name="fault",
            value=fault.fault,
            rationale=escape_controls(fault.message),
            source=source,
            span_id=steps[fault.step].span_id if fault.step < len(steps) else None,
        )


def _escape_json(value: Any) -> Any:
    """A JSON value that any database accepts: lone surrogates and control characters in texts are escaped."""
    if isinstance(value, str):
        return escape_controls(value)
    if isinstance(value, Mapping):
        return {escape_controls(name): _escape_json(item) for name, item in value.items()}
    return [_escape_json(item) for item in value] if isinstance(value, list | tuple) else value


def _token_usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt_tokens,
        "output_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
    }
