"""Entropies of counts: laws, scipy as a reference, and MNIST's labels by hand."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.information.entropy import (
    chao_shen_entropy,
    entropy_standard_error,
    grassberger_entropy,
    miller_madow_entropy,
    plugin_entropy,
    symbol_counts,
    symbol_entropy,
)

MNIST_LABELS = np.array([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])

histograms = st.lists(st.integers(0, 10**6), min_size=1, max_size=40).filter(any).map(np.array)


@settings(deadline=None)
@given(histograms)
def test_plugin_is_scipys_entropy_in_base_two(counts):
    assert plugin_entropy(counts) == pytest.approx(scipy.stats.entropy(counts, base=2), abs=1e-12)


@settings(deadline=None)
@given(histograms)
def test_plugin_lies_between_zero_and_log_of_the_alphabet(counts):
    assert 0 <= plugin_entropy(counts) <= math.log2(len(counts)) + 1e-12


@settings(deadline=None)
@given(histograms, st.integers(0, 2**32 - 1))
def test_order_and_empty_cells_change_nothing(counts, seed):
    shuffled = np.random.default_rng(seed).permutation(np.append(counts, [0, 0]))
    assert plugin_entropy(shuffled) == pytest.approx(plugin_entropy(counts), abs=1e-12)
    assert miller_madow_entropy(shuffled) == pytest.approx(miller_madow_entropy(counts), abs=1e-12)


def test_the_labels_of_mnist():
    assert plugin_entropy(MNIST_LABELS) == pytest.approx(3.319871, abs=5e-7)
    assert 60_000 * plugin_entropy(MNIST_LABELS) == pytest.approx(199_192.3, abs=0.05)


@pytest.mark.parametrize("size", [1, 2, 10, 256])
def test_uniform_counts_give_the_log_of_their_number(size):
    assert plugin_entropy(np.full(size, 7)) == pytest.approx(math.log2(size), abs=1e-12)


def test_a_constant_has_positive_zero_entropy():
    assert math.copysign(1, plugin_entropy(np.array([0, 5]))) == 1
    assert plugin_entropy(np.array([0, 5])) == 0


def test_miller_madow_adds_the_leading_bias():
    # two occupied cells, four samples: 1 + 1 / (8 ln 2)
    assert miller_madow_entropy(np.array([2, 2, 0])) == pytest.approx(1 + 1 / (8 * math.log(2)))


def test_miller_madow_is_nearer_the_truth_than_plugin_for_few_samples():
    draws = np.random.default_rng(0).integers(0, 16, (200, 64))
    counts = [np.bincount(draw, minlength=16) for draw in draws]
    plugin = np.mean([plugin_entropy(c) for c in counts])
    corrected = np.mean([miller_madow_entropy(c) for c in counts])
    # bias of the plug-in: 15 / (128 ln 2) = 0.169 bits; 200 draws leave an error of 0.004
    assert 4 - plugin == pytest.approx(0.169, abs=0.02)
    assert abs(4 - corrected) < 0.02


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_symbol_counts_sum_to_the_size_and_come_in_order_of_value(dtype):
    symbols = np.array([[9, 3, 9], [0, 9, 3]], dtype)
    assert symbol_counts(symbols).tolist() == [1, 2, 3]
    assert symbol_entropy(symbols) == plugin_entropy(np.array([1, 2, 3]))


def test_negative_symbols_count_too():
    assert symbol_counts(np.array([-4, 2, -4])).tolist() == [2, 1]


@pytest.mark.parametrize(
    ("counts", "message"), [([0, 0], "all zero"), ([], "all zero"), ([3, -1], "hold -1")]
)
def test_what_has_no_entropy_is_refused(counts, message):
    with pytest.raises(ValueError, match=message):
        plugin_entropy(np.array(counts, np.int64))


def test_chao_shen_by_hand():
    # 1, 1, 2 of 4: coverage 1 - 2 / 4; shares 1/8, 1/8, 1/4 over 1 - (7/8)^4 and 1 - (3/4)^4
    expected = 2 * (1 / 8) * 3 / (1 - (7 / 8) ** 4) + (1 / 4) * 2 / (1 - (3 / 4) ** 4)
    assert chao_shen_entropy(np.array([1, 0, 1, 2])) == pytest.approx(expected)
    # all seen once: the coverage of n - 1 singletons, 1 / 3; each share 1 / 9
    expected = 3 * (1 / 9) * math.log2(9) / (1 - (8 / 9) ** 3)
    assert chao_shen_entropy(np.array([1, 1, 1])) == pytest.approx(expected)


def _g(counts):
    """G_1 = -gamma - ln 2, G_2 = 2 + G_1, G_2n+1 = G_2n, G_2n+2 = G_2n + 2 / (2n + 1)."""
    g = [math.nan, -np.euler_gamma - math.log(2), 2 - np.euler_gamma - math.log(2)]
    for n in range(1, max(counts) // 2 + 1):
        g += [g[2 * n], g[2 * n] + 2 / (2 * n + 1)]
    return np.array(g)[counts]


def test_grassberger_by_his_recursion():
    counts = np.array([1, 2, 3, 4, 17, 58])
    mean = counts @ _g(counts) / counts.sum()
    expected = (math.log(counts.sum()) - mean) / math.log(2)
    assert grassberger_entropy(counts) == pytest.approx(expected, abs=1e-12)


def test_corrections_of_an_undersampled_zipf_law():
    law = 1 / np.arange(1, 1001)
    law /= law.sum()
    assert -np.sum(law * np.log2(law)) == pytest.approx(7.489, abs=5e-4)
    draws = np.random.default_rng(0).multinomial(500, law, 400)
    # the expectation of a sum over symbols is one over binomial counts, so these three are exact;
    # that of Chao and Shen is the mean of 4000 other draws
    k = np.arange(501)
    share = np.sum(scipy.stats.binom.pmf(k, 500, law[:, None]), axis=0)
    plugin = share[1:] @ (-k[1:] / 500 * np.log2(k[1:] / 500))
    madow = plugin + (share[1:].sum() - 1) / (2 * 500 * math.log(2))
    expected = {
        plugin_entropy: plugin,
        miller_madow_entropy: madow,
        chao_shen_entropy: 7.2136,
        grassberger_entropy: math.log2(500) - share[1:] @ (k[1:] * _g(k[1:])) / 500 / math.log(2),
    }
    found = {entropy: [entropy(d) for d in draws] for entropy in expected}
    for entropy, mean in expected.items():
        error = np.std(found[entropy]) / len(draws) ** 0.5
        assert abs(np.mean(found[entropy]) - mean) < 5 * error
    means = [np.mean(found[entropy]) for entropy in expected]
    assert means[0] < means[1] < means[3] < means[2] < 7.489


@pytest.mark.parametrize(
    "entropy", [plugin_entropy, miller_madow_entropy, chao_shen_entropy, grassberger_entropy]
)
def test_all_estimators_agree_on_many_samples(entropy):
    # 1e6 samples of three symbols: corrections of the order of 1e-6
    assert entropy(np.array([500_000, 250_000, 250_000])) == pytest.approx(1.5, abs=1e-5)


@pytest.mark.parametrize("entropy", [plugin_entropy, miller_madow_entropy, chao_shen_entropy])
def test_a_constant_holds_nothing(entropy):
    assert entropy(np.array([0, 7])) == 0


def test_the_standard_error_is_the_deviation_of_the_plugin():
    law = np.array([0.5, 0.3, 0.15, 0.05])
    draws = np.random.default_rng(0).multinomial(1000, law, 2000)
    deviation = np.std([plugin_entropy(d) for d in draws])
    # the deviation of 2000 draws is known to 1.6 %
    assert entropy_standard_error(np.array([500, 300, 150, 50])) == pytest.approx(
        deviation, rel=0.08
    )
    assert entropy_standard_error(np.array([4, 4])) == 0


@pytest.mark.parametrize(
    "entropy", [chao_shen_entropy, grassberger_entropy, entropy_standard_error]
)
def test_one_sample_has_no_correction(entropy):
    with pytest.raises(ValueError, match="counts hold one sample: at least two are needed"):
        entropy(np.array([0, 1]))
