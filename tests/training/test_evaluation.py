"""Loss in bits and accuracy over a whole split, whatever its size."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import data, training
from capacity.lottery import dense_mask
from capacity.models import Architecture, build
from capacity.training import Examples, Plan, Rates, Rule, member_keys


def network(shape, classes, width=5.0):
    settings = {"depth": 1, "taper": 1.0, "activation": "relu", "layer_norm": False}
    return build(
        Architecture(
            "mlp", width, **settings, initialisation="he", input_shape=shape, class_count=classes
        )
    )


def images(count, classes=8):
    """Three channels, each with an offset and a scale of its own."""
    draw = np.random.default_rng(count)
    return Examples(
        jnp.asarray(draw.integers(0, 256, (count, 2, 3, 3)), jnp.uint8),
        jnp.asarray(draw.integers(0, classes, count), jnp.int32),
        jnp.asarray([100.0, 120.0, 140.0]),
        jnp.asarray([0.01, 0.02, 0.03]),
    )


def test_a_split_of_any_size_is_a_mean_over_its_examples():
    """Not over batches, of which the last is shorter: against numpy."""
    count = 1203
    model, split = network((2, 3, 3), 8), images(count)
    params = training.initial(model, member_keys(range(2), "initial"))
    found = training.evaluate(model, params, split, chunk=2)
    x = (np.asarray(split.inputs, np.float64) - np.asarray(split.offset)) * np.asarray(split.scale)
    for index in range(2):
        p = {name: np.asarray(value[index], np.float64) for name, value in params.items()}
        h = np.maximum(x.reshape(count, -1) @ p["layers/0/kernel"] + p["layers/0/bias"], 0)
        z = h @ p["output/kernel"] + p["output/bias"]
        top = z.max(axis=1)
        evidence = top + np.log(np.exp(z - top[:, None]).sum(axis=1))
        loss = (evidence - z[np.arange(count), split.labels]) / np.log(2)
        assert found.loss[index] == pytest.approx(loss.mean(), rel=1e-5)
        right = np.argmax(z, axis=1) == np.asarray(split.labels)
        assert found.accuracy[index] == pytest.approx(right.mean(), rel=1e-6)


def test_of_a_network_that_knows_nothing_the_loss_is_the_bits_of_a_class():
    model, split = network((2, 3, 3), 8), images(1203)
    nothing = jax.tree.map(jnp.zeros_like, training.initial(model, member_keys([0, 1], "initial")))
    found = training.evaluate(model, nothing, split, chunk=2)
    np.testing.assert_allclose(found.loss, 3.0, rtol=1e-6)  # log2 8
    # Of equal logits the first is the answer.
    np.testing.assert_allclose(found.accuracy, np.mean(np.asarray(split.labels) == 0))


def test_every_chunk_gives_the_same():
    model, split = network((2, 3, 3), 8), images(1203)
    params = training.initial(model, member_keys(range(2), "initial"))
    one, two = (training.evaluate(model, params, split, chunk=chunk) for chunk in (1, 2))
    np.testing.assert_allclose(one.loss, two.loss, rtol=1e-5)
    np.testing.assert_array_equal(one.accuracy, two.accuracy)


def test_a_small_network_reads_the_digits():
    dataset = data.load("digits")
    model = network((8, 8, 1), 10, width=32.0)

    def examples(split):
        arrays = (split.inputs, split.labels, dataset.offset, dataset.scale)
        return Examples(*(jnp.asarray(each) for each in arrays))

    params = training.initial(model, member_keys([0, 1], "initial"))
    rates = Rates(jnp.float32(3e-3), jnp.float32(0), jnp.int32(0), jnp.int32(500))
    state = training.train(
        model,
        Rule(batch_size=32),
        Plan(rates, jnp.int32(len(dataset.train.labels)), jnp.int32(100)),
        examples(dataset.train),
        examples(dataset.validation),
        params,
        dense_mask(params),
        member_keys([0, 1], "order"),
        5,
        chunk=2,
    ).state
    found = training.evaluate(model, state.best, examples(dataset.test), chunk=2)
    assert np.all(found.accuracy > 0.93)
