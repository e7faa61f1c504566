"""The settings of one trial as one frozen, validated `Config`: keys, defaults, meanings."""

from typing import Annotated

import pydantic
from pydantic import Field

from capacity.config.experiments import Coding, Curvature, Lottery, Memorising
from capacity.config.networks import Data, Model, Training
from capacity.config.section import Count, Section, key, require


class Resources(Section):
    """What one trial occupies of the machine or cluster; it changes no result."""

    cpus: Count = key(1, "cores of one trial, each with one thread")
    gpus: float = key(0.0, "devices of one trial, or a share of one; 0 trains on the CPU", ge=0)

    @pydantic.model_validator(mode="after")
    def _whole_devices(self) -> "Resources":
        require(
            self.gpus <= 1 or self.gpus == int(self.gpus),
            "gpus is a share of one or whole",
        )
        return self


class Config(Section):
    """One trial: a data set, an architecture and what is done with its seeds."""

    data: Data = Field(default_factory=Data)
    model: Model = Field(default_factory=Model)
    training: Training = Field(default_factory=Training)
    lottery: Lottery = Field(default_factory=Lottery)
    coding: Coding = Field(default_factory=Coding)
    curvature: Curvature = Field(default_factory=Curvature)
    memorising: Memorising = Field(default_factory=Memorising)
    resources: Resources = Field(default_factory=Resources)
    seeds: Annotated[int, Field(gt=0, le=10_000)] = key(3, "networks per trial, seeded 0, 1, ...")

    @property
    def outcomes(self) -> int:
        """How often a trial reports: after each of its trainings, or once if it memorises."""
        return 1 if self.memorising.loads else self.lottery.trainings

    @pydantic.model_validator(mode="after")
    def _memorises(self) -> "Config":
        if self.memorising.loads:
            require(
                self.training.steps is not None,
                "training.steps = null: memorising.loads needs it, as a step is on the whole set",
            )
            require(
                self.lottery.rounds == 0,
                "lottery.rounds: must be 0 with memorising.loads, which prunes nothing",
            )
            require(
                self.data.train_size is None and self.data.size is None,
                "data.train_size and data.size: must be null with memorising.loads, which says "
                "how many examples",
            )
        return self

    @pydantic.model_validator(mode="after")
    def _sections_agree(self) -> "Config":
        every, rewind, chunk = (
            self.training.evaluate_every,
            self.lottery.rewind_step,
            self.training.chunk,
        )
        require(
            rewind % every == 0,
            f"lottery.rewind_step = {rewind}: must be a multiple of "
            f"training.evaluate_every = {every}",
        )
        require(
            chunk == "auto" or self.seeds % chunk == 0,
            f"training.chunk = {chunk}: must divide seeds = {self.seeds}",
        )
        return self
