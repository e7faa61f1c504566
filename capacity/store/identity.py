"""Whether two experiments are the same, and settings as the cells of a table."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from capacity.config import dotted
from capacity.tables import StoreError


def same(where: str | Path, there: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Refuses to mix two experiments.

    Args:
      there: the resolved config of what is at `where`.

    Raises:
      StoreError: it is not `config`; the first key that differs is named.
    """
    if difference := _difference(there, config):
        raise StoreError(
            f"{where} holds another experiment ({difference}): "
            "choose another name, or remove the folder"
        )


def flat(settings: Mapping) -> dict[str, Any]:
    """Settings under dotted keys; lists, and what is empty, as JSON text."""
    return {
        key: json.dumps(value) if isinstance(value, list | tuple | dict) else value
        for key, value in dotted(settings).items()
    }


def _difference(there: Mapping, here: Mapping) -> str | None:
    """The first key in which two configs differ, with both values, in words."""
    a, b = flat(there), flat(here)
    for key in [*b, *(key for key in a if key not in b)]:
        if key not in a:
            return f"{key} is not set there, {b[key]} here"
        if key not in b:
            return f"{key} = {a[key]} there, not set here"
        if a[key] != b[key]:
            return f"{key} = {a[key]} there, {b[key]} here"
    return None
