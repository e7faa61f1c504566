"""What logistic regression holds of random labels past its knee: the limit of many weights."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

_REACH = 8.5  # standard deviations of the Gaussian that the integrals cover
_POINTS = 4001
LEAST, MOST = 2.005, 1e6  # examples per weight; beyond, the limit of Wilks to 6 digits


class LogisticLimit(NamedTuple):
    """Of N examples and n weights, both large: bits memorised per weight, training accuracy."""

    bits_per_weight: float
    accuracy: float


def logistic_limit(examples_per_weight: float | int) -> LogisticLimit:
    """The limit of (N - minimal NLL) / n, in bits, for N / n > 2 random binary labels.

    Inputs are Gaussian, labels fair coins. With rho(t) = log(1 + e^t) and
    z = p + b rho'(p), p is the margin that an example keeps whose margin would be z without it;
    z is Gaussian with deviation tau, and (tau, b) solve

      tau^2 n / N = E (b rho'(p))^2,   n / N = E [b rho''(p) / (1 + b rho''(p))].

    Then NLL / N -> E rho(p), and an example is right where p < 0. Below the knee, N / n < 2, all
    labels are held and the bits per weight are N / n; past it they fall steeply, 1.168 at 2.05, and
    towards 1 / (2 ln 2) = 0.7213 (Wilks) for infinitely many examples.

    Raises:
      ValueError: `examples_per_weight` is below 2.005.

    Source: P. Sur and E. J. Candes, "A modern maximum-likelihood theory for high-dimensional
      logistic regression", PNAS 116 (2019), without signal.
    """
    if not examples_per_weight >= LEAST:
        raise ValueError(
            f"examples_per_weight = {examples_per_weight}: must be at least {LEAST}, as "
            "below 2 all labels are held and close to it the integrals fail"
        )
    if examples_per_weight > MOST:
        return LogisticLimit(1 / (2 * math.log(2)), 0.5)
    share = 1 / examples_per_weight

    def excess(tau: float) -> float:
        """How far the first equation is missed where the second one holds."""
        margins, density, push = _solved(tau, share)
        return float(np.trapezoid(density * push**2, margins)) - share * tau**2

    # With many examples tau is small; towards the knee it grows without limit.
    low, high = math.sqrt(share), 1.0
    while excess(high) > 0:
        high *= 2
    tau = _root(excess, low, high)
    margins, density, push = _solved(tau, share)
    loss = float(np.trapezoid(density * np.logaddexp(0, margins), margins)) / math.log(2)
    # p < 0 where z < b rho'(0); b rho'(p) tends to b, of which half is left at 0.
    right = float(ndtr(np.interp(0, margins, push) / tau))
    return LogisticLimit((1 - loss) * examples_per_weight, right)


def _solved(tau: float, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Margins p, their density, and b rho'(p), for the b that solves the second equation."""

    def at(b: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        # z is explicit in p, so integrating over p needs no inverse.
        p = np.linspace(-_REACH * tau - b, _REACH * tau, _POINTS)
        slope = 0.5 * (1 + np.tanh(p / 2))
        bend = b * slope * (1 - slope)
        z = p + b * slope
        density = np.exp(-0.5 * (z / tau) ** 2) / (tau * math.sqrt(2 * math.pi)) * (1 + bend)
        return p, density, b * slope, bend / (1 + bend)

    def excess(b: float) -> float:
        p, density, _, bent = at(b)
        return share - float(np.trapezoid(density * bent, p))

    high = 1.0
    while excess(high) > 0:
        high *= 2
    return at(_root(excess, 0.0, high))[:3]


def _root(falling: Callable[[float], float], low: float, high: float) -> float:
    """Where a falling function crosses zero between `low` and `high`."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2
