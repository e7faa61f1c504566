"""Where the bits of a prequential code went: what generalises, what is memorised, what is left.

L_preq = L_fit + I_w, and I_w = EDL + the memorised part, all in bits of the same N labels.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from capacity.information.estimate import Estimate
from capacity.information.prequential import Code


class Ledger(NamedTuple):
    """The account of one network; errors are over the draw of examples, for the networks at hand.

    Attributes:
      code: L_preq, an upper bound on the information in the labels given the inputs.
      fit: L_fit, what the final network leaves of the labels that it was trained on.
      weights: I_w = L_preq - L_fit, bits of information in the weights (Blier & Ollivier, 2018,
        section 3.4). Neither bound: a slow learner has a larger one. On random labels it is
        memorised, never structure.
      generalising: EDL = L_preq - N L_test, the excess description length (Donoway et al., 2026).
        May be below 0. Of random labels it is 0 if the code is tempered; raw, what over-confident
        networks waste on the way counts as well. The test labels must come from the law of the
        training labels, noise included: with clean ones, noise counts as generalising.
      memorised: N L_test - L_fit, N times the generalisation gap.
    """

    code: Estimate
    fit: float
    weights: Estimate
    generalising: Estimate
    memorised: Estimate


def ledger(code: Code, fit: Float[np.ndarray, " n"], test: Float[np.ndarray, " tests"]) -> Ledger:
    """The account of `code` by the final network's bits on its training and on test labels.

    L_fit is that of these very labels, hence without an error; the code's labels and the test
    labels are independent, so that their variances add up.
    """
    count = len(fit)
    left = math.fsum(fit)
    tested = count * math.fsum(test) / len(test)
    test_variance = count**2 * float(np.var(test, ddof=1)) / len(test)
    code_error, test_error = math.sqrt(code.variance), math.sqrt(test_variance)
    return Ledger(
        code=Estimate(code.total, code_error),
        fit=left,
        weights=Estimate(code.total - left, code_error),
        generalising=Estimate(code.total - tested, math.hypot(code_error, test_error)),
        memorised=Estimate(tested - left, test_error),
    )


def memorised_bits(reference: Float[np.ndarray, " n"], network: Float[np.ndarray, " n"]) -> float:
    """Bits that a network knows of single labels beyond a reference, summed: a lower bound.

    sum_i max(0, reference_i - network_i), -log p_ref + log max(p, p_ref), of Morris et al. (2025).

    Args:
      reference: bits of each label under the true noise law, or under a network that has not seen
        it, as the prequential code's own.
      network: bits of the same labels under the network.
    """
    return math.fsum(np.maximum(0.0, reference - network))


def over_seeds(values: Sequence[float]) -> Estimate:
    """Mean and standard error of the mean, 0 for a single seed, over seeds that share one order."""
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return Estimate(float(np.mean(values)), error)
