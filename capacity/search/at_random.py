"""Random search (Bergstra & Bengio, 2012): every point anew, without a second time."""

from collections.abc import Sequence

from capacity.search.domains import Number
from capacity.search.memory import Memory
from capacity.search.space import Point, Space


class AtRandom:
    """Proposes points that nothing but chance decides; see `memory.Searcher`."""

    def __init__(self, space: Space, seed: int):
        self._memory = Memory(space, seed)

    def ask(self) -> Point:
        """A random point, another each time."""
        generator = self._memory.generator()
        return self._memory.new(lambda: self._memory.space.draw(generator), generator)

    def tell(self, point: Point, costs: Sequence[Number] | None) -> None:
        """Keeps in mind that the point is known."""
        self._memory.tell(point, costs)
