"""Intrinsic dimension of a cloud of points, from the distances to their nearest neighbours."""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Shaped

from capacity.information.estimate import Estimate
from capacity.information.measure import Measure, Measures, Progress, attempted

POINTS = 10_000  # of a data set: its first, for the time is quadratic
NEIGHBOURS = (3, 5, 10, 20)
BLOCK = 500  # points whose distances to all others are held at a time


def distinct(points: Shaped[np.ndarray, "n ..."]) -> Shaped[np.ndarray, "m d"]:
    """The points as rows, each once and in the order of first occurrence.

    Raises:
      ValueError: a value that is NaN or infinite.
    """
    rows = np.ascontiguousarray(points.reshape(len(points), math.prod(points.shape[1:])))
    if np.issubdtype(rows.dtype, np.floating):
        if not np.all(np.isfinite(rows)):
            raise ValueError("inputs hold NaN or infinite values, which have no distances")
        rows = rows + np.zeros((), rows.dtype)  # -0.0 is 0.0
    if not rows.size:
        return rows[:0]
    whole = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1])))
    return rows[np.sort(np.unique(whole, return_index=True)[1])]


def neighbour_distances(
    points: Shaped[np.ndarray, "n ..."],
    neighbours: int,
    progress: Callable[[float], object] | None = None,
) -> Float[np.ndarray, "m neighbours"]:
    """Euclidean distances of every distinct point to its nearest others, ascending; all > 0.

    Neighbours are found by blocks from inner products, of pixels in float32 and of real values in
    float64, and their distances then taken from differences in float64. Among points much nearer to
    each other than to the centre (10^-3 of that in float32, 10^-7 in float64) rounding chooses.
    10 000 images of 784 pixels take 4 s of one core.

    Raises:
      ValueError: no more than `neighbours` distinct points, or a value that is NaN or infinite.
    """
    rows = distinct(points)
    if len(rows) <= neighbours:
        raise ValueError(
            f"distinct points: {len(rows)}, where more than {neighbours} are needed for "
            f"{neighbours} neighbours of each"
        )
    real = np.float32 if rows.dtype == np.uint8 else np.float64
    rows = rows.astype(np.float64)
    centred = (rows - rows.mean(0)).astype(real)
    squares = np.einsum("ij,ij->i", centred, centred)
    distances = np.empty((len(rows), neighbours))
    for start in range(0, len(rows), BLOCK):
        own = np.arange(start, min(start + BLOCK, len(rows)))
        far = squares - 2 * centred[own] @ centred.T  # short of |x|^2, the same along a row
        far[np.arange(len(own)), own] = np.inf
        nearest = np.argpartition(far, neighbours - 1, axis=1)[:, :neighbours]
        for row, chosen in zip(own, nearest, strict=True):
            distances[row] = np.sqrt(np.sum((rows[chosen] - rows[row]) ** 2, axis=1))
        if progress is not None:
            progress((own[-1] + 1) / len(rows))
    return np.sort(distances, axis=1)


def twonn_dimension(distances: Float[np.ndarray, "m k"]) -> Estimate:
    """TwoNN: (m - 1) / sum log(r2 / r1), for the distances r1 and r2 to the two nearest others.

    The unbiased maximum-likelihood form (Denti et al., 2022) of the law of Facco et al. (2017),
    whose straight-line fit without the largest tenth is within 0.1 of it on MNIST. Scale-free.
    Biased low where the dimension is above about 10 for the number of points at hand. The standard
    error, d / sqrt(m), takes the points as independent.

    Args:
      distances: [m, k >= 2] as `neighbour_distances` gives them.

    Raises:
      ValueError: fewer than two points or neighbours, or neighbours that are all equally far.
    """
    _check(distances)
    spread = float(np.sum(np.log(distances[:, 1] / distances[:, 0])))
    dimension = (len(distances) - 1) / _positive(spread)
    return Estimate(dimension, dimension / len(distances) ** 0.5)


def levina_bickel_dimension(distances: Float[np.ndarray, "m k"]) -> Estimate:
    """The estimate of Levina & Bickel (2004) from k neighbours, pooled over all points.

    1 / mean over points of (1 / (k - 1)) sum_{j < k} log(T_k / T_j): the inverses are averaged, as
    MacKay & Ghahramani (2005) showed they must be; the mean of the estimates themselves is twice as
    large on MNIST for k = 3. Scale-free; a larger k looks at a larger scale. The standard error is
    that of the mean inverse, to first order, and takes the points as independent.

    Args:
      distances: [m, k >= 2] as `neighbour_distances` gives them; all k are used.

    Raises:
      ValueError: fewer than two points or neighbours, or neighbours that are all equally far.
    """
    _check(distances)
    inverse = np.log(distances[:, -1:] / distances[:, :-1]).mean(1)
    dimension = 1 / _positive(float(inverse.mean()))
    deviation = float(inverse.std(ddof=1)) / len(inverse) ** 0.5
    return Estimate(dimension, dimension**2 * deviation)


def dimension_measures(
    inputs: Shaped[np.ndarray, "n ..."], progress: Progress | None = None
) -> Measures:
    """Intrinsic dimension of the first POINTS inputs, duplicates left out."""
    few = inputs[:POINTS]
    told = None if progress is None else lambda share: progress("nearest neighbours", share)
    names = {k: f"levina_bickel_dimension/{k}" for k in NEIGHBOURS}
    try:
        points = len(distinct(few))
        distances = neighbour_distances(few, min(max(NEIGHBOURS), max(2, points - 1)), told)
    except ValueError as error:
        return {
            name: Measure(None, None, str(error)) for name in ("twonn_dimension", *names.values())
        }

    def pooled(k: int) -> Measure:
        if distances.shape[1] < k:
            return Measure(None, None, f"distinct points: {points}, where more than {k} are needed")
        return Measure(*levina_bickel_dimension(distances[:, :k]))

    return {
        "points": Measure(points, None, f"first {len(few)} inputs"),
        "duplicates": Measure(len(few) - points),
        "twonn_dimension": attempted(lambda: Measure(*twonn_dimension(distances))),
        **{name: attempted(lambda k=k: pooled(k)) for k, name in names.items()},
    }


def _check(distances: np.ndarray) -> None:
    if len(distances) < 2 or distances.shape[1] < 2:
        raise ValueError(
            f"{len(distances)} points with {distances.shape[1]} neighbours each: at least two of "
            "both are needed for a dimension"
        )


def _positive(spread: float) -> float:
    if not spread > 0:
        raise ValueError("the neighbours of every point are equally far: no dimension explains it")
    if not np.isfinite(spread):
        raise ValueError("distances of neighbours overflow: scale the inputs")
    return spread
