"""Memorising: members of any size are those trained alone, on their own examples and no others."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import training
from capacity.models import Model
from capacity.theory import logistic_limit, memorised_bits
from capacity.training import Examples, Rates, Rule, memorise
from capacity.training.memorising import compilations

SETS, MOST, CLASSES = 2, 30, 4
RULE = Rule(schedule="cosine")


def rates(steps, learning_rate=0.02):
    return Rates(jnp.float32(learning_rate), jnp.float32(0), jnp.int32(0), jnp.int32(steps))


def random_sets(count, most, inputs, classes, seed=0):
    draw = np.random.default_rng(seed)
    shape = (count, most)
    return Examples(
        jnp.asarray(draw.normal(size=(*shape, inputs)), jnp.float32),
        jnp.asarray(draw.integers(0, classes, shape), jnp.int32),
        jnp.float32(0.5),
        jnp.float32(2),
    )


def memory(bench, sets, seeds, sizes, steps=60, *, chunk=None, **more):
    initial = bench.initial(seeds)
    seeds, sizes = jnp.asarray(seeds, jnp.int32), jnp.asarray(sizes, jnp.int32)
    chunk = chunk or len(sizes)
    return memorise(
        bench.model, RULE, rates(steps), sets, seeds, sizes, initial, steps, chunk=chunk, **more
    )


@pytest.fixture(scope="module")
def sets():
    return random_sets(SETS, MOST, 6, CLASSES)


def test_a_member_is_the_network_trained_alone_on_the_first_examples(bench, sets):
    seeds, sizes = [0, 0, 1], [7, 30, 12]
    crowd = memory(bench, sets, seeds, sizes)
    for i, (seed, size) in enumerate(zip(seeds, sizes, strict=True)):
        cut = sets._replace(inputs=sets.inputs[:, :size], labels=sets.labels[:, :size])
        alone = memory(bench, cut, [seed], [size])
        assert float(alone.loss[0]) == pytest.approx(float(crowd.loss[i]), abs=1e-4)
        assert float(alone.accuracy[0]) == pytest.approx(float(crowd.accuracy[i]), abs=1e-6)


def test_examples_beyond_the_size_change_nothing(bench, sets):
    seeds, sizes = [0, 1], [7, 12]
    other = random_sets(SETS, MOST, 6, CLASSES, seed=1)
    mixed = sets._replace(
        inputs=sets.inputs.at[:, 12:].set(other.inputs[:, 12:]),
        labels=sets.labels.at[:, 12:].set(other.labels[:, 12:]),
    )
    first, second = memory(bench, sets, seeds, sizes), memory(bench, mixed, seeds, sizes)
    assert np.array_equal(first.loss, second.loss)


def test_the_chunk_and_the_stride_change_nothing_but_rounding(bench, sets):
    seeds, sizes = [0, 0, 1, 1], [7, 30, 7, 30]
    whole = memory(bench, sets, seeds, sizes)
    calls = []
    parts = memory(
        bench,
        sets,
        seeds,
        sizes,
        chunk=1,
        stride=25,
        progress=lambda done, state: calls.append((done, np.asarray(state.loss))),
    )
    assert [done for done, _ in calls] == [25, 50, 60]
    assert np.asarray(parts.loss) == pytest.approx(np.asarray(whole.loss), abs=1e-4)
    losses = np.array([loss for _, loss in calls])
    assert (np.diff(losses, axis=0) <= 0).all()


def test_the_loss_is_the_least_before_any_step_by_brute_force(bench, sets):
    """With so large a rate that the loss rises and falls, step by step with optax's Adam."""
    steps, size = 6, 9
    initial = bench.initial([0])
    found = memorise(
        bench.model,
        Rule(),
        rates(steps, 0.5),
        sets,
        jnp.zeros(1, jnp.int32),
        jnp.full(1, size, jnp.int32),
        initial,
        steps,
        chunk=1,
    )
    params = {name: leaf[0] for name, leaf in initial.items()}
    inputs, labels = (sets.inputs[0, :size] - sets.offset) * sets.scale, sets.labels[0, :size]
    adam = training.optimizer.transformation(Rule(), rates(steps, 0.5))
    moments, losses = adam.init(params), []

    def loss_of(params):
        logits = jax.nn.log_softmax(bench.model.apply(params, inputs)[0])
        return -jnp.mean(logits[jnp.arange(size), labels])

    for _ in range(steps):
        loss, grads = jax.value_and_grad(loss_of)(params)
        losses.append(float(loss) / math.log(2))
        updates, moments = adam.update(grads, moments, params)
        params = jax.tree.map(jnp.add, params, updates)
    assert min(losses) < losses[-1]
    assert float(found.loss[0]) == pytest.approx(min(losses), rel=1e-3)


def test_sizes_and_twice_the_steps_are_one_program(bench, sets):
    before = compilations()
    memory(bench, sets, [0, 1, 1], [7, 12, 20], 20)
    memory(bench, sets, [1, 0, 0], [8, 30, 2], 40)
    assert compilations() - before <= 1


@pytest.mark.parametrize("ratio", [3, 5, 10])
def test_logistic_regression_past_the_knee_is_within_three_errors_of_its_limit(ratio):
    """The whole measurement on the one network whose curve is known: n weights, 2 classes."""
    n, seeds, steps = 40, 16, 400

    def init(key):
        return {"output/kernel": jnp.zeros((n, 2))}

    model = Model(init, lambda params, x: (x @ params["output/kernel"], {}), (n,))
    drawn = random_sets(seeds, ratio * n, n, 2, seed=ratio)
    drawn = drawn._replace(offset=jnp.float32(0), scale=jnp.float32(1))
    found = memorise(
        model,
        RULE,
        rates(steps, 0.05),
        drawn,
        jnp.arange(seeds, dtype=jnp.int32),
        jnp.full(seeds, ratio * n, jnp.int32),
        training.initial(model, training.member_keys(range(seeds), "initial")),
        steps,
        chunk=seeds,
    )
    sizes = np.full(seeds, ratio * n)
    bits = memorised_bits(sizes, 2, np.asarray(found.loss, np.float64)) / n
    error = np.std(bits, ddof=1) / math.sqrt(seeds)
    assert np.mean(bits) == pytest.approx(logistic_limit(ratio).bits_per_weight, abs=3 * error)
