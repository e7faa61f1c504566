"""The sets that need no disk, and the scaling of inputs."""

import math

import numpy as np
import pytest
from sklearn.datasets import load_digits

from capacity.data import DataError, load
from capacity.data.gaussian import TEST_SIZE
from capacity.data.scaling import scaling


def _seen(data, split):
    return (split.inputs.astype(np.float32) - data.offset) * data.scale


def test_digits_are_the_1797_digits():
    data = load("digits", validation_size=0)
    assert data.train.inputs.shape == (1437, 8, 8, 1)
    assert data.test.inputs.shape == (360, 8, 8, 1)
    assert data.train.inputs.dtype == np.uint8
    pixels, labels = load_digits(return_X_y=True)
    rows = np.concatenate([data.train.inputs, data.test.inputs]).reshape(1797, 64)
    ours = np.column_stack([rows, np.concatenate([data.train.labels, data.test.labels])])
    theirs = np.column_stack([pixels, labels])
    assert sorted(map(tuple, ours.tolist())) == sorted(map(tuple, theirs.tolist()))


@pytest.mark.parametrize("name", ["gaussian", "teacher"])
def test_synthetic_sets_have_the_size_that_was_asked_for(name):
    data = load(name, size=500, dimension=7, class_count=4, validation_size=100)
    assert data.train.inputs.shape == (400, 7)
    assert data.validation.inputs.shape == (100, 7)
    assert data.test.inputs.shape == (TEST_SIZE, 7)
    assert data.train.inputs.dtype == np.float32
    assert data.train.labels.dtype == np.int32
    assert data.class_count == 4
    assert set(data.train.labels) == set(range(4))
    assert load(name).train.inputs.shape == (1843, 20)


@pytest.mark.parametrize("name", ["gaussian", "teacher"])
def test_another_seed_is_another_sample_and_another_size_the_same_test_examples(name):
    first, other, larger = load(name), load(name, seed=1), load(name, size=4096)
    assert not np.array_equal(first.test.inputs, other.test.inputs)
    np.testing.assert_array_equal(first.test.inputs, larger.test.inputs)
    np.testing.assert_array_equal(first.test.labels, larger.test.labels)


def test_gaussian_inputs_are_standard_and_their_labels_uniform():
    data = load("gaussian", size=20_000, dimension=5, validation_size=0)
    # five standard deviations of the estimates from 100000 values and from 20000 labels
    assert abs(data.train.inputs.mean()) < 5 / math.sqrt(100_000)
    assert abs(data.train.inputs.var() - 1) < 5 * math.sqrt(2 / 100_000)
    shares = np.bincount(data.train.labels, minlength=10) / 20_000
    np.testing.assert_allclose(shares, 0.1, atol=5 * math.sqrt(0.09 / 20_000))


def test_teacher_labels_are_a_function_of_the_input_and_of_nothing_else():
    first, larger = load("teacher", size=1000, seed=3), load("teacher", size=3000, seed=3)
    label_of = {
        row.tobytes(): label
        for split in (larger.train, larger.validation)
        for row, label in zip(split.inputs, split.labels, strict=True)
    }
    labels = [label_of[row.tobytes()] for row in first.train.inputs]
    assert labels == first.train.labels.tolist()


def test_two_classes_of_a_teacher_are_of_about_one_size():
    data = load("teacher", size=5000, class_count=2, validation_size=0)
    assert 0.4 < (data.train.labels == 0).mean() < 0.6  # for its logits have mean 0


def test_raw_inputs_are_left_alone():
    data = load("digits", inputs="raw")
    np.testing.assert_array_equal(_seen(data, data.train), data.train.inputs)


def test_unit_inputs_reach_from_zero_to_one():
    data = load("digits", inputs="unit")
    assert data.offset.dtype == data.scale.dtype == np.float32
    assert data.offset.shape == data.scale.shape == ()
    seen = _seen(data, data.train)
    assert (seen.min(), seen.max()) == (0, 1)
    assert data.scale == np.float32(1 / 16)


def test_standardised_inputs_have_mean_zero_and_deviation_one():
    data = load("digits", inputs="standardised")
    assert isinstance(data.offset, np.ndarray)
    assert isinstance(data.scale, np.ndarray)
    assert data.offset.shape == data.scale.shape == ()
    seen = _seen(data, data.train).astype(np.float64)
    assert seen.mean() == pytest.approx(0, abs=1e-6)  # float32 of offset and scale
    assert seen.std() == pytest.approx(1, abs=1e-6)
    # the statistics are those of the training split, so another split is only nearly standard
    assert _seen(data, data.test).mean() != pytest.approx(0, abs=1e-6)


def test_channels_are_standardised_one_by_one():
    images = np.random.default_rng(0).integers(0, 256, (1100, 4, 5, 3)).astype(np.uint8)
    images[..., 2] = 7
    offset, scale = scaling(images, "standardised", 255.0)
    assert offset.shape == scale.shape == (3,)
    np.testing.assert_allclose(offset, images.mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(1 / scale[:2], images[..., :2].std((0, 1, 2)), rtol=1e-6)
    assert scale[2] == 1  # a channel without variance is only moved to 0


@pytest.mark.parametrize("inputs", ["raw", "unit", "standardised"])
def test_gaussian_inputs_are_seen_as_drawn(inputs):
    data = load("gaussian", inputs=inputs)
    assert (data.offset, data.scale) == (0, 1)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "digits",
            {"size": 100},
            "data.size = 100: is only for 'gaussian' and 'teacher'; 'digits' has examples of its "
            "own, among which data.train_size and data.classes choose",
        ),
        ("mnist", {"dimension": 9}, "data.dimension = 9: is only for 'gaussian' and 'teacher'; "),
        ("gaussian", {"size": 1}, "data.size = 1: must be a whole number of at least 2"),
        ("teacher", {"dimension": 0}, "data.dimension = 0: must be a whole number of at least 1"),
        ("teacher", {"class_count": 1}, "data.class_count = 1: must be a whole number of at least"),
        (
            "gaussian",
            {"size": 10**12, "dimension": 10**4},
            "data.size = 1000000000000, data.dimension = 10000: does not fit into memory, so make "
            "it smaller",
        ),
        (
            "digits",
            {"inputs": "standardized"},
            "data.inputs = 'standardized': must be 'raw', 'unit' or 'standardised', did you mean "
            "'standardised'?",
        ),
    ],
)
def test_wrong_options_are_refused_in_one_sentence(name, options, message):
    with pytest.raises(DataError) as error:
        load(name, **options)
    assert str(error.value).startswith(message)
