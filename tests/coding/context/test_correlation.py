"""Partners and coefficients against brute force and numpy's solver."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.coding.context.correlation import add_row, coefficients, new_sums, partners


def sums_of(matrix, window):
    sums = new_sums(matrix.shape[1], window)
    for row in matrix:
        add_row(sums, row)
    return sums


def drawn(seed, rows=200, columns=12):
    """Columns of which each leans on the one two before it."""
    generator = np.random.default_rng(seed)
    real = generator.normal(size=(rows, columns)) * 2
    for column in range(2, columns):
        real[:, column] += 0.8 * real[:, column - 2]
    return np.clip(np.rint(real), -15, 15).astype(np.int8)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000), st.integers(1, 12))
def test_products_are_those_of_the_columns(seed, window):
    matrix = drawn(seed)
    gram = matrix.T.astype(int) @ matrix
    products, starts = sums_of(matrix, window)
    for column in range(12):
        lags = range(min(window, column + 1))
        assert starts[column + 1] - starts[column] == len(lags)
        for lag in lags:
            assert products[starts[column] + lag] == gram[column, column - lag]


def test_the_best_partner_comes_first():
    chosen = np.zeros(3, np.int32)
    assert partners(sums_of(drawn(0), 12), 7, 3, chosen) == 3
    assert chosen[0] == 5


def test_a_column_of_zeros_has_no_partners_and_is_none():
    matrix = drawn(0)
    matrix[:, 4] = 0
    sums = sums_of(matrix, 12)
    chosen = np.zeros(12, np.int32)
    assert partners(sums, 4, 12, chosen) == 0
    assert partners(sums, 6, 12, chosen) == 5
    assert 4 not in chosen[:5]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_coefficients_solve_the_ridge_regression(seed):
    # Of the two chains one column each, so that eight sweeps are enough for three digits.
    matrix = drawn(seed)
    chosen = np.array([6, 7], np.int32)
    found = np.zeros(2, np.int64)
    coefficients(sums_of(matrix, 12), 8, chosen, 2, 12, found)
    x, y = matrix[:, chosen].astype(float), matrix[:, 8].astype(float)
    exact = np.linalg.solve(x.T @ x + 12 * np.eye(2), x.T @ y)
    assert np.allclose(found / 2**14, exact, atol=1e-3)


def test_two_columns_by_hand():
    # Column 0 is (2, 1), column 1 is (4, 1): 9 / (5 + 1) = 1.5 with a ridge of 1.
    sums = sums_of(np.array([[2, 4], [1, 1]], np.int8), 2)
    found = np.zeros(1, np.int64)
    coefficients(sums, 1, np.zeros(1, np.int32), 1, 1, found)
    assert found[0] == 3 << 13
