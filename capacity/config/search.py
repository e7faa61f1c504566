"""The settings of a search: who proposes trials, how many, by which columns; and ranges of keys."""

from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from capacity.config.section import Count, Section, Seed, key, require

HIGHER = ("validation_accuracy", "coded_validation_accuracy")
LOWER = (
    "validation_loss",
    "coded_size",
    "weight_bits",
    "two_part_bits",
    "error_bound",
    "memory_capacity",
    "parameters",
    "remaining",
    "multiply_adds",
)
OBJECTIVES = (*HIGHER, *LOWER)
"""Columns of networks.csv with a better end; none is of the test split, which chooses nothing."""

_OF_EVOLUTION = ("population", "tournament", "inherit")


class Search(Section):
    """How the trials of a sweep are proposed, where they are not a grid."""

    method: Literal["random", "tpe", "evolution"] = key(
        "tpe",
        "chance; tree-structured Parzen estimators (Bergstra et al., 2013); or regularised "
        "evolution (Real et al., 2019)",
    )
    trials: Count = key(50, "trials in all, failed ones included")
    seed: Seed = key(0, "seed of the proposals")
    objectives: tuple[str, ...] = key(
        ("validation_accuracy",),
        "columns of networks.csv, means over the seeds of the last round's tickets: "
        f"{', '.join(HIGHER)} (higher is better), {', '.join(LOWER)} (lower is)",
        min_length=1,
    )
    startup: Count = key(
        1, "tpe, evolution: trials to start with, which learn from no other: random ones"
    )
    middle: bool = key(
        True, "tpe, evolution: the very first trial is in the middle of all axes, and not random"
    )
    population: Annotated[int, Field(ge=2, le=2**31 - 1)] = key(
        10, "evolution, one objective: trials alive: the last so many"
    )
    tournament: Count = key(
        10, "evolution, one objective: draws among those alive, of which the best is the parent"
    )
    inherit: bool = key(
        False,
        "evolution: a child starts from its parent's weights, grown (or shrunk) to its widths, "
        "where the two differ in nothing else of the architecture",
    )

    at_once: Count | None = key(
        None, "trials that run at the same time on Ray; null takes as many as it holds"
    )
    asha: str | None = key(
        None,
        "on Ray: stop trials early by this scalar that workers report, as validation_loss, "
        "validation_accuracy or saturation/<layer>; where a trial stopped is in candidates.csv",
    )
    asha_best: Literal["lowest", "highest"] = key("lowest", "asha: the better end of that scalar")
    asha_steps: Count = key(100, "asha: steps before the first trial may be stopped")
    asha_factor: Annotated[int, Field(ge=2, le=100)] = key(
        3, "asha: one in so many goes on at each rung, which lie apart by the same factor"
    )

    @pydantic.model_validator(mode="after")
    def _options(self) -> "Search":
        for name in self.objectives:
            require(
                "test_" not in name,
                f"objectives: {name} is of the test split, which must choose nothing",
            )
            require(
                name in OBJECTIVES,
                f"objectives: '{name}' is none of {', '.join(OBJECTIVES)}",
            )
        require(
            len(set(self.objectives)) == len(self.objectives), "objectives: one stands there twice"
        )
        for name in ("startup", "middle"):
            require(
                name not in self.model_fields_set or self.method != "random",
                f"{name} is not an option of random",
            )
        for name in _OF_EVOLUTION:
            require(
                name not in self.model_fields_set or self.method == "evolution",
                f"{name} is not an option of {self.method}",
            )
        for name in ("asha_best", "asha_steps", "asha_factor"):
            require(
                name not in self.model_fields_set or self.asha is not None,
                f"{name} says nothing without asha",
            )
        return self


class SearchFile(Section):
    """The section of a file in which a search stands."""

    search: Search = Field(default_factory=Search)


class Axis(Section):
    """What a search may choose for a key: some values, or a range; and when.

    Attributes:
      each: the key of a whole number, of which there are so many values, as widths by depth.
      when: by keys that stand before it, the value or values at which this key is chosen at all.
    """

    values: tuple[Any, ...] | None = None
    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    integer: bool = False
    step: int | float | None = None
    each: str | None = None
    when: dict[str, Any] = Field(default_factory=dict)

    @pydantic.model_validator(mode="after")
    def _values_or_range(self) -> "Axis":
        ends = self.low is not None, self.high is not None
        require(
            (self.values is not None) != any(ends) and all(ends) == any(ends),
            "must have low and high, or values",
        )
        if self.values is not None:
            require(len(self.values) > 0, "values: must be a list of at least one value")
            numbers = self.log or self.integer or self.step is not None
            require(not numbers, "log, integer and step are of a range, not of values")
            return self
        assert self.low is not None
        assert self.high is not None
        require(self.low < self.high, f"low = {self.low}: must be below high = {self.high}")
        require(
            self.low > 0 or not self.log,
            f"low = {self.low}: must be above 0 on a logarithmic scale",
        )
        require(self.step is None or self.step > 0, f"step = {self.step}: must be above 0")
        require(not (self.integer and self.step is not None), "integer is a step of 1: give one")
        require(
            not self.integer or float(self.low).is_integer(),
            f"low = {self.low}: must be whole where numbers are",
        )
        return self

    @property
    def steps(self) -> int | float | None:
        """The distance of two neighbours; None where there is none."""
        return 1 if self.integer else self.step

    @property
    def ends(self) -> tuple[Any, Any]:
        """The first and last value, or both ends of the range."""
        if self.values is not None:
            return self.values[0], self.values[-1]
        return self.low, self.high

    def opened_by(self, earlier: str) -> tuple[Any, ...]:
        """The values of the key `earlier` at which this one is chosen."""
        values = self.when[earlier]
        return tuple(values) if isinstance(values, list | tuple) else (values,)
