"""What an evaluation has of a model, before anything is counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from callwright.records import CheckedChain
from callwright.rollouts.journal import Journaled


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What one model made of the problems.

    Attributes:
        chains: the greedy one of each problem, by problem id; an attempt that failed has none.
        seconds: that a problem waited for the model's replies, on average, with many others in flight.
        samples: further chains of each problem, by problem id; empty without sampling.
        variants: a chain of each variant, in their order, None where there is none; empty for a model that was not
            asked them.
        attempts: those that made the chains, with the times and tokens of their requests, by problem id.
    """

    chains: Mapping[str, CheckedChain]
    seconds: float
    samples: Mapping[str, Sequence[CheckedChain]] = field(default_factory=dict)
    variants: Sequence[CheckedChain | None] = ()
    attempts: Mapping[str, Journaled] = field(default_factory=dict)
