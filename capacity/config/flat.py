"""Settings as a tree of sections, and flat under dotted keys."""

from collections.abc import Mapping
from typing import Any

from capacity.config.schema import Config


def flatten(config: Config) -> dict[str, Any]:
    """Every key of `config` with its value, as `{"data.name": "digits", ...}`."""
    return dotted(config.model_dump())


def dotted(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The leaves of `tree` under dotted keys; an empty mapping is a leaf."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            flat |= {f"{key}.{inner}": leaf for inner, leaf in dotted(value).items()}
        else:
            flat[key] = value
    return flat


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The tree behind dotted keys, as `Config` takes it: with tuples for the lists of a file."""
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        *parents, leaf = key.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = tuple(value) if isinstance(value, list) else value
    return tree
