"""How many weights each layer keeps, when all layers together keep an exact number."""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from capacity.pruning.errors import PruningError
from capacity.pruning.masks import Mask, keep_largest, prune

Shapes = Mapping[str, Sequence[int]]
"""Of the prunable tensors by name; dense kernels are [in, out], convolutions HWIO."""


def uniform(shapes: Shapes, count: int, *, least: int = 0, emptied: bool = False) -> dict[str, int]:
    """The same density for every layer, to the nearest weight; exactly `count` in all.

    Args:
      least: weights that every layer keeps, if it has that many, at the cost of the others.
      emptied: whether a layer may be left without any weight.

    Raises:
      PruningError: a layer would be emptied, or `count` cannot be had.
    """
    sizes = {name: math.prod(shape) for name, shape in shapes.items()}
    return _shared(sizes, sizes, count, least, emptied)


def erk(
    shapes: Shapes, count: int, *, kernel: bool = True, least: int = 0, emptied: bool = False
) -> dict[str, int]:
    """Erdos-Renyi-Kernel: a density in proportion to (in + out + height + width) / their product.

    Large layers become sparser. A layer whose density would be above 1 stays dense and the others
    share the rest (Evci et al., 2020, arXiv:1911.11134; without `kernel`, in + out alone, as Mocanu
    et al., 2018, arXiv:1707.04780). Arguments and errors are those of `uniform`.
    """
    sizes = {name: math.prod(shape) for name, shape in shapes.items()}
    if kernel:
        weights = {name: sum(shape) for name, shape in shapes.items()}
    else:
        weights = {name: sum(s[-2:]) * math.prod(s[:-2]) for name, s in shapes.items()}
    return _shared(weights, sizes, count, least, emptied)


def competition(
    scores: Mapping[str, Array], mask: Mask, count: Int[Array, ""], least: int | Int[Array, ""] = 0
) -> dict[str, Int[Array, ""]]:
    """What each layer keeps when the `count` largest scores of all layers together stay.

    `prune(scores, mask, competition(...))` then is `prune(scores, mask, count)`, but for the
    `least` best weights of every layer, which stay whatever their score. Needs a `count` of at
    least that many. With `least` 0 the scores decide which layers are emptied.
    """
    safe = {
        name: keep_largest(scores[name].ravel(), m.ravel(), jnp.asarray(least, jnp.int32)).reshape(
            m.shape
        )
        for name, m in mask.items()
    }
    left = count - sum(jnp.sum(m) for m in safe.values())
    others = prune(scores, {name: m & ~safe[name] for name, m in mask.items()}, left)
    return {name: jnp.sum(safe[name] | others[name]) for name in mask}


def refuse_emptied(kept: Mapping[str, int | np.ndarray | Array]) -> None:
    """A `PruningError` that names the first layer that keeps nothing, in any member."""
    for name, counts in kept.items():
        if np.any(np.asarray(counts) == 0):
            raise PruningError(
                f"{name} would keep none of its weights: prune less, keep some of every layer"
                " (least) or allow it (emptied)"
            )


def _shared(
    weights: Mapping[str, int], sizes: Mapping[str, int], count: int, least: int, emptied: bool
) -> dict[str, int]:
    total = sum(sizes.values())
    if not 0 <= count <= total:
        raise PruningError(f"{count} weights to keep: must be from 0 to {total}, which there are")
    low = {name: min(least, size) for name, size in sizes.items()}
    if sum(low.values()) > count:
        raise PruningError(
            f"{count} weights to keep: too few to keep {least} in each of {len(sizes)} layers"
        )
    ideal = _proportional(weights, low, sizes, count)
    kept = {name: math.floor(share) for name, share in ideal.items()}
    # The largest remainders are rounded up; of equals the first.
    remainders = sorted(sizes, key=lambda name: kept[name] - ideal[name])
    for name in remainders[: count - sum(kept.values())]:
        kept[name] += 1
    if not emptied:
        refuse_emptied({name: kept[name] for name, size in sizes.items() if size})
    return kept


def _proportional(
    weights: Mapping[str, int], low: Mapping[str, int], high: Mapping[str, int], count: int
) -> dict[str, Fraction]:
    """Shares in proportion to `weights` within [low, high] that add up to `count`, exactly."""

    def at(scale: Fraction) -> dict[str, Fraction]:
        return {
            name: min(max(scale * weight, Fraction(low[name])), Fraction(high[name]))
            for name, weight in weights.items()
        }

    # The sum rises with the scale, along a straight line between the scales where bounds are met.
    bounds = {Fraction(b[name], w) for b in (low, high) for name, w in weights.items() if w}
    scales = sorted({Fraction(0), *bounds})
    below = max(s for s in scales if sum(at(s).values()) <= count)
    above = min((s for s in scales if s > below), default=below)
    first, last = sum(at(below).values()), sum(at(above).values())
    if first == last:
        return at(below)
    return at(below + (above - below) * Fraction(count - first, last - first))
