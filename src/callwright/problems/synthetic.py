"""The source `synthetic`: problems that the tasks make up."""

from collections.abc import Mapping
from functools import partial

from pydantic import Field, create_model

from callwright.params.section import Section
from callwright.problems.source import Source, SourceInputs, SourceResult
from callwright.records import SYNTHETIC, Problem, Split
from callwright.tasks.task import Task
from callwright.tasks.task_sections import missing_part, part_errors_in_one_line


class SyntheticCounts(Section):
    """Numbers of synthetic problems of one task; each is spread evenly over the task's families."""

    train: int = Field(ge=0)
    dev: int = Field(ge=0)
    test: int = Field(ge=0)
    held_out_test: int = Field(ge=0)


class Synthetic(Source[Section]):
    """Problems from the tasks' part `synthetic`. A task that params.yaml does not list gives none."""

    name = SYNTHETIC
    description = "made up by each task that has the part `synthetic`, such as those that ship"
    section = "synthetic"
    params_type = Section

    @classmethod
    def section_type(cls, tasks: Mapping[str, Task]) -> type[Section]:
        # The names of tasks are aliases, because a task's name may be no name of a field, such as "model-b"
        fields = {_field(index): (SyntheticCounts, Field(default=None, alias=name)) for index, name in enumerate(tasks)}
        return create_model("SyntheticParams", __base__=Section, **fields)  # type: ignore[call-overload, no-any-return]

    def read(self, inputs: SourceInputs, result: SourceResult) -> None:
        for index, task in enumerate(inputs.tasks.values()):
            counts: SyntheticCounts | None = getattr(self.params, _field(index))
            if counts is None:
                continue
            synthetic = task.part("synthetic")
            if synthetic is None:
                raise missing_part(task, "synthetic", f"problems.{self.section}")
            by_split: Mapping[Split, int] = {"train": counts.train, "dev": counts.dev, "test": counts.test}
            with part_errors_in_one_line(task, "synthetic"):
                problems = list(synthetic.generate(by_split, counts.held_out_test, inputs.seed))
            for problem in problems:
                result.add(problem.id, partial(_unchanged, problem))


def _field(index: int) -> str:
    """The field with the counts of a task, by the task's index."""
    return f"counts_{index}"


def _unchanged(problem: Problem) -> Problem:
    return problem
