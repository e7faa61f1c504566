"""Fronts: laws, areas by hand, and brute force."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from capacity.search import (
    dominates,
    hypervolume,
    hypervolume_over_time,
    pareto_front,
    pareto_ranks,
)

# Whole numbers, so that ties are frequent and areas are counts of unit squares.
GRID = arrays(float, st.tuples(st.integers(1, 12), st.just(2)), elements=st.integers(0, 6))
THREE = arrays(float, st.tuples(st.integers(1, 12), st.just(3)), elements=st.integers(0, 4))


def test_dominance_by_hand():
    assert dominates((1, 2), (1, 3))
    assert not dominates((1, 2), (1, 2))
    assert not dominates((1, 3), (2, 2))


@given(THREE)
def test_the_front_is_what_nothing_dominates(costs):
    expected = [not any(dominates(other, point) for other in costs) for point in costs]
    assert pareto_front(costs).tolist() == expected
    assert pareto_front(costs).any()


@given(GRID)
def test_a_later_rank_is_dominated_by_the_one_before_it(costs):
    ranks = pareto_ranks(costs)
    assert ((ranks == 0) == pareto_front(costs)).all()
    for i, rank in enumerate(ranks):
        if rank:
            assert any(dominates(costs[j], costs[i]) for j in np.flatnonzero(ranks == rank - 1))


def test_areas_by_hand():
    """(1, 3) and (2, 1) below (4, 4): 3 x 1 of the first, and 2 x 2 more of the second."""
    costs = np.array([[1.0, 3.0], [2.0, 1.0], [3.0, 3.0], [5.0, 0.0]])
    assert hypervolume(costs[:1], (4, 4)) == 3
    assert hypervolume(costs[:2], (4, 4)) == 3 + 2 * 2
    assert hypervolume(costs, (4, 4)) == 7  # dominated, and beyond the reference
    assert hypervolume_over_time(costs, (4, 4)).tolist() == [3, 7, 7, 7]
    assert hypervolume(costs[3:], (4, 4)) == 0


@given(GRID)
def test_the_hypervolume_is_the_squares_that_are_dominated(costs):
    squares = itertools.product(range(7), repeat=2)
    count = sum(bool((costs <= np.array(square)).all(axis=1).any()) for square in squares)
    assert hypervolume(costs, (7, 7)) == count


@given(GRID)
def test_the_hypervolume_is_that_of_the_front_in_any_order_and_never_falls(costs):
    whole = hypervolume(costs, (7, 7))
    assert hypervolume(costs[pareto_front(costs)], (7, 7)) == whole
    assert hypervolume(costs[::-1], (7, 7)) == whole
    curve = hypervolume_over_time(costs, (7, 7))
    assert (np.diff(curve) >= 0).all()
    assert curve[-1] == whole
