"""Effective number of parameters of a network, from matrix-vector products with its curvature."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from matfree.decomp import hessenberg
from scipy.linalg import eigh_tridiagonal
from scipy.optimize import brentq

from capacity.information.estimate import Estimate

_BESIDE = 2**26  # numbers in the vectors of the probes that run side by side: a quarter of a GiB
_SPENT = 1e-6  # of the eigenvalues: a few roundings of float32


class Krylov(NamedTuple):
    """What Lanczos iterations find of a symmetric matrix: a tridiagonal matrix for each probe.

    Attributes:
      diagonal, off_diagonal: of that matrix.
      square: squared length of the probe.
    """

    diagonal: Float[Array, "*members probes steps"]
    off_diagonal: Float[Array, "*members probes steps-1"]
    square: Float[Array, "*members probes"]


class Spectrum(NamedTuple):
    """A stand-in for the eigenvalues of a matrix G: a quadrature rule for each probe.

    sum_j weights[i, j] f(nodes[i, j]) is about v' f(G) v for probe v, and its mean over the probes
    about tr f(G).

    Attributes:
      nodes: >= 0.
      weights: >= 0; those of a probe sum to its squared length.
    """

    nodes: Float[np.ndarray, "probes steps"]
    weights: Float[np.ndarray, "probes steps"]


def krylov(
    product: Callable[[Float[Array, " n"]], Float[Array, " n"]],
    probes: Float[Array, "probes n"],
    steps: int,
) -> Krylov:
    """Lanczos iterations with full reorthogonalisation from each probe; jittable.

    Args:
      product: v to G v for a symmetric G of [n, n].
      probes: random vectors of mean 0 and covariance 1, such as signs; 0 in coordinates left out.
      steps: products a probe, at most n.
    """
    # Of `tridiag_sym` the off-diagonal is a mean with what rounding leaves above the diagonal: it
    # does not vanish where the probe's directions are exhausted.
    decompose = hessenberg(steps, reortho="full", custom_vjp=False)

    def one(probe: Float[Array, " n"]) -> Krylov:
        found: Any = decompose(product, probe).J_small
        return Krylov(jnp.diagonal(found), jnp.diagonal(found, -1), probe @ probe)

    count, size = probes.shape
    beside = max(1, min(count, _BESIDE // (steps * size)))
    return jax.lax.map(one, probes, batch_size=beside)


def spectrum(found: Krylov) -> Spectrum:
    """Stochastic Lanczos quadrature (Ubaru, Chen & Saad, 2017) of one positive semi-definite G.

    A rule of k steps is exact for polynomials of degree 2 k - 1, and for all functions where the
    probe has no part outside k eigenspaces. In float64, as the small nodes, which decide how many
    directions count, are far below the largest.

    Raises:
      ValueError: a single probe, of which no error can be had; or a NaN or an infinity, as of a
        network that diverged.
    """
    diagonals, offs, squares = (np.asarray(part, np.float64) for part in found)
    if diagonals.ndim != 2 or len(diagonals) < 2:
        raise ValueError(f"probes and steps {diagonals.shape}: at least two probes are needed")
    nodes, weights = np.zeros_like(diagonals), np.zeros_like(diagonals)
    for i, (diagonal, off, square) in enumerate(zip(diagonals, offs, squares, strict=True)):
        end = _end(diagonal, off)
        if not (np.isfinite(diagonal[:end]).all() and np.isfinite(square)):
            raise ValueError("the curvature is NaN or infinite: it has no spectrum")
        values, vectors = eigh_tridiagonal(diagonal[:end], off[: end - 1])
        # G has no negative eigenvalues: those that rounding makes would pass the pole at -a.
        nodes[i, :end] = np.maximum(values, 0.0)
        weights[i, :end] = square * vectors[0] ** 2
    return Spectrum(nodes, weights)


def _end(diagonal: np.ndarray, off_diagonal: np.ndarray) -> int:
    """Steps until the probe's directions are exhausted; what follows is division by about zero."""
    scale = np.maximum.accumulate(np.abs(diagonal[:-1]))
    spent = ~(off_diagonal > _SPENT * scale)
    return int(np.argmax(spent)) + 1 if spent.any() else len(diagonal)


def effective_parameters(found: Spectrum, precision: float) -> Estimate:
    """tr G (G + a I)^-1 = sum_i lambda_i / (lambda_i + a), and its standard error over the probes.

    How many directions of weight space the data determine rather than the prior (MacKay, 1992;
    Maddox, Benton & Wilson, 2020, arXiv:2003.02139). Between 0 and the rank of G, up to the error.
    The probes leave it unbiased; too few steps make it too large. G of a random part of the
    examples, scaled up, makes it too small: lambda / (lambda + a) is operator concave.

    Args:
      precision: a > 0 of the Gaussian prior, in the unit of G: nats per squared weight where G is
        the curvature of a summed loss in nats.

    Raises:
      ValueError: a precision that is not positive.
    """
    if not precision > 0:
        raise ValueError(f"precision = {precision}: must be greater than 0")
    each = np.sum(found.weights * found.nodes / (found.nodes + precision), axis=1)
    return Estimate(float(np.mean(each)), float(np.std(each, ddof=1)) / math.sqrt(len(each)))


def evidence_precision(found: Spectrum, square_norm: float) -> float:
    """The prior precision a of the largest evidence: a |w|^2 = tr G (G + a I)^-1 (MacKay, 1992).

    A Gaussian prior around 0 then expects weights of the size that they have, along the directions
    that the data determine. One side rises with a and the other falls, so there is one such a.
    Where all weights are scaled by c and G by c^-2, as for units that are scaled and scaled back,
    the effective number of parameters stays what it is; for a fixed a it does not.

    Args:
      square_norm: |w|^2 over the weights that G is of.

    Raises:
      ValueError: all weights are 0, or no direction has any curvature.
    """
    if not (square_norm > 0 and np.isfinite(square_norm)):
        raise ValueError(f"square norm = {square_norm}: must be positive and finite")
    trace = float(np.mean(np.sum(found.weights * found.nodes, axis=1)))
    if not trace > 0:
        raise ValueError("the loss has no curvature: no prior precision has the largest evidence")

    def excess(log_precision: float) -> float:
        precision = math.exp(log_precision)
        return precision * square_norm - effective_parameters(found, precision).value

    # The number is at most tr G / a, hence a at most the root of tr G / |w|^2.
    high = 0.5 * math.log(trace / square_norm)
    low = high - 1.0
    while excess(low) > 0:
        low -= 2 * (high - low)
    root: Any = brentq(excess, low, high + 1e-9)
    return math.exp(float(root))
