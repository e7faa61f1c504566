"""What the sections of a configuration are made of: types of numbers, keys, rules."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

# No number may overflow what it becomes: an index of 32 bits, a shape, a float32.
Count = Annotated[int, Field(gt=0, le=2**31 - 1)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Depth = Annotated[int, Field(gt=0, le=1000)]
Size = Annotated[float, Field(gt=0, le=1e6)]
Epochs = Annotated[float, Field(ge=0, le=1e6)]
Step = Annotated[float, Field(ge=1e-4, le=1e3)]
Positive = Annotated[float, Field(gt=0, le=1e38)]
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """Frozen; unknown keys, values of another type and infinite numbers are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def key(default: Any, meaning: str, **rules: Any) -> Any:
    """A key with its default and its meaning, which is printed to the user."""
    return Field(default=default, description=meaning, **rules)


def require(condition: bool, rule: str) -> None:
    """Raises what pydantic reports as the sentence `rule`."""
    if not condition:
        raise ValueError(rule)
