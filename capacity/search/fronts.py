"""Several costs at once: the Pareto front, and the volume that it dominates. Smaller is better."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Float, Int

from capacity.search.domains import Number


def dominates(a: Iterable[Number], b: Iterable[Number]) -> bool:
    """Whether `a` is no worse than `b` in any cost and better in at least one."""
    pairs = list(zip(a, b, strict=True))
    return all(x <= y for x, y in pairs) and any(x < y for x, y in pairs)


def pareto_front(costs: Float[np.ndarray, "points costs"]) -> Bool[np.ndarray, " points"]:
    """Which points no other point dominates; equal points do not dominate one another."""
    no_worse = np.all(costs[:, None] <= costs[None], axis=2)
    better = np.any(costs[:, None] < costs[None], axis=2)
    return ~np.any(no_worse & better, axis=0)


def pareto_ranks(costs: Float[np.ndarray, "points costs"]) -> Int[np.ndarray, " points"]:
    """0 for the front, 1 for the front of the rest, and so on (Deb et al., 2002)."""
    ranks = np.zeros(len(costs), int)
    left = np.arange(len(costs))
    rank = 0
    while len(left):
        front = pareto_front(costs[left])
        ranks[left[front]] = rank
        left, rank = left[~front], rank + 1
    return ranks


def hypervolume(costs: Float[np.ndarray, "points 2"], reference: tuple[Number, Number]) -> float:
    """The area that points dominate up to `reference`: exact, for two costs.

    A point that is not better than the reference in both costs adds nothing.
    """
    inside = costs[np.all(costs < np.asarray(reference), axis=1)]
    area, lowest = 0.0, float(reference[1])
    for x, y in inside[np.lexsort((inside[:, 1], inside[:, 0]))]:
        if y < lowest:
            area += (reference[0] - x) * (lowest - y)
            lowest = y
    return float(area)


def hypervolume_over_time(
    costs: Float[np.ndarray, "points 2"], reference: tuple[Number, Number]
) -> Float[np.ndarray, " points"]:
    """The hypervolume of the first point, of the first two, and so on: never falls."""
    return np.array([hypervolume(costs[: i + 1], reference) for i in range(len(costs))])
