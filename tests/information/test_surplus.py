"""Surplus description length and sample complexity: by hand, and at the right end of a block."""

import numpy as np
import pytest

from capacity.information import Code, sample_complexity, surplus_description_length


def code(means, cuts):
    """Every label of a block costs its block's mean."""
    lengths = np.diff((0, *cuts))
    return Code(np.repeat(np.asarray(means, float), lengths), cuts, np.ones(1))


CURVE = code([2.0, 1.0, 0.5, 0.25], (2, 4, 8, 16))


def test_a_surplus_worked_by_hand():
    """Above 0.4 bits: 2 x 1.6 + 2 x 0.6 + 4 x 0.1 + 0 = 4.8."""
    assert surplus_description_length(CURVE, 0.4) == pytest.approx(4.8)
    assert surplus_description_length(CURVE, 2.0) == 0
    # Where it is never reached, it still grows: all 10 bits of the code at 0.
    assert surplus_description_length(CURVE, 0.0) == pytest.approx(CURVE.total) == 10


def test_the_loss_of_a_block_is_that_at_its_first_label():
    """The peers' right end would give each block the loss of the next: 2 x 0.6 + 2 x 0.1 = 1.4."""
    right_end = code([1.0, 0.5, 0.25, 0.25], (2, 4, 8, 16))
    assert surplus_description_length(right_end, 0.4) == pytest.approx(1.4)
    assert surplus_description_length(CURVE, 0.4) > 3 * 1.4


@pytest.mark.parametrize(
    ("epsilon", "labels"), [(2.0, 0), (1.5, 2), (1.0, 2), (0.5, 4), (0.3, 8), (0.2, None)]
)
def test_labels_needed_worked_by_hand(epsilon, labels):
    assert sample_complexity(CURVE, epsilon) == labels


def test_surplus_does_not_grow_once_the_level_is_reached():
    longer = code([2.0, 1.0, 0.5, 0.25, 0.2], (2, 4, 8, 16, 1000))
    assert surplus_description_length(longer, 0.3) == surplus_description_length(CURVE, 0.3)
    assert longer.total > 10 * CURVE.total


def test_a_level_below_zero_is_refused():
    for measure in (surplus_description_length, sample_complexity):
        with pytest.raises(ValueError, match=r"epsilon = -0\.1"):
            measure(CURVE, -0.1)
        with pytest.raises(ValueError, match="epsilon = nan"):
            measure(CURVE, float("nan"))
