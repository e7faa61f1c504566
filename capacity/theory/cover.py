"""Cover's function counting: how many labellings one linear threshold unit can hold, exactly."""

import math


def dichotomies(points: int, weights: int) -> int:
    """Labellings of `points` inputs that a linear threshold unit can produce, exactly.

    C(N, n) = 2 sum over k < n of binom(N - 1, k), for points in general position (any n of the
    inputs, extended by the constant that the bias multiplies, are independent). It is 2^N up to
    N = n: n is the VC dimension.

    Args:
      points: N >= 1.
      weights: n >= 1, bias included; in d dimensions n = d + 1 with a bias, d without.

    Source: T. M. Cover, "Geometrical and statistical properties of systems of linear inequalities
      with applications in pattern recognition", IEEE Trans. Electronic Computers 14 (1965).
    """
    return 2 * sum(math.comb(points - 1, k) for k in range(weights))


def separable_probability(points: int, weights: int) -> float:
    """Probability that a linear threshold unit holds uniformly random labels of `points` inputs.

    C(N, n) / 2^N, exact but for the last rounding; 1 / 2 at N = 2 n whatever n is.
    """
    return dichotomies(points, weights) / 2**points


def counting_bits(points: int, weights: int) -> float:
    """log2 of the number of dichotomies: bits that naming one of them takes; exact.

    An upper bound on what the unit holds of `points` labels, of which it cannot tell apart more
    functions than there are dichotomies.
    """
    return math.log2(dichotomies(points, weights))


def threshold_capacity(weights: int) -> int:
    """2 n: the labels that a linear threshold unit of n weights holds half of the time, in bits.

    Also the mean of the random number of labels of an endless stream that it holds until it cannot
    hold one more, exactly: see `stream_deviation`.
    """
    return 2 * weights


def stream_deviation(weights: int) -> float:
    """sqrt(2 n): the standard deviation of the labels held of an endless random stream; exact.

    The first N labels are held with probability P(N) = P(Binomial(N - 1, 1/2) < n), so that the
    label that is one too many is the (1 + T)-th, where T is the waiting time for n successes of a
    fair coin, with mean 2 n and variance 2 n; the unit holds the T labels before it.
    """
    return math.sqrt(2 * weights)
