"""Ask a model one question."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from callwright import paths
from callwright.chat.backend import AgentSettings, Backend, ChatOptions
from callwright.chat.model import ChatModel, Sampling
from callwright.chat.open_chat import find_backend
from callwright.errors import ProviderError
from callwright.params import PARAMS_FILE, EndpointParams, Params
from callwright.records import SPLITS, Chain, Problem, Protocol, Step
from callwright.storage.jsonl import read

if TYPE_CHECKING:
    from callwright.tasks.task import Task

log = logging.getLogger("callwright")

DEFAULT_STUDENT_NAME = "callwright-student"  # the registered model's name if there is no params.yaml


def ask(
    question: str,
    task: "Task",
    on_step: Callable[[Step], None],
    *,
    model: str | None = None,
    name: str | None = None,
    api_key_env: str | None = None,
    protocol: Protocol | None = None,
) -> Chain:
    """Let a model solve a problem greedily.

    Args:
        on_step: called after each step.
        model, name, api_key_env: see `open_asked`.
        protocol: None: the model's own, or that of params.yaml.

    Raises:
        ParamsError: there is no such model.
        ProviderError: the model cannot be used.
    """
    from callwright.agent.loop import solve
    from callwright.agent.protocol import PROTOCOLS

    problem = Problem("question", task.name, question, "", (), "asked", "asked", "test")

    async def run() -> Chain:
        async with open_asked(model, name, api_key_env) as (chat, settings):
            used = PROTOCOLS[protocol or settings.protocol]
            return await solve(problem, task, chat, settings.sampling, used, on_step=on_step)

    return asyncio.run(run())


@asynccontextmanager
async def open_asked(
    model: str | None, name: str | None = None, api_key_env: str | None = None
) -> AsyncIterator[tuple[ChatModel, AgentSettings]]:
    """Open the model that a user names.

    Args:
        model: what `open_chat` takes; None: the champion, or else the student in models/student.
        name: the server's name for the model.
        api_key_env: the environment variable with the server's key.

    Raises:
        ParamsError: there is no such model.
        ProviderError: the model cannot be used.
    """
    params = Params.load() if PARAMS_FILE.is_file() else None
    async with AsyncExitStack() as stack:
        if model is None:
            backend, chat = await _open_champion_or_student(stack, params)
        else:
            backend = _asked_backend(model, name, api_key_env, params)
            chat = await stack.enter_async_context(backend.open())
        yield chat, backend.agent_settings(_settings(params))


async def _open_champion_or_student(stack: AsyncExitStack, params: Params | None) -> tuple[Backend, ChatModel]:
    champion = find_backend(f"models:/{params.promote.model_name if params else DEFAULT_STUDENT_NAME}@champion")
    try:
        return champion, await stack.enter_async_context(champion.open())
    except ProviderError as error:
        if not (paths.STUDENT / "config.json").is_file():
            raise ProviderError(f"{error}; and there is no {paths.STUDENT}: name a model with --model") from None
        log.warning("callwright: %s; asking %s", error, paths.STUDENT)
        student = find_backend(paths.STUDENT)
        return student, await stack.enter_async_context(student.open())


def _settings(params: Params | None) -> AgentSettings:
    """The protocol and the limits of params.yaml, if it exists."""
    if params is None:
        return AgentSettings()
    rollout = params.rollout
    return AgentSettings(rollout.protocol, Sampling(max_tokens=rollout.max_tokens, max_steps=rollout.max_steps))


def _asked_backend(model: str, name: str | None, api_key_env: str | None, params: Params | None) -> Backend:
    """The backend of a model. What params.yaml says about its endpoint applies, such as the fields of the request."""
    known = _known_endpoints(params, model) if params is not None else {}
    section, endpoint = next(iter(known.items()), ("", None))
    options = ChatOptions(section=section, wait_for_server=False)
    find = partial(find_backend, endpoint or model, name, api_key_env=api_key_env)
    backend = find(options=options)
    if not backend.reads_solutions:
        return backend
    problems = [problem for split in SPLITS for problem in read(Problem, paths.problems(split))]
    return find(options=replace(options, problems=problems))


def _known_endpoints(params: Params, model: str) -> dict[str, EndpointParams]:
    """The endpoints of params.yaml with this address, by section."""
    served = params.evaluate.endpoints
    sections = {
        "teacher": params.teacher,
        "evaluate.endpoints.base": served.base,
        "evaluate.endpoints.student": served.student,
    }
    return {
        section: endpoint.model_copy(update={"base_url": model, "base_urls": []})
        for section, endpoint in sections.items()
        if endpoint is not None and model in (endpoint.base_url, *endpoint.base_urls)
    }
