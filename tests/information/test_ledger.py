"""The account of a prequential code: its lines add up, and its errors are those of its parts."""

import math

import numpy as np
import pytest

from capacity.information import Code, ledger, memorised_bits, over_seeds


def code(bits, cuts):
    return Code(np.asarray(bits, float), cuts, np.ones(1))


def test_an_account_worked_by_hand():
    """Code 2 + 2 + 1 + 3, fit 4 x 0.5, test 1.5 a label: 8 = 2 + 6, and 6 = 2 + 4."""
    found = ledger(code([2, 2, 1, 3], (2, 4)), np.full(4, 0.5), np.asarray([1.0, 2.0]))
    assert found.code.value == 8
    assert found.fit == 2
    assert found.weights.value == 6
    assert found.generalising.value == 2
    assert found.memorised.value == 4
    # Blocks: 2 labels of variance 0 and 2 of variance 2; test: variance 1/2 over 2 labels, times 4.
    assert found.code.standard_error == pytest.approx(2)
    assert found.memorised.standard_error == pytest.approx(4 * math.sqrt(0.5 / 2))
    assert found.generalising.standard_error == pytest.approx(math.hypot(2, 2))


def test_lines_add_up():
    draw = np.random.default_rng(0)
    bits = draw.exponential(size=300)
    found = ledger(code(bits, (32, 300)), draw.exponential(size=300), draw.exponential(size=70))
    assert found.fit + found.weights.value == pytest.approx(found.code.value)
    assert found.generalising.value + found.memorised.value == pytest.approx(found.weights.value)


def test_the_error_is_that_of_fresh_labels():
    """Of 2000 draws of labels and test labels, the EDL's spread is its error."""
    draw = np.random.default_rng(1)
    fit, found = np.zeros(200), []
    for _ in range(2000):
        bits = np.concatenate([np.full(20, 1.0), draw.exponential(2, 80), draw.exponential(1, 100)])
        found.append(ledger(code(bits, (20, 100, 200)), fit, draw.exponential(1, 50)).generalising)
    spread = np.std([each.value for each in found])
    assert np.sqrt(np.mean([each.standard_error**2 for each in found])) == pytest.approx(
        spread, rel=0.05
    )


def test_a_clean_test_set_makes_noise_look_like_structure():
    """A network that knows the noise law: EDL is 0 by noisy test labels, the noise by clean ones.

    Of two classes a fifth of the labels are flipped: -log2 0.8 or -log2 0.2, 0.7219 on average.
    """
    draw = np.random.default_rng(2)

    def bits(count, rate):
        return np.where(draw.random(count) < rate, -math.log2(0.2), -math.log2(0.8))

    coded = code(bits(20_000, 0.2), (1, 20_000))
    noisy = ledger(coded, coded.bits, bits(20_000, 0.2)).generalising
    clean = ledger(coded, coded.bits, bits(20_000, 0.0)).generalising
    assert abs(noisy.value) < 3 * noisy.standard_error
    assert clean.value == pytest.approx(20_000 * (0.7219 - 0.3219), rel=0.05)


def test_bits_known_by_heart_are_a_sum_over_labels_that_got_better():
    reference, network = np.asarray([3.0, 1.0, 2.0]), np.asarray([0.5, 4.0, 2.0])
    assert memorised_bits(reference, network) == 2.5
    assert memorised_bits(reference, reference) == 0


def test_seeds_have_a_mean_and_its_error():
    found = over_seeds([1.0, 3.0])
    assert found.value == 2
    assert found.standard_error == pytest.approx(1)
    assert over_seeds([5.0]).standard_error == 0
