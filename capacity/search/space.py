"""What may be tried: choices and ranges by name, some of them only where others have their say."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

DIGITS = 3  # of a drawn number: a trial's name holds it in full
STRIDE = 0.2  # of a range, on its own scale: the deviation of a step to a neighbour

Number = int | float
Point = dict[str, Any]
"""Values by name, of those dimensions that the values before them open."""


class SpaceError(ValueError):
    """A space that is none, in one sentence."""


class Choice(NamedTuple):
    """One of some values; if all are numbers, they are ordered by size."""

    values: tuple[Any, ...]

    @property
    def ordered(self) -> bool:
        """Whether neighbours mean something."""
        return all(isinstance(v, int | float) and not isinstance(v, bool) for v in self.values)

    @property
    def sorted(self) -> tuple[Any, ...]:
        """The values, by size where they are ordered."""
        return tuple(sorted(self.values)) if self.ordered else self.values

    @property
    def size(self) -> Number:
        """How many values there are."""
        return len(self.values)

    @property
    def middle(self) -> Any:
        """The value in the middle by size, the upper of two; the first where there is no order."""
        return self.sorted[len(self.values) // 2] if self.ordered else self.values[0]

    def draw(self, generator: np.random.Generator) -> Any:
        """Any value, all alike."""
        return self.sorted[generator.integers(len(self.values))]

    def neighbour(self, value: Any, generator: np.random.Generator) -> Any:
        """The next value up or down, or any other where there is no order."""
        values = self.sorted
        if len(values) == 1:
            return value
        at = values.index(value)
        if not self.ordered:
            return values[(at + generator.integers(1, len(values))) % len(values)]
        near = [values[i] for i in (at - 1, at + 1) if 0 <= i < len(values)]
        return near[generator.integers(len(near))]


class Range(NamedTuple):
    """Numbers from `low` to `high`, both included, evenly or evenly in their logarithm.

    Attributes:
      step: numbers are low, low + step, ...; whole ones if both are. Without it they are real and
        have three significant digits.
    """

    low: Number
    high: Number
    log: bool = False
    step: Number | None = None

    @property
    def size(self) -> Number:
        """How many values there are; infinite without a step."""
        return math.inf if self.step is None else 1 + self._steps

    @property
    def middle(self) -> Number:
        """The number in the middle of the scale."""
        return self.inside(self._number((self._scale(self.low) + self._scale(self.high)) / 2))

    def draw(self, generator: np.random.Generator) -> Number:
        """Any value; all alike, or all ratios alike."""
        low, high = self._edges
        return self.inside(self._number(generator.uniform(low, high)))

    def neighbour(self, value: Number, generator: np.random.Generator) -> Number:
        """A Gaussian step away on the range's own scale, turned back at its ends; another value."""
        if self.size == 1:
            return value
        low, high = self._edges
        moved = self._scale(value) + STRIDE * (high - low) * generator.normal()
        moved = low + abs((moved - low + (high - low)) % (2 * (high - low)) - (high - low))
        found = self.inside(self._number(moved))
        if found != value:
            return found
        if self.step is None:
            return self.draw(generator)
        up = value + self.step <= self.high
        down = value - self.step >= self.low
        sign = 1 if up and (not down or generator.random() < 0.5) else -1
        return self.inside(value + sign * self.step)

    def inside(self, value: Number) -> Number:
        """The number of the range next to `value`."""
        if self.step is not None:
            count = min(max(round((value - self.low) / self.step), 0), self._steps)
            found = self.low + count * self.step
            whole = float(self.low).is_integer() and float(self.step).is_integer()
            return round(found) if whole else float(f"{found:.12g}")
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)

    @property
    def _steps(self) -> int:
        assert self.step is not None
        return math.floor((self.high - self.low) / self.step + 1e-9)

    @property
    def _edges(self) -> tuple[Number, Number]:
        """With half a step at both ends, so that the first and last value are as likely as others.

        On a logarithmic scale it reaches no lower than to half of `low`.
        """
        half = 0.0 if self.step is None else self.step / 2
        low = max(self.low - half, self.low / 2) if self.log else self.low - half
        return self._scale(low), self._scale(self.high + half)

    def _scale(self, value: Number) -> Number:
        return math.log(value) if self.log else value

    def _number(self, scaled: Number) -> Number:
        return math.exp(scaled) if self.log else scaled


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
