"""Differential entropy: closed forms, and a negentropy that is zero of Gaussian weights."""

import math

import numpy as np
import pytest
from scipy import stats

from capacity.information import differential_entropy, gaussian_like, negentropy

LAWS = {
    "normal": stats.norm(scale=0.3),
    "uniform": stats.uniform(-1, 2),
    "laplace": stats.laplace(scale=2.0),
}


@pytest.mark.parametrize("name", LAWS)
def test_it_is_the_closed_form_in_bits(name):
    law = LAWS[name]
    values = law.rvs(20_000, random_state=np.random.default_rng(0)).astype(np.float32)
    exact = law.entropy() / math.log(2)
    assert differential_entropy(values) == pytest.approx(exact, abs=0.03)


def test_scale_adds_its_logarithm_and_location_nothing():
    values = np.random.default_rng(0).normal(size=500)
    found = differential_entropy(values)
    assert differential_entropy(8 * values) == pytest.approx(found + 3)
    assert differential_entropy(values + 100) == pytest.approx(found)


@pytest.mark.parametrize("count", [10, 64, 640, 4096])
def test_gaussian_weights_have_no_negentropy_however_few(count):
    """Within three standard errors of 40 draws and of the null's: the estimator's bias is gone."""
    draw = np.random.default_rng(1)
    found = []
    for _ in range(40):
        values = draw.normal(size=count)
        found.append(negentropy(values))
    error = math.hypot(
        np.std(found) / math.sqrt(40), np.std(found) / math.sqrt(len(gaussian_like(values)))
    )
    assert abs(np.mean(found)) < 3 * error


def test_the_negentropy_of_a_uniform_law():
    """log2 sqrt(2 pi e) - log2 sqrt 12 = 0.2546 bits, whatever its scale."""
    values = np.random.default_rng(0).uniform(size=20_000)
    assert negentropy(values) == pytest.approx(0.2546, abs=0.02)
    assert negentropy(100 * values - 7) == pytest.approx(negentropy(values))
    assert negentropy(values, differential_entropy(values)) == negentropy(values)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.arange(7.0), "7 values: a density needs 8"),
        (np.zeros(100), "too many values are equal"),
        (np.asarray([*range(9), np.nan]), "NaN or infinite"),
    ],
)
def test_what_has_no_density_is_refused(values, reason):
    with pytest.raises(ValueError, match=reason):
        differential_entropy(values)
