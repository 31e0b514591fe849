"""Outcomes of problems in unequal groups, drawn from a known truth."""

import numpy as np


def draw_outcomes(
    rng: np.random.Generator, share: float, correlation: float, groups: list[str] | None = None, count: int = 24
) -> tuple[list[float], list[str]]:
    """Flags and their groups; a group's probability is drawn from a beta with this mean and intra-group correlation."""
    if groups is None:
        sizes = np.maximum(1, np.round(rng.lognormal(0, 0.6, count) * 10)).astype(int)
        groups = np.repeat(np.arange(count), sizes).astype(str).tolist()
    names, places = np.unique(groups, return_inverse=True)
    scale = (1 - correlation) / correlation if correlation else 0.0
    own = rng.beta(share * scale, (1 - share) * scale, len(names)) if scale else np.full(len(names), share)
    return (rng.random(len(groups)) < own[places]).astype(float).tolist(), groups
