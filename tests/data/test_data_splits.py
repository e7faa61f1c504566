"""Splits: disjoint, nested, reproducible; classes kept and relabelled."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.data import DataError, Split, load
from capacity.data.dataset import Source
from capacity.data.splits import carve, keep_classes
from capacity.data.streams import stream


def _numbered(total, class_count=3):
    """Examples whose input is their own number."""
    numbers = np.arange(total)
    return Split(numbers[:, None].astype(np.float32), (numbers % class_count).astype(np.int32))


def _numbers(split):
    return split.inputs[:, 0].astype(int).tolist()


@given(st.data(), st.integers(2, 200), st.integers(0, 2**64))
@settings(max_examples=60, deadline=None)
def test_splits_are_disjoint_complete_and_nested(draw, total, seed):
    held_out = draw.draw(st.integers(0, total - 1))
    fewer = draw.draw(st.integers(1, total - held_out))
    train, validation = carve(_numbered(total), None, held_out, seed, "set")
    assert sorted(_numbers(train) + _numbers(validation)) == list(range(total))
    small, same_validation = carve(_numbered(total), fewer, held_out, seed, "set")
    assert _numbers(small) == _numbers(train)[:fewer]
    assert _numbers(same_validation) == _numbers(validation)
    np.testing.assert_array_equal(train.labels, np.array(_numbers(train)) % 3)


@pytest.mark.parametrize(
    ("size", "count"),
    [(0.1, 6), (0.5, 30), (0.001, 1), (0, 0), (0.0, 0), (1, 1), (7, 7), (7.0, 7), (59, 59)],
)
def test_validation_is_a_share_below_one_and_a_count_from_there(size, count):
    train, validation = carve(_numbered(60), None, size, 0, "set")
    assert (len(train.labels), len(validation.labels)) == (60 - count, count)


@pytest.mark.parametrize("name", ["digits", "gaussian", "teacher"])
def test_no_example_is_in_two_splits(name):
    data = load(name, seed=3)
    rows = [
        {row.tobytes() for row in split.inputs}
        for split in (data.train, data.validation, data.test)
    ]
    assert sum(map(len, rows)) == sum(
        len(s.labels) for s in (data.train, data.validation, data.test)
    )
    assert len(set.union(*rows)) == sum(map(len, rows))


def test_the_same_seed_gives_the_same_arrays_and_another_seed_another_split():
    first, again, other = load("digits", seed=5), load("digits", seed=5), load("digits", seed=6)
    assert first.fingerprint == again.fingerprint != other.fingerprint
    for split in ("train", "validation", "test"):
        for array, same in zip(getattr(first, split), getattr(again, split), strict=True):
            np.testing.assert_array_equal(array, same)
    np.testing.assert_array_equal(first.test.inputs, other.test.inputs)


def test_the_fingerprint_is_that_of_the_training_arrays():
    data = load("digits", train_size=50)
    assert len(data.fingerprint) == 16
    assert data.fingerprint == load("digits", train_size=50, inputs="raw").fingerprint
    others = [
        load("digits", train_size=51),
        load("digits", train_size=50, label_noise=0.3),
        load("digits", train_size=50, validation_size=0.2),
    ]
    assert len({data.fingerprint, *(other.fingerprint for other in others)}) == 4


def test_classes_are_kept_in_the_given_order():
    labels = np.array([0, 1, 2, 3, 3, 2, 1, 0], np.int32)
    split = Split(labels[:, None].astype(np.uint8), labels)
    kept = keep_classes(Source(split, split, 4, 255.0), [3, 1], "set")
    assert kept.class_count == 2
    assert kept.train.labels.tolist() == [1, 0, 0, 1]
    assert kept.test.inputs[:, 0].tolist() == [1, 3, 3, 1]
    assert kept.train.labels.dtype == np.int32


def test_two_digits_are_two_classes():
    data = load("digits", classes=[8, 3], validation_size=0.25)
    assert data.class_count == 2
    assert set(data.train.labels) == set(data.test.labels) == {0, 1}
    whole = load("digits")
    assert (data.test.labels == 0).sum() == (whole.test.labels == 8).sum()


def test_what_is_kept_whole_is_not_copied():
    split = _numbered(9)
    source = Source(split, split, 3, None)
    assert keep_classes(source, None, "set").test.inputs is split.inputs


def test_streams_are_independent_of_each_other_and_fixed():
    assert stream(1, "a").random() == stream(1, "a").random()
    draws = {stream(seed, name).random() for seed in (0, 1, 2**32, 2**64) for name in ("a", "b")}
    assert len(draws) == 8


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"train_size": 1294},
            "data.train_size = 1294: digits has only 1293 training examples after 144 for "
            "validation",
        ),
        ({"train_size": 0}, "data.train_size = 0: must be a whole number of at least 1"),
        ({"train_size": -5}, "data.train_size = -5: must be a whole number of at least 1"),
        (
            {"validation_size": 1437},
            "data.validation_size = 1437: leaves none of the 1437 training examples of digits to "
            "train on, so take fewer",
        ),
        (
            {"validation_size": -0.1},
            "data.validation_size = -0.1: must be a share from 0 up to 1 or a whole number of "
            "examples",
        ),
        (
            {"validation_size": 1.5},
            "data.validation_size = 1.5: must be a share from 0 up to 1 or a whole number of "
            "examples",
        ),
        (
            {"validation_size": float("nan")},
            "data.validation_size = nan: must be a share from 0 up to 1 or a whole number of "
            "examples",
        ),
        ({"classes": [3]}, "data.classes = [3]: must name at least two classes"),
        ({"classes": []}, "data.classes = []: must name at least two classes"),
        ({"classes": [1, 1]}, "data.classes = [1, 1]: a class must not be named twice"),
        ({"classes": [1, 10]}, "data.classes = [1, 10]: digits has no class 10, only 0 to 9"),
        ({"classes": [1, -1]}, "data.classes = -1: must be a whole number of at least 0"),
        ({"seed": -1}, "data.seed = -1: must be a whole number of at least 0"),
    ],
)
def test_wrong_sizes_and_classes_are_refused_in_one_sentence(options, message):
    with pytest.raises(DataError) as error:
        load("digits", **options)
    assert str(error.value) == message


def test_a_set_of_one_class_is_refused():
    split = Split(np.zeros((4, 1), np.uint8), np.full(4, 2, np.int32))
    with pytest.raises(DataError, match=r"data.name = 'set': its training examples have 1 label"):
        keep_classes(Source(split, split, 3, 255.0), None, "set")
