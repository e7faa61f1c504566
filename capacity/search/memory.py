"""What a search has proposed and been told, and the promise that it proposes nothing twice."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from capacity.search.domains import Number
from capacity.search.space import Point, Space

TRIES = 100  # proposals that may be known before the rest of the space is looked at
LISTED = 100_000  # points of a space that may be listed for that


class ExhaustedError(LookupError):
    """Every point of the space has been proposed, as far as can be told."""


class Told(NamedTuple):
    """A point and what it came to; no costs if it failed."""

    point: Point
    costs: tuple[float, ...] | None


class Searcher(Protocol):
    """Who proposes points, and learns what they came to."""

    def ask(self) -> Point:
        """A point that was neither proposed nor told before.

        Raises:
          ExhaustedError: there is none.
        """
        ...

    def tell(self, point: Point, costs: Sequence[Number] | None) -> None:
        """What `point` came to, smaller is better; None if it failed.

        A point that was never asked for is an observation too.
        """
        ...


class Memory:
    """The points of one search, in order."""

    def __init__(self, space: Space, seed: int):
        self.space = space
        self.told: list[Told] = []
        self._seed = seed
        self._known: dict[str, bool] = {}  # by the point: whether it has been told

    @property
    def number(self) -> int:
        """How many points are known: the number of the next one."""
        return len(self._known)

    @property
    def pending(self) -> int:
        """How many were proposed and not told of yet."""
        return sum(not told for told in self._known.values())

    def generator(self) -> np.random.Generator:
        """Random numbers of the next point, which depend on the seed and its number alone."""
        return np.random.default_rng([self._seed, self.number])

    def start(self, generator: np.random.Generator, *, middle: bool) -> Point:
        """A point to start with: a random one, or the middle of the space as the very first."""
        if middle and self.number == 0:
            return self.new(self.space.middle, generator)
        return self.new(lambda: self.space.draw(generator), generator)

    def new(self, propose: Callable[[], Point], generator: np.random.Generator) -> Point:
        """The first proposal that is not known, or any other point that is not."""
        for source, tries in ((propose, TRIES), (lambda: self.space.draw(generator), TRIES)):
            for _ in range(tries):
                point = source()
                if word(point) not in self._known:
                    self._known[word(point)] = False
                    return point
        left = []
        if self.space.largest <= LISTED:
            left = [point for point in self.space.points() if word(point) not in self._known]
        if not left:
            raise ExhaustedError(f"all {self.number} points of the space have been tried")
        point = left[generator.integers(len(left))]
        self._known[word(point)] = False
        return point

    def tell(self, point: Point, costs: Sequence[Number] | None) -> None:
        """Keeps what is told."""
        self._known[word(point)] = True
        self.told.append(Told(point, None if costs is None else tuple(map(float, costs))))

    def worst(self) -> tuple[float, ...] | None:
        """The largest of each cost so far; None before the first."""
        known = [told.costs for told in self.told if told.costs is not None]
        return tuple(map(max, zip(*known, strict=True))) if known else None


def word(point: Point) -> str:
    """The point as a key: the same for the same values in any order."""
    return repr(sorted(point.items()))
