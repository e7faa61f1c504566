"""V-information: the bits of a label that a family of models can use of its input.

From the losses of two members of a family V: one that sees inputs, and one that does not (Xu et
al., 2020, definition 2; Ethayarajh et al., 2022, definition 3.1). Both must be of examples
that neither was trained on, with the label noise of those that they were.
"""

import numpy as np
from jaxtyping import Float, Int

from capacity.information.estimate import Estimate


def label_losses(
    logits: Float[np.ndarray, "n classes"], labels: Int[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """-log2 p(label) of each example, in bits, by the softmax of its logits.

    Raises:
      ValueError: a logit that is NaN or infinite, as of a network that diverged.
    """
    if not np.all(np.isfinite(logits)):
        raise ValueError("logits hold NaN or infinite values: they give no probabilities")
    shifted = logits.astype(np.float64) - logits.max(1, keepdims=True)
    total = np.log2(np.exp(shifted).sum(1))
    return total - shifted[np.arange(len(labels)), labels] / np.log(2)


def marginal_losses(
    counts: Int[np.ndarray, " classes"], labels: Int[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """-log2 p(label) of each example, in bits, by a model that sees no input.

    p is the share of each class among the training labels behind `counts`, one added to each count
    (Laplace), so that a class that was not among them costs a finite number of bits.
    """
    share = (counts + 1) / (counts.sum() + len(counts))
    return -np.log2(share)[labels]


def conditional_v_entropy(losses: Float[np.ndarray, " n"]) -> Estimate:
    """H_V(Y|X), bits per example: the mean of the losses of a trained member of the family.

    An upper bound in expectation, since H_V is the least expected loss in the family; and H_V is no
    less than H(Y|X). With the losses of a model that sees no input it is H_V(Y|0), near H(Y).

    Raises:
      ValueError: fewer than two losses, or one that is NaN or infinite.
    """
    if len(losses) < 2:
        raise ValueError(f"{len(losses)} held-out losses: at least two are needed for a mean")
    if not np.all(np.isfinite(losses)):
        raise ValueError("losses hold NaN or infinite values: their mean says nothing")
    return Estimate(float(losses.mean()), float(losses.std(ddof=1)) / len(losses) ** 0.5)


def pointwise_v_information(
    marginal: Float[np.ndarray, " n"], losses: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """PVI of each example, in bits: its loss without the input less its loss with it.

    Below 0 where the model would have done better without the input: a hard or mislabelled example.
    """
    return marginal - losses


def v_information(marginal: Float[np.ndarray, " n"], losses: Float[np.ndarray, " n"]) -> Estimate:
    """I_V(X -> Y) = H_V(Y|0) - H_V(Y|X), bits per example: the mean pointwise V-information.

    About a lower bound on the family's, whose best member was not found; may be below 0 by chance.
    Its standard error is that of the paired differences.

    Raises:
      ValueError: as `conditional_v_entropy`.
    """
    return conditional_v_entropy(pointwise_v_information(marginal, losses))
