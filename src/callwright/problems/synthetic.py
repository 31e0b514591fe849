"""The source `synthetic`: problems that the tasks make up."""

from collections.abc import Callable, Mapping
from functools import partial

from pydantic import Field, create_model

from callwright.params.section import Section
from callwright.problems.source import Source, SourceInputs, SourceResult
from callwright.records import Problem, Split
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems
from callwright.tasks.entailment.synthetic import entailment_problems
from callwright.tasks.synthetic import SOURCE
from callwright.tasks.task import Task
from callwright.tasks.translation.synthetic.problems import translation_problems

Generate = Callable[[Mapping[Split, int], int, int], list[Problem]]


class SyntheticCounts(Section):
    """Numbers of synthetic problems of one task; each is spread evenly over the task's families."""

    train: int = Field(ge=0)
    dev: int = Field(ge=0)
    test: int = Field(ge=0)
    held_out_test: int = Field(ge=0)


class Synthetic(Source[Section]):
    """Problems from the tasks' templates. A task that params.yaml does not list gives none."""

    name = SOURCE
    description = "made up from templates, for every task that ships"
    section = "synthetic"
    params_type = Section

    @classmethod
    def section_type(cls, tasks: Mapping[str, Task]) -> type[Section]:
        fields: dict[str, tuple[type[SyntheticCounts], None]] = dict.fromkeys(
            _generators(tasks), (SyntheticCounts, None)
        )
        return create_model("SyntheticParams", __base__=Section, **fields)  # type: ignore[call-overload, no-any-return]

    def read(self, inputs: SourceInputs, result: SourceResult) -> None:
        for task, generate in _generators(inputs.tasks).items():
            counts: SyntheticCounts | None = getattr(self.params, task)
            if counts is None:
                continue
            by_split: Mapping[Split, int] = {"train": counts.train, "dev": counts.dev, "test": counts.test}
            for problem in generate(by_split, counts.held_out_test, inputs.seed):
                result.add(problem.id, partial(_unchanged, problem))


def _unchanged(problem: Problem) -> Problem:
    return problem


def _generators(tasks: Mapping[str, Task]) -> dict[str, Generate]:
    """The tasks that make up problems, each with the function that does it."""
    generators: dict[str, Generate] = {
        "arithmetic": synthetic_problems,
        "translation": translation_problems,
        "entailment": entailment_problems,
    }
    return {task: generators[task] for task in tasks if task in generators}
