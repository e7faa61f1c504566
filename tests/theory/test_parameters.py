"""Bits of parameters and of a choice, by hand; the softmax's symmetry, by its Jacobian."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.theory import configuration_bits, effective_parameters, parameter_bits


def test_lenet_300_100_at_every_precision():
    assert parameter_bits(266_610) == {
        "float32": 8_531_520,
        "bfloat16": 4_265_760,
        "float16": 4_265_760,
        "int8": 2_132_880,
        "int4": 1_066_440,
    }


def test_logistic_regression_has_half_of_its_softmax_parameters():
    assert effective_parameters([42], 2) == 21
    # 20-16-10: 336 and 170, of which 17 are one logit's
    assert effective_parameters([336, 170], 10) == 336 + 153


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_effective_parameters_are_the_rank_of_the_probabilities(classes):
    """Without hidden layers there is no other symmetry: the rank is the count."""
    inputs = jnp.asarray(np.random.default_rng(0).normal(size=(40, 4)), jnp.float32)
    inputs = jnp.concatenate([inputs, jnp.ones((40, 1))], axis=1)
    weights = jnp.asarray(np.random.default_rng(1).normal(size=5 * classes), jnp.float32)

    def log_probabilities(w):
        return jax.nn.log_softmax(inputs @ w.reshape(5, classes)).ravel()

    jacobian = np.asarray(jax.jacobian(log_probabilities)(weights), np.float64)
    rank = np.linalg.matrix_rank(jacobian, tol=1e-4)
    assert rank == effective_parameters([5 * classes], classes)


def test_the_grid_of_configs_mlp_takes_log2_of_12_bits():
    assert configuration_bits([3, 2, 2]) == pytest.approx(np.log2(12))
    assert configuration_bits([]) == 0
