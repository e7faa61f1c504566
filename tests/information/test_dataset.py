"""The card of a data set: labels counted, inputs compressed."""

import math

import numpy as np
import pytest
from sklearn.datasets import load_digits

from capacity.information import compressed_sizes, dataset_card, input_card, symbol_entropy


def digits():
    pixels, labels = load_digits(return_X_y=True)
    return np.asarray(pixels, np.uint8).reshape(-1, 8, 8), np.asarray(labels, np.int32)


def test_the_card_of_the_digits():
    images, labels = digits()
    card = dataset_card(images, labels, 10)
    assert card.examples == 1797
    assert card.label_bits == pytest.approx(1797 * card.label_entropy)
    assert card.uniform_label_bits == pytest.approx(1797 * math.log2(10))
    assert card.label_bits < card.uniform_label_bits
    assert card.pixel_entropy == symbol_entropy(images)
    sizes = compressed_sizes(images)
    assert len(sizes) == 4  # they are no images without an axis of channels
    assert card.input_bits == 8 * min(sizes.values())
    assert card.compressor is not None
    assert sizes[card.compressor] == min(sizes.values())
    assert card.input_bits_per_pixel == 8 * min(sizes.values()) / images.size


def test_inputs_measured_before_give_the_same_card():
    images, labels = digits()
    before = input_card(images)
    assert dataset_card(images, labels, 10, before) == dataset_card(images, labels, 10)


def test_floats_have_labels_but_no_grid():
    inputs = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    card = dataset_card(inputs, np.arange(8) % 2, 2)
    assert card.label_bits == card.uniform_label_bits == 8
    assert card[4:] == (None, None, None, None)


def test_constant_labels_hold_nothing_and_a_missing_class_still_counts_for_the_uniform_code():
    card = dataset_card(np.zeros((5, 2), np.uint8), np.zeros(5, np.int64), 4)
    assert card.label_bits == card.pixel_entropy == 0
    assert card.uniform_label_bits == 10


def test_the_order_of_the_examples_leaves_the_counted_measures_alone():
    images, labels = digits()
    order = np.random.default_rng(0).permutation(len(labels))
    before, after = dataset_card(images, labels, 10), dataset_card(images[order], labels[order], 10)
    assert before[:5] == after[:5]


def test_random_bytes_cannot_be_compressed():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    card = dataset_card(noise, np.arange(64), 64)
    assert card.input_bits_per_pixel is not None
    assert card.input_bits_per_pixel >= 8


@pytest.mark.parametrize(
    ("inputs", "labels", "message"),
    [
        (np.zeros((2, 1), np.uint8), [0], "2 inputs but 1 labels"),
        (np.zeros((0, 1), np.uint8), [], "no inputs"),
        (np.zeros((2, 1), np.uint8), [0, 3], "labels run from 0 to 3: 3 classes are 0 to 2"),
        (np.zeros((2, 1), np.int64), [0, 1], "inputs of type int64: pass uint8"),
    ],
)
def test_wrong_data_is_named(inputs, labels, message):
    with pytest.raises(ValueError, match=message):
        dataset_card(inputs, np.array(labels, np.int64), 3)
