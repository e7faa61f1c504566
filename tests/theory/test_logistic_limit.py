"""The limit of logistic regression on noise: its table, and regressions that were really fitted."""

import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from capacity.theory import logistic_limit

# N / n, bits per weight, training accuracy
WORKED = [
    (2.05, 1.168, 0.880),
    (2.25, 1.036, 0.834),
    (2.5, 0.966, 0.804),
    (3, 0.897, 0.765),
    (4, 0.837, 0.719),
    (5, 0.808, 0.692),
    (10, 0.760, 0.631),
    (30, 0.734, 0.574),
]


@pytest.mark.parametrize(("ratio", "bits", "accuracy"), WORKED)
def test_the_tabulated_limit(ratio, bits, accuracy):
    found = logistic_limit(ratio)
    assert found.bits_per_weight == pytest.approx(bits, abs=6e-4)
    assert found.accuracy == pytest.approx(accuracy, abs=2.5e-3)  # tabulated from simulations


def test_infinitely_many_examples_leave_the_bits_of_wilks():
    assert logistic_limit(1e4).bits_per_weight == pytest.approx(1 / (2 * math.log(2)), abs=1e-4)


@pytest.mark.parametrize("ratio", [2.005, 2.01, 1e5, 1e6, 1e7])
def test_both_ends_are_in_line_with_the_middle(ratio):
    found = logistic_limit(ratio)
    assert 1 / (2 * math.log(2)) - 1e-5 <= found.bits_per_weight <= min(ratio, 1.5)
    assert 0.5 <= found.accuracy < 1


@pytest.mark.parametrize("ratio", [3, 4, 5, 10])
def test_a_fitted_regression_is_within_three_standard_errors(ratio):
    weights, draws = 100, 24
    draw = np.random.default_rng(round(ratio))
    held = []
    for _ in range(draws):
        inputs = draw.standard_normal((ratio * weights, weights))
        labels = draw.integers(0, 2, ratio * weights)
        # C is the inverse of the penalty: none
        fit = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-8, max_iter=1000)
        p = fit.fit(inputs, labels).predict_proba(inputs)[np.arange(len(labels)), labels]
        held.append((len(labels) + np.log2(p).sum()) / weights)
    error = np.std(held, ddof=1) / math.sqrt(draws)
    assert np.mean(held) == pytest.approx(logistic_limit(ratio).bits_per_weight, abs=3 * error)


def test_below_the_knee_there_is_no_minimum():
    with pytest.raises(ValueError, match=r"examples_per_weight = 2: must be at least 2.005"):
        logistic_limit(2)
