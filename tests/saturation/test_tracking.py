"""Three lines in a training loop: layers, batches, populations, convolutions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import saturation


def layers(count, seed=0):
    draw = np.random.default_rng(seed)
    return {
        "hidden": jnp.asarray(np.maximum(draw.normal(size=(count, 6)), 0), jnp.float32),
        "images": jnp.asarray(draw.normal(size=(count, 3, 4, 5)), jnp.float32),
    }


def test_a_report_is_of_all_batches_since_the_start():
    first, second = layers(40), layers(9, seed=1)
    tracker = saturation.start(first)
    step = jax.jit(saturation.track)
    tracker = step(step(tracker, first), second)
    found = saturation.report(tracker)
    both = np.concatenate([first["hidden"], second["hidden"]]).astype(np.float64)
    values = np.linalg.eigvalsh(np.cov(both, rowvar=False, bias=True))[::-1]
    hidden = found["hidden"]
    np.testing.assert_allclose(hidden.spectrum, values, rtol=1e-4)
    shares = np.cumsum(values) / values.sum()
    assert int(hidden.dimension) == int(np.argmax(shares >= 0.99)) + 1
    assert int(hidden.samples) == 49
    assert bool(hidden.enough)
    assert int(found["images"].samples) == 49 * 12  # every position is a sample


@pytest.mark.parametrize("pooling", ["mean", "max", "median"])
def test_a_convolution_may_be_pooled_over_positions(pooling):
    outputs = layers(7)["images"]
    pooled = saturation.layer_samples(outputs, pooling)
    reference = getattr(np, pooling)(np.asarray(outputs), axis=(1, 2))
    np.testing.assert_allclose(pooled, reference, rtol=1e-5, atol=1e-6)


def test_units_are_counted_at_every_position_whatever_is_pooled():
    """A channel that fires at 3 of 10 places: its median is 0, and it is not dead."""
    x = jnp.zeros((4, 10, 2)).at[:, :3, 0].set(1.0)
    tracker = saturation.track(saturation.start({"c": x}), {"c": x}, pooling="median")
    report = saturation.report(tracker)["c"]
    assert float(report.dead) == 0.5
    assert float(report.firing) == pytest.approx(0.15)
    assert float(report.samples) == 4


def test_a_known_rank_leaves_no_rounding_errors_among_the_directions():
    """Products of 6 inputs with 200 columns: float32 noise in 194 directions is none of theirs."""
    draw = np.random.default_rng(0)
    outputs = draw.normal(size=(500, 6)) @ draw.normal(size=(6, 200))
    layers = {"wide": jnp.asarray(outputs, jnp.float32)}
    tracker = saturation.track(saturation.start(layers), layers)
    found = saturation.reported(saturation.condensed(tracker, {"wide": 6}))["wide"]
    values = np.linalg.eigvalsh(np.cov(outputs, rowvar=False, bias=True))[::-1][:6]
    shares = np.sqrt(values) / np.sqrt(values).sum()
    expected = np.exp(-np.sum(shares * np.log(shares)))
    assert float(found.effective_rank) == pytest.approx(expected, rel=1e-4)
    assert np.count_nonzero(found.spectrum) == 6


def test_an_unknown_pooling_is_a_sentence():
    with pytest.raises(ValueError, match="pooling = 'sum': one of positions, mean, max, median"):
        saturation.layer_samples(jnp.zeros((2, 3, 4)), "sum")


def test_few_samples_are_marked():
    outputs = layers(11)
    found = saturation.report(saturation.track(saturation.start(outputs), outputs))
    assert not bool(found["hidden"].enough)  # 11 for 6 units


def test_a_population_is_tracked_as_its_members_are():
    members = [layers(30, seed) for seed in range(3)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *members)
    started = jax.vmap(lambda _: saturation.start(members[0]))(jnp.arange(3))
    found = jax.vmap(saturation.report)(jax.vmap(saturation.track)(started, stacked))
    for i, outputs in enumerate(members):
        alone = saturation.report(saturation.track(saturation.start(outputs), outputs))
        np.testing.assert_allclose(found["hidden"].spectrum[i], alone["hidden"].spectrum, rtol=1e-4)
        assert int(found["hidden"].dimension[i]) == int(alone["hidden"].dimension)
