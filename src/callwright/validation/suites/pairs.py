"""Check preference pairs. A bad pair is not quarantined but stops the stage: it is a bug in the code that made it."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean
from typing import Any

from callwright.agent.conversation import render_plain
from callwright.params import ValidateParams
from callwright.records import FAULTS, CheckedChain, Pair, Problem, Step
from callwright.tasks import Tasks
from callwright.validation.suites import expectations
from callwright.validation.suites.suite import Check, Suites

PAIR_KINDS = (*FAULTS, "wrong_call", "needless_call", "detour")
MARGIN_TOLERANCE = 1e-6  # margins have six decimals in the files

Message = Mapping[str, Any]
CanonicalCalls = tuple[str, ...]  # canonical calls from the first step on


def check_pairs(
    pairs: Sequence[Pair],
    problems: Mapping[str, Problem],
    tasks: Tasks,
    records: Sequence[CheckedChain],
    min_margin: float,
    params: ValidateParams,
    suites: Suites,
) -> list[Check]:
    """Check each pair against its problem and the problem's chains.

    Args:
        problems: problems of all splits, by id.
        records: the chains from which the pairs were made.
        min_margin: the minimum margin of a pair (pairs.min_margin).
        suites: runs the suite `pairs`.

    Raises:
        DataError: a check could not run.
    """
    import pandas as pd

    recorded = _recorded_replies(records, problems, tasks, {pair.problem_id for pair in pairs})
    rows = [_row(pair, problems, tasks, recorded[pair.problem_id]) for pair in pairs]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    return suites.run(frame, "pairs", _expectations(min_margin, params))


_COLUMNS = (
    "id",
    "split",
    "kind",
    "margin",
    "orphan",
    "same_sides",
    "unlike_steps",
    "untold",
    "swapped",
    "longest_reply",
)


def _expectations(min_margin: float, params: ValidateParams) -> list[expectations.Expectation]:
    longest = params.max_reply_characters
    return [
        expectations.some_rows("there are pairs"),
        expectations.unique("id", "no two pairs have the same id"),
        expectations.empty("orphan", "a pair's problem exists"),
        expectations.one_of("split", expectations.TRAINING_SPLITS, "a pair's problem is of train or dev, not of test"),
        expectations.one_of("kind", PAIR_KINDS, "what is wrong with the rejected side is a known kind"),
        expectations.between("margin", min_margin - MARGIN_TOLERANCE, 1, f"a pair's margin is {min_margin} to 1"),
        expectations.one_of("same_sides", [False], "the chosen side is not the rejected one"),
        expectations.empty("unlike_steps", "a pair's messages are those of its steps under their true names"),
        expectations.empty("untold", "every reply of a pair was given in a chain of its problem, at that place"),
        expectations.empty(
            "swapped", "the chosen side is better than the rejected one by the chains that go through them"
        ),
        expectations.between("longest_reply", None, longest, f"a reply has at most {longest:,} characters"),
    ]


@dataclass(slots=True)
class _RecordedReplies:
    """The replies in the chains of one problem.

    Attributes:
        calls: (step index, step as `_reply_key`) -> canonical call.
        chains: each chain's canonical calls, and whether it is correct.
    """

    calls: dict[tuple[int, str], str] = field(default_factory=dict)
    chains: list[tuple[CanonicalCalls, bool]] = field(default_factory=list)


def _recorded_replies(
    records: Sequence[CheckedChain], problems: Mapping[str, Problem], tasks: Tasks, problem_ids: set[str]
) -> Mapping[str, _RecordedReplies]:
    """The recorded replies of each problem in `problem_ids`; empty for problems without chains."""
    by_problem: dict[str, _RecordedReplies] = defaultdict(_RecordedReplies)
    for record in records:
        chain = record.chain
        if chain.problem_id not in problem_ids or chain.problem_id not in problems:
            continue
        toolbox = tasks[problems[chain.problem_id].task].toolbox
        recorded = by_problem[chain.problem_id]
        calls = []
        for index, step in enumerate(chain.steps):
            call = toolbox.canonical(step.call) if step.call else f"unreadable: {step.thought}"
            recorded.calls[index, _reply_key(step)] = call
            calls.append(call)
        recorded.chains.append((tuple(calls), record.verdict.correct))
    return by_problem


def _row(pair: Pair, problems: Mapping[str, Problem], tasks: Tasks, recorded: _RecordedReplies) -> dict[str, Any]:
    problem = problems.get(pair.problem_id)
    # The steps, not the messages: two views may show different calls by the same name
    history, unknown_in_history = _find_calls(pair.history, 0, recorded)
    chosen, unknown_in_chosen = _find_calls(pair.chosen_steps, len(history), recorded)
    rejected, unknown_in_rejected = _find_calls(pair.rejected_steps, len(history), recorded)
    unknown = unknown_in_history or unknown_in_chosen or unknown_in_rejected
    lengths = [_count_characters(message) for side in (pair.chosen, pair.rejected) for message in _replies(side)]
    return {
        "id": pair.id,
        "split": problem.split if problem else None,
        "kind": pair.kind,
        "margin": pair.margin,
        "orphan": None if problem else f"there is no problem {pair.problem_id}",
        "same_sides": pair.chosen == pair.rejected,
        "unlike_steps": None if render_plain(pair, tasks[pair.task]) == pair else "they differ from the steps",
        "untold": unknown if problem else None,
        "swapped": None if unknown else _evidence_against((*history, *chosen), (*history, *rejected), recorded),
        "longest_reply": max(lengths, default=0),
    }


def _find_calls(
    steps: Sequence[Step], first_step: int, recorded: _RecordedReplies
) -> tuple[CanonicalCalls, str | None]:
    """The canonical calls of steps, and the first step that no chain has at the same index.

    Args:
        first_step: index of the first of these steps in its chain.
    """
    calls = []
    for index, step in enumerate(steps, start=first_step):
        call = recorded.calls.get((index, _reply_key(step)))
        if call is None:
            return (), f"step {index + 1}: {_reply_key(step)[:200]}"
        calls.append(call)
    return tuple(calls), None


def _evidence_against(chosen: CanonicalCalls, rejected: CanonicalCalls, recorded: _RecordedReplies) -> str | None:
    """Why the chains contradict a pair; None if its chosen side is correct more often, or needs fewer steps."""
    chosen_share, chosen_lengths = _correct_chains_below(chosen, recorded)
    rejected_share, rejected_lengths = _correct_chains_below(rejected, recorded)
    is_shorter = bool(chosen_lengths) and (
        not rejected_lengths
        or mean(chosen_lengths) < mean(rejected_lengths)
        or min(chosen_lengths) < min(rejected_lengths)
    )
    if chosen_share > rejected_share or is_shorter:
        return None
    return f"chosen: {chosen_share:.0%} right, rejected: {rejected_share:.0%}"


def _correct_chains_below(prefix: CanonicalCalls, recorded: _RecordedReplies) -> tuple[float, list[int]]:
    """The share of correct chains among those with this prefix, and the number of steps of each correct one."""
    verdicts = [(len(calls), correct) for calls, correct in recorded.chains if calls[: len(prefix)] == prefix]
    lengths = [length for length, correct in verdicts if correct]
    return len(lengths) / len(verdicts) if verdicts else 0.0, lengths


def _replies(messages: Sequence[Message]) -> Iterator[Message]:
    return (message for message in messages if message["role"] == "assistant")


def _reply_key(step: Step) -> str:
    """What the model wrote in a step, as text; arguments keep their order."""
    call = [step.call.name, step.call.arguments] if step.call else None
    return json.dumps([step.thought, call], ensure_ascii=False)


def _count_characters(message: Message) -> int:
    calls = message.get("tool_calls") or ()
    return len(message.get("content") or "") + sum(len(call["function"]["arguments"]) for call in calls)
