"""A number that was estimated, with its standard error."""

from typing import NamedTuple


class Estimate(NamedTuple):
    """An estimate and its standard error, both in the unit of the function that returns it."""

    value: float
    standard_error: float
