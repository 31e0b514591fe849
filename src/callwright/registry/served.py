"""The registered model: answers questions by running the agent.

Not covered: it trusts whoever may call it; put authentication and rate limits in front of it.
"""

import asyncio
import json
import threading
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd  # MLflow reads it from the hint of `predict`, and has imported it anyhow
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel, PythonModelContext

from callwright.chat.model import ChatModel, Sampling
from callwright.errors import ProviderError
from callwright.evaluation.champion import WEIGHTS
from callwright.records import Chain, Problem, Protocol


class ServedStudent(PythonModel):
    """`predict(DataFrame[question, task])` -> a row each: what the agent answered, and what is known of the answer.

    Columns: `answer` (empty: none), `outcome`, `grounded` (a call returned the answer), `valid` (every call could be
    read and executed), `faults` (names, those that show without knowing the answer), `chain` (JSON).
    MLflow hands it its settings (see `settings`) with the artifacts.
    """

    def load_context(self, context: PythonModelContext) -> None:
        from callwright.tasks import load

        chosen = context.model_config
        load(chosen["functions"])
        sampling = Sampling(max_steps=chosen["max_steps"], max_tokens=chosen["max_tokens"])
        self._agent = _Agent(context.artifacts[WEIGHTS], chosen["protocol"], sampling)

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        from callwright.validation.faults import evident_faults

        problems = _problems(model_input["question"], model_input["task"])
        rows = []
        for problem, chain in zip(problems, self._agent.solve(problems), strict=True):
            faults = sorted({one.fault for one in evident_faults(chain, problem)})
            rows.append(
                {
                    "answer": chain.answer or "",
                    "outcome": chain.outcome,
                    "grounded": chain.answer is not None and "ungrounded_answer" not in faults,
                    "valid": all(step.error is None for step in chain.steps),
                    "faults": faults,
                    "chain": json.dumps(asdict(chain), ensure_ascii=False),
                }
            )
        return pd.DataFrame(rows)


def settings(max_steps: int, max_tokens: int, protocol: Protocol, functions: Sequence[str] = ()) -> dict[str, Any]:
    """What a served student is told.

    Args:
        max_steps, max_tokens: the agent's limits.
        protocol: how the student was taught to call functions.
        functions: names of the user's own modules, which come with the model.
    """
    return {"max_steps": max_steps, "max_tokens": max_tokens, "protocol": protocol, "functions": list(functions)}


def _problems(questions: Sequence[str], tasks: Sequence[str]) -> list[Problem]:
    from callwright.tasks import TASKS

    unknown = sorted(set(tasks) - set(TASKS))
    if unknown:
        raise MlflowException.invalid_parameter_value(f"unknown task {unknown[0]}; the tasks are {', '.join(TASKS)}")
    return [
        Problem(f"question/{place}", task, question, "", (), "served", "served", "test")
        for place, (question, task) in enumerate(zip(questions, tasks, strict=True))
    ]


class _Agent:
    """The model on an event loop of its own, in a thread of its own.

    So the rows of all requests share the model's batches, whatever thread a server asks from, and a caller may have a
    running loop itself. The weights are loaded for the first question.
    """

    def __init__(self, folder: str, protocol: Protocol, sampling: Sampling) -> None:
        self._folder = folder
        self._protocol = protocol
        self._sampling = sampling
        self._model: ChatModel | None = None
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="callwright", daemon=True).start()

    def solve(self, problems: Sequence[Problem]) -> list[Chain]:
        """A chain each, in order.

        Raises:
            MlflowException: a question is too long for the model; a server answers 400.
        """
        try:
            return asyncio.run_coroutine_threadsafe(self._solve(problems), self._loop).result()
        except ProviderError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from None

    async def _solve(self, problems: Sequence[Problem]) -> list[Chain]:
        from callwright.agent.loop import solve
        from callwright.agent.protocol import PROTOCOLS
        from callwright.chat.local import LocalChat
        from callwright.tasks import TASKS

        if self._model is None:
            self._model = LocalChat(self._folder, "student")
        model, protocol = self._model, PROTOCOLS[self._protocol]
        attempts = (solve(one, TASKS[one.task], model, self._sampling, protocol) for one in problems)
        return list(await asyncio.gather(*attempts))
