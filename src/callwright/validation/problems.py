"""What the problems must be like before anything is made of them."""

from collections.abc import Sequence

from callwright.errors import DataError
from callwright.params import ValidateParams
from callwright.records import SPLITS, Problem
from callwright.tasks import TASKS
from callwright.validation import expect
from callwright.validation.frame import label_frame, problem_frame
from callwright.validation.suite import Check, Suites


def check_problems(problems: Sequence[Problem], params: ValidateParams, suites: Suites) -> list[Check]:
    """Check the problems of all splits.

    Raises:
        DataError: there are none, or a check could not run.
    """
    if not problems:
        raise DataError("there are no problems to validate: see reports/problems.json")
    frame = problem_frame(problems)
    return [
        *suites.run(frame, "problems", _problem_expectations(params)),
        *suites.run(label_frame(frame), "problems by task", _label_expectations(params)),
    ]


def _problem_expectations(params: ValidateParams) -> list[expect.Expectation]:
    longest = params.max_question_characters
    return [
        expect.some_rows("there are problems"),
        expect.unique("id", "no two problems have the same id"),
        expect.one_of("task", sorted(TASKS), "a problem's task exists"),
        expect.one_of("split", SPLITS, "a problem's split is train, dev or test"),
        expect.complete("question", "a problem has a question"),
        expect.complete("answer", "a problem has an answer"),
        expect.between("question_characters", 1, longest, f"a question has at most {longest:,} characters"),
        expect.empty("leak", "no problem of train or dev asks what a test problem asks"),
        expect.unique("question", "no question is asked twice", expect.WARNING),
    ]


def _label_expectations(params: ValidateParams) -> list[expect.Expectation]:
    bound = params.max_label_share
    says = f"at most {bound:.0%} of a task's problems have the same answer"
    return [expect.between("label_share", None, bound, says, expect.WARNING)]
