"""What trials share: inputs are drawn and cut once, and labels are each trial's own."""

import numpy as np
import pytest

from capacity.data import forget, load

GAUSSIAN = {"name": "gaussian", "size": 60, "dimension": 3}


def test_trials_that_differ_in_their_labels_share_their_inputs():
    clean, noisy = (load(**GAUSSIAN, label_noise=rate) for rate in (0.0, 0.9))
    assert noisy.train.inputs is clean.train.inputs
    assert noisy.validation.inputs is clean.validation.inputs
    assert np.any(noisy.train.labels != clean.train.labels)


def test_another_seed_size_or_choice_of_classes_is_another_set():
    one = load(**GAUSSIAN)
    for other in (
        load(**GAUSSIAN, seed=1),
        load(**GAUSSIAN, train_size=20),
        load(**GAUSSIAN, classes=[0, 1, 2]),
        load(**GAUSSIAN, validation_size=0.5),
        load(**{**GAUSSIAN, "dimension": 4}),
    ):
        assert other.fingerprint != one.fingerprint
    assert load(**GAUSSIAN).fingerprint == one.fingerprint


def test_chosen_classes_are_shared_too():
    a, b = (load(**GAUSSIAN, classes=[3, 1]) for _ in range(2))
    assert a.train.inputs is b.train.inputs
    assert load(**GAUSSIAN, classes=[1, 3]).fingerprint != a.fingerprint


def test_nobody_writes_to_what_is_shared():
    data = load(**GAUSSIAN)
    with pytest.raises(ValueError, match="read-only"):
        data.train.inputs[0] = 0


def test_what_is_forgotten_is_drawn_again():
    before = load(**GAUSSIAN)
    forget()
    after = load(**GAUSSIAN)
    assert after.train.inputs is not before.train.inputs
    assert after.fingerprint == before.fingerprint
