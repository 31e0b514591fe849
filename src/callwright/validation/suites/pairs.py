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

KINDS = (*FAULTS, "wrong_call", "needless_call", "detour")
ROUNDING = 1e-6  # margins are written with six decimals

Message = Mapping[str, Any]
Steps = tuple[str, ...]  # canonical calls from the first step on


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

    told = _told(records, problems, {pair.problem_id for pair in pairs})
    rows = [_row(pair, problems, told[pair.problem_id]) for pair in pairs]
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
        expectations.one_of("kind", KINDS, "what is wrong with the rejected side is a known kind"),
        expectations.between("margin", min_margin - ROUNDING, 1, f"a pair's margin is {min_margin} to 1"),
        expectations.one_of("same_sides", [False], "the chosen side is not the rejected one"),
        expectations.empty("untold", "every reply of a pair was given in a chain of its problem, at that place"),
        expectations.empty(
            "swapped", "the chosen side is better than the rejected one by the chains that go through them"
        ),
        expectations.between("longest_reply", None, longest, f"a reply has at most {longest:,} characters"),
    ]


@dataclass(slots=True)
class _Told:
    """What the chains of one problem said: reply at a place -> canonical call, and the steps and verdicts of chains."""

    keys: dict[tuple[int, str], str] = field(default_factory=dict)
    chains: list[tuple[Steps, bool]] = field(default_factory=list)


def _told(records: Sequence[CheckedChain], problems: Mapping[str, Problem], asked: set[str]) -> Mapping[str, _Told]:
    told: dict[str, _Told] = defaultdict(_Told)
    for record in records:
        chain = record.chain
        if chain.problem_id not in asked or chain.problem_id not in problems:
            continue
        toolbox, protocol = TASKS[problems[chain.problem_id].task].toolbox, PROTOCOLS[chain.protocol]
        own = told[chain.problem_id]
        path = []
        for place, step in enumerate(chain.steps):
            key = toolbox.canonical(step.call) if step.call else f"unreadable: {step.thought}"
            own.keys[place, _text(protocol.reply_message(step, place))] = key
            path.append(key)
        own.chains.append((tuple(path), record.verdict.correct))
    return told


def _row(pair: Pair, problems: Mapping[str, Problem], told: _Told) -> dict[str, Any]:
    problem = problems.get(pair.problem_id)
    before, untold = _read(pair.prompt, 0, told)
    chosen, unchosen = _read(pair.chosen, len(before), told)
    rejected, unrejected = _read(pair.rejected, len(before), told)
    unknown = untold or unchosen or unrejected
    lengths = [_characters(message) for side in (pair.chosen, pair.rejected) for message in _replies(side)]
    return {
        "id": pair.id,
        "split": problem.split if problem else None,
        "kind": pair.kind,
        "margin": pair.margin,
        "orphan": None if problem else f"there is no problem {pair.problem_id}",
        "same_sides": pair.chosen == pair.rejected,
        "untold": unknown if problem else None,
        "swapped": None if unknown else _swapped((*before, *chosen), (*before, *rejected), told),
        "longest_reply": max(lengths, default=0),
    }


def _read(messages: Sequence[Message], first: int, told: _Told) -> tuple[Steps, str | None]:
    """The canonical calls of a conversation's replies, and the first reply that no chain gave at its place."""
    keys = []
    for place, message in enumerate(_replies(messages), start=first):
        key = told.keys.get((place, _text(message)))
        if key is None:
            return (), f"step {place + 1}: {_text(message)[:200]}"
        keys.append(key)
    return tuple(keys), None


def _swapped(chosen: Steps, rejected: Steps, told: _Told) -> str | None:
    """Whether the chains speak against a pair: its chosen side is not right more often, and not in fewer steps."""
    share, lengths = _worth(chosen, told)
    other_share, others = _worth(rejected, told)
    shorter = lengths and (not others or mean(lengths) < mean(others) or min(lengths) < min(others))
    if share > other_share or shorter:
        return None
    return f"chosen: {share:.0%} right, rejected: {other_share:.0%}"


def _worth(begin: Steps, told: _Told) -> tuple[float, list[int]]:
    """Of the chains that begin so: the share of correct ones, and how many steps each of those has."""
    verdicts = [(len(own), correct) for own, correct in told.chains if own[: len(begin)] == begin]
    lengths = [length for length, correct in verdicts if correct]
    return len(lengths) / len(verdicts) if verdicts else 0.0, lengths


def _replies(messages: Sequence[Message]) -> Iterator[Message]:
    return (message for message in messages if message["role"] == "assistant")


def _text(message: Message) -> str:
    """What the model said, whatever else a message carries; arguments in their own order."""
    return json.dumps([message.get("content"), message.get("tool_calls")], ensure_ascii=False)


def _characters(message: Message) -> int:
    calls = message.get("tool_calls") or ()
    return len(message.get("content") or "") + sum(len(call["function"]["arguments"]) for call in calls)
