"""Nulls: what has learnt nothing differs by nothing, and what grew or changed shape by that."""

import numpy as np
import pytest
from scipy.stats import norm

from capacity.information import against, gaussian_like, plain_entropy, plain_step


def normal(count, deviation=1.0, seed=0):
    return (deviation * np.random.default_rng(seed).normal(size=count)).astype(np.float32)


def plain(trained, initial):
    step = plain_step(trained)
    return against(
        lambda v: {"plain": plain_entropy(v, step)},
        trained,
        initial,
        gaussian_like(trained),
        gaussian_like(trained, density=0.5),
    )["plain"]


def test_an_entropy_worked_by_hand():
    """Deviation 1, step 1/4: of -1, -1, 1, 1 two symbols are equally likely."""
    values = np.asarray([-1, -1, 1, 1], np.float32)
    assert plain_step(values) == 0.25
    assert plain_entropy(values, 0.25) == 1
    assert plain_entropy(np.asarray([0.1, -0.1, 0.2, 0.3]), 0.25) == 1  # 0, 0 and 1, 1


def test_a_gaussian_has_the_entropy_of_its_integral():
    """That of the normal law over intervals of a quarter of its deviation: 4.0508 bits."""
    edges = np.arange(-40, 41) * 0.25 + 0.125
    shares = np.diff(norm.cdf(edges))
    exact = -np.sum(shares[shares > 0] * np.log2(shares[shares > 0]))
    assert exact == pytest.approx(4.0508, abs=1e-4)
    values = normal(200_000)
    assert plain_entropy(values, plain_step(values)) == pytest.approx(exact, abs=0.01)


def test_what_has_not_been_trained_gains_nothing():
    values = normal(5000)
    found = plain(values, values)
    assert found.over_initial == 0
    assert found.over_gaussian == pytest.approx(0, abs=0.02)


def test_growth_counts_against_the_initial_weights_alone():
    """Twice as large weights have one bit more at the same step, and the shape they had."""
    values = normal(20_000)
    found = plain(2 * values, values)
    assert found.over_initial == pytest.approx(1, abs=0.02)
    assert found.over_gaussian == pytest.approx(0, abs=0.02)
    same = plain(values, values)
    assert found.value == pytest.approx(same.value)
    assert found.over_gaussian == pytest.approx(same.over_gaussian, abs=1e-6)


def test_shape_counts_against_the_gaussian():
    """A uniform law of deviation 1 fills 13 intervals of 1/4 and 0.428 of one at either end.

    Of the length 13.856 they have shares 0.0722 and 0.0309: 3.870 bits, of the Gaussian's 4.051.
    """
    values = np.random.default_rng(0).uniform(-1, 1, 50_000).astype(np.float32)
    assert plain(values, values).value == pytest.approx(3.870, abs=0.005)
    assert plain(values, values).over_gaussian == pytest.approx(3.870 - 4.051, abs=0.01)


def test_biases_that_start_at_zero_have_learnt_all_they_hold():
    found = plain(normal(64), np.zeros(64, np.float32))
    assert found.over_initial == found.value


@pytest.mark.parametrize("count", [2, 10, 1000, 1024, 40_000])
def test_the_null_has_the_number_mean_and_deviation_of_the_weights(count):
    values = normal(count, 0.01) + np.float32(1)
    draws = gaussian_like(values)
    assert draws.dtype == np.float32
    assert draws.shape == ({2: 16, 10: 16, 1000: 16, 1024: 16, 40_000: 1}[count], count)
    np.testing.assert_allclose(draws.mean(axis=1), values.mean(), rtol=1e-5)
    np.testing.assert_allclose(draws.std(axis=1), values.std(), rtol=1e-3)
    np.testing.assert_array_equal(draws, gaussian_like(values))
    assert not np.array_equal(draws, gaussian_like(values, seed=1)) or count == 2


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.ones(1, np.float32), "1 values: at least two"),
        (np.ones(0, np.float32), "0 values: at least two"),
        (np.full(9, 0.1, np.float32), "all values are equal"),
        (np.asarray([1, np.nan], np.float32), "NaN or infinite"),
        (np.asarray([1, np.inf], np.float32), "NaN or infinite"),
    ],
)
def test_what_has_no_scale_is_refused(values, reason):
    for measure in (plain_step, gaussian_like):
        with pytest.raises(ValueError, match=reason):
            measure(values)


def test_a_pruned_gaussian_has_a_gap_and_the_same_moments():
    """A quarter of a Gaussian lies beyond 1.1503 deviations, with a deviation of
    sqrt(1 + 2 x 1.1503 x 0.2059 / 0.25) = 1.7015."""
    trained = np.random.default_rng(0).normal(1.0, 2.0, 20_000).astype(np.float32)
    (draw,) = gaussian_like(trained, density=0.25)
    assert draw.size == trained.size
    assert draw.mean() == pytest.approx(trained.mean(), abs=1e-4)
    assert draw.std() == pytest.approx(trained.std(), rel=1e-4)
    gap = np.abs(draw - draw.mean()).min() / draw.std()
    assert gap == pytest.approx(1.1503 / 1.7015, abs=0.02)


def test_what_is_left_of_a_pruned_gaussian_is_as_its_null_says():
    """The surviving quarter of Gaussian weights has bits below a Gaussian, and none below this."""
    drawn = np.random.default_rng(1).normal(size=40_000)
    kept = np.sort(np.abs(drawn))[30_000]
    trained = drawn[np.abs(drawn) > kept].astype(np.float32)
    step = plain_step(trained)
    found = against(
        lambda v: {"plain": plain_entropy(v, step)},
        trained,
        trained,
        gaussian_like(trained),
        gaussian_like(trained, density=0.25),
    )["plain"]
    assert found.over_gaussian < -0.5
    assert abs(found.over_pruned) < 0.05
