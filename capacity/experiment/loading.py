"""A YAML file and `key=value` overrides read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from capacity.config import keys, search_keys
from capacity.experiment.building import of_grid, of_search
from capacity.experiment.mistakes import ConfigError, check_known, one_line, section_names, show
from capacity.experiment.trials import Experiment
from capacity.experiment.yaml_loader import Loader


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
        tree = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=Loader)
    except OSError as error:
        raise ConfigError(f"{source}: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source}: not a YAML file: {one_line(error)}") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"{source}: not a YAML mapping of keys to values")
    name = tree.pop("name", Path(path).stem)
    searched = "search" in tree
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
        check_known(key, source)
    if searched or any(key.startswith("search.") for key in (*flat, *axes)):
        return of_search(name, flat, axes, source)
    return of_grid(name, flat, axes, source)


def _override(text: str) -> tuple[str, Any]:
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise ConfigError(f"'{text}': an override is key=value, as training.epochs=3")
    if key != "name":
        check_known(key.removeprefix("sweep."), "command line")
    try:
        return key.removeprefix("sweep."), yaml.load(value, Loader=Loader)
    except yaml.YAMLError as error:
        raise ConfigError(f"'{text}': not a YAML value: {one_line(error)}") from None


def _is_tuple(key: str, text: str) -> bool:
    """Whether a list is the value of `key` itself, as in data.classes=[0,1], and no axis."""
    listed = "list of" in (keys() | search_keys()).get(key, ("",))[0]
    return listed and not text.startswith("sweep.")


def _by_key(tree: dict[str, Any], source: str) -> dict[str, Any]:
    """A file's settings under dotted keys; only sections are opened, so a mistake keeps its key."""
    flat = {}
    for name, value in tree.items():
        if name not in section_names():
            flat[str(name)] = value
        elif isinstance(value, dict):
            flat.update({f"{name}.{key}": leaf for key, leaf in value.items()})
        elif value is not None:
            raise ConfigError(f"{source}: {name} = {show(value)}: must map keys to values")
    return flat
