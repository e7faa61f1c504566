"""Searchers: one promise for all, what each adds, and that they find what chance does not."""

import math

import numpy as np
import pytest

from capacity.search import (
    AtRandom,
    Choice,
    Dimension,
    Evolution,
    ExhaustedError,
    Range,
    Space,
    hypervolume,
)
from capacity.search.tpe import Tpe, good

SPACE = Space(
    {
        "optimizer": Choice(("sgd", "adam")),
        "momentum": Dimension(Range(0.0, 0.9, step=0.3), {"optimizer": ("sgd",)}),
        "depth": Choice((1, 2, 3)),
        "width.0": Range(4, 64, log=True, step=1),
        "width.1": Dimension(Range(4, 64, log=True, step=1), {"depth": (2, 3)}, like="width.0"),
        "rate": Range(1e-4, 1e-1, log=True),
        "classes": Choice(([0, 1], [2, 3])),
    }
)
SEARCHERS = {
    "random": lambda space, seed, n=1: AtRandom(space, seed),
    "tpe": lambda space, seed, n=1: Tpe(space, seed, objectives=n),
    "evolution": lambda space, seed, n=1: Evolution(space, seed),
}


@pytest.fixture(params=SEARCHERS)
def searcher(request):
    return SEARCHERS[request.param]


def bowl(point):
    """Least at depth 2, width 16, rate 0.01."""
    widths = [math.log2(v / 16) for name, v in point.items() if name.startswith("width")]
    rate = math.log10(point["rate"] / 1e-2)
    return abs(point["depth"] - 2) + sum(w**2 for w in widths) / len(widths) + rate**2


def run(search, trials, cost=lambda point: (bowl(point),)):
    points = []
    for _ in range(trials):
        points.append(search.ask())
        search.tell(points[-1], cost(points[-1]))
    return points


def test_points_are_valid_and_none_comes_twice(searcher):
    points = run(searcher(SPACE, 0), 40)
    for point in points:
        assert list(point) == [name for name in SPACE.dimensions if SPACE.open(name, point)]
    assert len({str(point) for point in points}) == 40


def test_the_seed_decides(searcher):
    assert run(searcher(SPACE, 3), 15) == run(searcher(SPACE, 3), 15)
    assert run(searcher(SPACE, 3), 15) != run(searcher(SPACE, 4), 15)


@pytest.mark.parametrize("objectives", [1, 2])
def test_a_search_that_is_told_what_it_knew_goes_on_as_it_would_have(searcher, objectives):
    """Whatever is asked of it in between: what resumes an interrupted sweep."""

    def cost(point):
        return (bowl(point), -point["rate"])[:objectives]

    whole = run(searcher(SPACE, 0, objectives), 24, cost)
    again = searcher(SPACE, 0, objectives)
    for point in whole[:15]:
        again.tell(dict(reversed(point.items())), cost(point))
    assert run(again, 9, cost) == whole[15:]


@pytest.mark.parametrize("make", [Tpe, Evolution])
def test_the_start_is_that_of_a_random_search_but_for_the_middle(make):
    chance = run(AtRandom(SPACE, 5), 4)
    points = run(make(SPACE, 5, startup=3), 4)
    assert points[0] == SPACE.middle()
    assert points[1:3] == chance[1:3]
    assert points[3] != chance[3]
    assert run(make(SPACE, 5, startup=3, middle=False), 3) == chance[:3]


@pytest.mark.parametrize("make", [Tpe, Evolution])
def test_the_second_learns_from_the_first_and_what_is_asked_with_the_first_is_random(make):
    assert run(make(SPACE, 5), 2)[1] != run(AtRandom(SPACE, 5), 2)[1]
    search = make(SPACE, 5)
    at_once = [search.ask() for _ in range(4)]
    assert at_once == [SPACE.middle(), *run(AtRandom(SPACE, 5), 4)[1:]]


def test_a_middle_that_failed_is_no_parent():
    search = Evolution(SPACE, 5)
    search.tell(search.ask(), None)
    assert search.ask_with_parent() == (run(AtRandom(SPACE, 5), 2)[1], None)


def test_of_ten_three_are_good():
    """0.75 times the square roots: 0, 0.75, 1.5, 2.37, 7.5."""
    assert [good(count) for count in (0, 1, 4, 10, 100)] == [1, 1, 2, 3, 8]


def test_points_asked_at_once_differ(searcher):
    search = searcher(SPACE, 0)
    run(search, 12)
    points = [search.ask() for _ in range(8)]
    assert len({str(point) for point in points}) == 8


def test_a_failure_is_no_reason_to_stop(searcher):
    search = searcher(SPACE, 0)
    for i in range(20):
        search.tell(search.ask(), None if i % 3 == 0 or i < 4 else (1.0,))


def test_a_finite_space_is_tried_to_its_last_point_and_then_it_is_said(searcher):
    space = Space({"a": Choice((1, 2, 3)), "b": Choice(("x", "y"))})
    search = searcher(space, 0)
    points = run(search, 6, lambda point: (point["a"],))
    assert {(p["a"], p["b"]) for p in points} == {(a, b) for a in (1, 2, 3) for b in "xy"}
    with pytest.raises(ExhaustedError, match="all 6 points of the space have been tried"):
        search.ask()


def test_chance_is_beaten_on_a_bowl():
    """The best of 40 points, median of 9 seeds, is nearer to the least cost than by chance."""
    best = {
        name: np.median([min(map(bowl, run(make(SPACE, seed), 40))) for seed in range(9)])
        for name, make in SEARCHERS.items()
    }
    assert best["tpe"] < 0.5 * best["random"]
    assert best["evolution"] < 0.5 * best["random"]


def test_chance_is_beaten_on_two_costs():
    """Small and near the bowl's bottom: the dominated area after 40 points, median of 5 seeds."""

    def costs(point):
        return (bowl(point), math.log2(point["width.0"]))

    def area(make, seed):
        points = run(make(SPACE, seed, 2), 40, costs)
        return hypervolume(np.array([costs(p) for p in points], float), (4.0, 6.0))

    areas = {n: np.median([area(make, s) for s in range(5)]) for n, make in SEARCHERS.items()}
    assert areas["tpe"] > areas["random"]
    assert areas["evolution"] > areas["random"]


def test_evolution_names_the_parent_and_lets_the_oldest_die():
    space = Space({"a": Range(0, 1000, step=1)})
    search = Evolution(space, 0, startup=4)
    assert [search.ask_with_parent()[1] for _ in range(4)] == [None] * 4
    search = Evolution(space, 0, population=4, tournament=50)
    for value, cost in ((10, 0.0), (500, 3.0), (600, 2.0), (700, 1.0), (800, 4.0)):
        search.tell({"a": value}, (cost,))
    # 50 of 4 members: all take part but once in a million times. The best of all is too old.
    assert search.ask_with_parent()[1] == {"a": 700}


def test_parents_of_several_costs_are_all_of_the_front_however_old():
    """Of (1, 3), (2, 2), (3, 1), (3, 3) and one that failed: the first three, by turns."""
    space = Space({"a": Range(0, 1000, step=1)})
    search = Evolution(space, 0, population=2)
    for value, costs in ((1, (1, 3)), (2, (2, 2)), (3, (3, 1)), (4, (3, 3)), (5, None)):
        search.tell({"a": value}, costs)
    parents = [parent["a"] for parent in (search.ask_with_parent()[1] for _ in range(40)) if parent]
    assert set(parents) == {1, 2, 3}
    assert len(parents) == 40
