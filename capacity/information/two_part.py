"""The two-part code of labels: a network, and what it leaves of them."""

import math


def two_part_bits(size: int, loss: float, examples: int) -> float:
    """Bits of a file of `size` bytes and of the labels under the network that it decodes to.

    8 size + examples loss: an upper bound on the information in the labels given the inputs, as a
    decoder that has the architecture could read it (Rissanen, 1978; Hinton & van Camp, 1993). The
    file says itself where it ends. Not comparable with a code without a network where it exceeds
    that one: then the weights are described more finely than the labels are worth.

    Args:
      loss: mean -log2 p(label) of the decoded network over these examples.

    Raises:
      ValueError: a loss that is NaN or infinite, as where a label was held to be impossible.
    """
    if not math.isfinite(loss):
        raise ValueError(f"loss = {loss}: labels that a network held to be impossible have no code")
    return 8 * size + examples * loss
