"""Expectations for single chain lines, for all kept chains, and for the chains of each task."""

from collections.abc import Collection
from typing import get_args

from callwright.params import ValidateParams
from callwright.records import FAULTS, Outcome, Protocol
from callwright.tasks import Tasks
from callwright.validation.lines import NO_FAULT
from callwright.validation.suites import expectations
from callwright.validation.suites.frames import FLAG_COLUMNS, NUMBER_COLUMNS, TEXT_COLUMNS


def line_expectations(params: ValidateParams, models: Collection[str]) -> list[expectations.Expectation]:
    """Expectations for each line. They are warnings, because a line that fails one is quarantined."""
    steps, tokens, reply = params.max_steps, params.max_tokens, params.max_reply_characters
    warning = expectations.WARNING
    return [
        expectations.empty("unreadable", "a line is a chain record", warning),
        expectations.empty("unexpected", "a line is executed and judged without an unexpected error", warning),
        expectations.unique("id", "no two chains have the same id", warning),
        expectations.empty("orphan", "a chain's problem exists", warning),
        expectations.one_of(
            "split", expectations.TRAINING_SPLITS, "a chain's problem is of train or dev, not of test", warning
        ),
        expectations.one_of("model", sorted(models), f"a chain is by {' or '.join(sorted(models))}", warning),
        expectations.empty("mismatch", "executing the calls again gives what was recorded", warning),
        expectations.between("steps", 1, steps, f"a chain has 1 to {steps} steps", warning),
        expectations.between("prompt_tokens", 0, tokens, f"an attempt's prompts have 0 to {tokens:,} tokens", warning),
        expectations.between(
            "completion_tokens", 0, tokens, f"an attempt's replies have 0 to {tokens:,} tokens", warning
        ),
        expectations.between("longest_reply", None, reply, f"a reply has at most {reply:,} characters", warning),
    ]


def chain_expectations(tasks: Tasks, params: ValidateParams) -> list[expectations.Expectation]:
    """Expectations for all kept chains together."""
    low, high = params.min_correct_share, params.max_correct_share
    answered = params.min_answered_share
    return [
        expectations.some_rows("chains are kept"),
        expectations.columns(
            [*TEXT_COLUMNS, *NUMBER_COLUMNS, *FLAG_COLUMNS], "the table has its columns and no others"
        ),
        *(expectations.of_type(column, "str", f"{column} is text") for column in TEXT_COLUMNS),
        *(expectations.of_type(column, "int64", f"{column} is a whole number") for column in NUMBER_COLUMNS),
        *(expectations.of_type(column, "bool", f"{column} is yes or no") for column in FLAG_COLUMNS),
        *(expectations.complete(column, f"no chain is without {column}") for column in TEXT_COLUMNS),
        expectations.one_of("task", sorted(tasks), "a chain's task exists"),
        expectations.one_of("protocol", get_args(Protocol), "a chain's protocol is text or native"),
        expectations.one_of("outcome", get_args(Outcome), "a chain's outcome is a known one"),
        expectations.one_of("first_fault", [*FAULTS, NO_FAULT], "a fault is a known one"),
        expectations.mean_between("correct", low, high, f"{low:.0%} to {high:.0%} of the chains are correct"),
        expectations.mean_between(
            "answered",
            answered,
            None,
            f"at least {answered:.0%} of the chains end with an answer",
            expectations.WARNING,
        ),
        expectations.between("completion_tokens", 1, None, "an attempt's tokens were counted", expectations.WARNING),
    ]


def task_expectations(params: ValidateParams) -> list[expectations.Expectation]:
    """Expectations for the kept chains of each task, because shares over all tasks can hide a task that failed."""
    low, high, fault = params.min_correct_share, params.max_correct_share, params.max_fault_share
    correct_says = f"{low:.0%} to {high:.0%} of a task's chains are correct"
    fault_says = f"at most {fault:.0%} of a task's chains begin with the same fault"
    return [
        expectations.between("correct", low, high, correct_says, expectations.WARNING),
        expectations.between("fault_share", None, fault, fault_says, expectations.WARNING),
    ]
