"""What a user is told of every key: its type, default and meaning, read off the schema."""

import textwrap
from functools import cache
from typing import Any

from capacity.config.schema import Config
from capacity.config.search import SearchFile
from capacity.config.section import Section

AXES = (
    "Under sweep, a key has a list of values; in a search also {low: 4, high: 64, log: true, "
    "integer: true or step: 4}, {values: [...]}, each with when: {key: value or values}, by which "
    "keys before it it is chosen at all, and with each: key for a list of so many values, as "
    "model.widths: {low: 4, high: 64, integer: true, each: model.depth}."
)


@cache
def keys() -> dict[str, tuple[str, Any, str]]:
    """Every key of a trial as (type, default, meaning), in the order of the file format."""
    return _keys(Config)


@cache
def search_keys() -> dict[str, tuple[str, Any, str]]:
    """Every key of a search likewise."""
    return _keys(SearchFile)


def _keys(settings: type[Section]) -> dict[str, tuple[str, Any, str]]:
    schema = settings.model_json_schema()
    found = {}
    for name, field in schema["properties"].items():
        inner = schema["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else None
        leaves = {name: field} if inner is None else inner["properties"]
        for key, leaf in leaves.items():
            full = name if inner is None else f"{name}.{key}"
            found[full] = (_type_name(leaf), leaf["default"], leaf["description"])
    return found


def sections() -> dict[str, type[Section]]:
    """The sections of a configuration by name."""
    fields = {name: field.annotation for name, field in Config.model_fields.items()}
    return {k: t for k, t in fields.items() if isinstance(t, type) and issubclass(t, Section)}


def reference(width: int) -> str:
    """The key reference of `--help`, `width` characters wide."""
    lines = ["keys (type) [default]:"]
    for key, (kind, default, meaning) in (keys() | search_keys()).items():
        shown = "null" if default is None else str(default)
        lines.append(f"  {key} ({kind}) [{shown}]")
        lines += textwrap.wrap(
            meaning, width - 6, initial_indent=" " * 6, subsequent_indent=" " * 6
        )
    return "\n".join([*lines, *textwrap.wrap(AXES, width)])


def _type_name(schema: dict[str, Any]) -> str:
    """A JSON schema in a user's words: `int|null`, `sgd|adam|adamw`, `list of float`."""
    if "anyOf" in schema:
        return "|".join(_type_name(each) for each in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return "|".join(map(str, schema.get("enum", [schema.get("const")])))
    if schema["type"] == "array":
        return f"list of {_type_name(schema['items'])}"
    plain = {"integer": "int", "number": "float", "string": "text", "boolean": "true|false"}
    return plain.get(schema["type"]) or str(schema["type"])
