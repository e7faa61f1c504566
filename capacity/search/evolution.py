"""Regularised evolution (Real et al., 2019): the best of a few has a child, the oldest dies."""

from collections.abc import Sequence

import numpy as np

from capacity.search.domains import Number
from capacity.search.fronts import pareto_front
from capacity.search.memory import Memory, Told, word
from capacity.search.space import Point, Space


class Evolution:
    """Proposes mutations of what did well; see `memory.Searcher`.

    The first `startup` points are random, the very first the middle of the space unless `middle` is
    false. Then `tournament` members of the last `population` that were told, drawn with repetition,
    compete, and a neighbour of the best of them is proposed (`Space.mutated`). With several costs
    nobody dies or competes: the parent is any point of the Pareto front of all that was told, each
    alike (SEMO; Laumanns et al., 2004). A point that failed is no parent where another did not.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        *,
        population: int = 10,
        tournament: int = 10,
        startup: int = 1,
        middle: bool = True,
    ):
        self._memory = Memory(space, seed)
        self._population, self._tournament = population, tournament
        self._startup, self._middle = startup, middle

    def ask(self) -> Point:
        """A point to start with, then the child of a parent that did well."""
        return self.ask_with_parent()[0]

    def ask_with_parent(self) -> tuple[Point, Point | None]:
        """A point, and the one that it is a mutation of; None if it has none."""
        memory = self._memory
        generator = memory.generator()
        fertile = self._fertile()
        if memory.number < self._startup or not fertile:
            return memory.start(generator, middle=self._middle), None
        parents: dict[str, Point] = {}

        def child() -> Point:
            parent = self._parent(fertile, generator)
            born = memory.space.mutated(parent, generator)
            parents[word(born)] = parent
            return born

        point = memory.new(child, generator)
        return point, parents.get(word(point))

    def tell(self, point: Point, costs: Sequence[Number] | None) -> None:
        """A birth: the point is the youngest."""
        self._memory.tell(point, costs)

    def _fertile(self) -> list[tuple[Point, float]]:
        """Points that may be parents, and the cost by which they compete."""
        told = self._memory.told
        known = [(t.point, t.costs) for t in told if t.costs is not None]
        if known and len(known[0][1]) > 1:
            front = pareto_front(np.array([costs for _, costs in known]))
            return [(point, 0.0) for (point, _), best in zip(known, front, strict=True) if best]
        alive: list[Told] = told[-self._population :]
        if all(each.costs is None for each in alive):
            return []
        return [(t.point, np.inf if t.costs is None else t.costs[0]) for t in alive]

    def _parent(self, fertile: list[tuple[Point, float]], generator: np.random.Generator) -> Point:
        """The best of a tournament; of those that cost the same, the one that was drawn first."""
        drawn = generator.integers(len(fertile), size=self._tournament)
        return fertile[min(drawn, key=lambda i: fertile[i][1])][0]
