"""The fixed-point logistic: what the exact functions say, to the last unit, and always the same."""

import zlib

import numpy as np
from scipy.special import expit, logit

from capacity.coding.context import logistic
from capacity.coding.context.logistic import LEVEL, LIMIT, ODDS, SQUASH, STRETCH, TRUST, tables

TABLES_CRC = 4249107596

ODDS_RANGE = np.arange(-LIMIT, LIMIT + 1)
SQUASHED = tables()[SQUASH:STRETCH]
STRETCHED = tables()[STRETCH:TRUST]


def test_squash_is_the_logistic_function_within_one_unit():
    exact = expit(ODDS_RANGE / ODDS) * 2**22
    assert np.all(np.abs(SQUASHED - exact) <= 1)
    assert SQUASHED[LIMIT] == 2**21


def test_no_probability_is_0_or_1_and_opposites_sum_to_1():
    assert SQUASHED.min() > 0
    assert SQUASHED.max() < 2**22
    assert np.array_equal(SQUASHED[:LIMIT] + SQUASHED[:LIMIT:-1], np.full(LIMIT, 2**22))


def test_stretch_is_the_inverse_at_the_middle_of_each_step():
    middles = (np.arange(4096) + 0.5) / 4096
    assert np.all(np.abs(STRETCHED - logit(middles) * ODDS) <= 1)


def test_levels_are_quarters_of_octaves():
    levels = tables()[LEVEL:]
    # 1 = 2^0 begins level 1, 2 = 2^(4/4) level 5; 2^(1/4) = 1.19 is below 2; 2^(5/4) = 2.38.
    assert levels[:6].tolist() == [0, 1, 5, 7, 9, 10]
    exact = np.floor(4 * np.log2(np.arange(1, 4096)) + 1e-9) + 1
    assert np.array_equal(levels[1:], exact)


def test_the_tables_are_part_of_the_format():
    logistic.tables.cache_clear()
    assert zlib.crc32(tables().astype("<i4").tobytes()) == TABLES_CRC
