"""The registered model: answers questions by running the agent.

One row never costs another: a question that cannot be asked, or an exception that nobody expected, becomes that row's
`error`, and the other rows are answered.

Not covered: it trusts whoever may call it; put authentication and rate limits in front of it.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd  # MLflow reads it from the hint of `predict`, and has imported it anyhow
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel, PythonModelContext

from callwright.chat.model import ChatModel, Sampling
from callwright.errors import ProviderError
from callwright.records import Problem, Protocol
from callwright.registry.answer_row import AnswerRow, answer_row, input_error
from callwright.registry.champion import WEIGHTS_ARTIFACT
from callwright.surprises import surprise_of
from callwright.text import one_line

INPUT_COLUMNS = ("question", "task")
_SCORING_SERVER_VARIABLE = "__pyfunc_model_path__"  # is set in the environment of MLflow's own server

log = logging.getLogger("callwright")


class ServedStudent(PythonModel):
    """`predict(DataFrame[question, task])` -> a row each, with the columns of `AnswerRow`.

    MLflow hands it its settings (see `settings`) with the artifacts.
    """

    def load_context(self, context: PythonModelContext) -> None:
        from callwright.tasks import load

        if _SCORING_SERVER_VARIABLE in os.environ:
            # MLflow makes a table of the request before `predict`, and pandas' usual text cannot hold half a character:
            # one such question would refuse all rows. A process that only loads the model keeps its own options.
            pd.set_option("mode.string_storage", "python")
        chosen = context.model_config
        load(chosen["functions"])
        sampling = Sampling(max_steps=chosen["max_steps"], max_tokens=chosen["max_tokens"])
        weights = context.artifacts[WEIGHTS_ARTIFACT]
        self._agent = ServedAgent(lambda: _load_student(weights), chosen["protocol"], sampling)

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """
        Raises:
            MlflowException: the table lacks a column, or the model cannot be loaded, so that no row can be answered.
        """
        missing = [name for name in INPUT_COLUMNS if name not in model_input]
        if missing:
            raise MlflowException.invalid_parameter_value(
                f"the column {missing[0]} is missing: send a table with the columns {', '.join(INPUT_COLUMNS)}"
            )
        rows = self._agent.answer(list(model_input["question"]), list(model_input["task"]))
        return pd.DataFrame(map(asdict, rows), columns=list(AnswerRow.__dataclass_fields__))


def settings(max_steps: int, max_tokens: int, protocol: Protocol, functions: Sequence[str] = ()) -> dict[str, Any]:
    """What a served student is told.

    Args:
        max_steps, max_tokens: the agent's limits.
        protocol: how the student was taught to call functions.
        functions: names of the user's own modules, which come with the model.
    """
    return {"max_steps": max_steps, "max_tokens": max_tokens, "protocol": protocol, "functions": list(functions)}


def _load_student(folder: str) -> ChatModel:
    from callwright.chat.local.chat import LocalChat

    return LocalChat(folder, "student")


class ServedAgent:
    """The model on its own event loop, in its own thread.

    So the rows of all requests share the model's batches, whichever thread a server calls from, and a caller may itself
    run an event loop.

    Args:
        open_model: called for the first question; raises ProviderError when there is no usable model.
    """

    def __init__(self, open_model: Callable[[], ChatModel], protocol: Protocol, sampling: Sampling) -> None:
        self._open_model = open_model
        self._protocol = protocol
        self._sampling = sampling
        self._model: ChatModel | None = None
        self._reported: set[str] = set()  # reasons of surprises whose traceback is in the log
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="callwright", daemon=True).start()

    def answer(self, questions: Sequence[object], tasks: Sequence[object]) -> list[AnswerRow]:
        """A row each, in order.

        Raises:
            MlflowException: the model cannot be loaded; a server answers 500.
        """
        try:
            return asyncio.run_coroutine_threadsafe(self._answer(questions, tasks), self._loop).result()
        except ProviderError as error:
            raise MlflowException(str(error)) from None

    async def _answer(self, questions: Sequence[object], tasks: Sequence[object]) -> list[AnswerRow]:
        if self._model is None:
            self._model = self._open_model()
        model = self._model
        rows_asked = enumerate(zip(questions, tasks, strict=True))
        rows = (self._answer_row(model, index, question, task) for index, (question, task) in rows_asked)
        return list(await asyncio.gather(*rows))

    async def _answer_row(self, model: ChatModel, index: int, question: object, task: object) -> AnswerRow:
        from callwright.agent.loop import solve
        from callwright.agent.protocol import PROTOCOLS
        from callwright.tasks import TASKS

        unusable = input_error(question, task, list(TASKS))
        if unusable:
            return AnswerRow(error=unusable)
        problem = Problem(f"question/{index}", str(task), str(question), "", (), "served", "served", "test")
        try:
            chain = await solve(problem, TASKS[problem.task], model, self._sampling, PROTOCOLS[self._protocol])
            return answer_row(chain, problem)
        except ProviderError as error:  # such as a question that is longer than the model's context
            return AnswerRow(error=one_line(str(error)))
        except Exception as error:
            return AnswerRow(error=self._log_surprise(error, problem.id))

    def _log_surprise(self, error: Exception, subject: str) -> str:
        """Log an unexpected exception, with a traceback for the first of its kind, and return it as one line."""
        surprise = surprise_of(error)
        is_first = surprise.reason not in self._reported
        self._reported.add(surprise.reason)
        more = (
            f"; this is a defect, please report it with this traceback:\n{surprise.traceback_text}" if is_first else ""
        )
        log.error("%s: %s%s", subject, surprise, more)
        return str(surprise)
