"""VC dimension of ReLU networks: a bound with its constants, and the known orders without any."""

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple


class VcOrder(NamedTuple):
    """W L log2(W / L) and W L log2(W): orders, not bounds, as their constants are left out."""

    lower: float
    upper: float


def vc_order(weights: int, layers: int) -> VcOrder:
    """The orders between which the largest VC dimension of W weights in L layers lies.

    Some ReLU network with W weights in L layers has VC dimension Omega(W L log(W / L)), and all
    have O(W L log W) (Bartlett, Harvey, Liaw and Mehrabian, "Nearly-tight VC-dimension and
    pseudodimension bounds for piecewise linear neural networks", JMLR 20(63), 2019, abstract). The
    lower one is of the best network of that size, not of the network at hand.

    Args:
      weights: W, biases included, at least `layers`.
      layers: L, those with weights, the output layer included.
    """
    return VcOrder(
        weights * layers * math.log2(weights / layers), weights * layers * math.log2(weights)
    )


def vc_bound(parameters: Sequence[int], units: Sequence[int]) -> int:
    """An upper bound on the VC dimension of the sign of a ReLU network's output.

    The largest m with 2^m <= product over layers i of 2 (2 e m k_i i / W_i)^W_i, where W_i are
    the parameters up to layer i and k_i its units, 1 for the last. Where the network up to layer
    i - 1 is one polynomial for each input, layer i computes m k_i polynomials of degree i in W_i
    variables, whose signs cut the parameters into at most 2 (2 e m k_i i / W_i)^W_i regions if
    m k_i >= W_i (Warren, 1968, as theorem 8.3 of Anthony and Bartlett, 1999); the last layer gives
    the labels. It is the step of the proof of theorem 7 of Bartlett et al. (2019) before its
    closed form, which only loosens it. It holds for shared weights (convolutions without pooling)
    as it does for dense layers, and for the difference of two logits as for one output.

    A worst case over real weights of any precision: what training reaches is far below. One
    threshold unit of n weights has VC dimension n; this bound is 6 for n = 1, 467 for n = 100.

    Args:
      parameters: of each layer, bias included, input side first; all positive.
      units: pre-activations of each layer for one input, in the same order; the last is not used.
    """
    totals = list(accumulate(parameters))
    counts = [*units[:-1], 1]

    def log2_labellings(m: int) -> float:
        return sum(
            1 + total * math.log2(2 * math.e * m * count * depth / total)
            for depth, (total, count) in enumerate(zip(totals, counts, strict=True), start=1)
        )

    # The logarithm is concave in m and exceeds m at m = W: it crosses m once above, and there lies
    # the bound, between `low` and `high`.
    low, high = totals[-1], 2 * totals[-1]
    while log2_labellings(high) >= high:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if log2_labellings(middle) >= middle else (low, middle)
    return low
