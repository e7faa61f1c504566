"""A YAML file and `key=value` overrides as an `Experiment`: named trials of a grid or search."""

import difflib
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import pydantic
import yaml
from pydantic import Field

from capacity import axes as axes_of
from capacity.config import (
    Axis,
    Config,
    Search,
    SearchFile,
    Section,
    flatten,
    keys,
    nested,
    search_keys,
    sections,
)

LONGEST_NAME = 150


class ConfigError(ValueError):
    """A mistake in a configuration: one sentence that names the source, the key and the rule."""


class Experiment(Section):
    """A whole file: the settings all trials share, and the axes along which they differ.

    Either `axes` of a grid, or a `search` among those of a `space`. The base is at the first end of
    every axis; of `given`, the settings of the file alone, a key that a trial leaves out is taken.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    base: Config
    given: dict[str, Any]
    axes: dict[str, tuple[Any, ...]]
    search: Search | None = None
    space: dict[str, Axis] = Field(default_factory=dict)

    @property
    def trials(self) -> dict[str, Config]:
        """Every trial of the grid by its readable identifier, last axis fastest.

        Of a search, the two at the ends of all axes: for what they cost and whether they can be.
        """
        return dict(self._corners() if self.search else self._grid())

    def trial(self, settings: dict[str, Any]) -> tuple[str, Config]:
        """The identifier and the configuration of the trial with these settings."""
        config = Config.model_validate(nested({**self.given, **settings}))
        return _trial_id(self.base, settings), config

    def _corners(self) -> Iterator[tuple[str, Config]]:
        return (self.trial(settings) for settings in axes_of.corners(self.space))

    def _grid(self) -> Iterator[tuple[str, Config]]:
        for values in itertools.product(*self.axes.values()):
            point = dict(zip(self.axes, values, strict=True))
            yield self.trial(point)


def load(path: str | Path, overrides: Sequence[str] = ()) -> Experiment:
    """The experiment in the YAML file `path` after `key=value` overrides.

    An override of a swept key replaces its axis (`model.width=64` or `model.width=[16,64]`).

    Raises:
      ConfigError: the file is missing or no YAML mapping; a key is unknown; a value is of the
        wrong type or out of range; an axis is empty, repeats a value or leads to a trial that is
        not valid.
    """
    source = str(path)
    try:
        tree = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_Loader)
    except OSError as error:
        raise ConfigError(f"{source}: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source}: not a YAML file: {_one_line(error)}") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"{source}: not a YAML mapping of keys to values")
    name = tree.pop("name", Path(path).stem)
    searched = "search" in tree or any(text.startswith("search.") for text in overrides)
    axes = tree.pop("sweep", None) or {}
    if not isinstance(axes, dict):
        raise ConfigError(f"{source}: sweep: must map keys to lists of values")
    flat = _by_key(tree, source)
    for text in overrides:
        key, value = _override(text)
        if key == "name":
            name = value
        elif isinstance(value, dict) or (isinstance(value, list) and not _is_tuple(key, text)):
            flat.pop(key, None)
            axes[key] = value
        else:
            axes.pop(key, None)
            flat[key] = value
    axes = {str(key): values for key, values in axes.items()}
    for key in [*flat, *axes]:
        _known(key, source)
    if searched:
        return _searched(name, flat, axes, source)
    return _experiment(name, flat, axes, source)


class _Loader(yaml.SafeLoader):
    """YAML 1.1 as PyYAML reads it, but `1e-3` is a number, `2:4` is none, of base 60, and a
    repeated key is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in seen:
            if seen.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} stands twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


_INTEGER = "tag:yaml.org,2002:int"
_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != _INTEGER]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    _INTEGER,
    re.compile(r"^[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]+|0|[1-9][0-9_]*)$"),
    list("-+0123456789"),
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d[\d_]*)(\.[\d_]*)?[eE][-+]?\d+$"),
    list("-+0123456789"),
)


def _experiment(name: Any, flat: dict[str, Any], axes: dict[str, Any], source: str) -> Experiment:
    for key, values in axes.items():
        if isinstance(values, dict):
            raise ConfigError(f"{source}: sweep.{key}: a range or condition needs a search section")
        if not isinstance(values, list) or not values:
            raise ConfigError(
                f"{source}: sweep.{key} = {_show(values)}: must be a list of at least one value"
            )
        if key.startswith("resources."):
            raise ConfigError(f"{source}: sweep.{key}: resources are those of all trials, no axis")
        if len({_show(value) for value in values}) < len(values):
            raise ConfigError(f"{source}: sweep.{key} = {_show(values)}: a value stands twice")
    try:
        # The base alone need not be valid: an axis may complete it, so its first point stands in.
        first = {**flat, **{key: values[0] for key, values in axes.items()}}
        base = Config.model_validate(nested(first))
        grid = {key: tuple(values) for key, values in axes.items()}
        experiment = Experiment(name=name, base=base, given=flat, axes=grid)
        if len(experiment.trials) < sum(1 for _ in experiment._grid()):
            raise ConfigError(f"{source}: sweep: two trials have the same identifier")
        if len(set(experiment.trials.values())) < len(experiment.trials):
            raise ConfigError(f"{source}: sweep: two trials have the same settings")
        _short_enough(experiment, source)
    except pydantic.ValidationError as error:
        raise ConfigError(_sentence(error, source)) from None
    return experiment


def _searched(name: Any, flat: dict[str, Any], axes: dict[str, Any], source: str) -> Experiment:
    """The experiment whose trials are proposed by `search`, where a grid has all of them."""
    if not axes:
        raise ConfigError(f"{source}: search: there is nothing to search in without a sweep")
    for key in axes:
        if key.startswith(("resources.", "search.")) or key == "seeds":
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
        raise ConfigError(_sentence(error, source)) from None
    return experiment


def _short_enough(experiment: Experiment, source: str) -> None:
    longest = max(map(len, experiment.trials))
    if longest > LONGEST_NAME:
        raise ConfigError(
            f"{source}: sweep: a trial's name has {longest} characters, at most {LONGEST_NAME} "
            "make a folder: sweep fewer or shorter values"
        )


def _trial_id(base: Config, point: dict[str, Any]) -> str:
    """`mlp-w64-d2-noise0.2`: the data set's and the family's names, then the other swept values."""
    flat = {**flatten(base), **point}
    parts = [_word(flat["data.name"]), flat["model.family"]]
    for key, value in point.items():
        if key not in ("data.name", "model.family"):
            parts.append(_short(key) + _word(value))
    return "-".join(parts)


def _word(value: Any) -> str:
    """`value` as a part of a file's name: `mnist_3.0.1` for `mnist:3.0.1`."""
    return re.sub(r"[^A-Za-z0-9.+-]+", "_", _show(value)).strip("_")


def _short(key: str) -> str:
    known = {
        "model.width": "w",
        "model.depth": "d",
        "model.widths": "w",
        "data.label_noise": "noise",
        "data.train_size": "n",
        "training.learning_rate": "lr",
        "training.weight_decay": "wd",
        "pruning.method": "",
        "pruning.schedule": "",
    }
    return known.get(key, key.rsplit(".", 1)[-1] + "_")


def _known(key: str, source: str) -> None:
    known = keys() | search_keys()
    if key in known:
        return
    names = [*known, *(section for section in _sections() if section != key)]
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.6) or [
        other for other in known if other.rsplit(".", 1)[-1] == key.rsplit(".", 1)[-1]
    ]
    hint = f", did you mean '{near[0]}'?" if near else "; --help lists all keys"
    raise ConfigError(f"{source}: no key '{key}'{hint}")


def _override(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise ConfigError(f"'{text}': an override is key=value, as training.epochs=3")
    if key != "name":
        _known(key.removeprefix("sweep."), "command line")
    try:
        return key.removeprefix("sweep."), yaml.load(value, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ConfigError(f"'{text}': not a YAML value: {_one_line(error)}") from None


def _is_tuple(key: str, text: str) -> bool:
    """Whether a list is the value of `key` itself, as in data.classes=[0,1], and no axis."""
    listed = "list of" in (keys() | search_keys()).get(key, ("",))[0]
    return listed and not text.startswith("sweep.")


def _by_key(tree: dict[str, Any], source: str) -> dict[str, Any]:
    """A file's settings under dotted keys; only sections are opened, so a mistake keeps its key."""
    flat = {}
    for name, value in tree.items():
        if name not in _sections():
            flat[str(name)] = value
        elif isinstance(value, dict):
            flat.update({f"{name}.{key}": leaf for key, leaf in value.items()})
        elif value is not None:
            raise ConfigError(f"{source}: {name} = {_show(value)}: must map keys to values")
    return flat


def _sections() -> list[str]:
    return [*sections(), "search"]


def _sentence(error: pydantic.ValidationError, source: str) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"] if str(part) in str(keys() | search_keys()))
    plain = {"tuple_type": "a list of values", "too_short": "a list of at least one value"}
    rule = plain.get(first["type"]) or first["msg"].removeprefix("Value error, ")
    rule = rule.removeprefix("Input should be ")
    rule = rule[0].lower() + rule[1:]
    if first["type"] == "value_error":
        return ": ".join(part for part in (source, key, rule) if part)
    words = "" if rule.startswith("string should") else "must be "
    return f"{source}: {key or first['loc'][0]} = {_show(first['input'])}: {words}{rule}"


def _show(value: Any) -> str:
    if isinstance(value, str):
        return value
    return (
        yaml.safe_dump(value, default_flow_style=True, width=200)
        .strip()
        .removesuffix("...")
        .strip()
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
