"""Fine-tuning for bits: straight-through rounding, masks, members, and the trade that it makes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import coding, data, training
from capacity.lottery import dense_mask
from capacity.models import Architecture, build
from capacity.training import Examples, FinetunePlan, Plan, Rates, Rule, finetune, member_keys
from capacity.training.quantising import network_rate, quantised, shifted

PLAN = FinetunePlan(evaluations=3, updates=20, learning_rate=0.02)
WEIGHTS = np.asarray([0.0, 1e-4, 1e-3, 1e-2], np.float32)


def run(bench, params, *, members=(0, 1, 2, 3), mask=None, weights=WEIGHTS, plan=PLAN, chunk=None):
    chosen = {name: leaf[jnp.asarray(members)] for name, leaf in params.items()}
    return finetune(
        bench.model,
        plan,
        bench.train,
        bench.validation,
        chosen,
        dense_mask(chosen) if mask is None else mask,
        jnp.asarray(weights)[jnp.asarray(members)],
        member_keys(members, "order"),
        batch_size=20,
        chunk=chunk or len(members),
    )


@pytest.fixture(scope="module")
def found(bench, trained):
    return run(bench, trained.state.params)


@pytest.mark.parametrize("chunk", [1, 2])
def test_a_population_equals_its_members_alone(bench, trained, found, chunk):
    """Up to roundings that float sums tip over: nearly all integers agree exactly."""
    together = run(bench, trained.state.params, chunk=chunk)
    for index in range(4):
        alone = run(bench, trained.state.params, members=[index])
        for name in found.symbols:
            same = np.asarray(together.symbols[name][index]) == np.asarray(alone.symbols[name][0])
            assert same.mean() > 0.95
            np.testing.assert_allclose(together.steps[name][index], alone.steps[name][0], rtol=1e-2)
        np.testing.assert_allclose(
            together.curve.train_loss[index], alone.curve.train_loss[0], rtol=2e-2
        )


def test_the_weights_of_the_result_are_those_of_a_decoder(found):
    """Integer times float32 step, rounded once: as `coding.dequantised` does in float64."""
    for name, symbols in found.symbols.items():
        assert symbols.dtype == jnp.int32
        for index in range(4):
            step = float(found.steps[name][index])
            decoded = coding.dequantised(coding.Quantised(np.asarray(symbols[index]), step))
            np.testing.assert_array_equal(np.asarray(found.params[name][index]), decoded)


def test_the_curve_is_that_of_the_integers(bench, found):
    quality = training.evaluate(bench.model, found.params, bench.validation, chunk=4)
    np.testing.assert_allclose(found.curve.validation_loss[:, -1], quality.loss, rtol=1e-5)
    np.testing.assert_allclose(found.curve.validation_accuracy[:, -1], quality.accuracy, rtol=1e-6)
    latent = {name: leaf.astype(jnp.float32) for name, leaf in found.symbols.items()}
    np.testing.assert_allclose(found.curve.rate[:, -1], jax.vmap(network_rate)(latent), rtol=1e-5)


def test_pruned_weights_stay_zero(bench, trained, half_mask):
    tuned = run(bench, trained.state.params, mask=half_mask)
    for name, mask in half_mask.items():
        assert not np.any(np.asarray(tuned.symbols[name])[~np.asarray(mask)])
        assert np.any(np.asarray(tuned.symbols[name])[np.asarray(mask)])


def test_gradients_pass_straight_through_rounding(bench, trained):
    """As the step goes to zero they are those of the float network."""
    params = {name: leaf[0] for name, leaf in trained.state.params.items()}
    x = jnp.asarray(np.random.default_rng(0).normal(size=(9, 6)), jnp.float32)

    def loss(weights):
        return jnp.sum(bench.model.apply(weights, x)[0] ** 2)

    def error(width):
        steps = {name: jnp.float32(width) for name in params}
        latent = {name: leaf / width for name, leaf in params.items()}
        through = jax.grad(lambda latent: loss(quantised(latent, steps)))(latent)
        exact = jax.grad(loss)(params)
        return max(
            float(jnp.max(jnp.abs(through[n] / width - exact[n])) / jnp.max(jnp.abs(exact[n])))
            for n in params
        )

    assert error(1e-5) < 1e-3
    assert error(1e-5) < error(1e-2) < error(0.3)


def test_steps_follow_the_gradient_of_a_scale():
    """d(loss)/d(step) of integers times step is the sum of gradient times integer: 2 + 3 * 2."""
    latent, steps = {"w": jnp.asarray([[1.2, -0.3, 2.4]])}, {"w": jnp.float32(0.5)}
    slope = jax.grad(lambda s: jnp.sum(quantised(latent, s)["w"] * jnp.asarray([[2.0, 5, 3]])))
    assert slope(steps)["w"] == 8


def test_shifts_move_whole_images_and_fill_with_the_edge():
    images = jnp.asarray(np.random.default_rng(0).random((50, 4, 5, 2)), jnp.float32)
    moved = np.asarray(shifted(images, 1, jax.random.key(0)))
    framed = np.pad(np.asarray(images), ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    ways = set()
    for index in range(50):
        windows = {(i, j): framed[index, i : i + 4, j : j + 5] for i in range(3) for j in range(3)}
        ways |= {way for way, window in windows.items() if np.array_equal(window, moved[index])}
    assert len(ways) == 9
    vectors = jnp.ones((3, 7))
    assert shifted(vectors, 0, jax.random.key(0)) is vectors


@pytest.fixture(scope="module")
def digits():
    """A trained 64-32-10 network on real digits, fine-tuned at four rate weights."""
    loaded = data.load("digits")
    scaling = jnp.asarray(loaded.offset), jnp.asarray(loaded.scale)
    train, validation = (
        Examples(jnp.asarray(split.inputs), jnp.asarray(split.labels), *scaling)
        for split in (loaded.train, loaded.validation)
    )
    settings = {"depth": 1, "taper": 1.0, "activation": "relu", "layer_norm": False}
    model = build(
        Architecture(
            "mlp", 32, **settings, initialisation="he", input_shape=(8, 8, 1), class_count=10
        )
    )
    start = training.initial(model, member_keys([0], "initial"))
    rates = Rates(jnp.float32(0.003), jnp.float32(0), jnp.int32(0), jnp.int32(600))
    plan = Plan(rates, jnp.int32(len(loaded.train.labels)), jnp.int32(100))
    trained = training.train(
        model,
        Rule(50),
        plan,
        train,
        validation,
        start,
        dense_mask(start),
        member_keys([0], "order"),
        6,
        chunk=1,
    ).state.params
    dense = training.evaluate(model, trained, validation, chunk=1)
    params = {name: jnp.repeat(leaf, 4, axis=0) for name, leaf in trained.items()}
    tuned = finetune(
        model,
        FinetunePlan(evaluations=4, updates=150),
        train,
        validation,
        params,
        dense_mask(params),
        jnp.asarray([0, 1e-5, 1e-4, 1e-3]),
        jnp.repeat(member_keys([0], "finetune"), 4),
        batch_size=50,
        shift=0,
        chunk=4,
    )
    return dense, tuned


def test_without_a_rate_the_integers_are_as_accurate_as_the_floats(digits):
    """Within four of 144 images."""
    dense, tuned = digits
    assert tuned.curve.validation_accuracy[0, -1] >= dense.accuracy[0] - 4 / 144


def test_a_larger_weight_gives_fewer_bits(digits):
    """By the model and in zero-order entropy, and three-fold over the curve's ends."""
    _, tuned = digits
    rates = np.asarray(tuned.curve.rate[:, -1])
    assert np.all(np.diff(rates) < 0)
    assert rates[3] < rates[0] / 3
    counts = [
        [np.unique(np.asarray(leaf[i]), return_counts=True)[1] for leaf in tuned.symbols.values()]
        for i in range(4)
    ]
    entropies = [sum(-np.sum(c * np.log2(c / c.sum())) for c in tensors) for tensors in counts]
    assert np.all(np.diff(entropies) < 0)


def test_progress_is_told_after_every_evaluation(bench, trained):
    params = {name: leaf[:1] for name, leaf in trained.state.params.items()}
    seen = []
    finetune(
        bench.model, PLAN, bench.train, bench.validation, params, dense_mask(params),
        jnp.zeros(1), member_keys([0], "order"), batch_size=20,
        progress=lambda done, state: seen.append((done, np.isfinite(state.curve.rate).sum())),
    )  # fmt: skip
    assert seen == [(1, 1), (2, 2), (3, 3)]


def test_convolutions_are_tuned_too():
    """Every tensor of a LeNet-5 keeps its shape, and each has a step and finite bits."""
    settings = {"depth": None, "taper": 1.0, "activation": "relu", "layer_norm": False}
    model = build(
        Architecture(
            "lenet5", 0.1, **settings, initialisation="he", input_shape=(16, 16, 1), class_count=3
        )
    )
    draw = np.random.default_rng(0)
    examples = Examples(
        jnp.asarray(draw.integers(0, 256, (20, 16, 16, 1)), jnp.uint8),
        jnp.asarray(draw.integers(0, 3, 20), jnp.int32),
        jnp.float32(0),
        jnp.float32(1 / 255),
    )
    params = training.initial(model, member_keys([0], "initial"))
    tuned = finetune(
        model,
        FinetunePlan(evaluations=1, updates=2),
        examples,
        examples,
        params,
        dense_mask(params),
        jnp.asarray([1e-4]),
        member_keys([0], "order"),
        batch_size=10,
        shift=2,
    )
    assert {n: s.shape for n, s in tuned.symbols.items()} == {n: p.shape for n, p in params.items()}
    assert all(step.shape == (1,) for step in tuned.steps.values())
    assert np.isfinite(np.asarray(tuned.curve.rate)).all()
