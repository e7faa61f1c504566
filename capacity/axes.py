"""The axes of a search: read from a file, at their ends, and a point among them as settings."""

from collections.abc import Mapping
from typing import Any

import pydantic

from capacity.config.search import Axis

PLACE = "/"  # between a key and the place of one of its values: model.widths/0


def axes(given: Mapping[str, Any]) -> dict[str, Axis]:
    """Each key's list of values, or mapping of `values`, or of `low` and `high`.

    Raises:
      ValueError: in one sentence, which begins with the key.
    """
    found: dict[str, Axis] = {}
    for key, said in given.items():
        value = {"values": said} if isinstance(said, list) else said
        if not isinstance(value, dict):
            raise ValueError(f"{key}: must be a list of values, or low and high")
        lists = {
            k: tuple(v) if k == "values" and isinstance(v, list) else v for k, v in value.items()
        }
        try:
            found[key] = Axis.model_validate(lists)
        except pydantic.ValidationError as error:
            raise ValueError(f"{key}: {_rule(error)}") from None
        _check(key, found)
    return found


def settings(point: Mapping[str, Any]) -> dict[str, Any]:
    """A point's values by the keys of a configuration: places of one key as its list."""
    found: dict[str, Any] = {}
    for name, value in point.items():
        key, place, _ = name.partition(PLACE)
        if place:
            found.setdefault(key, []).append(value)
        else:
            found[key] = value
    return found


def corners(axes: Mapping[str, Axis]) -> list[dict[str, Any]]:
    """The settings at the first ends of all axes, and at the last."""
    found: list[dict[str, Any]] = []
    for end in (0, 1):
        chosen: dict[str, Any] = {}
        for key, axis in axes.items():
            if all(k in chosen and chosen[k] in axis.opened_by(k) for k in axis.when):
                value = axis.ends[end]
                chosen[key] = [value] * chosen[axis.each] if axis.each else value
        found.append(chosen)
    return found


def _check(key: str, axes: Mapping[str, Axis]) -> None:
    axis = axes[key]
    for other in [*axis.when, *([axis.each] if axis.each else [])]:
        if other not in axes or other == key:
            raise ValueError(f"{key}: '{other}', which decides about it, must stand before it")
    if axis.each:
        counts = axes[axis.each]
        whole = counts.integer or all(
            type(value) is int for value in counts.values or (counts.low, counts.step)
        )
        if not whole or counts.ends[0] < 1:
            raise ValueError(f"{key}: {axis.each} must be whole numbers of at least 1")


def _rule(error: pydantic.ValidationError) -> str:
    first = error.errors()[0]
    if first["type"] == "value_error":
        return first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        return f"no '{first['loc'][0]}': an axis has {', '.join(Axis.model_fields)}"
    rule = first["msg"].removeprefix("Input should be ")
    return f"{first['loc'][0]} = {first['input']}: must be {rule[0].lower()}{rule[1:]}"
