"""Multinomial logistic regression, and the V-information of that family of models."""

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy.optimize import minimize

from capacity.information.measure import Measure, Measures, Progress, classes
from capacity.information.usable import (
    conditional_v_entropy,
    label_losses,
    marginal_losses,
    v_information,
)

FITTED = 20_000  # examples of a data set at most
DECAY = 0.01
ITERATIONS = 100


def logistic_regression(
    inputs: Float[np.ndarray, "n d"],
    labels: Int[np.ndarray, " n"],
    class_count: int,
    decay: float,
) -> tuple[Float[np.ndarray, "d classes"], Float[np.ndarray, " classes"]]:
    """Kernel and bias of least mean loss (nats) + decay / 2 times the squared kernel.

    By L-BFGS in the precision of the inputs, at most ITERATIONS steps; the optimum is that of
    scikit-learn for C = 1 / (n decay). Whatever it reaches is a member of the family, so that its
    held-out loss is a bound.

    Args:
      inputs: [n, d] finite floats; of about unit scale, for the decay to mean something.
      labels: [n] classes from 0 to class_count - 1.
      class_count: K.
      decay: >= 0.

    Raises:
      ValueError: an input that is NaN or infinite.
    """
    if not np.all(np.isfinite(inputs)):
        raise ValueError("inputs hold NaN or infinite values: nothing can be fitted to them")
    x, real = inputs, inputs.dtype
    target = np.zeros((len(x), class_count), real)
    target[np.arange(len(x)), labels] = 1

    def loss(flat: Float[np.ndarray, " weights"]) -> tuple[float, Float[np.ndarray, " weights"]]:
        kernel, bias = _parts(flat, x.shape[1], class_count)
        logits = x @ kernel.astype(real) + bias.astype(real)
        logits -= logits.max(1, keepdims=True)
        odds = np.exp(logits)
        total = odds.sum(1, keepdims=True)
        value = np.log(total).sum(dtype=np.float64) - (logits * target).sum(dtype=np.float64)
        slope = odds / total - target
        gradient = np.concatenate([x.T @ slope, slope.sum(0)[None]]).astype(np.float64) / len(x)
        gradient[:-1] += decay * kernel
        return float(value) / len(x) + decay / 2 * float(np.sum(kernel**2)), gradient.ravel()

    start = np.zeros((x.shape[1] + 1) * class_count)
    options = {"maxiter": ITERATIONS}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    return _parts(found.x, x.shape[1], class_count)


def usable_measures(
    inputs: Shaped[np.ndarray, "n ..."],
    labels: Shaped[np.ndarray, " n"],
    class_count: int,
    progress: Progress = lambda what, share: None,
) -> Measures:
    """V-entropies and V-information of logistic regression, from losses on the last tenth.

    Fitted to the first FITTED of the rest with each position centred, all scaled by one deviation,
    and a weight decay of DECAY.

    Args:
      inputs: [n, ...] in an order that says nothing.
      labels: [n] classes from 0 to class_count - 1, with their noise.
      class_count: K.
      progress: told what is being done.
    """
    progress("logistic regression", 0.0)
    try:
        return _usable(inputs, classes(labels, 20), class_count)
    except ValueError as error:
        names = ("marginal_v_entropy", "conditional_v_entropy", "v_information")
        return dict.fromkeys(names, Measure(None, None, str(error)))


def _usable(inputs: np.ndarray, labels: np.ndarray, class_count: int) -> Measures:
    if len(np.unique(labels)) < 2:
        raise ValueError("all labels are of one class: there is nothing to predict")
    held_out = len(labels) // 10
    fitted = min(FITTED, len(labels) - held_out)
    seen = inputs[:fitted].reshape(fitted, -1).astype(np.float32)
    mean, deviation = seen.mean(0), float(seen.std()) or 1.0
    seen = (seen - mean) / deviation
    kernel, bias = logistic_regression(seen, labels[:fitted], class_count, DECAY)
    unseen = (inputs[-held_out:].reshape(held_out, -1).astype(np.float32) - mean) / deviation
    losses = label_losses(unseen @ kernel + bias, labels[-held_out:])
    counts = np.bincount(labels[:fitted], minlength=class_count)
    marginal = marginal_losses(counts, labels[-held_out:])
    note = f"fitted to {fitted}, held out {held_out}"
    return {
        "marginal_v_entropy": Measure(*conditional_v_entropy(marginal), note),
        "conditional_v_entropy": Measure(*conditional_v_entropy(losses), note),
        "v_information": Measure(*v_information(marginal, losses), note),
    }


def _parts(
    flat: Float[np.ndarray, " weights"], dimension: int, class_count: int
) -> tuple[Float[np.ndarray, "d classes"], Float[np.ndarray, " classes"]]:
    whole = flat.reshape(dimension + 1, class_count)
    return whole[:-1], whole[-1]
