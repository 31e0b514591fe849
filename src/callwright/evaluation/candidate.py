"""A model of ours that is evaluated: in this process, or where it is served."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from callwright.chat.model import ChatModel
from callwright.chat.openai.endpoint import EndpointChat
from callwright.params import Params, TeacherParams
from callwright.rollouts.journal import JournalEntry
from callwright.rollouts.plan import Attempt, local_model_identity, normalize_url
from callwright.rollouts.probe import probe_endpoints
from callwright.storage.files import folder_hash
from callwright.storage.journal import Journal


@dataclass(frozen=True, slots=True)
class EvaluationTarget:
    """What is asked under a name.

    Attributes:
        identity: what its answers depend on: the hash of its folder, and where and how it runs.
        endpoint: None: it runs in this process.
    """

    name: str
    folder: Path
    identity: str
    endpoint: TeacherParams | None = None


def candidate(name: str, folder: Path, params: Params) -> EvaluationTarget:
    """A model in a folder, served elsewhere where `evaluate.engine` and `evaluate.endpoints` say so."""
    served = params.evaluate.endpoint(name)
    if served is None:
        return EvaluationTarget(name, folder, local_model_identity(folder))
    endpoint = params.teacher.model_copy(update={**served.model_dump(), "base_urls": []})
    request = f" with {json.dumps(served.request, sort_keys=True)}" if served.request else ""
    weights = f"{folder_hash(folder)} as {served.model} at {normalize_url(served.base_url)}{request}"
    return EvaluationTarget(name, folder, weights, endpoint)


def concurrency(model: EvaluationTarget, params: Params) -> int:
    """Problems in flight: enough to fill batches with rows of similar length."""
    return params.evaluate.batch_size * 4 if model.endpoint is None else params.rollout.concurrency


@asynccontextmanager
async def open_target(
    target: EvaluationTarget, params: Params, plan: Sequence[Attempt], journal: Journal[JournalEntry]
) -> AsyncIterator[ChatModel]:
    """The model, ready to be asked; one that is served is asked for a reply.

    Raises:
        ProviderError: the folder holds no usable model, or its endpoint cannot be used.
    """
    if target.endpoint is None:
        from callwright.chat.local.chat import LocalChat

        yield LocalChat(target.folder, target.name, max_batch=params.evaluate.batch_size)
        return
    model = EndpointChat(target.endpoint, section=f"evaluate.endpoints.{target.name}")
    model.name = target.name
    try:
        await probe_endpoints(model, plan, journal)
        yield model
    finally:
        await model.close()
