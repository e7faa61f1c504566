"""Searches on a table: what counts as the best, as reached, as covered."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import search, search_runs
from benchmarks.search_landscape import TABLES, Trained, landscape
from capacity.search import Choice, Space
from capacity.search.memory import word

SPACE = Space({"width": Choice(tuple(range(1, 51))), "depth": Choice((1, 2))})


def table():
    """A hundred networks, the wider the better, the shallow ones better by half a unit."""
    found = {}
    for point in SPACE.points():
        width, depth = point["width"], point["depth"]
        accuracy = (width - 0.5 * (depth - 1)) / 100
        found[word(point)] = Trained(point, accuracy, 0.0, 10.0 * width * depth)
    return found


def places(*shapes):
    """The words of widths and depths."""
    return {word({"width": width, "depth": depth}) for width, depth in shapes}


class InOrder:
    """From the narrowest on."""

    def __init__(self):
        self._points = SPACE.points()

    def ask(self):
        return next(self._points)

    def tell(self, point, costs):
        pass


def test_the_best_are_counted_by_hand():
    assert search_runs.best(table(), 0.01) == places((50, 1))
    assert search_runs.best(table(), 0.03) == places((50, 1), (50, 2), (49, 1))


def test_trials_are_counted_to_the_first_of_the_best():
    """Widths 1, 1x1, 2, ...: 48x48, the last not among the best five, is the 96th."""
    five = places((50, 1), (50, 2), (49, 1), (49, 2), (48, 1))
    assert search_runs.best(table(), 0.05) == five
    assert search_runs.trials_to_best(table(), InOrder()) == [95, 99]
    assert search_runs.trials_to_best(table(), InOrder(), at_once=7) == [95, 99]


def test_what_is_asked_at_once_is_told_after_all_of_it():
    class Watched(InOrder):
        said = ""

        def ask(self):
            self.said += "?"
            return super().ask()

        def tell(self, point, costs):
            self.said += "!"

    watched = Watched()
    search_runs.trials_to_best(table(), watched, at_once=4)
    assert watched.said.startswith("????!!!!????!!!!")


@pytest.mark.parametrize("name", TABLES)
def test_a_kept_table_holds_every_point_of_its_grid(name):
    kept = landscape(name, Path(__file__).parents[1] / "results/search")
    assert set(kept) == {word(point) for point in TABLES[name].space.points()}


def test_covered_by_hand():
    front = np.array([[1.0, 3.0], [2.0, 2.0]])
    assert search_runs.covered(front, np.array([[1.0, 3.0], [1.5, 2.5], [3.0, 2.0]])) == 2 / 3
    assert search_runs.covered(front, front) == 1


def test_the_corner_is_the_worst_of_both():
    assert search_runs.reference(table()) == pytest.approx((1 - 0.005, 1000.0))


def test_a_missed_bar_is_told():
    reached = {
        "random": np.array([[10, 40], [12, 44]]),
        "good": np.array([[5, 30], [5, 30]]),
        "bad": np.array([[6, 10], [6, 10]]),
    }
    grid = search._trials_grid("even", table(), reached, 0.05)
    assert [row[-1] for row in grid.rows] == ["", "yes", "MISSED"]
    assert grid.rows[1][4] == "0.45"
    assert grid.title == "even: trials until one of the best 5 of 100"
