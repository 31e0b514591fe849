"""The model card: what a promoted model is, how good it is, what it came from, how to use it."""

from collections.abc import Mapping
from typing import Any

from callwright.params import Params
from callwright.tasks import TASKS


def model_card(params: Params, metrics: Mapping[str, Any], base: Mapping[str, Any], facts: Mapping[str, str]) -> str:
    """Markdown, as the model registry renders it.

    Args:
        base: models/base/recipe.json.
        facts: lineage: names and hashes.
    """
    lines = [
        f"# {params.promote.model_name}",
        "",
        f"A small language model that solves problems by calling functions, trained by Callwright with DPO from "
        f"`{base.get('source')}`.",
        "",
        "| model | accuracy on held-out problems | 95 % interval | problems |",
        "|---|---|---|---|",
    ]
    for model, slices in metrics["accuracy"].items():
        one = slices["overall"]
        lines.append(f"| {model} | {one['value']:.1%} | {one['low']:.1%} to {one['high']:.1%} | {one['n']} |")
    gain = metrics["gain"]["overall"]
    lines += [
        "",
        f"Gain over the base: {gain['value']:+.1%} ({gain['low']:+.1%} to {gain['high']:+.1%}), "
        f"McNemar p = {gain['p_mcnemar']:.2g}, Wilcoxon p = {gain['p_wilcoxon']:.2g}.",
        "",
        "## Data and lineage",
        "",
        f"Problems: {params.problems.source}. Teacher: {params.teacher.model} at {params.teacher.base_url}"
        f"{' (a stand-in for a large model)' if params.teacher.base_url == 'oracle' else ''}.",
        "",
        *[f"- {name}: `{value}`" for name, value in facts.items() if value],
        "",
        "## Functions",
        "",
        *[f"- {name}: {', '.join(task.toolbox.functions)}" for name, task in TASKS.items()],
        "",
        "## Limits",
        "",
        "It was trained and measured on these functions and this kind of problem only. An answer that no call "
        "returned was guessed: check `chain` before relying on it.",
        "",
        "## Use",
        "",
        "```python",
        "import mlflow, pandas as pd",
        f'model = mlflow.pyfunc.load_model("models:/{params.promote.model_name}@champion")',
        'model.predict(pd.DataFrame({"question": ["What is 12 plus 30?"], "task": ["arithmetic"]}))',
        "```",
    ]
    return "\n".join(lines) + "\n"
