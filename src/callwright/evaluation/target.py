"""A local model to evaluate: loaded in this process, or served at an endpoint."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from callwright.chat.model import ChatModel
from callwright.chat.openai.endpoint import EndpointChat
from callwright.params import EvaluateParams, RolloutParams, TeacherParams
from callwright.rollouts.journal import JournalEntry
from callwright.rollouts.plan import Attempt, local_model_identity, normalize_url
from callwright.rollouts.probe import probe_endpoints
from callwright.storage.files import folder_hash
from callwright.storage.journal import Journal


@dataclass(frozen=True, slots=True)
class EvaluationTarget:
    """The model behind a name in the report.

    Attributes:
        identity: what its answers depend on: the hash of its folder, and where and how the model runs.
        endpoint: where the model is served; None: it runs in this process.
    """

    name: str
    folder: Path
    identity: str
    endpoint: TeacherParams | None = None


def evaluation_target(name: str, folder: Path, evaluate: EvaluateParams, teacher: TeacherParams) -> EvaluationTarget:
    """The model in a folder; it is served elsewhere if `evaluate.engine` and `evaluate.endpoints` say so."""
    endpoint_params = evaluate.endpoint(name)
    if endpoint_params is None:
        return EvaluationTarget(name, folder, local_model_identity(folder))
    endpoint = teacher.model_copy(update={**endpoint_params.model_dump(), "base_urls": []})
    request = f" with {json.dumps(endpoint_params.request, sort_keys=True)}" if endpoint_params.request else ""
    url = normalize_url(endpoint_params.base_url)
    identity = f"{folder_hash(folder)} as {endpoint_params.model} at {url}{request}"
    return EvaluationTarget(name, folder, identity, endpoint)


def max_concurrency(target: EvaluationTarget, evaluate: EvaluateParams, rollout: RolloutParams) -> int:
    """How many problems may be in flight. A local model needs enough to fill batches with similar lengths."""
    return evaluate.batch_size * 4 if target.endpoint is None else rollout.concurrency


@asynccontextmanager
async def open_target(
    target: EvaluationTarget, evaluate: EvaluateParams, plan: Sequence[Attempt], journal: Journal[JournalEntry]
) -> AsyncIterator[ChatModel]:
    """Open the model; a served model is probed first.

    Raises:
        ProviderError: the folder holds no usable model, or its endpoint cannot be used.
    """
    if target.endpoint is None:
        from callwright.chat.local.chat import LocalChat

        yield LocalChat(target.folder, target.name, max_batch=evaluate.batch_size)
        return
    model = EndpointChat(target.endpoint, section=f"evaluate.endpoints.{target.name}")
    model.name = target.name
    try:
        await probe_endpoints(model, plan, journal)
        yield model
    finally:
        await model.close()
