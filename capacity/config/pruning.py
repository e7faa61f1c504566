"""The settings of pruning: by which method, when, how much, and beside which controls."""

import re
from typing import Annotated, Literal, NamedTuple

import pydantic
from pydantic import Field

from capacity.config.section import Count, Positive, Rate, Section, Share, key, require

Method = Literal[
    "magnitude",
    "random",
    "saliency",
    "fisher",
    "movement",
    "snip",
    "grasp",
    "synflow",
    "unit-norm",
    "unit-activity",
    "unit-saturation",
    "set",
    "rigl",
]
Schedule = Literal["iterative", "one-shot", "before-training", "gradual", "dynamic"]
Allocation = Literal["layerwise", "erk", "global"]
Control = Literal["reinitialised", "random-mask", "random-ticket", "sibling", "small-dense"]


class Habits(NamedTuple):
    """Of a method, its schedules and allocations; the first of each is what was published.

    `examples`: whether scores are taken at examples.
    """

    schedules: tuple[Schedule, ...]
    allocations: tuple[Allocation, ...]
    examples: bool = False


_ANY_TIME: tuple[Schedule, ...] = ("iterative", "one-shot", "before-training")
_ANYWHERE: tuple[Allocation, ...] = ("layerwise", "erk", "global")
_SCORES = Habits(_ANY_TIME, _ANYWHERE, examples=True)
_AT_START = Habits(
    ("before-training", "iterative", "one-shot"), ("global", "layerwise", "erk"), examples=True
)
_UNITS = Habits(_ANY_TIME, ("layerwise",), examples=True)
_DYNAMIC = Habits(("dynamic",), ("erk", "layerwise"))
HABITS: dict[Method, Habits] = {
    "magnitude": Habits((*_ANY_TIME, "gradual"), _ANYWHERE),
    "random": Habits(_ANY_TIME, _ANYWHERE),
    "saliency": _SCORES,
    "fisher": _SCORES,
    "movement": Habits(("gradual",), _ANYWHERE),
    "snip": _AT_START,
    "grasp": _AT_START,
    "synflow": Habits(("before-training",), ("global",)),
    "unit-norm": _UNITS._replace(examples=False),
    "unit-activity": _UNITS,
    "unit-saturation": _UNITS,
    "set": _DYNAMIC,
    "rigl": _DYNAMIC,
}


class Pruning(Section):
    """What goes, round by round; the defaults are lottery tickets (Frankle & Carbin, 2019)."""

    rounds: Annotated[int, Field(ge=0, le=1000)] = key(0, "levels of sparsity after the dense one")
    rate: Rate = key(0.2, "share of the remaining weights (or units) that a round removes")
    output_rate: Rate | None = key(None, "the same for the output layer; null takes rate")
    convolution_rate: Rate | None = key(None, "the same for convolutions; null takes rate")
    method: Method = key("magnitude", "what a weight or a unit is worth")
    schedule: Schedule | None = key(
        None,
        "when: of the round before (iterative), of the dense round (one-shot), of the weights that "
        "training starts from, or while it trains; null takes the method's own",
    )
    allocation: Allocation | None = key(
        None, "what a round keeps: of each layer, or of all that compete; null: the method's own"
    )
    least: Annotated[int, Field(ge=0, le=2**31 - 1)] = key(
        1, "weights that every layer keeps at least; 0 lets a layer be emptied"
    )
    pattern: str | None = key(
        None, "2:4 keeps 2 of every 4 inputs in a row, in one round and whatever the rate"
    )
    examples: Count = key(1000, "training examples that scores are taken at, at most")
    rewind_step: Annotated[int, Field(ge=0, le=2**31 - 1)] = key(
        0,
        "step whose weights a round restarts from, for all steps again, with schedule and "
        "moments anew; 0 is the initialisation",
    )
    rewind: Literal["weights", "learning-rate", "fine-tuning"] = key(
        "weights",
        "what a round restarts: the weights of rewind_step, or the learning rate alone, so that "
        "training goes on from the weights that are left; fine-tuning does so at a smaller rate",
    )
    finetune_rate: Positive = key(0.1, "fine-tuning: learning rate over that of the dense round")
    begin: Share = key(0.0, "gradual, dynamic: share of training before the mask first moves")
    end: Share = key(0.75, "gradual, dynamic: share of training until the mask last moves")
    update_every: Count = key(100, "gradual, dynamic: steps from one move of the mask to the next")
    exchange: Share = key(0.3, "dynamic: share of a layer's weights that the first move exchanges")
    controls: tuple[Control, ...] = key(
        (),
        "also train, each round: its mask on fresh weights, a random mask of its counts on its "
        "weights or on fresh ones, a sibling with another order of data, a dense network as small",
    )

    narrow: bool | Literal["auto"] = key(
        "auto",
        "train without the units whose outputs are all pruned, by a program of its own; auto: "
        "where that saves time, and there is no weight decay and the mask does not move",
    )

    @property
    def trainings(self) -> int:
        """How often a seed's network is trained: dense, then every round and its controls."""
        return self.trained(self.rounds + 1)

    def trained(self, rounds: int) -> int:
        """The same of the first `rounds` alone, the dense one among them."""
        return max(0, 1 + (rounds - 1) * (1 + len(self.controls)))

    @property
    def timing(self) -> Schedule:
        """The schedule, that of the method where none is given."""
        return self.schedule or HABITS[self.method].schedules[0]

    @property
    def during(self) -> bool:
        """Whether the mask moves while a network trains."""
        return self.timing in ("gradual", "dynamic")

    @property
    def sharing(self) -> Allocation:
        """The allocation, that of the method where none is given."""
        return self.allocation or HABITS[self.method].allocations[0]

    @property
    def n_of_m(self) -> tuple[int, int] | None:
        """The pattern as numbers."""
        if self.pattern is None:
            return None
        n, _, m = self.pattern.partition(":")
        return int(n), int(m)

    @pydantic.model_validator(mode="after")
    def _options_of_the_method(self) -> "Pruning":
        habits = HABITS[self.method]
        require(
            self.timing in habits.schedules,
            f"schedule {self.timing} is not an option of {self.method}: "
            f"it is {' or '.join(habits.schedules)}",
        )
        require(
            self.sharing in habits.allocations,
            f"allocation {self.sharing} is not an option of {self.method}: "
            f"it is {' or '.join(habits.allocations)}",
        )
        for name in ("output_rate", "convolution_rate"):
            require(
                self.sharing == "layerwise" or getattr(self, name) is None,
                f"{name} is not an option of {self.sharing} allocation",
            )
        require(
            not self.method.startswith("unit-") or self.output_rate is None,
            f"output_rate is not an option of {self.method}, which keeps all outputs",
        )
        return self

    @pydantic.model_validator(mode="after")
    def _options_of_the_schedule(self) -> "Pruning":
        during = self.during
        require(
            self.rewind == "weights" or self.rewind_step == 0,
            f"rewind_step is not an option of {self.rewind}{_REWINDING.get(self.rewind, '')}",
        )
        require(
            self.rewind == "weights" or self.timing in ("iterative", "one-shot"),
            f"rewind {self.rewind} is not an option of schedule {self.timing}",
        )
        require(
            self.rewind == "weights" or "random-mask" not in self.controls,
            f"random-mask is no control of rewind {self.rewind}, which leaves zeros outside of the "
            "mask: random-ticket is",
        )
        require(
            not (during and "sibling" in self.controls),
            f"a sibling is no control of schedule {self.timing}: its mask would be another",
        )
        require(
            not during or self.begin < self.end,
            f"begin = {self.begin}: must be below end = {self.end}",
        )
        require(
            not (during and self.narrow is True),
            f"narrow is not an option of schedule {self.timing}, whose mask moves",
        )
        require(not during or self.end < 1, "end = 1: the mask must rest before training ends")
        require(
            len(set(self.controls)) == len(self.controls), "controls: a control stands there twice"
        )
        return self

    @pydantic.model_validator(mode="after")
    def _pattern(self) -> "Pruning":
        if self.pattern is None:
            return self
        require(
            re.fullmatch(r"[1-9]\d{0,3}:[1-9]\d{0,3}", self.pattern) is not None,
            f"pattern '{self.pattern}': must be as 2:4",
        )
        require(
            self.rounds <= 1 and self.timing in ("iterative", "one-shot", "before-training"),
            f"pattern {self.pattern} is for one round, before training or behind it",
        )
        require(
            not self.method.startswith("unit-") and self.method != "synflow",
            f"pattern is not an option of {self.method}",
        )
        for name in ("allocation", "output_rate", "convolution_rate"):
            require(getattr(self, name) is None, f"{name} is not an option of a pattern")
        return self


_REWINDING = {"learning-rate": " rewinding"}
