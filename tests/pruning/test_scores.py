"""Scores against numpy, finite differences and published sums; what is removed first."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.pruning import (
    fisher_diagonal,
    gradient_weight,
    grasp,
    magnitude,
    moved,
    obd,
    prune,
    random_scores,
    scored,
    snip,
)

KERNELS = ("layers/0/kernel", "output/kernel")


def drawn(seed=0):
    draw = np.random.default_rng(seed)
    shapes = {
        "layers/0/kernel": (3, 4),
        "layers/0/bias": (4,),
        "output/kernel": (4, 2),
        "output/bias": (2,),
    }
    return {name: jnp.asarray(draw.normal(size=s), jnp.float32) for name, s in shapes.items()}


def example_loss(params, example):
    x, y = example
    hidden = jnp.tanh(x @ params["layers/0/kernel"] + params["layers/0/bias"])
    logits = hidden @ params["output/kernel"] + params["output/bias"]
    return -jax.nn.log_softmax(logits)[y]


EXAMPLES = (
    jnp.asarray(np.random.default_rng(9).normal(size=(7, 3)), jnp.float32),
    jnp.array([0, 1, 1, 0, 1, 0, 0]),
)


def loss(params):
    return jnp.mean(jax.vmap(example_loss, (None, 0))(params, EXAMPLES))


@pytest.fixture(scope="module")
def mask():
    draw = np.random.default_rng(3)
    params = drawn()
    return {name: jnp.asarray(draw.random(params[name].shape) < 0.7) for name in KERNELS}


@pytest.fixture(scope="module")
def params(mask):
    return {n: jnp.where(mask[n], p, 0) if n in mask else p for n, p in drawn().items()}


def all_scores(params, mask):
    gradients = jax.grad(loss)(params)
    zeros = {name: jnp.zeros(m.shape) for name, m in mask.items()}
    return {
        "magnitude": magnitude(params, mask),
        "random": random_scores(jax.random.key(0), mask),
        "gradient_weight": gradient_weight(params, gradients, mask),
        "snip": snip(loss, params, mask),
        "grasp": grasp(loss, params, mask),
        "movement": scored(moved(zeros, params, gradients), mask),
        "obd": obd(params, fisher_diagonal(example_loss, params, EXAMPLES), mask),
    }


def test_pruned_weights_score_below_every_kept_one(params, mask):
    for scores in all_scores(params, mask).values():
        assert set(scores) == set(KERNELS)
        for name, m in mask.items():
            assert np.all(np.isneginf(np.asarray(scores[name])[~np.asarray(m)]))
            assert np.all(np.isfinite(np.asarray(scores[name])[np.asarray(m)]))


def test_a_population_has_the_scores_of_its_members(mask):
    members = [drawn(seed) for seed in range(3)]
    stacked = {name: jnp.stack([m[name] for m in members]) for name in members[0]}
    masks = {name: jnp.stack([m] * 3) for name, m in mask.items()}
    together = jax.jit(jax.vmap(all_scores))(stacked, masks)
    for index, member in enumerate(members):
        for method, scores in all_scores(member, mask).items():
            for name in KERNELS:
                found = np.asarray(together[method][name][index])
                np.testing.assert_allclose(found, scores[name], rtol=1e-4, atol=1e-6)


def test_magnitude_takes_the_smallest_weight_first():
    params = {"a/kernel": jnp.array([[0.5, -0.1], [-3.0, 0.2]])}
    dense = {"a/kernel": jnp.ones((2, 2), bool)}
    kept = prune(magnitude(params, dense), dense, jnp.int32(3))
    assert kept["a/kernel"].tolist() == [[True, False], [True, True]]


def test_a_tensors_random_scores_depend_on_its_name_alone():
    key, m = jax.random.key(1), jnp.ones((3, 3), bool)
    both = random_scores(key, {"a": m, "b": m})
    np.testing.assert_array_equal(both["a"], random_scores(key, {"a": m})["a"])
    assert not np.array_equal(both["a"], both["b"])


def test_sensitivity_is_the_derivative_by_a_gate_on_the_weight(params, mask):
    """SNIP's definition: c multiplies weights, |dL/dc| at c = 1 over the sum of all of them."""

    def gated(gates):
        return loss({n: p * gates[n] if n in gates else p for n, p in params.items()})

    slopes = jax.grad(gated)({n: jnp.ones(m.shape) for n, m in mask.items()})
    sizes = {n: np.abs(np.asarray(s)) for n, s in slopes.items()}
    total = sum(s.sum() for s in sizes.values())
    found = snip(loss, params, mask)
    for name, m in mask.items():
        kept = np.asarray(m)
        np.testing.assert_allclose(
            np.asarray(found[name])[kept], sizes[name][kept] / total, rtol=1e-4
        )
    kept_sum = sum(float(np.asarray(s)[np.asarray(mask[n])].sum()) for n, s in found.items())
    assert kept_sum == pytest.approx(1, rel=1e-5)


def test_sensitivity_of_a_network_that_learns_nothing_is_zero(params, mask):
    flat = snip(lambda p: jnp.sum(p["output/bias"]), params, mask)
    assert all(float(jnp.max(s)) == 0 for s in flat.values())


def test_gradient_flow_keeps_what_carries_it(mask):
    """By the flow itself: |g|^2 over kept weights, each weight shrunk by a thousandth.

    In double precision: the differences are small.
    """
    with jax.enable_x64(True):
        params = {n: p.astype(jnp.float64) for n, p in drawn().items()}
        params = {n: jnp.where(mask[n], p, 0.0) if n in mask else p for n, p in params.items()}
        examples = (EXAMPLES[0].astype(jnp.float64), EXAMPLES[1])

        def loss(params):
            return jnp.mean(jax.vmap(example_loss, (None, 0))(params, examples))

        def flow(params):
            gradients = jax.grad(loss)(params)
            return sum(jnp.sum(jnp.where(m, gradients[n], 0) ** 2) for n, m in mask.items())

        scores, step = grasp(loss, params, mask), 1e-4
        for name, m in mask.items():
            for place in np.argwhere(np.asarray(m)):
                at = tuple(place)
                values = []
                for factor in (1 - step, 1 + step):
                    moved = params[name].at[at].multiply(factor)
                    values.append(float(flow({**params, name: moved})))
                # Towards zero the flow loses twice the score, per unit of shrinking.
                lost = (values[1] - values[0]) / (2 * step)
                assert 2 * float(scores[name][at]) == pytest.approx(lost, rel=1e-4, abs=1e-9)


def test_movement_by_hand():
    """A weight that two steps push away from zero, and a larger one that they pull back."""
    movement = {"a": jnp.zeros(2)}
    for weights, gradients in [([0.5, 4.0], [-1.0, 1.0]), ([0.75, 3.0], [-2.0, 0.5])]:
        movement = moved(movement, {"a": jnp.array(weights)}, {"a": jnp.array(gradients)})
    assert movement["a"].tolist() == [0.5 + 1.5, -4.0 - 1.5]
    mask = {"a": jnp.ones(2, bool)}
    assert prune(scored(movement, mask), mask, jnp.int32(1))["a"].tolist() == [True, False]


def test_optimal_brain_damage_is_exact_for_a_quadratic():
    """0.5 sum h w^2 at its own weights: the loss that removing a weight adds to the minimum."""
    curvature, weights = np.array([4.0, 1.0, 0.5]), np.array([0.5, -2.0, 1.0])
    found = obd(
        {"a": jnp.asarray(weights, jnp.float32)},
        {"a": jnp.asarray(curvature, jnp.float32)},
        {"a": jnp.ones(3, bool)},
    )
    assert found["a"].tolist() == [0.5, 2.0, 0.25]


@pytest.mark.parametrize("batch_size", [3, 7, 100])
def test_fisher_is_the_mean_square_whatever_the_batch(params, batch_size):
    expected = {name: np.zeros(p.shape) for name, p in params.items()}
    for i in range(7):
        gradients = jax.grad(example_loss)(params, (EXAMPLES[0][i], EXAMPLES[1][i]))
        for name, g in gradients.items():
            expected[name] += np.asarray(g, np.float64) ** 2 / 7
    found = fisher_diagonal(example_loss, params, EXAMPLES, batch_size)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-8)
