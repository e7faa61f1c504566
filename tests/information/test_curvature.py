"""Effective parameters: against exact eigenvalues, and where Lanczos ends early."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.information.curvature import (
    Krylov,
    Spectrum,
    effective_parameters,
    evidence_precision,
    krylov,
    spectrum,
)


def matrix(values, seed=0):
    """With the eigenvalues `values`, in random directions."""
    basis, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(values),) * 2))
    return ((basis * values) @ basis.T).astype(np.float32)


def probed(matrix, steps, probes=4, seed=0):
    signs = jax.random.rademacher(jax.random.key(seed), (probes, len(matrix)), jnp.float32)
    dense = jnp.asarray(matrix)
    return np.asarray(signs), spectrum(krylov(lambda v: dense @ v, signs, steps))


def test_a_number_worked_by_hand():
    """Nodes 1 and 3 at a = 1: 2 x 1/2 + 4 x 3/4 = 4 and 0 + 4 x 3/4 = 3; error |4 - 3| / 2."""
    found = Spectrum(np.asarray([[1.0, 3.0], [0.0, 3.0]]), np.asarray([[2.0, 4.0], [2.0, 4.0]]))
    number = effective_parameters(found, 1.0)
    assert number.value == pytest.approx(3.5)
    assert number.standard_error == pytest.approx(0.5)


def test_each_probe_agrees_with_the_exact_quadratic_form():
    values = np.geomspace(1e-3, 1e3, 200)
    dense = matrix(values)
    signs, found = probed(dense, 64)
    exact = [v @ np.linalg.solve(dense + 0.5 * np.eye(200), dense @ v) for v in signs]
    each = np.sum(found.weights * found.nodes / (found.nodes + 0.5), axis=1)
    np.testing.assert_allclose(each, exact, rtol=1e-3)
    np.testing.assert_allclose(found.weights.sum(axis=1), 200, rtol=1e-5)


def test_the_trace_is_within_its_errors():
    """Of 200 estimates with 8 probes two thirds lie within one standard error, give or take."""
    values = np.geomspace(1e-3, 1e3, 60)
    exact = np.sum(values / (values + 0.5))
    _, whole = probed(matrix(values), 40, probes=1600)
    parts = (Spectrum(*(part[i : i + 8] for part in whole)) for i in range(0, 1600, 8))
    found = [effective_parameters(part, 0.5) for part in parts]
    scores = np.asarray([(each.value - exact) / each.standard_error for each in found])
    assert abs(scores.mean()) < 3 * 1.1 / math.sqrt(200)
    assert 0.55 < np.mean(np.abs(scores) < 1) < 0.75


def test_more_steps_than_directions_do_no_harm():
    values = np.zeros(30)
    values[:3] = 1, 2, 4
    _, found = probed(matrix(values), 30)
    few = probed(matrix(values), 4)[1]
    assert effective_parameters(found, 1.0).value == pytest.approx(
        effective_parameters(few, 1.0).value, rel=1e-4
    )
    identity = probed(np.eye(30, dtype=np.float32), 30)[1]
    assert effective_parameters(identity, 1.0) == pytest.approx((15.0, 0.0), abs=1e-4)
    nothing = probed(np.zeros((30, 30), np.float32), 30)[1]
    assert effective_parameters(nothing, 1.0) == (0.0, 0.0)


def test_the_evidence_precision_explains_the_weights():
    values = np.geomspace(1e-3, 1e3, 100)
    _, found = probed(matrix(values), 60)
    precision = evidence_precision(found, 7.0)
    assert precision * 7.0 == pytest.approx(effective_parameters(found, precision).value)
    # Weights twice as large with a curvature of a quarter: the same network.
    scaled = Spectrum(found.nodes / 4, found.weights)
    assert evidence_precision(scaled, 28.0) == pytest.approx(precision / 4)


def test_the_evidence_precision_by_hand():
    """One eigenvalue of 2 in one dimension and w = 1: a = 2 / (2 + a), so a = sqrt 3 - 1."""
    found = Spectrum(np.full((2, 1), 2.0), np.ones((2, 1)))
    assert evidence_precision(found, 1.0) == pytest.approx(math.sqrt(3) - 1)


def test_what_cannot_be_had_is_said():
    fine = Krylov(jnp.ones((2, 3)), jnp.ones((2, 2)), jnp.ones(2))
    with pytest.raises(ValueError, match="at least two probes"):
        spectrum(Krylov(*(part[:1] for part in fine)))
    with pytest.raises(ValueError, match="NaN or infinite"):
        spectrum(fine._replace(diagonal=fine.diagonal.at[0, 0].set(jnp.nan)))
    found = Spectrum(np.zeros((2, 3)), np.ones((2, 3)))
    with pytest.raises(ValueError, match="no curvature"):
        evidence_precision(found, 1.0)
    with pytest.raises(ValueError, match="square norm = 0"):
        evidence_precision(found, 0.0)
    with pytest.raises(ValueError, match="precision = 0"):
        effective_parameters(found, 0.0)
