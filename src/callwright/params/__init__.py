"""params.yaml as typed, frozen models, one per section. An unknown key or a wrong type is one clear line."""

from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, Field, ValidationError

from callwright.errors import ParamsError
from callwright.params.address import may_hold_secret
from callwright.params.evaluate import EndpointParams, EndpointsParams, EvaluateParams, RobustnessParams
from callwright.params.pairs import PairsParams
from callwright.params.problems import JsonlParams, ProblemsParams, PublicParams, SyntheticCounts, SyntheticParams
from callwright.params.promote import PromoteParams
from callwright.params.rollout import BudgetParams, MistakeShares, Prices, RolloutParams, SamplingParams, TeacherParams
from callwright.params.section import Section
from callwright.params.student import EmbeddedParams, StudentParams, TaskShares
from callwright.params.train import LoraParams, TrainParams, WarmUpParams
from callwright.params.validate import ValidateParams
from callwright.redaction import redacted, redacted_line

__all__ = [
    "PARAMS_FILE",
    "BudgetParams",
    "EmbeddedParams",
    "EndpointParams",
    "EndpointsParams",
    "EvaluateParams",
    "JsonlParams",
    "LoraParams",
    "MistakeShares",
    "PairsParams",
    "Params",
    "Prices",
    "ProblemsParams",
    "PromoteParams",
    "PublicParams",
    "RobustnessParams",
    "RolloutParams",
    "SamplingParams",
    "StudentParams",
    "SyntheticCounts",
    "SyntheticParams",
    "TaskShares",
    "TeacherParams",
    "TrainParams",
    "ValidateParams",
    "WarmUpParams",
]

PARAMS_FILE = Path("params.yaml")


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
            raise ParamsError(f"{path} is not YAML: {redacted_line(str(error), 200)}") from None
        if not isinstance(values, dict):
            raise ParamsError(f"{path} is empty or not a mapping of sections")
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ParamsError(first_error_line(cls, error, str(path))) from None


def first_error_line(model: type[BaseModel], error: ValidationError, source: str) -> str:
    """One line about values that do not fit a section, without what may be a secret.

    Args:
        source: where the values come from, such as a file.
    """
    return redacted(_first_error_line(model, error, source))


def _first_error_line(model: type[BaseModel], error: ValidationError, source: str) -> str:
    errors = error.errors(include_url=False)  # a misspelt key is also a missing one: name the misspelling
    first = next((problem for problem in errors if problem["type"] == "extra_forbidden"), errors[0])
    where = ".".join(str(part) for part in first["loc"])
    match first["type"]:
        case "extra_forbidden":
            known = _known_keys(model, first["loc"][:-1])
            suggestions = get_close_matches(str(first["loc"][-1]), known, n=1)
            hint = f"did you mean {suggestions[0]}?" if suggestions else f"known: {', '.join(known)}"
            return f"{source}: {where} is not a parameter ({hint})"
        case "missing":
            return f"{source}: {where} is missing"
        case _:
            message = first["msg"].removeprefix("Value error, ")
            hidden = may_hold_secret(first) or isinstance(first["input"], dict | BaseModel)
            value = "" if hidden else f", not {first['input']!r}"
            return f"{source}: {where}: {message[0].lower()}{message[1:]}{value}"


def _known_keys(model: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    for part in location:
        field = next(field for name, field in model.model_fields.items() if part in (name, field.alias))
        kinds = [field.annotation, *get_args(field.annotation)]
        model = next(kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
    return [field.alias or name for name, field in model.model_fields.items()]
