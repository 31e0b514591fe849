"""reports/samples.html: sampled chains by fault and pairs by kind, on one page that loads nothing from the network.

Model text is hostile: it is escaped, and what could hide or turn it round shows as escapes.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from callwright.agent.text import TEXT
from callwright.records import FAULTS, CheckedChain, Pair, Problem
from callwright.reporting.environment import template_environment
from callwright.reporting.transcripts import message_text
from callwright.storage.files import write_text

SAMPLES_PER_GROUP = 4  # of each fault or kind
CORRECT = "correct"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SampleGroup:
    """Samples of one fault or kind; `count` is how many there are in all."""

    name: str
    count: int
    samples: list[Any]


def write_samples(
    path: Path, chains: Iterable[CheckedChain], pairs: Iterable[Pair], problems: Mapping[str, Problem]
) -> None:
    """Render the page; which samples it shows, a hash of their ids decides.

    Args:
        problems: those of the chains and pairs, by id.
    """
    page = (
        template_environment()
        .get_template("samples.html.jinja")
        .render(
            chains=_sample_groups(chains, _first_fault, lambda one: one.chain.id),
            pairs=_sample_groups(pairs, lambda pair: pair.kind, lambda pair: pair.id),
            problems=problems,
            said=lambda step: TEXT.reply_message(step)["content"],
            came=lambda step: TEXT.result_message(step)["content"],
            text=message_text,
        )
    )
    write_text(path, page)


def _first_fault(record: CheckedChain) -> str:
    return record.verdict.faults[0].fault if record.verdict.faults else CORRECT


def _sample_groups(records: Iterable[T], group: Callable[[T], str], name: Callable[[T], str]) -> list[SampleGroup]:
    """Groups in the order of the faults, then by name."""
    groups: dict[str, list[T]] = defaultdict(list)
    for record in records:
        groups[group(record)].append(record)
    order = {fault: place for place, fault in enumerate((CORRECT, *FAULTS))}
    return [
        SampleGroup(
            one, len(groups[one]), sorted(groups[one], key=lambda record: _hash(name(record)))[:SAMPLES_PER_GROUP]
        )
        for one in sorted(groups, key=lambda one: (order.get(one, len(order)), one))
    ]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
