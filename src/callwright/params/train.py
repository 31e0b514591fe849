"""How the student is trained."""

from typing import Literal, Self

from pydantic import Field, model_validator

from callwright.params.section import Section

LossType = Literal[
    "sigmoid",
    "sigmoid_norm",
    "sft",
    "hinge",
    "ipo",
    "exo_pair",
    "nca_pair",
    "robust",
    "bco_pair",
    "sppo_hard",
    "aot",
    "aot_unpaired",
    "apo_zero",
    "apo_down",
    "discopop",
]  # those of TRL


class LoraParams(Section):
    """The adapter; the fields are named as in PEFT's LoraConfig."""

    r: int = Field(ge=1)
    alpha: int = Field(ge=1)
    dropout: float = Field(ge=0, lt=1)
    target_modules: str | list[str]


class WarmUpParams(Section):
    """Supervised training on the steps of correct chains, before the preferences."""

    epochs: float = Field(ge=0)
    learning_rate: float = Field(gt=0)
    batch_size: int = Field(ge=1)


class TrainParams(Section):
    """How the student is trained on pairs."""

    accelerate: str = Field(min_length=1)
    processes: int = Field(ge=1)
    method: Literal["lora", "qlora", "full"]
    beta: float = Field(gt=0)
    learning_rate: float = Field(gt=0)
    loss_type: list[LossType] = Field(min_length=1)
    loss_weights: list[float] = Field(min_length=1)
    label_smoothing: float = Field(ge=0, lt=0.5)
    epochs: float = Field(gt=0)
    batch_size: int = Field(ge=1)
    gradient_accumulation: int = Field(ge=1)
    order: Literal["shuffled", "by_problem"]
    max_length: int = Field(ge=1)
    max_grad_norm: float = Field(gt=0)
    warmup_ratio: float = Field(ge=0, lt=1)
    schedule: Literal["linear", "cosine", "constant", "constant_with_warmup"]
    gradient_checkpointing: bool
    checkpoint_steps: int = Field(ge=1)
    sft: WarmUpParams
    lora: LoraParams

    @model_validator(mode="after")
    def _check_losses(self) -> Self:
        if len(self.loss_type) != len(self.loss_weights):
            raise ValueError(f"{len(self.loss_type)} loss_type but {len(self.loss_weights)} loss_weights")
        if "exo_pair" in self.loss_type and not self.label_smoothing:
            raise ValueError("exo_pair needs a label_smoothing above 0 (its paper: 0.001)")
        return self
