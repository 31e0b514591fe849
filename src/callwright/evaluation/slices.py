"""Slices of the problems: by task, and within a task by what training saw, by length and by source."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from callwright.records import Problem
from callwright.reports.values import OVERALL


@dataclass(frozen=True, slots=True)
class SeenInTraining:
    """What training saw: groups of problems, and functions that gold solutions call, as (task, name)."""

    groups: frozenset[str]
    functions: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> "SeenInTraining":
        """What training on these problems sees."""
        groups, functions = set(), set()
        for problem in problems:
            groups.add(problem.group)
            functions |= _needed_functions(problem)
        return cls(frozenset(groups), frozenset(functions))


def problems_by_slice(problems: Sequence[Problem], seen: SeenInTraining) -> dict[str, list[Problem]]:
    """Slice name -> its problems, in the given order.

    - `overall`, and each task;
    - `<task>/seen` or `<task>/held_out`: whether training had problems of the same group;
    - `<task>/held_out_function`: the gold solution calls a function that no gold solution in training calls;
      training showed the function in prompts only;
    - `<task>/steps_<n>`: number of gold calls before `answer`;
    - `<task>/source_<source>`, for tasks whose problems come from several sources.
    """
    sources: dict[str, set[str]] = defaultdict(set)
    for problem in problems:
        sources[problem.task].add(problem.source)
    slices: dict[str, list[Problem]] = {OVERALL: list(problems)}
    members: dict[str, list[Problem]] = defaultdict(list)
    for problem in problems:
        for name in _slice_names(problem, seen, several_sources=len(sources[problem.task]) > 1):
            members[name].append(problem)
    return slices | dict(sorted(members.items()))


def _slice_names(problem: Problem, seen: SeenInTraining, several_sources: bool) -> list[str]:
    task = problem.task
    names = [task, f"{task}/{'seen' if problem.group in seen.groups else 'held_out'}"]
    if problem.solution:
        names.append(f"{task}/steps_{len(problem.solution) - 1}")
    # Without gold solutions in training, the functions it used are unknown.
    functions_are_known = any(seen_task == task for seen_task, _ in seen.functions)
    if functions_are_known and _needed_functions(problem) - seen.functions:
        names.append(f"{task}/held_out_function")
    if several_sources:
        names.append(f"{task}/source_{problem.source}")
    return names


def _needed_functions(problem: Problem) -> set[tuple[str, str]]:
    return {(problem.task, call.name) for call in problem.solution}
