"""One search on a table: trials until one of the best, and the area that many dominate."""

from typing import NamedTuple

import numpy as np

from benchmarks.search_landscape import Landscape
from capacity.search import Point, Searcher, hypervolume, hypervolume_over_time, pareto_front
from capacity.search.memory import word

SHARES = (0.05, 0.01)  # of the table: the best so many are to be reached
BUDGET = 40  # trials of a search for two things at once


class Two(NamedTuple):
    """Searches for small and accurate: by run, the area by trial and the last front's costs."""

    area: np.ndarray
    fronts: list[np.ndarray]


def best(table: Landscape, share: float) -> set[str]:
    """The best `share` of a table by accuracy, with what equals the last of them."""
    accuracies = sorted((each.accuracy for each in table.values()), reverse=True)
    least = accuracies[int(np.ceil(share * len(table))) - 1]
    return {place for place, each in table.items() if each.accuracy >= least}


def trials_to_best(table: Landscape, search: Searcher, at_once: int = 1) -> list[int]:
    """How many trials it takes to reach one of the best, by each of `SHARES`.

    Args:
      at_once: points that are asked for before any of them is told.
    """
    goals, found = [best(table, share) for share in SHARES], []
    number = 0
    while number < len(table):
        asked = [search.ask() for _ in range(min(at_once, len(table) - number))]
        for point in asked:
            number += 1
            while word(point) in goals[len(found)]:
                found.append(number)
                if len(found) == len(SHARES):
                    return found
        for point in asked:
            search.tell(point, (-table[word(point)].accuracy,))
    raise AssertionError("the whole table was tried")


def for_two(table: Landscape, searches: list[Searcher]) -> Two:
    """Searches of `BUDGET` trials for small and accurate, one a run."""
    corner = reference(table)
    whole = hypervolume(costs(table, list(table)), corner)
    areas, fronts = [], []
    for search in searches:
        tried = costs(table, [word(_tried(table, search)) for _ in range(BUDGET)])
        areas.append(hypervolume_over_time(tried, corner) / whole)
        fronts.append(tried[pareto_front(tried)])
    return Two(np.array(areas), fronts)


def costs(table: Landscape, places: list[str]) -> np.ndarray:
    """Error and bytes [places, 2]."""
    return np.array([(1 - table[place].accuracy, table[place].size) for place in places])


def reference(table: Landscape) -> tuple[float, float]:
    """The worst of both in the table."""
    error, size = costs(table, list(table)).max(axis=0)
    return float(error), float(size)


def covered(front: np.ndarray, other: np.ndarray) -> float:
    """The share of `other` that something in `front` is no worse than (Zitzler & Thiele, 1999)."""
    return float(np.mean((front[:, None] <= other[None]).all(axis=2).any(axis=0)))


def _tried(table: Landscape, search: Searcher) -> Point:
    point = search.ask()
    search.tell(point, costs(table, [word(point)])[0].tolist())
    return point
