"""The measures of MNIST against numbers computed elsewhere, where it is prepared for TFDS."""

import os
from pathlib import Path

import numpy as np
import pytest

from capacity import data
from capacity.information import (
    dimension_measures,
    label_measures,
    neighbour_entropy,
    pixel_measures,
    position_entropy,
    symbol_entropy,
)

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def train():
    folder = Path(os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()
    if not (folder / "mnist").is_dir():
        pytest.skip("MNIST is not prepared in TFDS_DATA_DIR")
    return data.load("mnist", validation_size=0).train


def test_labels(train):
    found = label_measures(train.labels, 10, None, "")
    assert found["label_bits"].value == pytest.approx(199_192.3, abs=0.05)
    assert found["uniform_label_bits"].value == pytest.approx(199_315.7, abs=0.05)


def test_pixels(train):
    assert symbol_entropy(train.inputs) == pytest.approx(1.9658, abs=5e-5)
    assert position_entropy(train.inputs) == pytest.approx(1.6889, abs=5e-5)
    assert neighbour_entropy(train.inputs) == pytest.approx(1.4204, abs=5e-5)


def test_pixels_and_labels(train):
    found = pixel_measures(train.inputs, train.labels, 10, np.random.default_rng(0))
    assert found["pixel_information"].value == pytest.approx(0.440, abs=5e-4)
    assert found["pixel_information"].note == "at (13, 14)"
    assert found["shuffled_information"].value == pytest.approx(0.034, abs=1e-3)


def test_dimension(train):
    found = dimension_measures(train.inputs)
    # 13.35 and so on are of the first 10 000 in the order of the original files, which have 13.345,
    # 12.665, 12.218 and 11.870; of any 10 000 at random all dimensions are 0.3 to 0.5 higher
    for name, first in (
        ("twonn_dimension", 13.35),
        ("levina_bickel_dimension/5", 12.66),
        ("levina_bickel_dimension/10", 12.22),
        ("levina_bickel_dimension/20", 11.87),
    ):
        value, error, _ = found[name]
        assert value is not None
        assert error is not None
        assert first < value < first + 0.4 + 4 * error
