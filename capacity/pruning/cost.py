"""What a network costs, and what pruning saves of it."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from capacity.pruning.compaction import Masks, Tensors


class Cost(NamedTuple):
    """Of one example through a network: parameters with biases; multiply-adds of kernels."""

    parameters: int
    multiply_adds: int


class Savings(NamedTuple):
    """The dense network, its kept weights alone, and the compact network without useless units."""

    original: Cost
    sparse: Cost
    compact: Cost

    @property
    def compression(self) -> float:
        """Original parameters over kept ones, biases counted (Blalock et al., 2020)."""
        return self.original.parameters / self.sparse.parameters

    @property
    def speed_up(self) -> float:
        """Theoretical: original multiply-adds over those of kept weights. A mask saves no time."""
        return _ratio(self.original, self.sparse)

    @property
    def compact_speed_up(self) -> float:
        """Original multiply-adds over those of the compact network, which any library saves."""
        return _ratio(self.original, self.compact)


def cost(params: Tensors, mask: Masks, positions: Mapping[str, int] | None = None) -> Cost:
    """Of the weights in `mask`, and of tensors that are not in it whole.

    Args:
      positions: by kernel how often an example meets it: places of a convolution's output, else 1.
    """
    often = positions or {}
    kept = {n: int(np.sum(mask[n])) if n in mask else p.size for n, p in params.items()}
    products = [kept[n] * often.get(n, 1) for n, p in params.items() if p.ndim > 1]
    return Cost(sum(kept.values()), sum(products))


def savings(
    params: Tensors, mask: Masks, compact: Tensors, positions: Mapping[str, int] | None = None
) -> Savings:
    """Of a pruned network and the compact one that computes the same."""
    return Savings(
        cost(params, {}, positions), cost(params, mask, positions), cost(compact, {}, positions)
    )


def _ratio(original: Cost, smaller: Cost) -> float:
    """Infinite where no multiply-add is left."""
    left = smaller.multiply_adds
    return original.multiply_adds / left if left else float("inf")
