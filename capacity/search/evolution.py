"""Regularised evolution (Real et al., 2019): the best of a few has a child, the oldest dies."""

from collections.abc import Sequence

import numpy as np

from capacity.search.domains import Number
from capacity.search.fronts import crowding, pareto_ranks
from capacity.search.memory import Memory, Told, word
from capacity.search.space import Point, Space


class Evolution:
    """Proposes mutations of what did well among the youngest; see `memory.Searcher`.

    The first `startup` points are random, as many as are alive unless given; with `middle` the very
    first is the middle of the space. Then `tournament` members of the last `population`
    that were told, drawn with repetition, compete, and a neighbour of the best of them is proposed
    (`Space.mutated`). With several costs the best is one of the least Pareto rank among the
    population and, of these, the one in the emptiest part of its front (as in Deb et al., 2002).
    A point that failed never wins against one that did not.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        *,
        population: int = 10,
        tournament: int = 5,
        startup: int | None = None,
        middle: bool = False,
    ):
        self._memory = Memory(space, seed)
        self._population, self._tournament = population, tournament
        self._startup, self._middle = population if startup is None else startup, middle

    def ask(self) -> Point:
        """A random point at first, then the child of a tournament's winner."""
        return self.ask_with_parent()[0]

    def ask_with_parent(self) -> tuple[Point, Point | None]:
        """A point, and the one that it is a mutation of; None if it is random."""
        memory = self._memory
        generator = memory.generator()
        alive = memory.told[-self._population :]
        if memory.number < self._startup or all(each.costs is None for each in alive):
            return memory.start(generator, middle=self._middle), None
        fitness = _fitness(alive)
        parents: dict[str, Point] = {}

        def child() -> Point:
            drawn = generator.integers(len(alive), size=self._tournament)
            parent = alive[min(drawn, key=lambda i: fitness[i])].point
            born = memory.space.mutated(parent, generator)
            parents[word(born)] = parent
            return born

        point = memory.new(child, generator)
        return point, parents.get(word(point))

    def tell(self, point: Point, costs: Sequence[Number] | None) -> None:
        """A birth: the point is the youngest."""
        self._memory.tell(point, costs)


def _fitness(alive: Sequence[Told]) -> list[tuple[float, ...]]:
    """By member: the smaller, the fitter."""
    known = [i for i, each in enumerate(alive) if each.costs is not None]
    costs = np.array([alive[i].costs for i in known], dtype=float)
    fitness: list[tuple[float, ...]] = [(np.inf, 0.0)] * len(alive)
    if costs.shape[1] == 1:
        for i, cost in zip(known, costs[:, 0], strict=True):
            fitness[i] = (float(cost), 0.0)
        return fitness
    ranks, room = pareto_ranks(costs), np.zeros(len(known))
    for rank in set(ranks.tolist()):
        room[ranks == rank] = crowding(costs[ranks == rank])
    for i, rank, space in zip(known, ranks, room, strict=True):
        fitness[i] = (float(rank), -float(space))
    return fitness
