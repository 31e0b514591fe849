"""Open a model by its source and ask it one question."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pydantic import ValidationError

from callwright import paths
from callwright.errors import ParamsError, ProviderError
from callwright.params import PARAMS_FILE, MistakeShares, Params, TeacherParams, first_error_line
from callwright.records import Chain, Problem, Protocol, Step
from callwright.redaction import redacted
from callwright.registry.version import CHAMPION, NOT_FOUND_CODES, download_version

if TYPE_CHECKING:
    from callwright.chat.model import ChatModel, Sampling
    from callwright.tasks.task import Task

log = logging.getLogger("callwright")

REGISTRY_PREFIX = "models:/"
MIN_ENDPOINT_TOKENS = 512  # per reply: large models write their reasoning
DEFAULT_STUDENT_NAME = "callwright-student"  # the registered model's name if there is no params.yaml


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """An open model with its protocol and sampling limits. `close` ends its connection, if it has one."""

    model: "ChatModel"
    protocol: Protocol
    sampling: "Sampling"
    close: Callable[[], Awaitable[None]] | None = None


def open_model(source: str | None, name: str | None, api_key_env: str) -> OpenedModel:
    """Open a model.

    Args:
        source: an endpoint's URL, `models:/name@alias` of the registry, or a folder; None: the champion, or else the
            student in models/student.
        name: the endpoint's name for the model.
        api_key_env: the environment variable with an endpoint's key.

    Raises:
        ParamsError: the source is none of these.
        ProviderError: the model cannot be used.
    """
    if source is None:
        return _open_champion_or_student()
    if source.startswith(("http://", "https://")):
        return _open_endpoint(source, name, api_key_env)
    if source.startswith(REGISTRY_PREFIX):
        return _open_registered(source)
    if Path(source).is_dir():
        return _open_folder(Path(source))
    raise ParamsError(f"--model {source} is not a folder, a {REGISTRY_PREFIX}name@alias or an http(s):// address")


def ask(question: str, task: "Task", opened: OpenedModel, protocol: Protocol, on_step: Callable[[Step], None]) -> Chain:
    """Let the model solve a problem greedily, then close it.

    Args:
        on_step: called after each step.

    Raises:
        ProviderError: the model could not be reached.
    """
    from callwright.agent.loop import solve
    from callwright.agent.protocol import PROTOCOLS

    problem = Problem(
        id="question",
        task=task.name,
        question=question,
        answer="",
        solution=(),
        source="asked",
        group="asked",
        split="test",
    )

    async def run() -> Chain:
        try:
            return await solve(problem, task, opened.model, opened.sampling, PROTOCOLS[protocol], on_step=on_step)
        finally:
            if opened.close is not None:
                await opened.close()

    return asyncio.run(run())


def _params_if_present() -> Params | None:
    return Params.load() if PARAMS_FILE.is_file() else None


def _default_protocol_and_sampling() -> tuple[Protocol, "Sampling"]:
    """The protocol and the limits of params.yaml, if it exists."""
    from callwright.chat.model import Sampling

    params = _params_if_present()
    if params is None:
        return "text", Sampling()
    rollout = params.rollout
    return rollout.protocol, Sampling(max_tokens=rollout.max_tokens, max_steps=rollout.max_steps)


def _open_champion_or_student() -> OpenedModel:
    params = _params_if_present()
    champion = f"{REGISTRY_PREFIX}{params.promote.model_name if params else DEFAULT_STUDENT_NAME}@{CHAMPION}"
    try:
        return _open_registered(champion)
    except ProviderError as error:
        if not (paths.STUDENT / "config.json").is_file():
            raise ProviderError(f"{error}; and there is no {paths.STUDENT}: name a model with --model") from None
        log.warning("callwright: %s; asking %s", error, paths.STUDENT)
        return _open_folder(paths.STUDENT)


def _open_registered(uri: str) -> OpenedModel:
    """Open a registered model with the protocol and limits that it was registered with.

    Files from a server are deleted once the model is loaded.

    Raises:
        ProviderError: there is no such model, it cannot be downloaded, or it is not a Callwright student.
    """
    from callwright.tracking.runs import SQLITE_PREFIX, connect, redacted_tracking_uri, tracking_uri

    database = tracking_uri().removeprefix(SQLITE_PREFIX)
    if database != tracking_uri() and not Path(database).is_file():
        raise ProviderError(f"{uri} is not registered: there is no {database}")
    connect()
    from mlflow.exceptions import MlflowException

    with TemporaryDirectory(prefix="callwright-") as download_folder:
        try:
            files = download_version(uri, Path(download_folder))
        except MlflowException as error:  # other errors' text may contain the server's address with a password
            is_known_error = error.error_code in NOT_FOUND_CODES
            cause = (
                redacted(str(error).splitlines()[0])
                if is_known_error
                else f"{error.error_code} at {redacted_tracking_uri()}"
            )
            raise ProviderError(f"{uri} cannot be loaded: {cause}") from None
        except OSError as error:
            raise ProviderError(
                f"{uri} cannot be downloaded ({type(error).__name__}): check MLflow's artifact store"
            ) from None
        except KeyError:
            raise ProviderError(f"{uri} is not a Callwright student") from None
        opened = _open_folder(files.weights, uri)
    config = {"protocol": opened.protocol, **files.config}
    limits = {name: config[name] for name in ("max_steps", "max_tokens") if name in config}
    return replace(opened, protocol=config["protocol"], sampling=replace(opened.sampling, **limits))


def _open_folder(folder: Path, name: str = "") -> OpenedModel:
    from callwright.chat.local.chat import LocalChat

    protocol, sampling = _default_protocol_and_sampling()
    return OpenedModel(LocalChat(folder, name or folder.name), protocol, sampling)


def _open_endpoint(url: str, name: str | None, api_key_env: str) -> OpenedModel:
    from callwright.chat.openai.endpoint import EndpointChat

    params = _params_if_present()
    request = {}
    if params is not None and url in (params.teacher.base_url, *params.teacher.base_urls):
        name, request = name or params.teacher.model, params.teacher.request
    if name is None:
        raise ParamsError(f"--name is missing: the name that {url} has for the model")
    no_mistakes = MistakeShares(**dict.fromkeys(MistakeShares.model_fields, 0.0))
    try:
        teacher = TeacherParams(
            base_url=url,
            base_urls=[],
            model=name,
            api_key_env=api_key_env,
            request=request,
            timeout_s=120,
            max_retries=2,
            mistakes=no_mistakes,
        )
    except ValidationError as error:
        raise ParamsError(first_error_line(TeacherParams, error, "ask")) from None
    protocol, sampling = _default_protocol_and_sampling()
    model = EndpointChat(teacher, wait_for_server=False)
    return OpenedModel(
        model, protocol, replace(sampling, max_tokens=max(sampling.max_tokens, MIN_ENDPOINT_TOKENS)), model.close
    )
