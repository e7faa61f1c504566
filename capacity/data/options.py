"""Rules that a single option must keep; a breach is one sentence that names the way out."""

import difflib
import operator
from collections.abc import Iterable
from typing import Any

from capacity.data.dataset import DataError


def check_whole(option: str, value: Any, least: int) -> int:
    """`value` as an int, or DataError if it is not a whole number of at least `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < least:
        raise DataError(f"data.{option} = {value!r}: must be a whole number of at least {least}")
    return number


def check_share(option: str, value: object) -> float:
    """`value` as a float, or DataError if it is not a number in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise DataError(f"data.{option} = {value!r}: must be a number from 0 to 1")
    return float(value)


def check_choice(option: str, value: object, allowed: Iterable[str]) -> str:
    """`value`, or DataError if it is none of `allowed`."""
    allowed = tuple(allowed)
    if value not in allowed:
        listed = ", ".join(repr(name) for name in allowed[:-1]) + f" or {allowed[-1]!r}"
        raise DataError(
            f"data.{option} = {value!r}: must be {listed}{suggestion(str(value), allowed)}"
        )
    return str(value)


def suggestion(name: str, known: Iterable[str]) -> str:
    """', did you mean ...?' for the known name nearest to `name`; empty if none is near."""
    near = difflib.get_close_matches(name.lower(), list(known), n=1)
    return f", did you mean {near[0]!r}?" if near else ""
