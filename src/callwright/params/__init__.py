"""params.yaml as typed, frozen models, one per section. An unknown key or a wrong value gives a one-line error."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError, field_validator

from callwright.errors import ParamsError
from callwright.params.address import may_hold_secret
from callwright.params.endpoint import EndpointParams
from callwright.params.evaluate import EndpointsParams, EvaluateParams, RobustnessParams
from callwright.params.pairs import PairsParams
from callwright.params.problems import ProblemsParams
from callwright.params.promote import PromoteParams
from callwright.params.rollout import BudgetParams, MistakeShares, Prices, RolloutParams, SamplingParams, TeacherParams
from callwright.params.section import Section
from callwright.params.student import EmbeddedParams, StudentParams
from callwright.params.train import LoraParams, TrainParams, WarmUpParams
from callwright.params.validate import ValidateParams
from callwright.params.views import ViewsParams
from callwright.params.yaml_file import read_sections
from callwright.redaction import redacted
from callwright.text import did_you_mean

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = [
    "PARAMS_FILE",
    "BudgetParams",
    "EmbeddedParams",
    "EndpointParams",
    "EndpointsParams",
    "EvaluateParams",
    "LoraParams",
    "MistakeShares",
    "PairsParams",
    "Params",
    "Prices",
    "ProblemsParams",
    "PromoteParams",
    "RobustnessParams",
    "RolloutParams",
    "SamplingParams",
    "StudentParams",
    "TeacherParams",
    "TrainParams",
    "ValidateParams",
    "ViewsParams",
    "WarmUpParams",
]

PARAMS_FILE = Path("params.yaml")
_PIPELINE_MODELS = ("base", "student", "champion")  # whose chains have these names as their model


class Params(Section):
    """All of params.yaml."""

    seed: int = Field(ge=0)
    functions: list[str]
    problems: ProblemsParams
    student: StudentParams
    teacher: TeacherParams
    views: ViewsParams
    rollout: RolloutParams
    validate_: ValidateParams = Field(alias="validate")
    pairs: PairsParams
    train: TrainParams
    evaluate: EvaluateParams
    promote: PromoteParams

    @field_validator("functions")
    @classmethod
    def _check_no_module_twice(cls, functions: list[str]) -> list[str]:
        for index, module in enumerate(functions):
            if module in functions[:index]:
                raise ValueError(f"the module {module} is listed twice; list each module once")
        return functions

    @field_validator("teacher")
    @classmethod
    def _check_teacher_has_own_name(cls, teacher: TeacherParams) -> TeacherParams:
        """Otherwise chains of two models would have the same ids, and be quarantined after the teacher was paid."""
        if teacher.model in _PIPELINE_MODELS:
            raise ValueError(
                f"model {teacher.model} is what chains call a model of the pipeline: give the teacher another name"
            )
        return teacher

    @classmethod
    def load(cls, path: Path = PARAMS_FILE) -> "Params":
        """Read and check params.yaml.

        Raises:
            ParamsError: the file is missing, unreadable, not YAML or has an invalid key or value; one line that names
                the file and the key.
        """
        _, values = read_sections(path)
        return cls.check(values, str(path))

    @classmethod
    def check(cls, values: Mapping[str, Any], source: str) -> "Params":
        """The params with these values.

        Args:
            source: where the values come from; errors name it.

        Raises:
            ParamsError: a key or value is invalid; one line that names the source and the key.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ParamsError(first_error_line(cls, error, source)) from None


def first_error_line(model: type[BaseModel], error: ValidationError, source: str) -> str:
    """The first error as one line, without secrets.

    Args:
        source: where the values come from, such as a file.
    """
    errors = error.errors(include_url=False)
    # A misspelt key gives two errors, an unknown and a missing key: report the unknown one.
    first = next((item for item in errors if item["type"] == "extra_forbidden"), errors[0])
    return redacted(f"{source}: {_explanation(model, first)}")


def _explanation(model: type[BaseModel], first: "ErrorDetails") -> str:
    key = ".".join(str(part) for part in first["loc"])
    match first["type"]:
        case "extra_forbidden":
            known = _known_keys(model, first["loc"][:-1])
            return f"{key} is not a parameter ({did_you_mean(str(first['loc'][-1]), known)})"
        case "missing":
            misspelt = _similar_extra_key(model, first)
            return (
                f"{misspelt} is not a parameter (did you mean {first['loc'][-1]}?)" if misspelt else f"{key} is missing"
            )
        case _:
            message = first["msg"].removeprefix("Value error, ")
            hidden = may_hold_secret(first) or isinstance(first["input"], dict | BaseModel)
            value = "" if hidden else f", not {first['input']!r}"
            return f"{key}: {message[0].lower()}{message[1:]}{value}"


def _similar_extra_key(model: type[BaseModel], first: "ErrorDetails") -> str:
    """Of a section that accepts further keys, the one that is probably a misspelt form of the missing key; or ""."""
    *location, missing = first["loc"]
    known = _known_keys(model, tuple(location))
    extra = [str(name) for name in first["input"] if name not in known] if isinstance(first["input"], dict) else []
    similar = get_close_matches(str(missing), extra, n=1)
    return ".".join(map(str, [*location, *similar])) if similar else ""


def _known_keys(model: type[BaseModel], location: tuple[Any, ...]) -> list[str]:
    """The keys of the section at a location of nested sections; of a union's members, the first section counts."""
    parts = iter(location)
    for part in parts:
        field = next(field for name, field in model.model_fields.items() if part in (name, field.alias))
        types = [field.annotation, *get_args(field.annotation)]
        model = next(item for item in types if isinstance(item, type) and issubclass(item, BaseModel))
        if get_origin(field.annotation) is dict:
            next(parts, None)  # the entry's name, which the user chose
    return [field.alias or name for name, field in model.model_fields.items()]
