"""Bit strings and tables: exact code words by hand, then round trips."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.coding.bits import BitReader, gamma, packed, zigzag
from capacity.coding.errors import CorruptFile
from capacity.coding.table import (
    LEVEL_LIMIT,
    Table,
    decoded_table,
    encoded_table,
    ideal_bits,
    table_of,
)

histograms = st.lists(st.integers(0, 2**31), min_size=1, max_size=50).map(lambda c: [1, *c, 3])


def test_code_words():
    assert [gamma(v) for v in (1, 2, 3, 5)] == ["1", "010", "011", "00101"]
    assert [zigzag(v) for v in (0, -1, 1, -2, 2)] == [1, 2, 3, 4, 5]
    assert packed("1010000011") == b"\xa0\xc0"
    assert packed("") == b""


@settings(deadline=None)
@given(st.lists(st.integers(-(2**31), 2**31)), st.integers(0, 2**20 - 1))
def test_numbers_come_back_in_order(values, number):
    data = packed("".join(gamma(zigzag(v)) for v in values) + f"{number:020b}")
    reader = BitReader(data + b"more")
    assert [reader.zigzag() for _ in values] == values
    assert reader.number(20) == number
    assert reader.bytes_read() == len(data)


@pytest.mark.parametrize("data", [b"", b"\x00", bytes(100)])
def test_endless_zeros_are_no_number(data):
    with pytest.raises(CorruptFile, match="a table of symbol counts"):
        BitReader(data).gamma()


@settings(deadline=None)
@given(histograms, st.integers(-(2**20), 2**20))
def test_a_table_is_read_as_it_was_announced(counts, first):
    data, announced = encoded_table(Table(first, np.array(counts)))
    table, rest = decoded_table(data + b"rest")
    assert rest == b"rest"
    assert table.first == announced.first == first
    assert np.array_equal(table.counts, announced.counts)
    assert np.array_equal(table.counts > 0, np.array(counts) > 0)


@settings(deadline=None)
@given(histograms)
def test_rounded_counts_save_more_than_they_cost(counts):
    exact = np.array(counts)
    data, rounded = encoded_table(Table(0, exact))
    widths = [count.bit_length() for count in counts]
    prefixes = [len(gamma(zigzag(b - a))) for a, b in zip([0, *widths], widths, strict=False)]
    in_full = 1 + len(gamma(len(counts))) + 5 + sum(prefixes) + sum(max(w - 1, 0) for w in widths)
    total = 8 * len(data) + ideal_bits(exact, rounded.counts)
    assert total <= in_full + 7 + ideal_bits(exact, exact) * (1 + 1e-12)


def test_the_histogram_of_symbols():
    table = table_of(np.array([3, -1, 3, 0], np.int32))
    assert table is not None
    assert table.first == -1
    assert table.counts.tolist() == [1, 1, 0, 0, 2]
    assert table_of(np.array([-5, LEVEL_LIMIT - 6])) is not None
    assert table_of(np.array([-(2**31) + 1, 2**31 - 1], np.int32)) is None


def test_a_single_level_is_one_byte():
    assert encoded_table(Table(0, np.array([99])))[0] == b"\xc0"  # '1' first 0, '1' one level


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_foreign_bytes_are_a_table_or_corrupt(data):
    try:
        table, _ = decoded_table(data)
    except CorruptFile:
        return
    assert 1 <= len(table.counts) <= LEVEL_LIMIT
    assert table.counts.min() >= 0
