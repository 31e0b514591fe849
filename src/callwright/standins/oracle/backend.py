"""Open the oracle teacher, in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from callwright.chat.backend import Backend
from callwright.chat.openai.endpoint import EndpointChat
from callwright.errors import ParamsError
from callwright.params import EndpointParams, MistakeShares, TeacherParams
from callwright.params.endpoint import DEFAULT_KEY_VARIABLE

_NO_MISTAKES = MistakeShares(**dict.fromkeys(MistakeShares.model_fields, 0.0))


class OracleBackend(Backend):
    """The oracle with the mistakes of the teacher's params, otherwise with none. The usual client asks it."""

    reads_solutions = True

    @property
    def mistakes(self) -> MistakeShares:
        """The share of attempts with each mistake."""
        return self.params.mistakes if isinstance(self.params, TeacherParams) else _NO_MISTAKES

    def identities(self) -> list[dict[str, str]]:
        (identity,) = super().identities()
        return [{**identity, "mistakes": self.mistakes.model_dump_json()}]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[EndpointChat]:
        from callwright.standins.oracle.app import create_app
        from callwright.tasks import TASKS

        if not self.options.problems:
            raise ParamsError("the oracle answers from solutions: open it with ChatOptions(problems=...)")
        params = self.params or EndpointParams(
            base_url=self.address, model=self.address, api_key_env=DEFAULT_KEY_VARIABLE
        )
        tasks = TASKS if self.options.tasks is None else self.options.tasks
        app = create_app(self.options.problems, self.mistakes.model_dump(), tasks=tasks, views=self.options.views)
        model = EndpointChat(params, app, section=self.options.section)
        model.name = self.name
        try:
            yield model
        finally:
            await model.close()
