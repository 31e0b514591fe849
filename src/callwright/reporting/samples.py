"""reports/samples.html: sampled chains by fault and pairs by kind, on one page that loads nothing from the network.

Model text is untrusted: it is escaped, including control and direction marks.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from callwright.agent.text import TEXT
from callwright.records import FAULTS, CheckedChain, Pair, Problem
from callwright.reporting.render import template_environment
from callwright.reporting.transcripts import message_text
from callwright.storage.files import write_text

SAMPLES_PER_GROUP = 4  # of each fault or kind
CORRECT = "correct"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SampleGroup:
    """Samples of one fault or kind; `count` is the size of the whole group."""

    name: str
    count: int
    samples: list[Any]


def write_samples(
    path: Path, chains: Iterable[CheckedChain], pairs: Iterable[Pair], problems: Mapping[str, Problem]
) -> None:
    """Render the page. A hash of the ids selects the samples, so the order of the input does not matter.

    Args:
        problems: the problems of the chains and pairs, by id.
    """
    page = (
        template_environment()
        .get_template("samples.html.jinja")
        .render(
            chains=_sample_groups(chains, _first_fault, lambda checked: checked.chain.id),
            pairs=_sample_groups(pairs, lambda pair: pair.kind, lambda pair: pair.id),
            problems=problems,
            reply_of=lambda step: TEXT.reply_message(step)["content"],
            result_of=lambda step: TEXT.result_message(step)["content"],
            text=message_text,
        )
    )
    write_text(path, page)


def _first_fault(checked: CheckedChain) -> str:
    return checked.verdict.faults[0].fault if checked.verdict.faults else CORRECT


def _sample_groups(records: Iterable[T], group_of: Callable[[T], str], id_of: Callable[[T], str]) -> list[SampleGroup]:
    """Groups in the order of FAULTS, then by name."""
    groups: dict[str, list[T]] = defaultdict(list)
    for record in records:
        groups[group_of(record)].append(record)
    order = {fault: index for index, fault in enumerate((CORRECT, *FAULTS))}
    return [
        SampleGroup(
            name, len(groups[name]), sorted(groups[name], key=lambda record: _hash(id_of(record)))[:SAMPLES_PER_GROUP]
        )
        for name in sorted(groups, key=lambda name: (order.get(name, len(order)), name))
    ]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
