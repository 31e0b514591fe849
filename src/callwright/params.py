"""params.yaml as typed, frozen models, one per section. An unknown key or a wrong type is one clear line."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from callwright.errors import ParamsError
from callwright.records import Protocol

PARAMS_FILE = Path("params.yaml")


class Section(BaseModel):
    """A section of params.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Share = Field(ge=0, le=1)


class SyntheticCounts(Section):
    """How many synthetic problems of one task, spread evenly over its families."""

    train: int = Field(ge=0)
    dev: int = Field(ge=0)
    test: int = Field(ge=0, description="of families that training sees, with unseen numbers, names and words")
    held_out_test: int = Field(ge=0, description="of families that only the test has")


class SyntheticSource(Section):
    """Synthetic problems by task."""

    arithmetic: SyntheticCounts
    translation: SyntheticCounts
    entailment: SyntheticCounts


class PublicSource(Section):
    """How much of GSM8K, FOLIO or ProofWriter is used (null: all); problems.path is the folder with its files."""

    train: int | None = Field(ge=1)
    dev: int | None = Field(ge=1, description="taken from the train file where the source has none")
    test: int | None = Field(ge=1)


class JsonlSource(Section):
    """Splits of the user's own problems, problems.path: shares of the rows that name no split."""

    dev_share: float = Share
    test_share: float = Share


class ProblemsParams(Section):
    source: Literal["synthetic", "gsm8k", "folio", "proofwriter", "jsonl"]
    path: str = Field(min_length=1, description="the source's folder or file; synthetic needs none")
    synthetic: SyntheticSource
    public: PublicSource
    jsonl: JsonlSource
    max_left_out: float = Share


class TaskShares(Section):
    """Shares of the tasks; together 1."""

    arithmetic: float = Share
    translation: float = Share
    entailment: float = Share

    @model_validator(mode="after")
    def _one(self) -> Self:
        total = self.arithmetic + self.translation + self.entailment
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the shares of the tasks make {total:g}, not 1")
        return self


class EmbeddedStudent(Section):
    """The recipe of the embedded student: its size, and what it learns from before the pipeline trains it."""

    hidden: int = Field(ge=16)
    layers: int = Field(ge=1)
    heads: int = Field(ge=1)
    vocabulary: int = Field(ge=300)
    demonstrations: int = Field(ge=1)
    tasks: TaskShares = Field(description="of the demonstrations")
    careless_share: float = Share
    steps: int = Field(ge=1)
    careless_steps: int = Field(ge=0, description="of these, the last ones that see careless demonstrations")
    prompt_steps: int = Field(ge=0, description="of these, the last ones that also read the system prompt")
    batch_size: int = Field(ge=1)
    learning_rate: float = Field(
        gt=0, description="of Muon, for the weight matrices; AdamW for the rest takes 0.15 of it"
    )
    question_weight: float = Share


class StudentParams(Section):
    source: str = Field(min_length=1, description='"embedded", a folder, or a Hugging Face model id')
    revision: str | None
    embedded: EmbeddedStudent


class MistakeShares(Section):
    """Share of the oracle teacher's attempts that make each mistake; in all at most 1."""

    wrong_function: float = Share
    wrong_operand: float = Share
    skipped_step: float = Share
    extra_step: float = Share
    guessed_answer: float = Share
    malformed_call: float = Share
    unknown_function: float = Share
    repeated_call: float = Share

    @model_validator(mode="after")
    def _at_most_all(self) -> Self:
        if sum(self.model_dump().values()) > 1 + 1e-9:
            raise ValueError("the shares add up to more than 1")
        return self


class TeacherParams(Section):
    base_url: str = Field(min_length=1, description='"oracle" (in process), or an OpenAI-compatible endpoint')
    model: str = Field(min_length=1)
    api_key_env: str = Field(min_length=1, description="the environment variable that holds the key")
    timeout_s: float = Field(gt=0)
    max_retries: int = Field(ge=0)
    mistakes: MistakeShares


class SamplingParams(Section):
    """Attempts per problem of one model; problems: how many train problems it tries (null: all)."""

    chains: int = Field(ge=1)
    temperature: float = Field(ge=0, le=2)
    top_p: float = Field(gt=0, le=1)
    problems: int | None = Field(ge=1)


class RolloutParams(Section):
    """How every model is asked, here and in the evaluation: by which protocol, and within which limits."""

    teacher: SamplingParams
    student: SamplingParams
    protocol: Protocol
    max_steps: int = Field(ge=1)
    max_tokens: int = Field(ge=1)
    concurrency: int = Field(ge=1, description="attempts in flight at the teacher")
    batch_size: int = Field(ge=1, description="rows in one forward pass of the student")
    max_failure_rate: float = Share


class ValidateParams(Section):
    """Bounds of the data-quality suite. Critical ones stop the pipeline, the others warn."""

    min_correct_share: float = Share
    max_correct_share: float = Share
    max_quarantined_share: float = Share
    max_reply_characters: int = Field(ge=1)


class PairsParams(Section):
    min_margin: float = Field(gt=0, le=1)
    cost_weight: float = Share
    max_per_problem: int = Field(ge=1)
    max_kind_share: float = Field(ge=0.5, le=1)


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


class EvaluateParams(Section):
    problems: int | None = Field(ge=1, description="test problems (null: all)")
    batch_size: int = Field(ge=1)
    confidence: float = Field(gt=0.5, lt=1)
    resamples: int = Field(ge=100)


class PromoteParams(Section):
    """The gate, and the registry it guards."""

    model_name: str = Field(min_length=1)
    min_accuracy: float = Share
    min_gain: float = Field(ge=-1, le=1, description="lower confidence bound of student minus base")
    max_p_value: float = Share
    min_valid_calls: float = Share


class Params(Section):
    """All of params.yaml."""

    seed: int = Field(ge=0)
    functions: list[str] = Field(description="Python modules with functions and tasks of the user's own")
    problems: ProblemsParams
    student: StudentParams
    teacher: TeacherParams
    rollout: RolloutParams
    validate_: ValidateParams = Field(alias="validate")
    pairs: PairsParams
    train: TrainParams
    evaluate: EvaluateParams
    promote: PromoteParams

    @classmethod
    def load(cls, path: Path = PARAMS_FILE) -> "Params":
        """Read and check params.yaml.

        Raises:
            ParamsError: the file is missing, no YAML, or says something unknown; one line that names file and key.
        """
        from ruamel.yaml import YAML
        from ruamel.yaml.error import YAMLError

        try:
            values = YAML(typ="safe").load(path.read_text())
        except FileNotFoundError:
            raise ParamsError(f"{path} is missing: run this from the project's folder, or write one") from None
        except (YAMLError, UnicodeDecodeError) as error:
            raise ParamsError(f"{path} is not YAML: {' '.join(str(error).split())[:200]}") from None
        if not isinstance(values, dict):
            raise ParamsError(f"{path} is empty or not a mapping of sections")
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ParamsError(_first_line(cls, error, path)) from None


def _first_line(model: type[BaseModel], error: ValidationError, path: Path) -> str:
    errors = error.errors(include_url=False)  # a misspelt key is also a missing one: name the misspelling
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    where = ".".join(str(part) for part in first["loc"])
    match first["type"]:
        case "extra_forbidden":
            known = _known_keys(model, first["loc"][:-1])
            near = get_close_matches(str(first["loc"][-1]), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            return f"{path}: {where} is not a parameter ({hint})"
        case "missing":
            return f"{path}: {where} is missing"
        case _:
            message = first["msg"].removeprefix("Value error, ")
            given = "" if isinstance(first["input"], dict | BaseModel) else f", not {first['input']!r}"
            return f"{path}: {where}: {message[0].lower()}{message[1:]}{given}"


def _known_keys(model: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    for part in location:
        field = next(field for name, field in model.model_fields.items() if part in (name, field.alias))
        kinds = [field.annotation, *get_args(field.annotation)]
        model = next(kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
    return [field.alias or name for name, field in model.model_fields.items()]
