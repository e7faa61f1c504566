"""Flat settings and axes as an `Experiment`, once everything about them is right."""

import math
from typing import Any

import pydantic

from capacity import axes as axes_of
from capacity.config import ELSEWHERE, Config, SearchFile, nested
from capacity.experiment.mistakes import ConfigError, sentence, show
from capacity.experiment.trials import Experiment

LONGEST_NAME = 150


def of_grid(name: Any, flat: dict[str, Any], axes: dict[str, Any], source: str) -> Experiment:
    """The experiment that has every trial of a grid."""
    for key, values in axes.items():
        if isinstance(values, dict):
            raise ConfigError(f"{source}: sweep.{key}: a range or condition needs a search section")
        if not isinstance(values, list) or not values:
            raise ConfigError(
                f"{source}: sweep.{key} = {show(values)}: must be a list of at least one value"
            )
        if (section := key.partition(".")[0]) in ELSEWHERE:
            raise ConfigError(
                f"{source}: sweep.{key}: settings of {section} are those of all trials, no axis"
            )
        if len({show(value) for value in values}) < len(values):
            raise ConfigError(f"{source}: sweep.{key} = {show(values)}: a value stands twice")
    try:
        # The base alone need not be valid: an axis may complete it, so its first point stands in.
        first = {**flat, **{key: values[0] for key, values in axes.items()}}
        base = Config.model_validate(nested(first))
        grid = {key: tuple(values) for key, values in axes.items()}
        experiment = Experiment(name=name, base=base, given=flat, axes=grid)
        if len(experiment.trials) < math.prod(map(len, grid.values())):
            raise ConfigError(f"{source}: sweep: two trials have the same identifier")
        # Equal sections are the same object, and each meets all that the others can be.
        trials, swept = experiment.trials.values(), {key.partition(".")[0] for key in axes}
        different = (len({id(getattr(config, name)) for config in trials}) for name in swept)
        if math.prod(different) < len(trials):
            raise ConfigError(f"{source}: sweep: two trials have the same settings")
        _short_enough(experiment, source)
    except pydantic.ValidationError as error:
        raise ConfigError(sentence(error, source)) from None
    return experiment


def of_search(name: Any, flat: dict[str, Any], axes: dict[str, Any], source: str) -> Experiment:
    """The experiment whose trials are proposed by `search`, where a grid has all of them."""
    if not axes:
        raise ConfigError(f"{source}: search: there is nothing to search in without a sweep")
    for key in axes:
        if key.partition(".")[0] in (*ELSEWHERE, "search") or key == "seeds":
            raise ConfigError(f"{source}: sweep.{key}: is the same in all trials, and no axis")
    chosen = {key: flat.pop(key) for key in list(flat) if key.startswith("search.")}
    try:
        space = axes_of.axes(axes)
    except ValueError as error:
        raise ConfigError(f"{source}: sweep.{error}") from None
    try:
        settings = SearchFile.model_validate({"search": {}} | nested(chosen)).search
        first, _ = axes_of.corners(space)
        base = Config.model_validate(nested({**flat, **first}))
        experiment = Experiment(
            name=name, base=base, given=flat, axes={}, search=settings, space=space
        )
        _short_enough(experiment, source)
    except pydantic.ValidationError as error:
        raise ConfigError(sentence(error, source)) from None
    if base.training.pad == "auto":
        raise ConfigError(f"{source}: training.pad = auto: is for grids; in a search, give a width")
    return experiment


def _short_enough(experiment: Experiment, source: str) -> None:
    longest = max(map(len, experiment.trials))
    if longest > LONGEST_NAME:
        raise ConfigError(
            f"{source}: sweep: a trial's name has {longest} characters, at most {LONGEST_NAME} "
            "make a folder: sweep fewer or shorter values"
        )
