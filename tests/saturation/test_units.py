"""Shares of units, counted by hand and over batches."""

import jax.numpy as jnp
import numpy as np
import pytest

from capacity.saturation import (
    RANGES,
    batch_units,
    both_units,
    dead_share,
    dormant_share,
    extreme_share,
    firing_entropy,
    firing_share,
)

OUTPUTS = jnp.array(
    [
        [0.0, 1.0, 0.01, 0.0],
        [0.0, 0.0, 0.00, 2.0],
        [0.0, 3.0, 0.01, 0.0],
        [0.0, 0.0, 0.00, 2.0],
    ]
)


def test_rectified_units_by_hand():
    units = batch_units(OUTPUTS)
    assert float(dead_share(units)) == 0.25
    # Mean outputs 0, 1, 0.005 and 1, of the layer 0.501: the third is below 0.025 times that.
    assert float(dormant_share(units)) == 0.5
    assert float(dormant_share(units, tau=0.0)) == 0.25
    assert float(firing_share(units)) == 6 / 16
    assert float(firing_entropy(units)) == pytest.approx(3 / 4)  # one never fires, three half
    assert float(extreme_share(units)) == 0


def test_a_layer_that_is_dead_is_dormant_too():
    units = batch_units(jnp.zeros((5, 3)))
    assert float(dead_share(units)) == float(dormant_share(units)) == 1
    assert float(firing_entropy(units)) == 0


def test_bounded_outputs_at_their_ends():
    outputs = jnp.array([[-0.999, 0.0], [0.985, 0.5], [0.9, 0.979], [0.2, -0.981]])
    units = batch_units(outputs, RANGES["tanh"])
    assert float(extreme_share(units)) == 3 / 8  # within 0.02 of -1 or of 1
    assert float(firing_share(units)) == 5 / 8
    half = batch_units(jnp.array([[0.995, 0.5, 0.005, 0.4]]), RANGES["sigmoid"])
    assert float(extreme_share(half)) == 0.5
    assert float(firing_share(half)) == 0.25


def test_batches_add_up():
    parts = both_units(batch_units(OUTPUTS[:1]), batch_units(OUTPUTS[1:]))
    for one, other in zip(parts, batch_units(OUTPUTS), strict=True):
        np.testing.assert_allclose(one, other)
