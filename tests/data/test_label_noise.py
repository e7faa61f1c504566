"""Label noise: its rate, its entropy, and which examples it reaches."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.data import DataError, channel_entropy, load
from capacity.data.noise import KINDS, noisy_labels

LABELS = np.arange(20_000, dtype=np.int32) % 10


@pytest.mark.parametrize(
    ("kind", "rate", "bits"),
    [
        ("flipped", 0.2, 1.3559),
        ("flipped", 0.5, 2.5850),
        ("resampled", 0.2, 1.2507),
        ("resampled", 0.5, 2.4192),
        ("flipped", 0.0, 0.0),
        ("flipped", 0.9, math.log2(10)),  # every class, the stored one included, has 1/10
        ("flipped", 1.0, math.log2(9)),
        ("resampled", 1.0, math.log2(10)),
    ],
)
def test_channel_entropy_of_ten_classes(kind, rate, bits):
    assert channel_entropy(rate, 10, kind) == pytest.approx(bits, abs=5e-5)


def test_two_classes_are_the_binary_symmetric_channel():
    assert channel_entropy(0.5, 2, "flipped") == pytest.approx(1)
    assert channel_entropy(1.0, 2, "flipped") == 0
    assert channel_entropy(0.5, 2, "resampled") == pytest.approx(0.811278, abs=1e-6)  # h(1/4)


@given(st.floats(0, 1), st.integers(2, 1000), st.sampled_from(KINDS))
def test_channel_entropy_is_the_entropy_of_a_row_of_the_channel(rate, class_count, kind):
    moved = rate / (class_count - 1) if kind == "flipped" else rate / class_count
    row = np.full(class_count, moved)
    row[0] = 1 - rate + (0 if kind == "flipped" else rate / class_count)
    positive = row[row > 0]
    expected = -(positive * np.log2(positive)).sum()
    # 1e-9: rounding of 1 - rate, magnified by the slope of -p log p near 0
    assert channel_entropy(rate, class_count, kind) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("kind", "wrong"), [("flipped", 0.3), ("resampled", 0.27)])
def test_the_rate_is_the_rate_and_the_new_labels_are_uniform(kind, wrong):
    noisy = noisy_labels(LABELS, 10, 0.3, kind, seed=0)
    changed = noisy != LABELS
    # five standard deviations of a binomial share of 20000
    assert changed.mean() == pytest.approx(wrong, abs=5 * math.sqrt(0.21 / 20_000))
    shifts = np.bincount((noisy - LABELS)[changed] % 10, minlength=10)
    assert shifts[0] == 0
    expected = changed.sum() / 9
    assert (((shifts[1:] - expected) ** 2) / expected).sum() < 26.1  # chi-squared, 8 d.o.f., 1e-3


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from(KINDS), st.integers(0, 99))
def test_examples_noisy_at_a_lower_rate_are_noisy_alike_at_a_higher_one(first, second, kind, seed):
    labels = LABELS[:300]
    low = noisy_labels(labels, 10, min(first, second), kind, seed)
    high = noisy_labels(labels, 10, max(first, second), kind, seed)
    changed = low != labels
    np.testing.assert_array_equal(low[changed], high[changed])


def test_no_noise_and_all_noise():
    assert noisy_labels(LABELS, 10, 0.0, "flipped", 0) is LABELS
    assert (noisy_labels(LABELS, 10, 1.0, "flipped", 0) != LABELS).all()
    assert noisy_labels(LABELS, 10, 1.0, "flipped", 0).dtype == np.int32


def test_noise_reaches_training_and_validation_but_not_test():
    clean, noisy = (
        load("digits", validation_size=0.3),
        load("digits", validation_size=0.3, label_noise=0.4),
    )
    np.testing.assert_array_equal(clean.test.labels, noisy.test.labels)
    for split in ("train", "validation"):
        before, after = getattr(clean, split), getattr(noisy, split)
        np.testing.assert_array_equal(before.inputs, after.inputs)
        assert 0.3 < (before.labels != after.labels).mean() < 0.5


def test_an_example_keeps_its_noise_whatever_the_sizes_are():
    few = load("digits", label_noise=0.4, train_size=100, validation_size=40)
    many = load("digits", label_noise=0.4, validation_size=40)
    np.testing.assert_array_equal(few.train.labels, many.train.labels[:100])
    other = load("digits", label_noise=0.4, validation_size=300)
    label_of = {
        row.tobytes(): label
        for split in (other.train, other.validation)
        for row, label in zip(split.inputs, split.labels, strict=True)
    }
    assert [label_of[row.tobytes()] for row in few.train.inputs] == few.train.labels.tolist()


@pytest.mark.parametrize(
    ("name", "options", "bits"),
    [
        ("digits", {}, None),
        ("digits", {"label_noise": 0.2}, 1.3559),
        ("digits", {"label_noise": 0.2, "label_noise_kind": "resampled"}, 1.2507),
        ("digits", {"label_noise": 0.5, "classes": [0, 1]}, 1.0),
        ("teacher", {}, 0.0),
        ("teacher", {"label_noise": 0.5}, 2.5850),
        ("gaussian", {}, 3.3219),
        ("gaussian", {"label_noise": 0.5}, 3.3219),
        ("gaussian", {"class_count": 4}, 2.0),
        ("gaussian", {"classes": [0, 1]}, 1.0),
    ],
)
def test_conditional_entropy_is_known_where_it_can_be(name, options, bits):
    known = load(name, **options).conditional_entropy
    assert known == (None if bits is None else pytest.approx(bits, abs=5e-5))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_noise": 1.5}, "data.label_noise = 1.5: must be a number from 0 to 1"),
        ({"label_noise": -0.1}, "data.label_noise = -0.1: must be a number from 0 to 1"),
        ({"label_noise": float("nan")}, "data.label_noise = nan: must be a number from 0 to 1"),
        (
            {"label_noise_kind": "flip"},
            "data.label_noise_kind = 'flip': must be 'flipped' or 'resampled', did you mean "
            "'flipped'?",
        ),
    ],
)
def test_noise_that_is_none_is_refused(options, message):
    with pytest.raises(DataError) as error:
        load("digits", **options)
    assert str(error.value) == message
