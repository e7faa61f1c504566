"""Entropies of pixels by place and neighbour: by hand, and what they may not exceed."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import mutual_info_score

from capacity.information import (
    label_measures,
    neighbour_entropy,
    pixel_information,
    pixel_measures,
    position_entropy,
    shuffled_information,
    symbol_entropy,
)

PIXELS, LABELS = load_digits(return_X_y=True)
IMAGES = PIXELS.astype(np.uint8).reshape(-1, 8, 8, 1)


def test_position_entropy_by_hand():
    # the first position is constant, the second a coin, the third 1:3
    inputs = np.array([[5, 0, 0], [5, 1, 1], [5, 0, 1], [5, 1, 1]], np.uint8)
    quarter = 2 - 0.75 * np.log2(3)
    assert position_entropy(inputs) == pytest.approx((0 + 1 + quarter) / 3)


def test_neighbour_entropy_by_hand():
    # pairs (left, value) with a 0 before each row: (0,0) (0,1) (1,1) | (0,1) (1,0) (0,1)
    image = np.array([[0, 1, 1], [1, 0, 1]], np.uint8).reshape(1, 2, 3, 1)
    given_zero, given_one = symbol_entropy(np.array([0, 1, 1, 1])), 1.0
    assert neighbour_entropy(image) == pytest.approx((4 * given_zero + 2 * given_one) / 6)


def test_a_known_place_or_neighbour_only_helps():
    assert position_entropy(IMAGES) < symbol_entropy(IMAGES)
    assert neighbour_entropy(IMAGES) < symbol_entropy(IMAGES)


def test_channels_are_neighbours_of_their_own():
    images = np.random.default_rng(0).integers(0, 4, (9, 5, 6, 3), np.uint8)
    alone = np.concatenate([images[..., c : c + 1] for c in range(3)])
    assert neighbour_entropy(images) == neighbour_entropy(alone)


def test_one_input_shows_nothing_of_a_position():
    with pytest.raises(ValueError, match="1 input: at least two are needed"):
        position_entropy(IMAGES[:1])


def test_pixel_information_is_that_of_scikit_learn():
    found = pixel_information(IMAGES, LABELS.astype(np.int32), 10)
    theirs = [mutual_info_score(LABELS, column) / np.log(2) for column in PIXELS.T]
    np.testing.assert_allclose(found, theirs, atol=1e-10)


def test_a_pixel_that_is_the_label_tells_all_of_it_and_a_constant_nothing():
    labels = np.arange(40) % 4
    inputs = np.stack([labels * 60, np.full(40, 9)], axis=1).astype(np.uint8)
    np.testing.assert_allclose(pixel_information(inputs, labels, 4), [2, 0], atol=1e-12)


def test_the_null_is_the_bias_of_the_plugin():
    draw = np.random.default_rng(0)
    inputs = draw.integers(0, 16, (5000, 300)).astype(np.uint8)
    labels = draw.integers(0, 10, 5000)
    null = shuffled_information(inputs, labels, 10, draw)
    # (a - 1)(b - 1) / (2 n ln 2) to leading order, and the next is a hundredth of it
    assert null.mean() == pytest.approx(15 * 9 / (2 * 5000 * np.log(2)), rel=0.03)


def test_measures_name_the_pixel_and_stand_out_of_the_null():
    labels = LABELS.astype(np.int32)
    found = pixel_measures(IMAGES, labels, 10, np.random.default_rng(0))
    largest, null = found["pixel_information"], found["shuffled_information"]
    place = pixel_information(IMAGES, labels, 10).argmax()
    assert largest.note == f"at ({place // 8}, {place % 8})"
    assert largest.value is not None
    assert null.value is not None
    assert largest.value > 5 * null.value


@pytest.mark.parametrize(
    ("inputs", "labels", "note"),
    [
        (IMAGES[:9].astype(np.float32), LABELS[:9], "real-valued inputs"),
        (IMAGES[:9], np.zeros(9, np.int64), "all labels are of one class"),
        (IMAGES[:1], LABELS[:1], "examples: 1, where at least 2"),
        (IMAGES[:9], LABELS[:9] / 3, "labels of type float64 are no classes, as in a regression"),
    ],
)
def test_what_has_no_mutual_information_is_none_and_a_sentence(inputs, labels, note):
    for measure in pixel_measures(inputs, labels, 10, np.random.default_rng(0)).values():
        assert measure.value is None
        assert measure.note.startswith(note)


def test_label_measures_of_a_fair_coin_with_a_tenth_flipped():
    labels = np.arange(1000, dtype=np.int32) % 2
    found = label_measures(labels, 2, 0.469, "flipped")
    assert found["label_entropy"].value == 1
    assert found["label_bits"].value == 1000
    assert found["uniform_label_bits"].value == 1000
    assert found["noise_floor"].value == 469
    assert found["noise_floor"].note == "flipped"


@pytest.mark.parametrize("labels", [np.zeros(1, np.int32), np.linspace(0, 1, 9)])
def test_labels_without_an_entropy_are_none_and_a_sentence(labels):
    found = label_measures(labels, 3, None, "unknown")
    for name in ("label_entropy", "label_entropy_chao_shen", "label_bits"):
        assert found[name].value is None
        assert found[name].note
