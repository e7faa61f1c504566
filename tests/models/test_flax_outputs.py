"""Layers of a Flax module that knows nothing of this project, tracked in its training loop."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from capacity import saturation
from capacity.models import kernel_outputs


class Classifier(nnx.Module):
    """Two layers, as in anyone's first script."""

    def __init__(self, rngs):
        self.hidden = nnx.Linear(6, 9, rngs=rngs)
        self.out = nnx.Linear(9, 3, rngs=rngs)

    def __call__(self, x):
        return self.out(nnx.relu(self.hidden(x)))


@pytest.fixture(scope="module")
def inputs():
    return jnp.asarray(np.random.default_rng(0).normal(size=(40, 6)), jnp.float32)


def test_outputs_are_the_products_of_each_layer(inputs):
    module = Classifier(nnx.Rngs(0))
    found = kernel_outputs(module, inputs)
    hidden = inputs @ module.hidden.kernel.get_value()
    np.testing.assert_allclose(found["hidden"], hidden, rtol=1e-5, atol=1e-6)
    behind = nnx.relu(hidden + module.hidden.bias.get_value()[None])
    np.testing.assert_allclose(
        found["out"], behind @ module.out.kernel.get_value(), rtol=1e-5, atol=1e-5
    )


def test_three_lines_in_a_training_loop(inputs):
    """The report is that of all batches, computed by hand from the outputs of each step."""
    module = Classifier(nnx.Rngs(0))
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        optimizer = nnx.Optimizer(module, optax.sgd(0.1), wrt=nnx.Param)

        @nnx.jit
        def step(module, optimizer, tracker, x):
            tracker = saturation.track(tracker, kernel_outputs(module, x))
            optimizer.update(module, nnx.grad(lambda m: jnp.mean(m(x) ** 2))(module))
            return tracker

        tracker, seen = saturation.start(kernel_outputs(module, inputs)), []
        for batch in (inputs[:20], inputs[20:]):
            seen.append(np.asarray(kernel_outputs(module, batch)["hidden"], np.float64))
            tracker = step(module, optimizer, tracker, batch)
    found = saturation.report(tracker)["hidden"]
    values = np.linalg.eigvalsh(np.cov(np.concatenate(seen), rowvar=False, bias=True))[::-1]
    np.testing.assert_allclose(found.spectrum, values, rtol=1e-4, atol=1e-5)
