"""Prequential codes: they are codes, their first block is uniform, and every choice is paid for."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.information import (
    RAW,
    Tempering,
    averaged,
    block_code,
    final_bits,
    first_epoch_code,
    geometric_cuts,
    mixture_bits,
    selection_bits,
)
from capacity.information.prequential import expert_bits, mixed

PLAIN = Tempering(temperatures=(1.0,), uniform=0.0)


def drawn(count, classes, sharpness=3.0, seed=0):
    draw = np.random.default_rng(seed)
    return draw.normal(size=(count, classes)) * sharpness, draw.integers(0, classes, count)


def test_a_code_worked_by_hand():
    """Two labels at 1 bit, then 3/4 on label 0 by the first network and 1/4 by the second."""
    logits = np.log([[3.0, 1.0], [3.0, 1.0], [1.0, 3.0]])
    code = block_code(logits, np.asarray([1, 0, 0, 1, 0]), (2, 4, 5), PLAIN)
    expected = [1, 1, math.log2(4 / 3), 2, 2]
    np.testing.assert_allclose(code.bits, expected)
    np.testing.assert_allclose(code.blocks, [2, math.log2(4 / 3) + 2, 2])
    assert code.total == pytest.approx(6.4150375)
    # 2 labels of the middle block, (2 - log2 4/3)^2 / 2 is the unbiased variance of their bits.
    assert code.variance == pytest.approx(2 * (2 - math.log2(4 / 3)) ** 2 / 2)


@pytest.mark.parametrize("tempering", [PLAIN, RAW, Tempering()])
def test_every_code_is_a_law_of_label_sequences(tempering):
    """Kraft: 2^-length sums to 1 over all labels, though networks and weights depend on the past.

    A code that is chosen afterwards, or reads a block before it codes it, sums to more.
    """
    cuts, n, classes = (1, 2, 4, 5), 5, 3

    def said(labels):
        """Networks that bet more and more on what they have seen."""
        rows = []
        for first, last in itertools.pairwise(cuts):
            counts = np.bincount(labels[:first], minlength=classes)
            rows += [2.0 * counts + np.arange(classes) * i for i in range(last - first)]
        return np.asarray(rows)

    total = 0.0
    for sequence in itertools.product(range(classes), repeat=n):
        labels = np.asarray(sequence)
        total += 2.0 ** -block_code(said(labels), labels, cuts, tempering).total
    assert total == pytest.approx(1)


def test_the_first_block_is_uniform_whatever_the_networks_say():
    logits, labels = drawn(90, 10)
    code = block_code(logits[:58], labels, (32, 64, 90), Tempering())
    np.testing.assert_array_equal(code.bits[:32], math.log2(10))


def test_classes_are_counted_by_the_logits():
    """A class that never occurs costs its share of the uniform block."""
    code = block_code(np.zeros((6, 10)), np.asarray([0, 1] * 4), (2, 8))
    assert code.total == pytest.approx(8 * math.log2(10))


@pytest.mark.parametrize("tempering", [RAW, Tempering()])
def test_no_label_costs_more_than_the_uniform_share_allows(tempering):
    logits = np.full((8, 10), -1e4)
    logits[:, 0] = 1e4
    code = block_code(logits, np.full(16, 3), (8, 16), tempering)
    most = math.log2(10 / tempering.uniform)
    assert np.all(code.bits[8:] <= most + 1e-9)
    if tempering is RAW:
        np.testing.assert_allclose(code.bits[8:], most)


def test_a_network_that_diverged_codes_uniformly():
    logits, labels = drawn(12, 4)
    logits[8:] = np.nan
    code = block_code(logits[4:], labels, (4, 8, 12), PLAIN)
    np.testing.assert_allclose(code.bits[8:], 2)


@given(st.integers(0, 10**6), st.floats(0, 30))
def test_the_regret_of_tempering_is_what_its_docstring_says(seed, sharpness):
    tempering = Tempering()
    cuts = (4, 9, 20, 41, 60)
    logits, labels = drawn(60, 5, sharpness, seed)
    logits = logits[4:]
    code = block_code(logits, labels, cuts, tempering)
    switching = (len(cuts) - 2) * math.log2(1 / (1 - tempering.fresh))
    regret = math.log2(len(tempering.temperatures)) + switching
    totals = expert_bits(logits, labels[4:], tempering).sum(axis=0)
    assert code.total <= 4 * math.log2(5) + totals.min() + regret + 1e-6
    assert tempering.temperatures[-1] == math.inf
    assert totals[-1] == pytest.approx(56 * math.log2(5))


def test_a_mixture_of_experts_is_minus_log_of_their_mean():
    bits = np.random.default_rng(1).uniform(0, 4, size=(7, 3))
    weights = np.asarray([0.5, 0.3, 0.2])
    found, after = mixed(bits, weights)
    assert found.sum() == pytest.approx(-math.log2(weights @ 2 ** -bits.sum(axis=0)))
    brute = weights * 2 ** -bits.sum(axis=0)
    np.testing.assert_allclose(after, brute / brute.sum())
    # Each label by the weights that those before it have left.
    second = weights * 2 ** -bits[0]
    assert found[1] == pytest.approx(-math.log2(second / second.sum() @ 2 ** -bits[1]))


def test_temperatures_are_learned_from_labels_already_coded():
    """Networks that are right 60 % of the time and say 99.9 %: the second block costs far less."""
    draw = np.random.default_rng(2)
    labels = draw.integers(0, 2, 432)
    wrong = draw.random(400) < 0.4
    logits = 7.0 * (np.eye(2)[np.where(wrong, 1 - labels[32:], labels[32:])])
    raw = block_code(logits, labels, (32, 232, 432))
    tempered = block_code(logits, labels, (32, 232, 432), Tempering())
    assert tempered.total < 432 + 10 < raw.total
    final = final_bits(logits, labels[32:], tempered.weights, Tempering())
    assert final.mean() < 1.01 < final_bits(logits, labels[32:], raw.weights).mean()


def test_cuts_grow_by_a_ratio_and_end_at_the_last_label():
    assert geometric_cuts(60_000) == (*(32 * 2**i for i in range(11)), 60_000)
    assert geometric_cuts(64) == (32, 64)
    assert geometric_cuts(65) == (32, 65)
    assert geometric_cuts(8192, 32, 2**0.25)[-2:] == (6889, 8192)


@given(st.integers(2, 10**6), st.integers(1, 64), st.floats(1.05, 4))
def test_cuts_always_increase(total, first, ratio):
    cuts = geometric_cuts(total, first, ratio)
    assert cuts[-1] == total
    assert all(a < b for a, b in itertools.pairwise(cuts))


def test_a_mean_of_predictions_costs_no_more_than_the_mean_of_the_codes():
    logits = np.random.default_rng(3).normal(size=(4, 40, 6)) * 4
    labels = np.random.default_rng(4).integers(0, 6, 50)
    codes = [block_code(each, labels, (10, 50), PLAIN).total for each in logits]
    together = block_code(averaged(logits), labels, (10, 50), PLAIN).total
    assert together < np.mean(codes)
    hand = averaged(np.log([[[3.0, 1.0]], [[1.0, 1.0]]]))  # 3/4 and 1/2: 5/8
    np.testing.assert_allclose(np.exp(hand), [[5 / 8, 3 / 8]])


def test_a_choice_made_afterwards_is_paid_for():
    assert selection_bits(8) == 3
    assert mixture_bits([100.0, 100.0]) == pytest.approx(100)
    assert mixture_bits([100.0, 5000.0]) == pytest.approx(101)
    assert mixture_bits([70.0, 30.0, 50.0, 90.0]) <= 30 + selection_bits(4)


def test_the_first_epoch_codes_its_whole_batches_and_the_rest_uniformly():
    """40 of 59 labels by 2 batches; 19 labels of 4 classes are 38 bits."""
    np.testing.assert_allclose(first_epoch_code(np.asarray([80.0, 60.0]), 40, 59, 4), [118, 98])
    assert first_epoch_code(np.asarray(0.0), 0, 59, 2) == 59
    assert np.isnan(first_epoch_code(np.asarray(np.nan), 40, 59, 2))


@pytest.mark.parametrize(
    ("cuts", "logits", "words"),
    [
        ((0, 8), 8, "must start at 1 or more and increase"),
        ((4, 4, 8), 4, "must start at 1 or more and increase"),
        ((4, 7), 4, "every label behind the first block needs logits"),
        ((4, 8), 8, "every label behind the first block needs logits"),
    ],
)
def test_what_does_not_fit_is_refused(cuts, logits, words):
    with pytest.raises(ValueError, match=words):
        block_code(np.zeros((logits, 3)), np.zeros(8, np.int64), cuts)
