"""Critical sparsity: how much of a network can go before it is worse than the dense one."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from capacity.pruning.errors import PruningError

FALLS = "falls"
NEVER_FALLS = "never falls"
STARTS_BELOW = "starts below"

_RESAMPLES = 2000


class Critical(NamedTuple):
    """The largest sparsity that is as accurate as dense, within `tolerance`.

    Attributes:
      sparsity: where the mean curve falls below, from 0 to 1. Where it never falls this is the
        largest sparsity measured, a lower bound; where it starts below, the smallest one, an upper
        bound; `verdict` says which.
      low: lower end of the interval over seeds, and `high` its upper end; bounded likewise.
      tolerance: accuracy that may be lost.
      verdict: FALLS, NEVER_FALLS or STARTS_BELOW.
    """

    sparsity: float
    low: float
    high: float
    tolerance: float
    verdict: str


def critical_sparsity(
    sparsities: Float[np.ndarray, " points"],
    accuracies: Float[np.ndarray, "seeds points"],
    dense: Float[np.ndarray, " seeds"],
    generator: np.random.Generator,
    tolerance: float | None = None,
    confidence: float = 0.95,
) -> Critical:
    """Where the mean accuracy over seeds falls more than `tolerance` below that of dense.

    By linear interpolation between the last sparsity that is within and the next one. A dip before
    that does not count. The interval is that of percentiles over seeds drawn anew, dense and pruned
    together, with the tolerance as it is: it says how sure the mean is, not how seeds differ.

    Args:
      sparsities: rising.
      accuracies: of every seed at each, pruned; `dense` unpruned.
      generator: draws the seeds.
      tolerance: one standard error of the mean of `dense` where it is None.

    Raises:
      PruningError: sparsities do not rise, an accuracy is missing, or one seed has no tolerance.
    """
    _check(sparsities, accuracies, dense)
    seeds = len(dense)
    if tolerance is None:
        if seeds < 2:
            raise PruningError("critical sparsity of 1 seed: has no standard error, give tolerance")
        tolerance = float(np.std(dense, ddof=1) / np.sqrt(seeds))
    if tolerance < 0:
        raise PruningError(f"tolerance {tolerance}: must not be negative")
    loss = dense[:, None] - accuracies
    drawn = generator.integers(seeds, size=(_RESAMPLES, seeds))
    means = np.concatenate([loss.mean(axis=0)[None], loss[drawn].mean(axis=1)])
    crossings = np.array([_crossing(sparsities, mean, tolerance) for mean in means])
    tail = (1 - confidence) / 2
    low, high = np.quantile(crossings[1:], [tail, 1 - tail])
    return Critical(
        float(crossings[0]), float(low), float(high), tolerance, _verdict(means[0], tolerance)
    )


def _crossing(
    sparsities: Float[np.ndarray, " points"], loss: Float[np.ndarray, " points"], tolerance: float
) -> float:
    within = np.flatnonzero(_within(loss, tolerance))
    if not len(within):
        return float(sparsities[0])
    last = int(within[-1])
    if last == len(loss) - 1:
        return float(sparsities[-1])
    share = (tolerance - loss[last]) / (loss[last + 1] - loss[last])
    share = min(max(share, 0.0), 1.0)
    return float(sparsities[last] + share * (sparsities[last + 1] - sparsities[last]))


def _verdict(loss: Float[np.ndarray, " points"], tolerance: float) -> str:
    within = _within(loss, tolerance)
    if not within.any():
        return STARTS_BELOW
    return NEVER_FALLS if within[-1] else FALLS


def _within(loss: np.ndarray, tolerance: float) -> np.ndarray:
    # The same accuracies averaged in another way differ in the last digits.
    return loss <= tolerance + 1e-9


def _check(sparsities: np.ndarray, accuracies: np.ndarray, dense: np.ndarray) -> None:
    if len(sparsities) == 0 or not np.all((sparsities >= 0) & (sparsities <= 1)):
        raise PruningError(f"sparsities {sparsities}: must be at least one, each from 0 to 1")
    if np.any(np.diff(sparsities) <= 0):
        raise PruningError(f"sparsities {sparsities}: must rise")
    if not (np.all(np.isfinite(accuracies)) and np.all(np.isfinite(dense))):
        seed = int(np.flatnonzero(~np.isfinite(accuracies).all(axis=1) | ~np.isfinite(dense))[0])
        raise PruningError(f"seed {seed} has an accuracy that is no number: leave it out")
