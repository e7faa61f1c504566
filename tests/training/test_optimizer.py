"""Update rules against optax and against loops by hand; schedules by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from capacity.training import Rates, Rule
from capacity.training.optimizer import learning_rate, scale_by_adam, transformation

STEPS, SIZE = 200, 50


@pytest.fixture(scope="module")
def gradients():
    """Of every magnitude, and some that are zero throughout."""
    draw = np.random.default_rng(0)
    magnitudes = 10.0 ** draw.uniform(-6, 3, size=SIZE)
    magnitudes[:3] = 0
    return jnp.asarray(draw.normal(size=(STEPS, SIZE)) * magnitudes, jnp.float32)


def rates(learning_rate=0.1, weight_decay=0.0, warmup_steps=0, steps=STEPS):
    return Rates(
        jnp.float32(learning_rate),
        jnp.float32(weight_decay),
        jnp.int32(warmup_steps),
        jnp.int32(steps),
    )


def path(optimizer, gradients, start):
    """Weights after every step."""

    def step(carry, gradient):
        params, state = carry
        updates, state = optimizer.update(gradient, state, params)
        params = optax.apply_updates(params, updates)
        return (params, state), (params, updates)

    # optax itself raises floats to integer powers, which strict promotion refuses.
    with jax.numpy_dtype_promotion("standard"):
        carry = (start, optimizer.init(start))
        return jax.jit(lambda c, g: jax.lax.scan(step, c, g)[1])(carry, gradients)


def test_adam_is_the_adam_of_optax(gradients):
    start = jnp.zeros(SIZE)
    ours = path(scale_by_adam(), gradients, start)[1]
    theirs = path(optax.scale_by_adam(), gradients, start)[1]
    # A few roundings of float32, 6e-8 each.
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=0)
    assert np.all(np.asarray(ours)[:, :3] == 0)


def test_the_first_update_of_adam_is_the_sign_times_the_rate():
    rule = transformation(Rule(optimizer="adam"), rates(0.1))
    params = jnp.zeros(3)
    updates, _ = rule.update(jnp.array([1e-3, -5.0, 0.0]), rule.init(params), params)
    np.testing.assert_allclose(jax.tree.leaves(updates)[0], [-0.1, 0.1, 0], rtol=1e-4)


def test_a_penalty_makes_adam_move_an_unused_weight_to_zero_at_its_own_pace():
    start = jnp.array([0.5, -0.5, 0.0])
    rule = transformation(Rule(penalised=True), rates(0.1, weight_decay=1e-5))
    weights = np.asarray(path(rule, jnp.zeros((20, 3)), start)[0])
    # The gradient is 1e-5 times the weight, so that the first step is the rate whatever the decay.
    np.testing.assert_allclose(weights[0], [0.4, -0.4, 0.0], rtol=1e-3)
    assert np.abs(weights[-1]).max() < 0.25


def test_adamw_is_the_adamw_of_optax(gradients):
    start = jnp.linspace(-1, 1, SIZE)
    ours = transformation(Rule(optimizer="adamw"), rates(0.01, weight_decay=0.1))
    theirs = optax.adamw(0.01, weight_decay=0.1)
    expected = path(theirs, gradients, start)[0]
    np.testing.assert_allclose(path(ours, gradients, start)[0], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("clip_norm", [None, 5.0])
def test_sgd_is_a_loop_by_hand(gradients, clip_norm):
    """Clipping, then the L2 penalty, then momentum, then the rate."""
    momentum, decay, rate = 0.9, 0.01, 0.003
    rule = Rule(optimizer="sgd", momentum=momentum, clip_norm=clip_norm)
    start = jnp.linspace(-1, 1, SIZE)
    found = path(transformation(rule, rates(rate, decay)), gradients, start)[0]
    weights, velocity, expected = np.linspace(-1, 1, SIZE), np.zeros(SIZE), []
    for gradient in np.asarray(gradients, np.float64):
        norm = np.linalg.norm(gradient)
        clipped = gradient * (clip_norm / norm if clip_norm and norm > clip_norm else 1)
        velocity = momentum * velocity + clipped + decay * weights
        weights = weights - rate * velocity
        expected.append(weights)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_gradient_within_the_norm_is_left_alone_and_a_longer_one_is_shortened():
    rule = transformation(Rule(optimizer="sgd", momentum=0.0, clip_norm=1.0), rates(1.0))
    params = {"a": jnp.zeros(1), "b": jnp.zeros(1)}
    for gradient, update in [((0.3, 0.4), (-0.3, -0.4)), ((3.0, 4.0), (-0.6, -0.8))]:
        pair = {"a": jnp.array([gradient[0]]), "b": jnp.array([gradient[1]])}
        updates, _ = rule.update(pair, rule.init(params), params)
        np.testing.assert_allclose(np.ravel(jax.tree.leaves(updates)), update, rtol=1e-6)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", {0: 0.1, 1: 0.2, 9: 1.0, 10: 1.0, 60: 1.0, 109: 1.0}),
        ("cosine", {0: 0.1, 9: 1.0, 10: 1.0, 60: 0.5, 110: 0.0, 35: 0.5 + np.sqrt(2) / 4}),
        ("linear", {0: 0.1, 9: 1.0, 10: 1.0, 60: 0.5, 85: 0.25, 109: 0.01, 110: 0.0, 500: 0.0}),
    ],
)
def test_schedules_by_hand(schedule, expected):
    """Ten steps of warm-up, then a hundred."""
    numbers = rates(2.0, warmup_steps=10, steps=110)
    for step, share in expected.items():
        rate = learning_rate(schedule, numbers, jnp.int32(step))
        assert float(rate) == pytest.approx(2.0 * share, abs=1e-6), step


@pytest.mark.parametrize("schedule", ["constant", "cosine", "linear"])
def test_without_warm_up_the_first_step_is_the_largest(schedule):
    assert learning_rate(schedule, rates(0.3, steps=50), jnp.int32(0)) == pytest.approx(0.3)
