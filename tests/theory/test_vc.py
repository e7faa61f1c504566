"""VC dimension: the bound against exact counts and by hand, the orders by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.theory import dichotomies, vc_bound, vc_order


def test_one_weight_by_hand():
    # 1 + log2(2 e 6) = 6.03 >= 6, and 1 + log2(2 e 7) = 6.25 < 7
    assert vc_bound([1], [1]) == 6


def test_a_hidden_layer_by_hand():
    """20-16-1: W = (336, 353), k = (16, 1) and i = (1, 2); 6264 labels pass, 6265 do not."""

    def passes(m):
        first = 1 + 336 * math.log2(2 * math.e * m * 16 / 336)
        second = 1 + 353 * math.log2(2 * math.e * m * 2 / 353)
        return first + second >= m

    assert passes(6264)
    assert not passes(6265)
    assert vc_bound([336, 17], [16, 1]) == 6264


@pytest.mark.parametrize("weights", [1, 2, 5, 20])
def test_it_bounds_the_exact_count_of_a_threshold_unit(weights):
    bound = vc_bound([weights], [1])
    assert weights <= bound
    for points in range(weights, 3 * bound):
        assert dichotomies(points, weights) <= 2 * (2 * math.e * points / weights) ** weights
    assert dichotomies(bound + 1, weights) < 2 ** (bound + 1)


nets = st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**4)), min_size=1, max_size=6)


@given(nets, st.tuples(st.integers(1, 10**6), st.integers(1, 10**4)))
def test_it_exceeds_the_weights_and_grows_with_a_layer(net, more):
    parameters, units = [p for p, _ in net], [u for _, u in net]
    bound = vc_bound(parameters, units)
    assert bound > sum(parameters)
    assert vc_bound([*parameters, more[0]], [*units, more[1]]) > bound


def test_orders_by_hand():
    found = vc_order(1024, 4)
    assert found == (1024 * 4 * 8, 1024 * 4 * 10)
    assert found.lower <= found.upper
