"""What the length of a network's file says of the errors it will make: a bound."""

import math
from typing import Any

from scipy.optimize import brentq

DELTA = 0.05  # the probability that the bound fails, over the draw of the training set


def message_bits(size: int, choices: int = 1) -> float:
    """Bits of a prefix-free message that holds a file of `size` bytes: what a prior is charged.

    The file, its length in bytes by Elias' (1975) delta code, and the name of the decoder among
    `choices`. What was searched for with the training data and stands in the file, as steps,
    masks and codebooks, needs no other union bound: each file is a message of its own.

    Raises:
      ValueError: an empty file or no choice.
    """
    if size < 1 or choices < 1:
        raise ValueError(f"size = {size}, choices = {choices}: both must be 1 or more")
    digits = size.bit_length()
    delta = digits - 1 + 2 * (digits.bit_length() - 1) + 1
    return 8 * size + delta + math.log2(choices)


def error_bound(train_error: float, examples: int, bits: float, delta: float = DELTA) -> float:
    """A bound on the share of fresh examples that a network of so many bits gets wrong.

    The largest p with kl(train_error || p) <= (bits ln 2 + ln(1 / delta)) / examples: the Occam's
    razor bound of Langford (2005) for the prior 2^-bits. Seeger's (2002) for laws over networks,
    with another ln(2 sqrt(examples)), is not needed, as the posterior is a single network. It holds
    with probability 1 - delta for all networks of one prefix-free code at once, hence for those of
    all seeds and rounds. Fresh examples have the law of the training examples, label noise
    included. Below 1 always; it says nothing where it exceeds what guessing errs.

    Args:
      train_error: share wrong of the decoded network on the training examples.
      bits: of a self-delimiting message, see `message_bits`.

    Raises:
      ValueError: an error or a delta that is no probability, or no example.
    """
    if examples < 1 or bits < 0 or not 0 < delta < 1:
        raise ValueError(
            f"examples = {examples}, bits = {bits}, delta = {delta}: must be at least 1, at least "
            "0, and between 0 and 1"
        )
    return kl_inverse(train_error, (bits * math.log(2) - math.log(delta)) / examples)


def kl_inverse(share: float, divergence: float) -> float:
    """The largest p with kl(share || p) <= divergence, in nats, between Bernoulli laws.

    Raises:
      ValueError: a share that is no probability, or a divergence below 0.
    """
    if not 0 <= share <= 1 or not divergence >= 0:
        raise ValueError(
            f"share = {share}, divergence = {divergence}: not in [0, 1] and at least 0"
        )
    if share == 0:
        return -math.expm1(-divergence)
    if share == 1:
        return 1.0

    # In x = -ln(1 - p), as p is too near to 1 for a float64 where the divergence is large.
    def excess(x: float) -> float:
        entropy = share * math.log(share) + (1 - share) * math.log1p(-share)
        return entropy - share * math.log(-math.expm1(-x)) + (1 - share) * x - divergence

    low = -math.log1p(-share)
    if excess(low) >= 0:  # by rounding, where the divergence is about 0
        return share
    high = low + (divergence + math.log(2)) / (1 - share)
    root: Any = brentq(excess, low, high)
    return -math.expm1(-float(root))
