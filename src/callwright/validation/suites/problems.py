"""Check the problems, before chains are made from them."""

from collections.abc import Sequence

from callwright.errors import DataError
from callwright.params import ValidateParams
from callwright.records import SPLITS, Problem
from callwright.tasks import Tasks
from callwright.validation.suites import expectations
from callwright.validation.suites.frames import label_frame, problem_frame
from callwright.validation.suites.suite import Check, Suites


def check_problems(problems: Sequence[Problem], tasks: Tasks, params: ValidateParams, suites: Suites) -> list[Check]:
    """Check the problems of all splits.

    Raises:
        DataError: there are no problems, or a check could not run.

    """
    if not problems:
        raise DataError("there are no problems to validate: see reports/problems.json")
    frame = problem_frame(problems)
    return [
        *suites.run(frame, "problems", _problem_expectations(tasks, params)),
        *suites.run(label_frame(frame), "problems by task", _label_expectations(params)),
    ]


def _problem_expectations(tasks: Tasks, params: ValidateParams) -> list[expectations.Expectation]:
    longest = params.max_question_characters
    return [
        expectations.some_rows("there are problems"),
        expectations.unique("id", "no two problems have the same id"),
        expectations.one_of("task", sorted(tasks), "a problem's task exists"),
        expectations.one_of("split", SPLITS, "a problem's split is train, dev or test"),
        expectations.complete("question", "a problem has a question"),
        expectations.complete("answer", "a problem has an answer"),
        expectations.between("question_characters", 1, longest, f"a question has at most {longest:,} characters"),
        expectations.empty("leak", "no problem of train or dev asks what a test problem asks"),
        expectations.unique("question", "no question is asked twice", expectations.WARNING),
    ]


def _label_expectations(params: ValidateParams) -> list[expectations.Expectation]:
    bound = params.max_label_share
    says = f"at most {bound:.0%} of a task's problems have the same answer"
    return [expectations.between("label_share", None, bound, says, expectations.WARNING)]
