"""How models are evaluated."""

from typing import Any, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from callwright.params.address import ORACLE
from callwright.params.endpoint import EndpointParams
from callwright.params.section import Section

UNSEEN: Literal["unseen"] = "unseen"
Perturbation = Literal["names", "order", "functions", "new_name", "swapped", "reworded", "distractor", "unseen"]
PERTURBATIONS: tuple[Perturbation, ...] = get_args(Perturbation)
Engine = Literal["local", "endpoint"]


class RobustnessParams(Section):
    """Changes of problems, or of how their functions are shown, and problems that need an unseen function."""

    problems: int = Field(ge=0)
    changes: list[Perturbation]

    @field_validator("changes", mode="before")
    @classmethod
    def _check_new_names(cls, changes: Any) -> Any:
        if isinstance(changes, list) and "new_function" in changes:
            raise ValueError("new_function is called new_name now: write new_name")
        return changes

    @model_validator(mode="after")
    def _check_no_duplicates(self) -> Self:
        if len(set(self.changes)) < len(self.changes):
            raise ValueError("changes contains a duplicate")
        return self


class EndpointsParams(Section):
    """Servers by model; None if the model runs in this process."""

    base: EndpointParams | None
    student: EndpointParams | None

    @field_validator("base", "student")
    @classmethod
    def _check_reads_no_solutions(cls, endpoint: EndpointParams | None) -> EndpointParams | None:
        if endpoint is not None and endpoint.base_url == ORACLE:
            raise ValueError("the oracle reads the solutions, so it cannot serve a model that is evaluated")
        return endpoint


class EvaluateParams(Section):
    """How models are evaluated: which test problems, how many samples, where the models run."""

    problems: int | None = Field(ge=1)
    batch_size: int = Field(ge=1)
    samples: int = Field(ge=1)
    temperature: float = Field(gt=0, le=2)
    confidence: float = Field(gt=0.5, lt=1)
    resamples: int = Field(ge=100)
    robustness: RobustnessParams
    traces: int = Field(ge=0)
    engine: Engine
    endpoints: EndpointsParams

    @model_validator(mode="after")
    def _check_endpoint_is_set(self) -> Self:
        if self.engine == "endpoint" and self.endpoints.base is None and self.endpoints.student is None:
            raise ValueError("engine: endpoint needs endpoints.base or endpoints.student")
        return self

    def endpoint(self, model: str) -> EndpointParams | None:
        """The server of a model; None if the model runs in this process."""
        return getattr(self.endpoints, model, None) if self.engine == "endpoint" else None
