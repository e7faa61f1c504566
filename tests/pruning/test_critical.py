"""Critical sparsity: crossings by hand, what cannot be said, and the interval's coverage."""

import numpy as np
import pytest

from capacity.pruning import PruningError, critical_sparsity

SPARSITIES = np.array([0.5, 0.8, 0.9])


def critical(accuracies, dense, tolerance=None, sparsities=SPARSITIES, seed=0):
    generator = np.random.default_rng(seed)
    return critical_sparsity(
        np.asarray(sparsities),
        np.asarray(accuracies, float),
        np.asarray(dense, float),
        generator,
        tolerance,
    )


def test_a_crossing_by_hand():
    """Dense 0.97 and 0.99: one standard error is 0.01. The mean falls from 0.98 to 0.94.

    It reaches 0.97 a quarter of the way from 0.8 to 0.9.
    """
    found = critical([[0.97, 0.97, 0.93], [0.99, 0.99, 0.95]], [0.97, 0.99])
    assert found.tolerance == pytest.approx(0.01)
    assert found.sparsity == pytest.approx(0.825)
    assert found.verdict == "falls"
    # Both seeds fall alike, so seeds drawn anew say the same.
    assert (found.low, found.high) == pytest.approx((0.825, 0.825))


def test_the_last_crossing_counts():
    found = critical([[0.90, 0.95, 0.75]], [0.95], tolerance=0.0)
    assert found.sparsity == 0.8


def test_curves_that_cannot_say():
    never = critical([[0.9, 0.9, 0.9]], [0.9], tolerance=0.0)
    assert (never.sparsity, never.verdict) == (0.9, "never falls")
    below = critical([[0.7, 0.6, 0.5]], [0.9], tolerance=0.1)
    assert (below.sparsity, below.verdict) == (0.5, "starts below")


def test_equal_means_are_within_whatever_the_rounding():
    accuracies = np.tile([[0.1 + 0.2], [0.3]], (1, 3))
    found = critical(accuracies, [0.3, 0.1 + 0.2], tolerance=0.0)
    assert found.verdict == "never falls"


def test_more_tolerance_is_more_sparsity():
    draw = np.random.default_rng(0)
    accuracies = 0.9 - np.array([0.0, 0.02, 0.2]) + 0.01 * draw.normal(size=(5, 3))
    dense = 0.9 + 0.01 * draw.normal(size=5)
    found = [critical(accuracies, dense, t).sparsity for t in (0.0, 0.01, 0.05, 0.1, 1.0)]
    assert found == sorted(found)
    assert found[-1] == 0.9


def test_the_interval_is_reproducible_and_holds_the_truth():
    """Of 100 studies of 12 seeds each at least 83 of 95 %: percentiles are narrow at few seeds."""
    draw, hits = np.random.default_rng(0), 0
    for study in range(100):
        loss = np.array([0.0, 0.02, 0.06]) + 0.01 * draw.normal(size=(12, 3))
        found = critical(0.9 - loss, np.full(12, 0.9), tolerance=0.04, seed=study)
        assert found.low <= found.sparsity <= found.high
        hits += found.low <= 0.85 <= found.high
    assert hits >= 83
    again = critical(0.9 - loss, np.full(12, 0.9), tolerance=0.04, seed=99)
    assert again == found


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ([[0.9] * 3], [0.9]),
            "critical sparsity of 1 seed: has no standard error, give tolerance",
        ),
        (([[0.9] * 3], [0.9], -0.1), "tolerance -0.1: must not be negative"),
        (
            ([[0.9, np.nan, 0.9], [0.9] * 3], [0.9, 0.9]),
            "seed 0 has an accuracy that is no number: leave it out",
        ),
        (([[0.9] * 2] * 2, [0.9] * 2, None, [0.5, 0.5]), "sparsities [0.5 0.5]: must rise"),
        (
            ([[0.9] * 2] * 2, [0.9] * 2, None, [0.5, 1.5]),
            "sparsities [0.5 1.5]: must be at least one, each from 0 to 1",
        ),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(arguments, sentence):
    with pytest.raises(PruningError) as caught:
        critical(*arguments)
    assert str(caught.value) == sentence
