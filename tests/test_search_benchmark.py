"""Searches on a table: what counts as the best, as reached, as covered."""

import numpy as np
import pytest

from benchmarks import search as benchmark
from benchmarks.search_landscape import Trained, key
from capacity.search import Choice, Space

SPACE = Space(
    {"depth": Choice((1, 2)), "width.0": Choice(tuple(range(1, 51))), "rate": Choice((1.0,))}
)


def table():
    """A hundred networks, the wider the better, the shallow ones better by half a unit."""
    found = {}
    for point in SPACE.points():
        widths, rate = key(point)
        accuracy = (widths[0] - 0.5 * (len(widths) - 1)) / 100
        found[widths, rate] = Trained(widths, rate, accuracy, 0.0, 10.0 * sum(widths))
    return found


class InOrder:
    """From the narrowest on."""

    def __init__(self):
        self._points = iter(sorted(SPACE.points(), key=lambda point: key(point)[0]))

    def ask(self):
        return next(self._points)

    def tell(self, point, costs):
        pass


def test_the_best_are_counted_by_hand():
    assert benchmark.best(table(), 0.01) == {((50,), 1.0)}
    assert benchmark.best(table(), 0.03) == {((50,), 1.0), ((50, 50), 1.0), ((49,), 1.0)}


def test_trials_are_counted_to_the_first_of_the_best():
    """Widths 1, 1x1, 2, ...: 48x48, the last not among the best five, is the 96th."""
    assert benchmark.best(table(), 0.05) == {
        ((50,), 1.0), ((50, 50), 1.0), ((49,), 1.0), ((49, 49), 1.0), ((48,), 1.0)
    }  # fmt: skip
    assert benchmark.trials_to_best(table(), InOrder()) == [95, 99]


def test_covered_by_hand():
    front = np.array([[1.0, 3.0], [2.0, 2.0]])
    assert benchmark.covered(front, np.array([[1.0, 3.0], [1.5, 2.5], [3.0, 2.0]])) == 2 / 3
    assert benchmark.covered(front, front) == 1


def test_the_corner_is_the_worst_of_both():
    assert benchmark.reference(table()) == pytest.approx((1 - 0.005, 1000.0))


def test_a_missed_bar_is_told():
    reached = {
        "random": np.array([[10, 40], [12, 44]]),
        "good": np.array([[5, 30], [5, 30]]),
        "bad": np.array([[6, 10], [6, 10]]),
    }
    grid = benchmark._trials_grid("even", table(), reached, 0.05)
    assert [row[-1] for row in grid.rows] == ["", "yes", "MISSED"]
    assert grid.rows[1][4] == "0.45"
    assert grid.title == "even: trials until one of the best 5 of 100"
