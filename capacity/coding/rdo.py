"""Rounding with an eye on the rate, each weight by itself (DeepCABAC: Wiedemann et al., 2020)."""

import numpy as np
from jaxtyping import Float, Int, Shaped

from capacity.coding.quantise import Quantised, uniform
from capacity.coding.rates import prices, two_sided_rates

_BLOCK = 2**22  # weights priced at a time: a price list is some 200 bytes per weight


def rdo(
    weights: Shaped[np.ndarray, "*inputs out"],
    step: float,
    rate_weight: float,
    importance: Shaped[np.ndarray, "*inputs out"] | None = None,
    *,
    passes: int = 3,
    stride: int = 0,
    name: str = "weights",
) -> Quantised:
    """The tensor as integers for which sum F (w - q step)^2 + rate_weight * bits(q) is small.

    Each pass chooses every integer at the prices that follow from the integers of the pass before,
    the first from the nearest ones, which are among the candidates: at the prices of the last pass
    the objective is never worse than theirs.

    Args:
      weights: [..., out] any real type.
      step: distance of neighbouring weights, > 0.
      rate_weight: squared error, times F, that one bit is worth, >= 0.
      importance: [..., out] F >= 0, a diagonal of the Fisher matrix or of a Hessian; ones if None.
      passes: >= 1.
      stride: inputs per row of an image, a neighbourhood for the prices; 0 for none.
      name: what to call the tensor in an error.

    Raises:
      UnquantisableTensor: as `uniform` does.
    """
    nearest = uniform(weights, step, name)
    if not weights.size or rate_weight == 0:
        return nearest
    outputs = weights.shape[-1] if weights.ndim > 1 else 1
    symbols = nearest.symbols.reshape(-1, outputs).copy()
    exact = weights.reshape(symbols.shape)
    curvature = np.ones_like(exact) if importance is None else importance.reshape(symbols.shape)
    width = max(1, _BLOCK // len(symbols))
    for start in range(0, outputs, width):
        part = np.s_[:, start : start + width]
        scaled = exact[part].astype(np.float64) / nearest.step
        sharpness = curvature[part].astype(np.float64) * nearest.step**2
        symbols[part] = _chosen(scaled, sharpness, symbols[part], rate_weight, passes, stride)
    return nearest._replace(symbols=symbols.reshape(weights.shape))


def _chosen(
    weights: Float[np.ndarray, "in out"],
    sharpness: Float[np.ndarray, "in out"],
    nearest: Int[np.ndarray, "in out"],
    rate_weight: float,
    passes: int,
    stride: int,
) -> Int[np.ndarray, "in out"]:
    """Weights in units of the step as integers."""
    symbols = nearest
    for _ in range(passes):
        rates = two_sided_rates(symbols, stride)
        best = np.full(weights.shape, np.inf)
        trial = symbols
        # A price may favour 1 over 0, so that both neighbours are worth a look.
        for candidate in (nearest, nearest - 1, nearest + 1, np.zeros_like(nearest)):
            cost = sharpness * (weights - candidate) ** 2 + rate_weight * prices(candidate, rates)
            trial = np.where(cost < best, candidate, trial)
            best = np.minimum(cost, best)
        if np.array_equal(trial, symbols):
            break
        symbols = trial
    return symbols
