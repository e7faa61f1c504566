"""What may be tried: choices and ranges by name, some of them only where others have their say."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from capacity.search.domains import Choice, Number, Range, SpaceError

Point = dict[str, Any]
"""Values by name, of those dimensions that the values before them open."""


class Dimension(NamedTuple):
    """A choice or range, and when it is there.

    Attributes:
      when: by the name of an earlier dimension, its values that open this one; all must hold.
      like: the name of an earlier dimension whose value this one takes when a mutation opens it,
        as a new layer is as wide as the one before it.
    """

    domain: Choice | Range
    when: Mapping[str, tuple[Any, ...]] = {}
    like: str | None = None


class Space:
    """Dimensions by name, in the order in which they are decided.

    Raises:
      SpaceError: a domain is empty or upside down, or a condition is of no earlier dimension.
    """

    def __init__(self, dimensions: Mapping[str, Dimension | Choice | Range]):
        self.dimensions: dict[str, Dimension] = {}
        for name, each in dimensions.items():
            dimension = each if isinstance(each, Dimension) else Dimension(each)
            _check(name, dimension, self.dimensions)
            self.dimensions[name] = dimension

    def open(self, name: str, point: Point) -> bool:
        """Whether the dimension `name` is there, given the ones before it."""
        when = self.dimensions[name].when
        return all(key in point and point[key] in values for key, values in when.items())

    def draw(self, generator: np.random.Generator) -> Point:
        """A point, each open dimension alike."""
        point: Point = {}
        for name, dimension in self.dimensions.items():
            if self.open(name, point):
                point[name] = dimension.domain.draw(generator)
        return point

    def middle(self) -> Point:
        """The point in the middle of every open dimension, or at the first of unordered values."""
        point: Point = {}
        for name, dimension in self.dimensions.items():
            if self.open(name, point):
                point[name] = dimension.domain.middle
        return point

    def mutated(self, point: Point, generator: np.random.Generator) -> Point:
        """A neighbour of `point`: one dimension changed, any that can be, and what that opens."""
        names = [n for n, d in self.dimensions.items() if n in point and d.domain.size > 1]
        if not names:
            return dict(point)
        changed = names[generator.integers(len(names))]
        child: Point = {}
        for name, dimension in self.dimensions.items():
            if not self.open(name, child):
                continue
            if name == changed:
                child[name] = dimension.domain.neighbour(point[name], generator)
            elif name in point:
                child[name] = point[name]
            elif dimension.like in child:
                child[name] = child[dimension.like]
            else:
                child[name] = dimension.domain.draw(generator)
        return child

    def count(self) -> Number:
        """How many points there are; infinite with an open range that has no step."""
        if any(d.domain.size == math.inf for d in self.dimensions.values()):
            return math.inf
        return sum(1 for _ in self.points()) if self._conditional else math.prod(self._sizes)

    def points(self) -> Iterator[Point]:
        """Every point of a finite space, the last dimension fastest."""
        return self._points({}, list(self.dimensions))

    @property
    def largest(self) -> Number:
        """An upper bound on `count` that takes no time: all dimensions as if they were open."""
        return math.prod(self._sizes)

    @property
    def _sizes(self) -> list[Number]:
        return [dimension.domain.size for dimension in self.dimensions.values()]

    @property
    def _conditional(self) -> bool:
        return any(dimension.when for dimension in self.dimensions.values())

    def _points(self, point: Point, names: list[str]) -> Iterator[Point]:
        if not names:
            yield dict(point)
            return
        name, *rest = names
        if not self.open(name, point):
            yield from self._points(point, rest)
            return
        for value in _values(self.dimensions[name].domain):
            yield from self._points({**point, name: value}, rest)


def _values(domain: Choice | Range) -> Iterator[Any]:
    if isinstance(domain, Choice):
        yield from domain.sorted
        return
    if domain.step is None:
        raise SpaceError(f"{domain.low} to {domain.high}: a range without a step has no list")
    yield from (domain.inside(domain.low + i * domain.step) for i in range(int(domain.size)))


def _check(name: str, dimension: Dimension, earlier: Mapping[str, Dimension]) -> None:
    domain = dimension.domain
    if isinstance(domain, Choice):
        if not domain.values:
            raise SpaceError(f"{name}: must have at least one value")
    elif not domain.low < domain.high:
        raise SpaceError(f"{name}: low = {domain.low}: must be below high = {domain.high}")
    elif domain.log and domain.low <= 0:
        raise SpaceError(f"{name}: low = {domain.low}: must be above 0 on a logarithmic scale")
    elif domain.step is not None and domain.step <= 0:
        raise SpaceError(f"{name}: step = {domain.step}: must be above 0")
    for key in [*dimension.when, *([dimension.like] if dimension.like else [])]:
        if key not in earlier:
            raise SpaceError(f"{name}: '{key}', which decides about it, must stand before it")
