"""An optimiser that tracks saturation: the same updates, and the tracker of the plain loop."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from capacity import saturation
from capacity.models import kernel_outputs

PARAMS = {"w": jnp.ones((3, 4))}


def activations(step):
    return {"hidden": jax.random.normal(jax.random.key(step), (20, 4))}


def test_updates_are_those_of_the_optimiser_alone():
    plain = optax.sgd(1e-2, momentum=0.9)
    watching = saturation.tracked(plain, activations(0))
    grads = {"w": jnp.arange(12.0).reshape(3, 4)}
    alone: Any = plain.update(grads, plain.init(PARAMS), PARAMS)[0]
    state = watching.init(PARAMS)
    both: Any = watching.update(grads, state, PARAMS, activations=activations(0))[0]
    np.testing.assert_array_equal(alone["w"], both["w"])


def test_the_tracker_is_that_of_the_plain_loop_and_skips_updates_without_outputs():
    watching = saturation.tracked(optax.sgd(0.1), activations(0))

    @jax.jit
    def step(state, seen):
        return watching.update(PARAMS, state, PARAMS, activations=seen)[1]

    state: Any = watching.init(PARAMS)
    expected = saturation.start(activations(0))
    for index in range(3):
        state = step(state, activations(index))
        state = watching.update(PARAMS, state, PARAMS)[1]
        expected = saturation.track(expected, activations(index))
    found = saturation.report(state.tracker)["hidden"]
    assert float(found.samples) == 60
    for ours, theirs in zip(found, saturation.report(expected)["hidden"], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_a_flax_optimiser_takes_it():
    network = nnx.Linear(3, 4, rngs=nnx.Rngs(0))
    x = jax.random.normal(jax.random.key(1), (20, 3))
    layers = kernel_outputs(network, x)
    optimiser = nnx.Optimizer(network, saturation.tracked(optax.sgd(0.1), layers), wrt=nnx.Param)

    @nnx.jit
    def step(network, optimiser, x):
        grads = nnx.grad(lambda network: jnp.mean(network(x) ** 2))(network)
        optimiser.update(network, grads, activations=kernel_outputs(network, x))

    step(network, optimiser, x)
    state: Any = nnx.as_pure(optimiser.opt_state)
    expected = saturation.report(saturation.track(saturation.start(layers), layers))
    for name, report in saturation.report(state.tracker).items():
        np.testing.assert_allclose(report.spectrum, expected[name].spectrum, rtol=1e-5)
        assert float(report.saturation) == float(expected[name].saturation)
