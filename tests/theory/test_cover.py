"""Cover's count: against its recursion, the law of the fair coin, and separability by LP."""

import numpy as np
import pytest
from scipy import stats

from benchmarks.cover import largest_separable_prefix, separable
from capacity.theory import (
    counting_bits,
    dichotomies,
    separable_probability,
    stream_deviation,
    threshold_capacity,
)

# n, then P(separable) and log2 C at N / n = 1, 1.5, 2, 2.5, 3
WORKED = [
    (20, (1, 0.9693, 0.5, 0.0762, 0.00432), (20, 29.955, 39, 46.286, 52.145)),
    (50, (1, 0.9983, 0.5, 0.01219, 1.78e-5), (50, 74.998, 99, 118.64, 134.22)),
    (100, (1, 1.0, 0.5, 7.4e-4, 2.6e-9), (100, 150, 199, 239.60, 271.51)),
]
RATIOS = (1, 1.5, 2, 2.5, 3)


def test_four_points_in_the_plane_by_hand():
    # With a bias 3 weights: of 16 labellings of 4 points only the two of XOR are missing.
    assert dichotomies(4, 3) == 14
    assert separable_probability(4, 3) == 14 / 16


@pytest.mark.parametrize("weights", range(1, 9))
def test_the_recursion_of_cover(weights):
    assert dichotomies(1, weights) == 2
    for points in range(1, 30):
        one_less = dichotomies(points, weights - 1) if weights > 1 else 0
        assert dichotomies(points + 1, weights) == dichotomies(points, weights) + one_less


@pytest.mark.parametrize(("weights", "probabilities", "bits"), WORKED)
def test_the_closed_form_in_numbers(weights, probabilities, bits):
    points = [round(ratio * weights) for ratio in RATIOS]
    found = [separable_probability(count, weights) for count in points]
    assert found == pytest.approx(probabilities, rel=0.02, abs=5e-5)
    assert [counting_bits(count, weights) for count in points] == pytest.approx(bits, abs=6e-3)


@pytest.mark.parametrize("weights", [1, 7, 100, 1000])
def test_twice_the_weights_are_held_half_of_the_time(weights):
    assert separable_probability(threshold_capacity(weights), weights) == 0.5


@pytest.mark.parametrize("weights", [1, 3, 20, 100])
def test_a_stream_is_held_up_to_a_negative_binomial_waiting_time(weights):
    most = 60 + 6 * weights
    at_least = [separable_probability(count, weights) for count in range(1, most)]
    waiting = stats.nbinom(weights, 0.5)  # tails before the n-th head
    assert at_least == pytest.approx(waiting.sf(np.arange(most - 1) - weights), abs=1e-12)
    assert threshold_capacity(weights) == pytest.approx(waiting.mean() + weights)
    assert stream_deviation(weights) == pytest.approx(waiting.std())


@pytest.mark.parametrize("ratio", [1, 1.5, 2, 2.5])
def test_random_labels_are_separable_as_often_as_cover_says(ratio):
    weights, draws = 20, 150
    points = round(ratio * weights)
    draw = np.random.default_rng(round(10 * ratio))
    held = sum(separable(draw, points, weights) for _ in range(draws))
    exact = separable_probability(points, weights)
    assert stats.binomtest(held, draws, exact).pvalue > 1e-3


def test_a_stream_of_random_labels_is_held_up_to_twice_the_weights():
    weights, draws = 12, 120
    draw = np.random.default_rng(3)
    held = [largest_separable_prefix(draw, weights) for _ in range(draws)]
    error = stream_deviation(weights) / np.sqrt(draws)
    assert np.mean(held) == pytest.approx(threshold_capacity(weights), abs=3.3 * error)
    # (draws - 1) s^2 / sigma^2 is about chi-squared; its 0.05 % and 99.95 % points
    low, high = stats.chi2(draws - 1).ppf([5e-4, 1 - 5e-4])
    assert low < (draws - 1) * np.var(held, ddof=1) / stream_deviation(weights) ** 2 < high
