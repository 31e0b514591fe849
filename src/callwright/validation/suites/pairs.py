"""What preference pairs must be like. No pair is quarantined: a bad one is a defect of the code that made it."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean
from typing import Any

from callwright.agent.protocol import PROTOCOLS
from callwright.params import ValidateParams
from callwright.records import FAULTS, CheckedChain, Pair, Problem
from callwright.tasks import TASKS
from callwright.validation.suites import expectations
from callwright.validation.suites.suite import Check, Suites

PAIR_KINDS = (*FAULTS, "wrong_call", "needless_call", "detour")
MARGIN_TOLERANCE = 1e-6  # margins are written with six decimals

Message = Mapping[str, Any]
CanonicalCalls = tuple[str, ...]  # canonical calls from the first step on


def check_pairs(
    pairs: Sequence[Pair],
    problems: Mapping[str, Problem],
    records: Sequence[CheckedChain],
    min_margin: float,
    params: ValidateParams,
    suites: Suites,
) -> list[Check]:
    """Check the pairs, each against the problem and the chains that it came from.

    Args:
        problems: of all splits, by id.
        records: the chains that the pairs were made of.
        min_margin: what the pairs were to differ by at least (params.pairs).
        suites: runs the suite `pairs`.

    Raises:
        DataError: a check could not run.
    """
    import pandas as pd

    recorded = _recorded_replies(records, problems, {pair.problem_id for pair in pairs})
    rows = [_row(pair, problems, recorded[pair.problem_id]) for pair in pairs]
    frame = pd.DataFrame(rows, columns=list(_COLUMNS))
    return suites.run(frame, "pairs", _expectations(min_margin, params))


_COLUMNS = ("id", "split", "kind", "margin", "orphan", "same_sides", "untold", "swapped", "longest_reply")


def _expectations(min_margin: float, params: ValidateParams) -> list[expectations.Expectation]:
    longest = params.max_reply_characters
    return [
        expectations.some_rows("there are pairs"),
        expectations.unique("id", "no two pairs have the same id"),
        expectations.empty("orphan", "a pair's problem exists"),
        expectations.one_of("split", ["train", "dev"], "a pair's problem is of train or dev, not of test"),
        expectations.one_of("kind", PAIR_KINDS, "what is wrong with the rejected side is a known kind"),
        expectations.between("margin", min_margin - MARGIN_TOLERANCE, 1, f"a pair's margin is {min_margin} to 1"),
        expectations.one_of("same_sides", [False], "the chosen side is not the rejected one"),
        expectations.empty("untold", "every reply of a pair was given in a chain of its problem, at that place"),
        expectations.empty(
            "swapped", "the chosen side is better than the rejected one by the chains that go through them"
        ),
        expectations.between("longest_reply", None, longest, f"a reply has at most {longest:,} characters"),
    ]


@dataclass(slots=True)
class _RecordedReplies:
    """What the chains of one problem said: reply at a place -> canonical call, and the steps and verdicts of chains."""

    keys: dict[tuple[int, str], str] = field(default_factory=dict)
    chains: list[tuple[CanonicalCalls, bool]] = field(default_factory=list)


def _recorded_replies(
    records: Sequence[CheckedChain], problems: Mapping[str, Problem], asked: set[str]
) -> Mapping[str, _RecordedReplies]:
    recorded: dict[str, _RecordedReplies] = defaultdict(_RecordedReplies)
    for record in records:
        chain = record.chain
        if chain.problem_id not in asked or chain.problem_id not in problems:
            continue
        toolbox, protocol = TASKS[problems[chain.problem_id].task].toolbox, PROTOCOLS[chain.protocol]
        own = recorded[chain.problem_id]
        path = []
        for place, step in enumerate(chain.steps):
            key = toolbox.canonical(step.call) if step.call else f"unreadable: {step.thought}"
            own.keys[place, _text(protocol.reply_message(step, place))] = key
            path.append(key)
        own.chains.append((tuple(path), record.verdict.correct))
    return recorded


def _row(pair: Pair, problems: Mapping[str, Problem], recorded: _RecordedReplies) -> dict[str, Any]:
    problem = problems.get(pair.problem_id)
    before, untold = _read_replies(pair.prompt, 0, recorded)
    chosen, unchosen = _read_replies(pair.chosen, len(before), recorded)
    rejected, unrejected = _read_replies(pair.rejected, len(before), recorded)
    unknown = untold or unchosen or unrejected
    lengths = [_count_characters(message) for side in (pair.chosen, pair.rejected) for message in _replies(side)]
    return {
        "id": pair.id,
        "split": problem.split if problem else None,
        "kind": pair.kind,
        "margin": pair.margin,
        "orphan": None if problem else f"there is no problem {pair.problem_id}",
        "same_sides": pair.chosen == pair.rejected,
        "untold": unknown if problem else None,
        "swapped": None if unknown else _evidence_against((*before, *chosen), (*before, *rejected), recorded),
        "longest_reply": max(lengths, default=0),
    }


def _read_replies(
    messages: Sequence[Message], first: int, recorded: _RecordedReplies
) -> tuple[CanonicalCalls, str | None]:
    """The canonical calls of a conversation's replies, and the first reply that no chain gave at its place."""
    keys = []
    for place, message in enumerate(_replies(messages), start=first):
        key = recorded.keys.get((place, _text(message)))
        if key is None:
            return (), f"step {place + 1}: {_text(message)[:200]}"
        keys.append(key)
    return tuple(keys), None


def _evidence_against(chosen: CanonicalCalls, rejected: CanonicalCalls, recorded: _RecordedReplies) -> str | None:
    """Whether the chains speak against a pair: its chosen side is not right more often, and not in fewer steps."""
    share, lengths = _correct_chains_below(chosen, recorded)
    other_share, others = _correct_chains_below(rejected, recorded)
    shorter = lengths and (not others or mean(lengths) < mean(others) or min(lengths) < min(others))
    if share > other_share or shorter:
        return None
    return f"chosen: {share:.0%} right, rejected: {other_share:.0%}"


def _correct_chains_below(begin: CanonicalCalls, recorded: _RecordedReplies) -> tuple[float, list[int]]:
    """Of the chains that begin so: the share of correct ones, and how many steps each of those has."""
    verdicts = [(len(own), correct) for own, correct in recorded.chains if own[: len(begin)] == begin]
    lengths = [length for length, correct in verdicts if correct]
    return len(lengths) / len(verdicts) if verdicts else 0.0, lengths


def _replies(messages: Sequence[Message]) -> Iterator[Message]:
    return (message for message in messages if message["role"] == "assistant")


def _text(message: Message) -> str:
    """What the model said, whatever else a message carries; arguments in their own order."""
    return json.dumps([message.get("content"), message.get("tool_calls")], ensure_ascii=False)


def _count_characters(message: Message) -> int:
    calls = message.get("tool_calls") or ()
    return len(message.get("content") or "") + sum(len(call["function"]["arguments"]) for call in calls)
