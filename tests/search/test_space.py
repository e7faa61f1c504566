"""Spaces: what is drawn, what a mutation changes, how many points there are, what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.search import Choice, Dimension, Range, Space, SpaceError

WIDTH = Choice((4, 8, 16))
LAYERED = Space(
    {
        "depth": Choice((1, 2, 3)),
        "width.0": WIDTH,
        "width.1": Dimension(WIDTH, {"depth": (2, 3)}, like="width.0"),
        "width.2": Dimension(WIDTH, {"depth": (3,)}, like="width.1"),
    }
)


def generator(seed=0):
    return np.random.default_rng(seed)


def valid(space, point):
    """Whether exactly the open dimensions have values, in order."""
    return list(point) == [name for name in space.dimensions if space.open(name, point)]


def test_depth_decides_how_many_widths_there_are():
    """3 + 9 + 27 networks of one to three layers of three widths."""
    points = list(LAYERED.points())
    assert len(points) == LAYERED.count() == 3 + 9 + 27
    assert len({str(point) for point in points}) == 39
    assert all(valid(LAYERED, point) for point in points)
    assert points[0] == {"depth": 1, "width.0": 4}
    assert points[-1] == {"depth": 3, "width.0": 16, "width.1": 16, "width.2": 16}


def test_counts_by_hand():
    assert Space({"a": Choice((1, 2)), "b": Range(0, 1, step=0.25)}).count() == 2 * 5
    assert Space({"a": Range(4, 64, log=True, step=1)}).count() == 61
    assert Space({"a": Range(0.0, 1.0)}).count() == float("inf")
    assert Range(0, 1, step=0.3).size == 4  # 0, 0.3, 0.6, 0.9


@given(st.integers(0, 2**31))
def test_a_mutation_is_a_valid_point_that_differs_in_one_decision(seed):
    draw = generator(seed)
    parent = LAYERED.draw(draw)
    child = LAYERED.mutated(parent, draw)
    assert valid(LAYERED, child)
    assert child != parent
    changed = [name for name in parent if name in child and parent[name] != child[name]]
    assert len(changed) == 1
    if changed == ["depth"]:
        assert abs(child["depth"] - parent["depth"]) == 1
    else:
        assert child.keys() == parent.keys()


def test_a_layer_that_a_mutation_adds_is_as_wide_as_the_one_before_it():
    parent = {"depth": 2, "width.0": 4, "width.1": 16}
    children = [LAYERED.mutated(parent, generator(seed)) for seed in range(100)]
    deeper = [child for child in children if child["depth"] == 3]
    assert deeper
    assert all(child["width.2"] == 16 for child in deeper)


def test_the_middle_by_hand():
    space = Space(
        {
            "depth": Choice((3, 1, 2)),
            "optimizer": Choice(("sgd", "adam")),
            "width.1": Dimension(Range(4, 64, log=True, step=1), {"depth": (2,)}),
            "width.2": Dimension(WIDTH, {"depth": (3,)}),
            "rate": Range(1e-4, 1e-2, log=True),
            "share": Range(0.0, 1.0),
        }
    )
    middle = {"depth": 2, "optimizer": "sgd", "width.1": 16, "rate": 1e-3, "share": 0.5}
    assert space.middle() == middle


def test_neighbours_of_ordered_choices_are_next_and_of_others_any():
    sizes, names = Choice((64, 4, 16)), Choice(("sgd", "adam", "adamw"))
    assert {sizes.neighbour(16, generator(s)) for s in range(20)} == {4, 64}
    assert {sizes.neighbour(4, generator(s)) for s in range(20)} == {16}
    assert {names.neighbour("sgd", generator(s)) for s in range(20)} == {"adam", "adamw"}
    assert Choice((7,)).neighbour(7, generator()) == 7
    assert not Choice((True, False)).ordered


RANGES = [
    Range(1e-4, 1e-1, log=True),
    Range(-2.0, 3.0),
    Range(4, 64, log=True, step=1),
    Range(1, 2, log=True, step=1),
    Range(0.0, 1.0, step=0.1),
    Range(16, 256, step=16),
]


@pytest.mark.parametrize("domain", RANGES, ids=str)
def test_draws_and_neighbours_stay_inside_and_are_fixed_points(domain):
    draw = generator()
    for _ in range(300):
        value = domain.draw(draw)
        near = domain.neighbour(value, draw)
        assert domain.low <= value <= domain.high
        assert domain.low <= near <= domain.high
        assert near != value
        assert domain.inside(value) == value
        if domain.step is None:
            assert float(f"{value:.3g}") == value, "three digits, so that a name holds it"


def test_whole_numbers_are_whole_and_as_likely_at_the_ends():
    values = [Range(1, 4, step=1).draw(generator(s)) for s in range(4000)]
    assert all(isinstance(value, int) for value in values)
    shares = [values.count(i) / 4000 for i in range(1, 5)]
    np.testing.assert_allclose(shares, 0.25, atol=0.03)  # four standard errors


def test_a_logarithmic_range_gives_equal_shares_to_equal_ratios():
    values = np.array([Range(1e-4, 1e-1, log=True).draw(generator(s)) for s in range(3000)])
    shares = np.histogram(np.log10(values), bins=[-4, -3, -2, -1])[0] / 3000
    np.testing.assert_allclose(shares, 1 / 3, atol=0.035)


@pytest.mark.parametrize(
    ("dimensions", "said"),
    [
        ({"a": Choice(())}, "a: must have at least one value"),
        ({"a": Range(2, 1)}, "a: low = 2: must be below high = 1"),
        ({"a": Range(0, 1, log=True)}, "a: low = 0: must be above 0 on a logarithmic scale"),
        ({"a": Range(0, 1, step=0)}, "a: step = 0: must be above 0"),
        (
            {"a": Dimension(WIDTH, {"b": (1,)}), "b": WIDTH},
            "a: 'b', which decides about it, must stand before it",
        ),
    ],
)
def test_what_is_no_space_is_refused_in_a_sentence(dimensions, said):
    with pytest.raises(SpaceError) as raised:
        Space(dimensions)
    assert str(raised.value) == said


def test_a_range_without_steps_has_no_list():
    with pytest.raises(SpaceError, match="a range without a step has no list"):
        list(Space({"a": Range(0, 1)}).points())
