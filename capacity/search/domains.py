"""The values of one dimension of a space: a choice of them, or a range of numbers."""

import math
from typing import Any, NamedTuple

import numpy as np

DIGITS = 3  # of a drawn number: a trial's name holds it in full
STRIDE = 0.2  # of a range, on its own scale: the deviation of a step to a neighbour

Number = int | float


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
