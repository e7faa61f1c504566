"""Search: what may be tried, who proposes what to try next, and what the best of several aims is.

A searcher has two methods: `ask()` gives a point of its space, `tell(point, costs)` what it came
to, smaller being better. What is asked depends on the space, the seed and what has been told, in
that order, and on nothing else, so that a search that is told again what it knew goes on as it
would have.

space: what may be tried. memory: what was. at_random, tpe, evolution: searchers; `tpe` is imported
by its own name, as it alone takes optuna. fronts: of several costs at once.
"""

from capacity.search.at_random import AtRandom
from capacity.search.domains import Choice, Range, SpaceError
from capacity.search.evolution import Evolution
from capacity.search.fronts import (
    dominates,
    hypervolume,
    hypervolume_over_time,
    pareto_front,
    pareto_ranks,
)
from capacity.search.memory import ExhaustedError, Searcher
from capacity.search.space import Dimension, Point, Space

__all__ = [
    "AtRandom",
    "Choice",
    "Dimension",
    "Evolution",
    "ExhaustedError",
    "Point",
    "Range",
    "Searcher",
    "Space",
    "SpaceError",
    "dominates",
    "hypervolume",
    "hypervolume_over_time",
    "pareto_front",
    "pareto_ranks",
]
