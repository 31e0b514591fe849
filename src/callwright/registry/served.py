"""The registered model: answers questions by running the agent.

Not covered: it trusts whoever may call it; put authentication and rate limits in front of it.
"""

import asyncio
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlflow.pyfunc import PythonModel, PythonModelContext

from callwright.chat.model import Sampling
from callwright.records import Chain, Problem, Protocol

if TYPE_CHECKING:
    import pandas as pd

MODEL = "model"  # name of the artifact: the student's folder


class ServedStudent(PythonModel):
    """`predict(DataFrame[question, task])` -> DataFrame[answer, outcome, chain]; chain is JSON.

    Args:
        max_steps, max_tokens: the agent's limits.
        protocol: how the student was taught to call functions.
        functions: names of the user's own modules, which come with the model.
    """

    def __init__(
        self, max_steps: int, max_tokens: int, protocol: Protocol = "text", functions: tuple[str, ...] = ()
    ) -> None:
        self._protocol = protocol
        self._sampling = Sampling(max_steps=max_steps, max_tokens=max_tokens)
        self._functions = functions
        self._folder = ""

    def load_context(self, context: PythonModelContext) -> None:
        from callwright.tasks import load

        load(self._functions)
        self._folder = context.artifacts[MODEL]

    def predict(
        self, context: PythonModelContext, model_input: "pd.DataFrame", params: dict[str, Any] | None = None
    ) -> "pd.DataFrame":
        import pandas as pd

        chains = asyncio.run(self._solve(list(model_input["question"]), list(model_input["task"])))
        return pd.DataFrame(
            {
                "answer": [chain.answer or "" for chain in chains],
                "outcome": [chain.outcome for chain in chains],
                "chain": [json.dumps(asdict(chain), ensure_ascii=False) for chain in chains],
            }
        )

    async def _solve(self, questions: list[str], tasks: list[str]) -> list[Chain]:
        from callwright.agent.loop import solve
        from callwright.agent.protocol import PROTOCOLS
        from callwright.tasks import TASKS

        unknown = sorted(set(tasks) - set(TASKS))
        if unknown:
            raise ValueError(f"unknown task {unknown[0]}; the tasks are {', '.join(TASKS)}")
        model = self._model()
        problems = [
            Problem(f"question/{place}", task, question, "", (), "served", "served", "test")
            for place, (question, task) in enumerate(zip(questions, tasks, strict=True))
        ]
        protocol = PROTOCOLS[self._protocol]
        attempts = (solve(one, TASKS[one.task], model, self._sampling, protocol) for one in problems)
        return list(await asyncio.gather(*attempts))

    def _model(self) -> Any:
        from callwright.chat.local import LocalChat

        if not hasattr(self, "_loaded"):
            self._loaded = LocalChat(self._folder, "student")
        return self._loaded

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_loaded"}
