"""Rate-constrained optimal-brain-surgeon quantisation: rounding errors repaired as they arise."""

import numpy as np
from jaxtyping import Float, Int, Shaped
from numba import njit

from capacity.coding.errors import UnquantisableTensor
from capacity.coding.quantise import SYMBOL_LIMIT, Quantised, overflowing, uniform
from capacity.coding.rates import REACH, Rates, prices, two_sided_rates


def obs(
    weights: Shaped[np.ndarray, "in out"],
    second_moment: Float[np.ndarray, "in in"],
    step: float,
    rate_weight: float,
    *,
    output_moment: Float[np.ndarray, "out out"] | None = None,
    damping: float = 0.1,
    output_damping: float = 1.0,
    passes: int = 2,
    stride: int = 0,
    name: str = "weights",
) -> Quantised:
    """A layer as integers for which distortion + rate_weight * bits is small.

    The distortion of an error E, [in, out], is tr(E' H E G) / 2: half the squared error of the
    layer's outputs where H is the second moment of its inputs and G the identity, and nearly the
    loss of the network, in nats, where G is the second moment of the loss's gradients by the
    outputs (K-FAC: Martens & Grosse, 2015).

    Inputs are quantised in order, and within one its outputs. Where the Cholesky factors of the
    inverses of H and G have d and g on their diagonals, the integer q is chosen that minimises
    (w - q step)^2 / (2 d^2 g^2) + rate_weight * bits(q); the error then goes into the weights that
    are not quantised yet, where it does least harm (Hassibi & Stork, 1993; Frantar & Alistarh,
    2022; with a rate: Conzelmann & Bamler, 2025). The prices bits(q) follow from the integers of
    the pass before, in the first from those of rate_weight 0.

    Of the last pass and plain nearest rounding, at the prices of that pass, the better is returned.

    Args:
      weights: [in, out], a convolution's kernel as [height * width * channels, out].
      second_moment: [in, in] symmetric, no negative eigenvalue.
      step: distance of neighbouring weights, > 0.
      rate_weight: distortion that one bit is worth, >= 0.
      output_moment: [out, out], the same; the identity where None.
      damping: added to the diagonal of H, in units of the mean of its entries that are not 0.
        Calibration data are few and the loss is no parabola: far weights should stay near.
      output_damping: the same for G.
      passes: times that the prices are estimated, >= 1.
      stride: inputs per row of an image, a neighbourhood for the prices; 0 for none.
      name: what to call the tensor in an error.

    Raises:
      UnquantisableTensor: as `uniform` does, or a moment that is not finite.
    """
    nearest = uniform(weights, step, name)
    if not weights.size:
        return nearest
    width = nearest.step
    exact = weights.astype(np.float64) / width
    inner = damped(second_moment, damping, name) * width**2
    outer = np.eye(weights.shape[1])
    if output_moment is not None:
        outer = damped(output_moment, output_damping, name)
    roots = inverse_root(inner), inverse_root(outer)
    free = Rates(np.zeros((*weights.shape, 2 * REACH + 1), np.float32), 0.0)
    symbols, rates = _swept(exact.copy(), *roots, *free, 0.0), free
    if distortion(symbols - exact, inner, outer) > distortion(
        nearest.symbols - exact, inner, outer
    ):
        symbols = nearest.symbols
    if rate_weight > 0:
        for _ in range(passes):
            rates = two_sided_rates(symbols, stride)
            symbols = _swept(exact.copy(), *roots, *rates, rate_weight)

    def objective(candidate: Int[np.ndarray, "in out"]) -> float:
        bits = float(prices(candidate, rates).sum())
        return distortion(candidate - exact, inner, outer) + rate_weight * bits

    repaired = nearest._replace(symbols=symbols)
    if overflowing(repaired) or objective(symbols) > objective(nearest.symbols):
        return nearest
    return repaired


def damped(
    moment: Float[np.ndarray, "n n"], damping: float, name: str = "weights"
) -> Float[np.ndarray, "n n"]:
    """A moment with damping times the mean of its diagonal's entries > 0 added to the diagonal.

    The identity where all of it is 0: an input that never fires and an output that nothing depends
    on are worth their own small error.
    """
    exact = np.asarray(moment, dtype=np.float64)
    if not np.isfinite(exact).all():
        raise UnquantisableTensor(f"{name}: its second moment is not finite: check the inputs")
    diagonal = np.diag(exact)
    if not diagonal.any():
        return np.eye(len(exact))
    return exact + max(damping, 1e-6) * diagonal[diagonal > 0].mean() * np.eye(len(exact))


def inverse_root(moment: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    """The upper triangular U with U'U = inverse of a positive definite matrix.

    U[i, i] is the deviation of weight i given those after it, and -U[i, k] / U[i, i] what weight k
    should do for each unit of error in weight i.
    """
    # The inverse of the lower factor of the reversed matrix, reversed: no inverse is factored.
    lower = np.linalg.cholesky(moment[::-1, ::-1])
    return np.ascontiguousarray(np.linalg.inv(lower)[::-1, ::-1])


def distortion(
    error: Float[np.ndarray, "in out"],
    inner: Float[np.ndarray, "in in"],
    outer: Float[np.ndarray, "out out"] | None = None,
) -> float:
    """tr(E' H E G) / 2, in the unit that H and G give it."""
    return float(np.sum((inner @ error) * (error if outer is None else error @ outer)) / 2)


@njit(cache=True)
def _swept(
    weights: Float[np.ndarray, "in out"],
    inner: Float[np.ndarray, "in in"],
    outer: Float[np.ndarray, "out out"],
    bits: Float[np.ndarray, "in out levels"],
    tail: float,
    rate_weight: float,
) -> Int[np.ndarray, "in out"]:
    """One pass over weights in units of the step, which it uses up."""
    inputs, outputs = weights.shape
    symbols = np.empty((inputs, outputs), np.int32)
    change = np.empty(outputs)
    for i in range(inputs):
        spread = inner[i, i]
        change[:] = 0.0
        for o in range(outputs):
            wanted = weights[i, o]
            sharpness = 0.5 / (spread * outer[o, o]) ** 2
            chosen = _cheapest(wanted, sharpness, bits[i, o], tail, rate_weight)
            symbols[i, o] = chosen
            error = (wanted - chosen) / outer[o, o]
            for p in range(o, outputs):
                weights[i, p] -= error * outer[o, p]
                change[p] += error * outer[o, p]
        for k in range(i + 1, inputs):
            share = inner[i, k] / spread
            if share != 0.0:
                for o in range(outputs):
                    weights[k, o] -= share * change[o]
    return symbols


@njit(cache=True)
def _cheapest(
    wanted: float,
    sharpness: float,
    bits: Float[np.ndarray, " levels"],
    tail: float,
    rate_weight: float,
) -> int:
    """Of zero and the five integers around `wanted`, the best; the nearest on a tie."""
    middle = min(max(np.rint(wanted), 2.0 - SYMBOL_LIMIT), SYMBOL_LIMIT - 2.0)
    best, chosen = np.inf, 0
    for candidate in (middle, middle - 1, middle + 1, middle - 2, middle + 2, 0.0):
        inside = min(max(candidate, -REACH), REACH)
        price = bits[int(inside) + REACH] + tail * abs(candidate - inside)
        cost = sharpness * (wanted - candidate) ** 2 + rate_weight * price
        if cost < best:
            best, chosen = cost, int(candidate)
    return chosen
