"""Through the gate and into MLflow's model registry: idempotent by content, one champion."""

import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import callwright
from callwright import paths
from callwright.errors import GateError
from callwright.params import Params
from callwright.registry.card import model_card
from callwright.registry.gate import Promote, decide
from callwright.storage import folder_hash, read_json
from callwright.tasks.registry import code_paths
from callwright.training import tracking

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION, PREVIOUS = "champion", "previous"
CONTENT_TAG = "callwright.content"
SERVED_WITH = (
    *("jinja2", "lark", "mlflow", "pandas", "pydantic", "safetensors", "sympy", "tokenizers", "torch", "transformers"),
    "z3-solver",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What models/registry.json says."""

    decision: str
    reasons: tuple[str, ...]
    model: str
    version: str | None
    aliases: tuple[str, ...]


def promote(params: Params, metrics: Mapping[str, Any]) -> Outcome:
    """Decide, and register the student as champion when the gate lets it through.

    A student that is registered already (same content) keeps its version. The former champion becomes `previous`.

    Raises:
        ProviderError: the tracking server cannot be used.
        GateError: the registry changed in a way that cannot be gone on with.
    """
    name = params.promote.model_name
    verdict = decide(metrics, params.promote)
    client = tracking.connect()
    run_id = tracking.attach(paths.STUDENT, {}, [])
    reasons = () if isinstance(verdict, Promote) else verdict.reasons
    client.set_tag(run_id, "callwright.gate", "; ".join(reasons) or "promoted")
    if not isinstance(verdict, Promote):
        return Outcome("refused", verdict.reasons, name, None, ())
    content = folder_hash(paths.STUDENT)
    registered = _registered(client, name, content) or _register(client, params, metrics, run_id, content)
    aliases = _crown(client, name, registered)
    return Outcome("promoted", (), name, registered, aliases)


def _registered(client: "MlflowClient", name: str, content: str) -> str | None:
    for one in client.search_model_versions(f"name = '{name}'"):
        if one.tags.get(CONTENT_TAG) == content:
            return str(one.version)
    return None


def _register(client: "MlflowClient", params: Params, metrics: Mapping[str, Any], run_id: str, content: str) -> str:
    import mlflow

    facts = {
        "git commit": git_commit(),
        "pairs": tracking.dvc_hash(paths.PAIRS_TRAIN),
        "chains": tracking.dvc_hash(paths.VALIDATED),
        "problems": tracking.dvc_hash(paths.PROBLEMS),
        "base": tracking.dvc_hash(paths.BASE),
        "content": content,
    }
    card = model_card(params, metrics, read_json(paths.BASE / paths.RECIPE), facts)
    with mlflow.start_run(run_id=run_id), tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "README.md").write_text(card)
        logged = mlflow.pyfunc.log_model(
            name="student",
            python_model=_served(params),
            artifacts={"model": str(paths.STUDENT), "card": f"{folder}/README.md"},
            code_paths=[str(path) for path in (Path(callwright.__file__).parent, *code_paths(params.functions))],
            pip_requirements=[f"{package}=={version(package).partition('+')[0]}" for package in SERVED_WITH],
            signature=_signature(),
            metadata={"protocol": params.rollout.protocol},
            registered_model_name=params.promote.model_name,
        )
    number = str(logged.registered_model_version)
    client.update_model_version(params.promote.model_name, number, description=card)
    for key, value in facts.items():
        client.set_model_version_tag(params.promote.model_name, number, f"callwright.{key.replace(' ', '_')}", value)
    return number


def _served(params: Params) -> Any:
    from callwright.registry.served import ServedStudent

    asked = params.rollout
    return ServedStudent(asked.max_steps, asked.max_tokens, asked.protocol, tuple(params.functions))


def _signature() -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    return ModelSignature(
        inputs=Schema([ColSpec("string", "question"), ColSpec("string", "task")]),
        outputs=Schema([ColSpec("string", "answer"), ColSpec("string", "outcome"), ColSpec("string", "chain")]),
    )


def _crown(client: "MlflowClient", name: str, number: str) -> tuple[str, ...]:
    """Make a version champion; its predecessor stays reachable as `previous`."""
    model = client.get_registered_model(name)
    old = model.aliases.get(CHAMPION)
    if old is not None and str(old) != number:
        client.set_registered_model_alias(name, PREVIOUS, str(old))
    client.set_registered_model_alias(name, CHAMPION, number)
    aliases = client.get_registered_model(name).aliases
    if str(aliases.get(CHAMPION)) != number:
        raise GateError(f"another promotion of {name} won: version {aliases.get(CHAMPION)} is champion now")
    return tuple(sorted(alias for alias, holder in aliases.items() if str(holder) == number))


def git_commit() -> str:
    """The commit of the working tree, with a mark when it has changes; empty outside a repository."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() if found.returncode == 0 else ""
