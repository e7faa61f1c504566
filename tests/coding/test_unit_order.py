"""The order of units: tours by hand, and inverse moves on both sides of a layer."""

import numpy as np

from capacity.coding import context
from capacity.coding.order import Axis, Units, reordered, tour


def test_a_tour_by_hand():
    # Row 0 is the first with three weights, 2 its multiple, 3 correlates by 1/sqrt(3), 1 by 0.
    table = np.array([[2, 2, 2, 0], [0, 0, 0, 0], [1, 1, 1, 0], [1, 0, 0, 0]])
    assert tour(table).tolist() == [0, 2, 3, 1]


def test_every_unit_is_visited_once():
    table = np.random.default_rng(0).integers(-1, 2, (50, 20))
    assert sorted(tour(table)) == list(range(50))


def test_more_units_than_fit_stay_as_they_are():
    assert np.array_equal(tour(np.zeros((9000, 1), np.int32)), np.arange(9000))


def dense(seed):
    generator = np.random.default_rng(seed)
    shapes = {"a": (5, 6), "a_bias": (6,), "b": (12, 3)}
    return {name: generator.integers(-3, 4, shape) for name, shape in shapes.items()}


def hidden(tree, x):
    return np.maximum(x @ tree["a"] + tree["a_bias"], 0)


def test_the_function_stays_when_repeats_are_outside():
    tree, x = dense(1), np.random.default_rng(2).integers(-3, 4, (10, 2, 5))
    layer = Units((Axis("a", 1), Axis("a_bias", 0)), (Axis("b", 0),))
    turned = reordered(tree, [layer])
    assert not np.array_equal(turned["a"], tree["a"])
    # Two places of six channels each, channels side by side.
    before = hidden(tree, x).reshape(10, 12) @ tree["b"]
    assert np.array_equal(hidden(turned, x).reshape(10, 12) @ turned["b"], before)


def test_the_function_stays_when_repeats_are_inside():
    tree, x = dense(1), np.random.default_rng(2).integers(-3, 4, (10, 2, 5))
    layer = Units((Axis("a", 1), Axis("a_bias", 0)), (Axis("b", 0, fastest=False),))
    turned = reordered(tree, [layer])
    before = np.moveaxis(hidden(tree, x), 1, 2).reshape(10, 12) @ tree["b"]
    after = np.moveaxis(hidden(turned, x), 1, 2).reshape(10, 12) @ turned["b"]
    assert np.array_equal(after, before)


def test_a_tour_shortens_the_code_of_units_in_families():
    generator = np.random.default_rng(0)
    families = np.rint(generator.laplace(size=(8, 100)) * 1.5)
    units = families[generator.integers(8, size=200)] + np.rint(
        generator.normal(size=(200, 100)) / 3
    )
    symbols = units.astype(np.int32)
    drawn = context.encode(symbols, context.FAST)
    toured = context.encode(symbols[tour(symbols)], context.FAST)
    assert drawn is not None
    assert toured is not None
    assert len(toured) < 0.8 * len(drawn)
