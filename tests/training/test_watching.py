"""What evaluations say of layers: against float64 by hand, seed by seed, and without a trace."""

import numpy as np
import pytest

from capacity.training import Watch, all_reports, saturation_now

SEEDS = range(3)
WATCH = Watch(examples=50, limits=(-1.0, 1.0))


@pytest.fixture(scope="module")
def watched(bench):
    state = bench.run(SEEDS, watch=WATCH).state
    return state._replace(watched=all_reports(WATCH, state.watched))


def by_hand(bench, params, seed):
    """Products and outputs of the hidden layer and the logits, in float64."""
    p = {name: np.asarray(leaf[seed], np.float64) for name, leaf in params.items()}
    stored, offset, scale = (
        np.asarray(part, np.float64)
        for part in (bench.validation.inputs[:50], bench.validation.offset, bench.validation.scale)
    )
    product = (stored - offset) * scale @ p["layers/0/kernel"]
    hidden = np.tanh(product + p["layers/0/bias"])
    return product, hidden, hidden @ p["output/kernel"] + p["output/bias"]


def eigenvalues(outputs):
    return np.linalg.eigvalsh(np.cov(outputs, rowvar=False, bias=True))[::-1]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_last_report_is_of_the_last_weights(bench, watched, seed):
    product, hidden, logits = by_hand(bench, watched.params, seed)
    reports = watched.watched
    for report, outputs in (
        (reports.before["layers/0"], product),
        (reports.after["layers/0"], hidden),
        (reports.after["output"], logits),
    ):
        values = eigenvalues(outputs)
        np.testing.assert_allclose(report.spectrum[seed, -1], values, atol=1e-5 * values[0])
        shares = np.cumsum(values) / values.sum()
        assert int(report.dimension[seed, -1]) == int(np.argmax(shares >= 0.99)) + 1
        assert float(report.saturation[seed, -1]) == pytest.approx(
            (np.argmax(shares >= 0.99) + 1) / len(values)
        )
    extreme = np.mean(np.abs(hidden) > 0.98)
    assert float(reports.after["layers/0"].extreme[seed, -1]) == pytest.approx(extreme, abs=1e-6)


def test_there_is_a_report_for_every_evaluation(watched):
    report = watched.watched.before["layers/0"]
    assert report.spectrum.shape == (3, 6, 12)
    assert np.all(np.asarray(report.samples) == 50)
    assert len(np.unique(np.asarray(report.spectrum)[0, :, 0])) == 6


def test_watching_changes_no_network(bench, watched):
    unwatched = bench.run(SEEDS).state
    assert not unwatched.watched.before
    for name, leaf in unwatched.params.items():
        np.testing.assert_allclose(watched.params[name], leaf, rtol=2e-4, atol=2e-5)


def test_while_it_trains_the_latest_look_can_be_told(bench):
    """The mean over members of what the finished report says of that evaluation."""
    told = []

    def progress(done, seen):
        told.append((done, saturation_now(WATCH, seen.watched, done - 1)))

    state = bench.run(SEEDS, watch=WATCH, progress=progress).state
    done, layers = told[-1]
    assert list(layers) == ["layers/0", "output"]
    found = np.asarray(all_reports(WATCH, state.watched).before["layers/0"].saturation)[:, done - 1]
    assert layers["layers/0"] == pytest.approx(found.mean())
    assert saturation_now(Watch(), state.watched, 0) is None
