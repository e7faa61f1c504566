"""Quantisation to the means of clusters of weights (Deep Compression: Han et al., 2016)."""

import numpy as np
from jaxtyping import Float, Shaped

from capacity.coding.blocks import blocks
from capacity.coding.codebook import LIMIT
from capacity.coding.dtypes import QUANTISED
from capacity.coding.errors import UnquantisableTensor
from capacity.coding.quantise import Quantised, held, peak_magnitude

ROUNDS = 1000  # of Lloyd's iteration; it takes tens


def kmeans(
    weights: Shaped[np.ndarray, "..."], levels: int = 32, name: str = "weights"
) -> Quantised:
    """The tensor with each weight replaced by the mean of its cluster.

    Lloyd's iteration from centres spread evenly from the smallest to the largest weight, which
    keeps the large weights that matter (Han et al., section 3.2); a centre that loses all its
    weights moves to the weight farthest from its own centre. Zeros are no part of it: they are a
    level of their own, so that a pruned tensor stays pruned.

    Args:
      weights: [...] any real type; what is not a QUANTISED type comes back as float32.
      levels: of the codebook at most, that of zero included, from 2 to codebook.LIMIT.
      name: what to call the tensor in an error.

    Raises:
      UnquantisableTensor: NaN or infinite weights, beyond float32, or `levels` out of range.
    """
    if not 2 <= levels <= LIMIT:
        raise UnquantisableTensor(f"{name}: a codebook of {levels} levels: must be 2 to {LIMIT}")
    if not held(peak_magnitude(weights, name), "float32"):
        raise UnquantisableTensor(f"{name}: weights beyond float32")
    flat = weights.ravel()
    kept = flat[flat != 0].astype(np.float32)
    has_zeros = kept.size < flat.size or not kept.size
    means = np.unique(_means(kept, levels - has_zeros).astype(np.float32))
    middle = (means[1:].astype(np.float64) + means[:-1]) / 2
    # Zero is a level apart: what lies above its place among the means moves up by one.
    place = int(np.searchsorted(means, 0)) if has_zeros else len(means)
    codebook = np.insert(means, place, 0) if has_zeros else means
    symbols = np.empty(flat.size, np.int32)
    for part in blocks(flat.size):
        nearest = np.searchsorted(middle, flat[part])
        nearest += nearest >= place
        symbols[part] = np.where(flat[part] == 0, place, nearest) if has_zeros else nearest
    dtype = weights.dtype.name if weights.dtype.name in QUANTISED else "float32"
    return Quantised(symbols.reshape(weights.shape), 0.0, codebook, dtype)


def _means(values: Float[np.ndarray, " n"], clusters: int) -> Float[np.ndarray, " k"]:
    """Means of at most that many clusters of values, whose order is lost; none of no values.

    On sorted values a cluster is a range and its sum a difference, so that a round costs
    O(clusters log n).
    """
    if not values.size:
        return np.empty(0)
    values.sort()
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    means = np.unique(np.linspace(float(values[0]), float(values[-1]), clusters))
    for _ in range(ROUNDS):
        cuts = np.searchsorted(values, (means[1:] + means[:-1]) / 2)
        ends = np.concatenate([[0], cuts, [values.size]])
        full = np.diff(ends) > 0
        first, last = ends[:-1][full], ends[1:][full]
        moved = (sums[last] - sums[first]) / (last - first)
        if lost := clusters - len(moved):
            edges = np.concatenate([values[first], values[last - 1]]).astype(np.float64)
            distance = np.abs(edges - np.tile(moved, 2))
            farthest = np.argsort(-distance, kind="stable")[:lost]
            moved = np.unique(np.concatenate([moved, edges[farthest[distance[farthest] > 0]]]))
        if np.array_equal(moved, means):
            break
        means = moved
    return means
