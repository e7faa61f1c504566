"""Entropy of quantised weights: additivity, the pooled bound, and the table by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from capacity.coding import categorical
from capacity.information.entropy import symbol_entropy
from capacity.information.weights import weight_entropy

tensors = st.dictionaries(
    st.text("ab/", min_size=1, max_size=4),
    hnp.arrays(np.int32, st.integers(1, 200), elements=st.integers(-9, 9)),
    min_size=1,
    max_size=4,
)


@settings(deadline=None)
@given(tensors)
def test_bits_are_each_tensors_own_entropy_times_its_size(symbols):
    measured = weight_entropy(symbols)
    for name, values in symbols.items():
        assert measured.tensors[name].entropy == pytest.approx(symbol_entropy(values), abs=1e-12)
        assert measured.tensors[name].bits == pytest.approx(values.size * symbol_entropy(values))
        assert measured.tensors[name].levels == len(np.unique(values))
    assert measured.bits == pytest.approx(sum(t.bits for t in measured.tensors.values()))
    assert measured.entropy == pytest.approx(measured.bits / measured.weights)


@settings(deadline=None)
@given(tensors)
def test_one_histogram_for_all_never_needs_fewer_bits(symbols):
    measured = weight_entropy(symbols)
    assert measured.pooled.weights == measured.weights
    assert measured.pooled.bits >= measured.bits - 1e-9


def test_side_information_is_the_step_and_the_table_that_the_codec_writes():
    symbols = np.array([0, 0, 0, 1], np.int32)
    # '1' first 0; '010' two levels; '00000' precision 0 (3 as 2 + a one loses nothing); widths 2
    # and 1 as '00101' and '010': 17 bits fill 3 bytes
    measured = weight_entropy({"w": symbols})
    assert measured.side_information == 8 * 3 + 32
    payload = categorical.encode(symbols)
    assert payload is not None
    assert len(payload) - 3 == 1  # 4 * 0.811 bits


def test_a_constant_tensor_costs_its_table():
    measured = weight_entropy({"w": np.full((3, 3), -2)})
    assert measured.bits == 0
    assert measured.side_information == 8 + 32


def test_empty_tensors_hold_nothing():
    measured = weight_entropy({"w": np.array([1, 2]), "e": np.zeros((0, 3), np.int32)})
    assert measured.tensors["e"].bits == 0
    assert measured.bits == 2
    with pytest.raises(ValueError, match="no weights"):
        weight_entropy({"e": np.zeros(0, np.int32)})


def test_levels_too_far_apart_for_a_table_are_listed():
    measured = weight_entropy({"w": np.array([0, 10**6, 10**6])})
    # first 0: 1 bit; two levels: 3; distance 10^6, 20 significant bits: 39; counts 1 and 2: 4
    assert measured.tensors["w"].side_information == 1 + 3 + 39 + 4 + 32
