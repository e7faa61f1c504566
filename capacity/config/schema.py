"""The settings of one trial as one frozen, validated `Config`: keys, defaults, meanings."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from capacity.config.experiments import (
    Coding,
    Curvature,
    Memorising,
    Prequential,
    Saturation,
)
from capacity.config.networks import Data, Model, Training
from capacity.config.pruning import Pruning
from capacity.config.section import Count, Section, key, require


class Resources(Section):
    """What one trial occupies of the machine or cluster; it changes no result."""

    cpus: Count = key(1, "cores of one trial, each with one thread")
    gpus: float = key(0.0, "devices of one trial, or a share of one; 0 trains on the CPU", ge=0)
    pack: Count | None = key(
        None,
        "trials at most that train as one population where they compile to the same program; null: "
        "as many as there are, if every worker has some; 1: each by itself",
    )

    @pydantic.model_validator(mode="after")
    def _whole_devices(self) -> "Resources":
        require(
            self.gpus <= 1 or self.gpus == int(self.gpus),
            "gpus is a share of one or whole",
        )
        return self


class Tracking(Section):
    """Where the numbers of a sweep on Ray go besides the tables; it changes no result."""

    tools: tuple[Literal["tensorboard", "mlflow"], ...] = key(
        ("tensorboard",),
        "what records every trial's scalars, on Ray; mlflow needs the extra of that name",
    )
    mlflow_uri: str | None = key(
        None,
        "server or database of MLflow; null takes MLFLOW_TRACKING_URI, or else a file beside the "
        "logs of Ray",
    )


ELSEWHERE = ("resources", "tracking", "storage_path")
"""What says where a sweep runs, is watched and is kept: the same for all trials, no row depends."""


class Config(Section):
    """One trial: a data set, an architecture and what is done with its seeds."""

    data: Data = Field(default_factory=Data)
    model: Model = Field(default_factory=Model)
    training: Training = Field(default_factory=Training)
    pruning: Pruning = Field(default_factory=Pruning)
    saturation: Saturation = Field(default_factory=Saturation)
    coding: Coding = Field(default_factory=Coding)
    curvature: Curvature = Field(default_factory=Curvature)
    prequential: Prequential = Field(default_factory=Prequential)
    memorising: Memorising = Field(default_factory=Memorising)
    resources: Resources = Field(default_factory=Resources)
    tracking: Tracking = Field(default_factory=Tracking)
    seeds: Annotated[int, Field(gt=0, le=10_000)] = key(3, "networks per trial, seeded 0, 1, ...")
    storage_path: Annotated[str, Field(min_length=1)] | None = key(
        None,
        "folder, or address as s3://bucket/folder or gs://bucket/folder, where the driver keeps "
        "results a second time, and from where --resume fetches them; null: nowhere",
    )

    @property
    def outcomes(self) -> int:
        """How often a trial reports: once of its capacity, then after each of its trainings."""
        return self.memorising.on + self.training.on * self.pruning.trainings

    @property
    def paddable(self) -> bool:
        """Whether its networks may train as parts of wider ones, if their architecture allows."""
        return not (self.pruning.during or self.model.widths)

    @classmethod
    def of(cls, sections: Mapping[str, Any]) -> "Config":
        """The trial of all its sections, each valid: they are not looked through once more.

        Raises:
          pydantic.ValidationError: they do not agree.
        """
        made = cls.model_construct(**sections)
        try:
            made._agree()
        except ValueError:
            return cls.model_validate(sections)  # which says so as it does of all mistakes
        return made

    @pydantic.model_validator(mode="after")
    def _sections_agree(self) -> "Config":
        self._agree()
        return self

    def _agree(self) -> None:
        require(
            self.outcomes > 0,
            "training.epochs or training.steps = 0: nothing is left to do without memorising.loads",
        )
        every, rewind, chunk = (
            self.training.evaluate_every,
            self.pruning.rewind_step,
            self.training.chunk,
        )
        require(
            rewind % every == 0,
            f"pruning.rewind_step = {rewind}: must be a multiple of "
            f"training.evaluate_every = {every}",
        )
        require(
            chunk == "auto" or self.seeds % chunk == 0,
            f"training.chunk = {chunk}: must divide seeds = {self.seeds}",
        )
        require(
            self.pruning.narrow is not True or self.training.weight_decay == 0,
            "pruning.narrow = true: is not an option with training.weight_decay, which moves the "
            "weights that are left out, too",
        )
        pad = self.training.pad
        if not isinstance(pad, float | int):
            return
        require(
            self.paddable,
            f"training.pad = {pad:g}: is not an option with model.widths, nor with schedule "
            f"{self.pruning.timing}, whose mask moves among all units",
        )
        require(
            pad >= self.model.width,
            f"training.pad = {pad:g}: must be at least model.width = {self.model.width:g}",
        )
        require(
            self.model.family != "mlp" or pad == int(pad),
            f"training.pad = {pad:g}: width of an mlp is a whole number of units",
        )
