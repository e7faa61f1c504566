"""A mistake in a configuration, told in one sentence."""

import difflib
from typing import Any

import pydantic
import yaml

from capacity.config import keys, search_keys, sections

_PLAIN = yaml.representer.SafeRepresenter()


class ConfigError(ValueError):
    """A mistake in a configuration: one sentence that names the source, the key and the rule."""


def check_known(key: str, source: str) -> None:
    """Refuses a key that there is not, with the one that was meant, if that can be guessed.

    Raises:
      ConfigError: likewise.
    """
    known = keys() | search_keys()
    if key in known:
        return
    names = [*known, *(section for section in section_names() if section != key)]
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.6) or [
        other for other in known if other.rsplit(".", 1)[-1] == key.rsplit(".", 1)[-1]
    ]
    hint = f", did you mean '{near[0]}'?" if near else "; --help lists all keys"
    raise ConfigError(f"{source}: no key '{key}'{hint}")


def section_names() -> list[str]:
    """Of a file: those of a trial, and that of a search."""
    return [*sections(), "search"]


def sentence(error: pydantic.ValidationError, source: str) -> str:
    """The first of what pydantic found, as users would say it; of a union, what each part asks."""
    first, *others = error.errors()
    key, rule = _key(first), _rule(first)
    if first["type"] == "value_error":
        return ": ".join(part for part in (source, key, rule) if part)
    rules = [rule, *(_rule(other) for other in others if _key(other) == key)]
    words = "" if rule.startswith("string should") else "must be "
    wanted = " or ".join(dict.fromkeys(rules))
    return f"{source}: {key or first['loc'][0]} = {show(first['input'])}: {words}{wanted}"


def _key(mistake: Any) -> str:
    known = str(keys() | search_keys())
    return ".".join(str(part) for part in mistake["loc"] if str(part) in known)


def _rule(mistake: Any) -> str:
    plain = {"tuple_type": "a list of values", "too_short": "a list of at least one value"}
    rule = plain.get(mistake["type"]) or mistake["msg"].removeprefix("Value error, ")
    rule = rule.removeprefix("Input should be ")
    return rule[0].lower() + rule[1:]


def show(value: Any) -> str:
    """A value as a file has it."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        # Of which a sweep may have many: the dumper takes a hundred times as long.
        return _PLAIN.represent_data(value).value
    return (
        yaml.safe_dump(value, default_flow_style=True, width=200)
        .strip()
        .removesuffix("...")
        .strip()
    )


def one_line(error: Exception) -> str:
    """What an error says, without its line breaks."""
    return " ".join(str(error).split())
