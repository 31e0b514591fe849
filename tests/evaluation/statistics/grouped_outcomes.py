"""Random outcomes of problems in groups of unequal size, with a known true share."""

import numpy as np


def draw_outcomes(
    rng: np.random.Generator, share: float, correlation: float, groups: list[str] | None = None, count: int = 24
) -> tuple[list[float], list[str]]:
    """Flags and their groups. A group's probability is drawn from a beta distribution.

    Args:
        share: mean of the beta distribution.
        correlation: between two problems of a group; 0: all groups have the probability `share`.
        groups: the group of each flag; None: draw `count` groups of random sizes.
    """
    if groups is None:
        sizes = np.maximum(1, np.round(rng.lognormal(0, 0.6, count) * 10)).astype(int)
        groups = np.repeat(np.arange(count), sizes).astype(str).tolist()
    names, group_index = np.unique(groups, return_inverse=True)
    scale = (1 - correlation) / correlation if correlation else 0.0
    probabilities = rng.beta(share * scale, (1 - share) * scale, len(names)) if scale else np.full(len(names), share)
    return (rng.random(len(groups)) < probabilities[group_index]).astype(float).tolist(), groups
