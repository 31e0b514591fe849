"""Problems by slice: by task, and within it by what training saw of it, by length and by source."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from callwright.records import Problem

OVERALL = "overall"


@dataclass(frozen=True, slots=True)
class SeenInTraining:
    """What training saw: groups, and functions as (task, name); functions of the gold solutions of its problems."""

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
    """Problems by the names of the slices they belong to, each in the order given.

    - `overall`, and each task;
    - `<task>/seen` or `<task>/held_out`: whether training had problems of the same group;
    - `<task>/held_out_function`: the gold solution needs a function that no gold solution in training does; in
      training it stood in the prompt, and only a mistake would call it;
    - `<task>/steps_<n>`: gold calls before `answer`;
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
    known = any(name == task for name, _ in seen.functions)  # else training had no gold solutions to go by
    if known and _needed_functions(problem) - seen.functions:
        names.append(f"{task}/held_out_function")
    if several_sources:
        names.append(f"{task}/source_{problem.source}")
    return names


def _needed_functions(problem: Problem) -> set[tuple[str, str]]:
    return {(problem.task, call.name) for call in problem.solution}
