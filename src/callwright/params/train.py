"""How the student is trained."""

from typing import Literal, Self

from pydantic import Field, model_validator

from callwright.params.section import Section


class LoraParams(Section):
    r: int = Field(ge=1)
    alpha: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)
    target_modules: str | list[str]


class WarmUpParams(Section):
    """Supervised training on the steps of correct chains, before the preferences."""

    epochs: float = Field(ge=0, description="0: none")
    learning_rate: float = Field(gt=0)
    batch_size: int = Field(ge=1, description="steps of chains per device and step")


class TrainParams(Section):
    accelerate: str = Field(min_length=1, description="a file of conf/accelerate, without .yaml")
    processes: int = Field(ge=1)
    beta: float = Field(gt=0)
    learning_rate: float = Field(gt=0)
    loss_type: list[str] = Field(min_length=1)
    loss_weights: list[float] = Field(min_length=1)
    epochs: float = Field(gt=0)
    batch_size: int = Field(ge=1, description="pairs per device and step")
    gradient_accumulation: int = Field(ge=1)
    max_length: int = Field(ge=1, description="tokens of prompt + completion; longer rows are an error")
    max_grad_norm: float = Field(gt=0)
    warmup_ratio: float = Field(ge=0, lt=1)
    schedule: Literal["linear", "cosine", "constant", "constant_with_warmup"]
    gradient_checkpointing: bool
    sft: WarmUpParams
    lora: LoraParams

    @model_validator(mode="after")
    def _one_weight_per_loss(self) -> Self:
        if len(self.loss_type) != len(self.loss_weights):
            raise ValueError(f"{len(self.loss_type)} loss_type but {len(self.loss_weights)} loss_weights")
        return self
