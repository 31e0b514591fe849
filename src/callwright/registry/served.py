"""The registered model: answers questions by running the agent.

An invalid question or an unexpected exception becomes the `error` of its row; the other rows are not affected.

Not covered: authentication and rate limits; put them in front of the server.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd  # MLflow reads the type hints of `predict`, and has imported pandas already
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel, PythonModelContext

from callwright.chat.model import ChatModel, Sampling
from callwright.errors import ProviderError
from callwright.records import Problem, Protocol
from callwright.registry.answer_row import AnswerRow, answer_row, input_error
from callwright.registry.version import WEIGHTS_ARTIFACT
from callwright.surprises import surprise_of
from callwright.text import one_line

if TYPE_CHECKING:
    from callwright.tasks import Tasks

INPUT_COLUMNS = ("question", "task")
_SCORING_SERVER_VARIABLE = "__pyfunc_model_path__"  # MLflow's own server sets it in the environment

log = logging.getLogger("callwright")


class ServedStudent(PythonModel):
    """`predict(DataFrame[question, task])` -> one row per question, with the columns of `AnswerRow`.

    MLflow passes the model's config (see `serving_config`) and artifacts in the context.
    """

    def load_context(self, context: PythonModelContext) -> None:
        from callwright.tasks import load_tasks

        if _SCORING_SERVER_VARIABLE in os.environ:
            # MLflow builds a table from the request before `predict`. With pandas' default string storage a lone
            # surrogate in one question would make the whole request fail. Other processes keep their own options.
            pd.set_option("mode.string_storage", "python")
        config = context.model_config
        tasks = load_tasks(config["functions"])
        sampling = Sampling(max_steps=config["max_steps"], max_tokens=config["max_tokens"])
        weights = context.artifacts[WEIGHTS_ARTIFACT]
        self._agent = ServedAgent(lambda: _load_student(weights), tasks, config["protocol"], sampling)

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Answer the questions of a table; see the class.

        Raises:
            MlflowException: a column is missing, or the model cannot be loaded.
        """
        missing = [name for name in INPUT_COLUMNS if name not in model_input]
        if missing:
            raise MlflowException.invalid_parameter_value(
                f"the column {missing[0]} is missing: send a table with the columns {', '.join(INPUT_COLUMNS)}"
            )
        rows = self._agent.answer(list(model_input["question"]), list(model_input["task"]))
        return pd.DataFrame(map(asdict, rows), columns=list(AnswerRow.__dataclass_fields__))


def serving_config(
    max_steps: int, max_tokens: int, protocol: Protocol, functions: Sequence[str] = ()
) -> dict[str, Any]:
    """The model_config of a served student. Registered versions contain it: keep its keys.

    Args:
        max_steps, max_tokens: the agent's limits.
        protocol: the protocol that the student was trained with.
        functions: names of the user's own modules, which are stored with the model.
    """
    return {"max_steps": max_steps, "max_tokens": max_tokens, "protocol": protocol, "functions": list(functions)}


def _load_student(folder: str) -> ChatModel:
    from callwright.chat.local.chat import LocalChat

    return LocalChat(folder, "student")


class ServedAgent:
    """The model on its own event loop, in its own thread.

    So rows of all requests share the model's batches, whichever thread a server calls from, and a caller may run
    its own event loop.

    Args:
        open_model: called for the first question; raises ProviderError if there is no usable model.
    """

    def __init__(
        self, open_model: Callable[[], ChatModel], tasks: "Tasks", protocol: Protocol, sampling: Sampling
    ) -> None:
        self._open_model = open_model
        self._tasks = tasks
        self._protocol = protocol
        self._sampling = sampling
        self._model: ChatModel | None = None
        self._reported: set[str] = set()  # reasons of surprises whose traceback is in the log
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="callwright", daemon=True).start()

    def answer(self, questions: Sequence[object], tasks: Sequence[object]) -> list[AnswerRow]:
        """One row per question, in order.

        Raises:
            MlflowException: the model cannot be loaded; a server then answers with status 500.
        """
        try:
            return asyncio.run_coroutine_threadsafe(self._answer(questions, tasks), self._loop).result()
        except ProviderError as error:
            raise MlflowException(str(error)) from None

    async def _answer(self, questions: Sequence[object], tasks: Sequence[object]) -> list[AnswerRow]:
        if self._model is None:
            self._model = self._open_model()
        model = self._model
        inputs = enumerate(zip(questions, tasks, strict=True))
        rows = (self._answer_row(model, index, question, task) for index, (question, task) in inputs)
        return list(await asyncio.gather(*rows))

    async def _answer_row(self, model: ChatModel, index: int, question: object, task: object) -> AnswerRow:
        from callwright.agent.loop import solve
        from callwright.agent.protocol import PROTOCOLS

        error_line = input_error(question, task, list(self._tasks))
        if error_line:
            return AnswerRow(error=error_line)
        problem = Problem(f"question/{index}", str(task), str(question), "", (), "served", "served", "test")
        try:
            selected_task = self._tasks[problem.task]
            chain = await solve(problem, selected_task, model, self._sampling, PROTOCOLS[self._protocol])
            return answer_row(chain, problem, selected_task)
        except ProviderError as error:  # for example a question that is longer than the model's context
            return AnswerRow(error=one_line(str(error)))
        except Exception as error:
            return AnswerRow(error=self._log_surprise(error, problem.id))

    def _log_surprise(self, error: Exception, subject: str) -> str:
        """Log an unexpected exception, the first of each reason with its traceback; returns one line about it."""
        surprise = surprise_of(error)
        is_first = surprise.reason not in self._reported
        self._reported.add(surprise.reason)
        more = (
            f"; this is a defect, please report it with this traceback:\n{surprise.traceback_text}" if is_first else ""
        )
        log.error("%s: %s%s", subject, surprise, more)
        return str(surprise)
