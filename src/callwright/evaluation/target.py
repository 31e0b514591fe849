"""A local model to evaluate: loaded in this process, or served at an endpoint."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from callwright.chat.backend import Backend, ChatOptions
from callwright.chat.local.backend import CHAINS_PER_ROW, local_model_identity
from callwright.chat.model import ChatModel
from callwright.chat.open_chat import find_backend
from callwright.params import EndpointParams, EvaluateParams, RolloutParams
from callwright.rollouts.journal import JournalEntry
from callwright.rollouts.plan import Attempt
from callwright.rollouts.run import open_for
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
    endpoint: EndpointParams | None = None


def evaluation_target(name: str, folder: Path, evaluate: EvaluateParams) -> EvaluationTarget:
    """The model in a folder; it is served elsewhere if `evaluate.engine` and `evaluate.endpoints` say so.

    Raises:
        ParamsError: no backend knows the endpoint's `base_url`.
    """
    endpoint = evaluate.endpoint(name)
    if endpoint is None:
        return EvaluationTarget(name, folder, local_model_identity(folder))
    target = EvaluationTarget(name, folder, "", endpoint)
    served, *_ = _backend(target, evaluate).identities()
    address = served.pop("base_url", endpoint.base_url)
    settings = "".join(f" with {served[key]}" for key in sorted(served))
    identity = f"{folder_hash(folder)} as {endpoint.model} at {address}{settings}"
    return EvaluationTarget(name, folder, identity, endpoint)


def max_concurrency(target: EvaluationTarget, evaluate: EvaluateParams, rollout: RolloutParams) -> int:
    """How many problems may be in flight. A local model needs enough to keep all of its rows busy."""
    return evaluate.batch_size * CHAINS_PER_ROW if target.endpoint is None else rollout.concurrency


@asynccontextmanager
async def open_target(
    target: EvaluationTarget, evaluate: EvaluateParams, plan: Sequence[Attempt], journal: Journal[JournalEntry]
) -> AsyncIterator[ChatModel]:
    """Open the model; a served model is probed first.

    Raises:
        ProviderError: the folder holds no usable model, or its endpoint cannot be used.
    """
    async with open_for(_backend(target, evaluate), plan, journal) as model:
        yield model


def _backend(target: EvaluationTarget, evaluate: EvaluateParams) -> Backend:
    section = f"evaluate.endpoints.{target.name}" if target.endpoint is not None else ""
    options = ChatOptions(target.name, section, max_batch=evaluate.batch_size)
    return find_backend(target.endpoint or target.folder, options=options)
