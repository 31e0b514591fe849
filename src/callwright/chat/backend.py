"""What a backend is: one way to open chat models. `open_chat` finds the backend of a model."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from callwright.chat.model import ChatModel, Sampling
from callwright.params import EndpointParams
from callwright.records import Problem, Protocol

if TYPE_CHECKING:
    from callwright.tasks import Tasks
    from callwright.tasks.view import View


FOLDER_PREFIX = "folder:"  # of the address of a model in a folder


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """What backends need besides the model's address. Each reads what concerns it.

    Attributes:
        name: the model's name in chains; empty: the backend's choice.
        section: the model's section of params.yaml, which error lines name; empty: it has none.
        concurrency: number of attempts in flight; None: the backend's usual number.
        max_batch: largest number of sequences in one forward pass of a model in this process.
        wait_for_server: whether to wait for a server that is unreachable; False for interactive use.
        problems: what a model that reads solutions answers from.
        tasks: the tasks of the problems; None: those that ship.
        views: task -> the views in which such a model is asked, besides the plain one.
    """

    name: str = ""
    section: str = ""
    concurrency: int | None = None
    max_batch: int = 64
    wait_for_server: bool = True
    problems: Sequence[Problem] = ()
    tasks: "Tasks | None" = None
    views: "Mapping[str, Sequence[View]]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """How the agent asks a model: the protocol, the sampling and the limits."""

    protocol: Protocol = "text"
    sampling: Sampling = field(default_factory=Sampling)


DEFAULT_OPTIONS = ChatOptions()


class Backend(ABC):
    """One way to open a chat model. A subclass has to define `open`; `open_chat.BACKENDS` lists the subclasses.

    Creating one is cheap: it opens nothing and imports no heavy library.

    Args:
        address: by which the backend was found, such as an address, `oracle` or `folder:models/base`.
        params: the endpoint's section of params.yaml, or what a caller gave instead; None: only the address is known.

    Attributes:
        reads_solutions: whether the model answers from the problems' solutions.

    Raises:
        ParamsError: the backend needs to know more than it is given.
    """

    reads_solutions: ClassVar[bool] = False

    def __init__(
        self, address: str, params: EndpointParams | None = None, options: ChatOptions = DEFAULT_OPTIONS
    ) -> None:
        self.address = address
        self.params = params
        self.options = options

    @property
    def name(self) -> str:
        """The model's name in chains."""
        return self.options.name or (self.params.model if self.params is not None else self.address)

    @property
    def concurrency(self) -> int:
        """How many attempts should be in flight."""
        return self.options.concurrency or self.usual_concurrency()

    def usual_concurrency(self) -> int:
        """How many attempts should be in flight if nobody says."""
        return 32

    def identities(self) -> list[dict[str, str]]:
        """What the model's answers depend on besides its name, the prompt and the sampling.

        It becomes part of the keys under which attempts are journaled, so the same model must always give the same.

        Returns:
            At least one; further ones identify the same model at other servers.
        """
        identity = {"base_url": self.address}
        if self.params is not None and self.params.request:
            identity["request"] = json.dumps(self.params.request, sort_keys=True)
        return [identity]

    @abstractmethod
    def open(self) -> AbstractAsyncContextManager[ChatModel]:
        """Open the model, and close what it needs at the end.

        Raises:
            ProviderError: the model cannot be used.
        """

    def agent_settings(self, default: AgentSettings) -> AgentSettings:
        """How a caller that has no settings of its own should ask the model; call it while the model is open.

        Args:
            default: what applies as far as the model has no settings of its own either.
        """
        return default
