"""What a prequential code spends above a level of loss, and how many labels it takes to get there.

The loss after n labels is that of the network trained on the first n, measured on labels it has not
seen: of a block, the mean of its bits stands for the loss at the block's *first* label. Taking it
for the loss at the last one is a common error: that network saw the block after it was coded, and
the sum is then no code, too small by about the difference of neighbouring losses.
"""

import itertools
import math

import numpy as np

from capacity.information.prequential import Code


def surplus_description_length(code: Code, epsilon: float) -> float:
    """Bits above `epsilon` bits a label, summed while networks are worse than that.

    sum over blocks of max(0, bits of the block - epsilon x its labels) (Whitney et al., 2020,
    arXiv:2009.07368, definition 2). Unlike the code's length it does not grow for ever with the
    number of labels; where no block gets down to `epsilon` it would still have grown, and is a
    lower bound.

    Raises:
      ValueError: an epsilon below 0, or NaN.
    """
    _check(epsilon)
    spans = itertools.pairwise((0, *code.cuts))
    blocks = zip(spans, code.blocks, strict=True)
    return math.fsum(max(0.0, bits - epsilon * (b - a)) for (a, b), bits in blocks)


def sample_complexity(code: Code, epsilon: float) -> int | None:
    """The least number of labels whose network has at most `epsilon` bits of loss a label.

    min{n: loss(n) <= epsilon} (Whitney et al., 2020, definition 3) over the cuts of the code, and 0
    where the uniform law does; at most one block too large. None where no block gets there: it is
    then more than the last cut but one.

    Raises:
      ValueError: an epsilon below 0, or NaN.
    """
    _check(epsilon)
    for first, last in itertools.pairwise((0, *code.cuts)):
        if float(np.mean(code.bits[first:last])) <= epsilon:
            return first
    return None


def _check(epsilon: float) -> None:
    if not epsilon >= 0:
        raise ValueError(f"epsilon = {epsilon}: must be 0 or more")
