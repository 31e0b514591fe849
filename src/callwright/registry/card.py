"""The model card: what a promoted model is, how good it is, where it comes from, how to use it."""

from collections.abc import Iterator, Mapping, Sequence

from callwright.params import Params
from callwright.params.address import EMBEDDED, ORACLE
from callwright.reporting.charts import in_display_order
from callwright.reporting.tables import format_with_interval
from callwright.reports.metrics import Metrics
from callwright.reports.problems import ProblemsReport
from callwright.reports.train import TrainReport
from callwright.tasks import Tasks
from callwright.text import one_line

_MAX_FAULTS = 6  # faults that the card names
_MAX_NAME_CHARS = 200  # of an untrusted name
_TITLES = {"champion": "champion before"}


def model_card(
    params: Params,
    tasks: Tasks,
    metrics: Metrics,
    problems: ProblemsReport,
    training: TrainReport,
    lineage: Mapping[str, str],
) -> str:
    """The card as Markdown, which the model registry renders.

    Args:
        metrics: what was not measured is omitted.
        lineage: names and hashes (see `callwright.registry.lineage`).
    """
    stand_in = " (a stand-in for a large model)" if params.teacher.base_url == ORACLE else ""
    functions = ", ".join(f"{name} ({', '.join(task.toolbox.functions)})" for name, task in tasks.items())
    sections = [
        f"# {params.promote.model_name}",
        "A small language model that solves problems by calling functions, trained by Callwright with Direct "
        f"Preference Optimization from {_code_span(lineage.get('base model', 'an unknown base'))}. It is asked "
        f"through an agent that executes its calls (protocol `{params.rollout.protocol}`).",
        "## Accuracy on held-out problems",
        "An answer counts when it is right and rests on the problem, and every call replays. In brackets the interval "
        f"of {params.evaluate.confidence:.0%} confidence, resampled by group of problems.",
        _note_on_families(lineage),
        "\n".join(_accuracy(metrics)),
        "\n".join(_gains(metrics)),
        "\n".join(_calls_and_faults(metrics)),
        "\n".join(_robustness(metrics)),
        "## Training",
        f"{training.pairs:,} preference pairs in {training.steps:,} steps "
        f"({params.train.method}, beta {params.train.beta:g}, loss {' + '.join(params.train.loss_type)}, learning rate "
        f"{params.train.learning_rate:g}, {params.train.epochs} epochs; {params.train.sft.epochs} epochs of warm-up on "
        f"right chains). Teacher: {_code_span(params.teacher.model)}{stand_in}. Problems: {_sources(params)} "
        f"({_split_counts(problems)}).",
        "## Lineage and licences",
        "\n".join(f"- {name}: {_code_span(value)}" for name, value in lineage.items()),
        "## Limits",
        f"Trained and measured on these tasks and their functions alone: {functions}. It can be wrong while sounding "
        "sure: `grounded` says only that a call returned the answer. Whoever serves it adds authentication and rate "
        "limits.",
        "## Use",
        _usage_example(params.promote.model_name),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _code_span(text: str) -> str:
    """An untrusted text as a code span, in which neither Markdown nor HTML is interpreted."""
    return f"`{one_line(text, _MAX_NAME_CHARS).replace('`', chr(39))}`"


def _sources(params: Params) -> str:
    """The source of the problems; of a mix all, each with its share of the train problems."""
    if params.problems.mix is None:
        return params.problems.source
    return ", ".join(f"{100 * share:g} % {name}" for name, share in params.problems.mix.items())


def _note_on_families(lineage: Mapping[str, str]) -> str:
    if lineage.get("base model") != EMBEDDED:
        return ""
    return (
        "The base is a stand-in for a small pretrained model. It read problems of every family while it was built, "
        "also of those that training held out, though none of these questions."
    )


def _split_counts(problems: ProblemsReport) -> str:
    return ", ".join(f"{name} {split.problems:,}" for name, split in problems.splits.items()) or "counts unknown"


def _accuracy(metrics: Metrics) -> Iterator[str]:
    accuracy = metrics.accuracy
    measured = in_display_order(accuracy)
    yield f"| problems | n | {' | '.join(_TITLES.get(model, model) for model in measured)} |"
    yield f"|---|---|{'---|' * len(measured)}"
    for name, of_student in accuracy.student.items():
        if "/" not in name:
            intervals = [accuracy[model].get(name) for model in measured]
            cells = [format_with_interval(interval) if interval else "-" for interval in intervals]
            yield f"| {name} | {of_student.n} | {' | '.join(cells)} |"


def _gains(metrics: Metrics) -> Iterator[str]:
    for gain, compared_with in ((metrics.gain, "base"), (metrics.gain_over_champion, "champion before")):
        if gain:
            overall = gain.overall
            yield (
                f"- gain over the {compared_with}: {overall.value:+.1%} ({overall.low:+.1%} to {overall.high:+.1%}), "
                f"McNemar p = {overall.p_mcnemar:.2g}, Wilcoxon p = {overall.p_wilcoxon:.2g}"
            )


def _calls_and_faults(metrics: Metrics) -> Iterator[str]:
    for shares, label in ((metrics.valid_calls, "valid calls"), (metrics.grounded, "grounded answers")):
        student, base = shares.get("student"), shares.get("base")
        if student is not None:
            yield f"- {label}: {student:.1%}" + (f" (base {base:.1%})" if base is not None else "")
    before, after = metrics.faults.get("base", {}), metrics.faults.get("student", {})
    names = sorted({*before, *after}, key=lambda name: (-max(before.get(name, 0), after.get(name, 0)), name))
    if names:
        counts = (f"{name} {before.get(name, 0)} to {after.get(name, 0)}" for name in names[:_MAX_FAULTS])
        yield f"- chains with a fault, base to student: {', '.join(counts)}"


def _robustness(metrics: Metrics) -> Sequence[str]:
    lines = []
    if changes := metrics.robustness.get("student"):
        gaps = ", ".join(f"{name} {result.gap.value:+.1%}" for name, result in changes.items())
        lines.append(f"- accuracy lost on changed problems: {gaps}")
    if unseen := metrics.unseen.get("student"):
        lines.append(f"- accuracy on problems that need an unseen function: {unseen.overall.value:.1%}")
    return lines


def _usage_example(name: str) -> str:
    return f"""\
```python
import mlflow, pandas as pd
model = mlflow.pyfunc.load_model("models:/{name}@champion")
model.predict(pd.DataFrame({{"question": ["What is 12 plus 30?"], "task": ["arithmetic"]}}))
```

```sh
mlflow models serve -m models:/{name}@champion --env-manager virtualenv
mlflow artifacts download --artifact-uri models:/{name}@champion --dst-path champion
vllm serve champion/artifacts/student   # or AutoModelForCausalLM.from_pretrained: weights, tokenizer, template
```"""
