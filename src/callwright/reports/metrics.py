"""reports/metrics.json: what `evaluate` measured. docs/evaluation.md describes each key."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WrapValidator
from pydantic_core import PydanticCustomError

from callwright import paths
from callwright.reports.report import NEWER, Measured, Report, Section
from callwright.reports.values import Amount, ByModel, ByName, BySlice, Count, Share, ShareDifference, omitted

SCHEMA_VERSION = 1  # of this version's file; a change that breaks readers raises it


class Interval(Measured):
    """A share of n problems or events, with its confidence interval."""

    value: Share
    low: Share
    high: Share
    n: Count


class Difference(Measured):
    """A difference of shares on the same problems, with its confidence interval."""

    value: ShareDifference
    low: ShareDifference
    high: ShareDifference


class Gain(Difference):
    """A difference with two two-sided p-values."""

    p_mcnemar: Share
    p_wilcoxon: Share


class Samples(Measured):
    """Accuracy of k samples per problem: their mean, at least one of them, and the majority's answer."""

    k: Count
    pass_at_1: Interval
    pass_at_k: Interval
    majority: Interval


class ChangeResult(Measured):
    """Accuracy on the same problems before and after a change; `gap` is original minus changed."""

    original: Interval
    changed: Interval
    gap: Difference


class Rates(Section):
    """Rates by model with Wilson's intervals, over replies and over answers."""

    valid_calls: ByName[Interval] = ByName[Interval]({})
    grounded: ByName[Interval] = ByName[Interval]({})


class Inputs(Section):
    """What the metrics were measured on: the training's key, content hashes, and the champion's version if any."""

    training: str = Field(min_length=1)
    problems: str = Field(min_length=1)
    base: str = Field(min_length=1)
    student: str = Field(min_length=1)
    champion: Annotated[str | None, BeforeValidator(lambda value: str(value) if type(value) is int else value)]


def _check_version(value: Any, validated: Any) -> int:
    version: int = validated(value)
    if version > SCHEMA_VERSION:
        raise PydanticCustomError(
            NEWER,
            "has schema_version {version}, and this version of Callwright reads up to {known}: "
            "update Callwright, or run dvc repro, which writes the file again",
            {"version": version, "known": SCHEMA_VERSION},
        )
    return version


class Metrics(Measured, Report):
    """All metrics of all models. What was not measured (champion, samples, robustness, unseen) is None or empty.

    Attributes:
        unseen: accuracy on problems that need an unseen function, by task and by `task/function`.
        gain, gain_over_champion: the student minus the base (the champion).
        valid_calls, grounded: share of replies whose call was executed; share of grounded answers.
        calls, tokens, seconds_per_problem: means per problem.
        faults, first_faults: chains with each fault; chains whose first fault it is.
        inputs: None in a file without them, which the gate refuses.
        dropped: problems and changed problems for which one model has no chain.
        seconds: wall clock of the last real run of each stage.
    """

    FILE: ClassVar = paths.METRICS

    schema_version: Annotated[int, Field(ge=1), WrapValidator(_check_version)] = SCHEMA_VERSION  # older files have none
    accuracy: ByModel[BySlice[Interval]]
    gain: BySlice[Gain]
    gain_over_champion: BySlice[Gain] | None = omitted()
    samples: ByName[Samples] = omitted(ByName[Samples]({}))
    robustness: ByName[BySlice[ChangeResult]] = omitted(ByName[BySlice[ChangeResult]]({}))
    unseen: ByName[BySlice[Interval]] = omitted(ByName[BySlice[Interval]]({}))
    valid_calls: ByModel[Share]
    grounded: ByName[Share] = omitted(ByName[Share]({}))
    rates: Rates = Rates()
    calls: ByName[Amount] = omitted(ByName[Amount]({}))
    tokens: ByName[Amount] = omitted(ByName[Amount]({}))
    seconds_per_problem: ByName[Amount] = omitted(ByName[Amount]({}))
    faults: ByName[dict[str, Count]] = omitted(ByName[dict[str, Count]]({}))
    first_faults: ByName[dict[str, Count]] = omitted(ByName[dict[str, Count]]({}))
    inputs: Inputs | None = omitted()
    engine: Literal["local", "endpoint"] | None = omitted()
    dropped: Count = 0
    seconds: ByName[Amount] = omitted(ByName[Amount]({}))

    def measured(self) -> dict[str, Any]:
        """The keys and values of the file without those about the file itself."""
        return self.model_dump(by_alias=True, exclude={"schema_version"})

    def of_run(self, inputs: Inputs, engine: Literal["local", "endpoint"], dropped: int) -> "Metrics":
        """The metrics with what they were measured on."""
        return self.model_copy(update={"inputs": inputs, "engine": engine, "dropped": dropped})

    def with_seconds(self, seconds: Mapping[str, float]) -> "Metrics":
        """The metrics with the seconds of each stage."""
        return self.model_copy(update={"seconds": ByName[Amount](dict(seconds))})
