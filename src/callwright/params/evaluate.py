"""How models are evaluated."""

from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from callwright.params.address import Address, KeyVariable, RequestFields
from callwright.params.section import Section

Perturbation = Literal["names", "order", "functions", "new_function", "distractor"]
PERTURBATIONS: tuple[Perturbation, ...] = get_args(Perturbation)
Engine = Literal["local", "endpoint"]


class RobustnessParams(Section):
    """Problems told in another way, whose answer stays the same."""

    problems: int = Field(ge=0, description="at most, of each change; 0: none are asked")
    changes: list[Perturbation]

    @model_validator(mode="after")
    def _check_no_duplicates(self) -> Self:
        if len(set(self.changes)) < len(self.changes):
            raise ValueError("a change stands there twice")
        return self


class EndpointParams(Section):
    """Where one of our own models is served behind the OpenAI protocol."""

    base_url: Address
    model: str = Field(min_length=1, description="what the server calls it")
    api_key_env: KeyVariable = Field(description="the environment variable that holds the key")
    request: RequestFields = Field(default={}, description="fields of the request's body; null leaves one out")


class EndpointsParams(Section):
    """null: the model runs in this process."""

    base: EndpointParams | None
    student: EndpointParams | None


class EvaluateParams(Section):
    problems: int | None = Field(ge=1, description="test problems (null: all)")
    batch_size: int = Field(ge=1)
    samples: int = Field(ge=1, description="chains per problem beside the greedy one; 1: none")
    temperature: float = Field(gt=0, le=2, description="of the samples")
    confidence: float = Field(gt=0.5, lt=1)
    resamples: int = Field(ge=100)
    robustness: RobustnessParams
    traces: int = Field(ge=0, description="chains of each model that MLflow keeps as traces")
    engine: Engine
    endpoints: EndpointsParams

    @model_validator(mode="after")
    def _check_endpoint_is_set(self) -> Self:
        if self.engine == "endpoint" and self.endpoints.base is None and self.endpoints.student is None:
            raise ValueError("engine: endpoint needs endpoints.base or endpoints.student")
        return self

    def endpoint(self, model: str) -> EndpointParams | None:
        """Where a model is served; None where it runs in this process."""
        return getattr(self.endpoints, model, None) if self.engine == "endpoint" else None
