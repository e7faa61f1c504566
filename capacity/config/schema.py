"""The settings of one trial as one frozen, validated `Config`: keys, defaults, meanings."""

from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

# No number may overflow what it becomes: an index of 32 bits, a shape, a float32.
Count = Annotated[int, Field(gt=0, le=2**31 - 1)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Depth = Annotated[int, Field(gt=0, le=1000)]
Size = Annotated[float, Field(gt=0, le=1e6)]
Step = Annotated[float, Field(ge=1e-4, le=1e3)]
Positive = Annotated[float, Field(gt=0, le=1e38)]
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, lt=1)]
CodecName = Literal[
    "uniform",
    "rdo",
    "kmeans",
    "obs",
    "fine-tuned",
    "float32",
    "bfloat16",
    "int8",
    "zstd",
    "xz",
    "brotli",
    "planes",
]
FIXED_DEPTH = ("lenet5", "conv2", "conv4", "conv6")


def _key(default: Any, meaning: str, **rules: Any) -> Any:
    return Field(default=default, description=meaning, **rules)


class Section(BaseModel):
    """Frozen; unknown keys, values of another type and infinite numbers are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Data(Section):
    """Which examples, how many of them, and what is done to them."""

    name: str = _key("digits", "TFDS name, or an embedded set: digits, gaussian, teacher")
    train_size: Count | None = _key(None, "training examples; null takes all")
    validation_size: float = _key(
        0.1, "held out of the training split: a share below 1, otherwise a count", gt=0
    )
    label_noise: Share = _key(0.0, "share of training and validation labels redrawn")
    label_noise_kind: Literal["flipped", "resampled"] = _key(
        "flipped", "redrawn among the other classes, or among all"
    )
    classes: tuple[NonNegativeInt, ...] | None = _key(None, "labels to keep; null keeps all")
    inputs: Literal["raw", "unit", "standardised"] = _key(
        "unit", "as stored, scaled into [0, 1], or to mean 0 and deviation 1"
    )
    seed: Seed = _key(0, "seed of the splits and of the label noise")
    size: Count | None = _key(None, "training examples drawn (synthetic sets only)")
    dimension: Count | None = _key(None, "input dimension (synthetic sets only)")
    class_count: Count | None = _key(None, "classes (synthetic sets only)")


class Model(Section):
    """The architecture."""

    family: Literal["mlp", "lenet5", "conv2", "conv4", "conv6", "vgg", "resnet"] = _key(
        "mlp", "family of architectures"
    )
    width: Size = _key(64.0, "units of the first hidden layer (mlp), or a multiplier of all widths")
    depth: Depth | None = _key(
        None, "hidden layers (mlp, 2), or the size of a vgg (11) or resnet (20)"
    )
    taper: Annotated[float, Field(gt=0, le=1)] = _key(
        1.0, "mlp: width of a hidden layer over that of the one before it"
    )
    activation: Literal["relu", "tanh", "gelu", "silu", "sigmoid"] = _key("relu", "non-linearity")
    layer_norm: bool = _key(False, "mlp: LayerNorm before each non-linearity")
    initialisation: Literal["glorot", "he", "lecun"] = _key(
        "glorot", "variance of the initial Gaussian kernels"
    )

    @pydantic.model_validator(mode="after")
    def _family_options(self) -> "Model":
        _require(
            self.family == "mlp" or not self.layer_norm,
            f"layer_norm is not an option of {self.family}",
        )
        _require(
            self.family == "mlp" or self.taper == 1, f"taper is not an option of {self.family}"
        )
        _require(
            self.depth is None or self.family not in FIXED_DEPTH,
            f"the depth of {self.family} is fixed",
        )
        _require(
            self.family != "mlp" or self.width == int(self.width),
            "width of an mlp is a whole number of units",
        )
        _require(
            self.family != "vgg" or self.depth in (None, 11, 13, 16, 19),
            "depth of vgg is 11, 13, 16 or 19",
        )
        _require(
            self.family != "resnet"
            or self.depth is None
            or (self.depth > 2 and self.depth % 6 == 2),
            "depth of resnet is 6 n + 2: 8, 14, 20, ...",
        )
        return self


class Training(Section):
    """One network from its initial weights to its last step."""

    optimizer: Literal["sgd", "adam", "adamw"] = _key("adam", "update rule")
    learning_rate: Positive = _key(1e-3, "largest learning rate")
    momentum: Annotated[float, Field(ge=0, lt=1)] | None = _key(
        None, "momentum of sgd; null takes 0.9"
    )
    weight_decay: Share = _key(0.0, "decoupled decay of adamw, L2 penalty of sgd")
    schedule: Literal["constant", "cosine", "linear"] = _key(
        "constant", "learning rate over the steps after warm-up; cosine and linear end at 0"
    )
    warmup_steps: Annotated[int, Field(ge=0, le=2**31 - 1)] = _key(0, "steps of linear warm-up")
    clip_norm: Positive | None = _key(None, "largest global norm of a gradient")
    batch_size: Count = _key(60, "examples per step")
    epochs: Size = _key(10.0, "passes over the training split, unless steps is given")
    steps: Count | None = _key(None, "optimiser steps; takes the place of epochs")
    evaluate_every: Count = _key(
        100, "steps between evaluations; steps are rounded up to a multiple of it"
    )
    keep: Literal["best", "last"] = _key(
        "best", "weights that are measured: of the smallest validation loss, or the last"
    )
    chunk: Count | Literal["auto"] = _key(
        "auto", "networks trained side by side; auto fits their state into the cache"
    )

    @pydantic.model_validator(mode="after")
    def _rule_options(self) -> "Training":
        _require(
            self.optimizer == "sgd" or self.momentum is None,
            f"momentum is not an option of {self.optimizer}",
        )
        _require(
            self.optimizer != "adam" or self.weight_decay == 0,
            "weight_decay is not an option of adam, take adamw",
        )
        return self


class Lottery(Section):
    """Iterative magnitude pruning with rewinding (Frankle & Carbin, 2019)."""

    rounds: Annotated[int, Field(ge=0, le=1000)] = _key(0, "pruning rounds after the dense one")
    rate: Rate = _key(0.2, "share of the remaining weights that a round removes")
    output_rate: Rate | None = _key(None, "the same for the output layer; null takes rate")
    scope: Literal["layerwise", "global"] = _key("layerwise", "where magnitudes compete")
    rewind_step: Annotated[int, Field(ge=0, le=2**31 - 1)] = _key(
        0,
        "step whose weights a round restarts from, for all steps again, with schedule and "
        "moments anew; 0 is the initialisation",
    )
    reinitialised: bool = _key(
        False, "also train each round's mask from a fresh initialisation, as a control"
    )

    @property
    def trainings(self) -> int:
        """How often a seed's network is trained: dense, then every round and its control."""
        return 1 + self.rounds * (1 + self.reinitialised)

    @pydantic.model_validator(mode="after")
    def _scope_options(self) -> "Lottery":
        _require(
            self.scope == "layerwise" or self.output_rate is None,
            "output_rate is not an option of global scope",
        )
        return self


class Coding(Section):
    """How the trained weights are written to a file."""

    codecs: tuple[CodecName, ...] = _key(
        ("uniform",), "quantisers and baselines to measure; the smallest file leads", min_length=1
    )
    effort: Literal["fast", "max"] = _key(
        "max", "codes that are tried for a tensor: max also learns correlations, slower"
    )
    steps: tuple[Step, ...] = _key(
        (2.0, 1.414, 1.0, 0.707, 0.5, 0.354, 0.25, 0.125, 0.0625),
        "steps of a quantiser to try, in units of a tensor's surviving rms",
        min_length=1,
    )
    rate_weights: tuple[Positive, ...] = _key(
        (1e-4, 3e-5, 1e-5, 3e-6, 1e-6),
        "fine-tuned: nats of loss that a bit is worth, to try as one population",
        min_length=1,
    )
    obs_rate_weights: tuple[Positive, ...] = _key(
        (3e-6, 1e-6, 6e-7, 3e-7, 1.5e-7, 7e-8, 3e-8, 1e-8),
        "obs: nats of divergence that a bit is worth, the dearest within the tolerance is taken",
        min_length=1,
    )
    calibration: Count = _key(20_000, "obs: training examples that it looks at, at most")
    shift: Annotated[int, Field(ge=0, le=1000)] = _key(
        0, "obs, fine-tuned: pixels by which images are moved at most; 0 for other inputs"
    )
    finetune_epochs: Count = _key(24, "fine-tuned: passes over the training split")
    tolerance: Share = _key(
        0.001, "validation accuracy that the smallest file may lose against the network"
    )


class Memorising(Section):
    """How many random labels the architecture can hold, measured in place of a lottery."""

    loads: tuple[Size, ...] = _key(
        (),
        "sizes of training sets of random labels, in bits of labels per weight, each set trained "
        "on as a whole; empty trains on the data as usual",
    )
    doubled: bool = _key(True, "measure again with twice the steps, to tell whether they suffice")


class Resources(Section):
    """What one trial occupies of the machine or cluster; it changes no result."""

    cpus: Count = _key(1, "cores of one trial, each with one thread")
    gpus: float = _key(0.0, "devices of one trial, or a share of one; 0 trains on the CPU", ge=0)

    @pydantic.model_validator(mode="after")
    def _whole_devices(self) -> "Resources":
        _require(
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
    memorising: Memorising = Field(default_factory=Memorising)
    resources: Resources = Field(default_factory=Resources)
    seeds: Annotated[int, Field(gt=0, le=10_000)] = _key(3, "networks per trial, seeded 0, 1, ...")

    @property
    def outcomes(self) -> int:
        """How often a trial reports: after each of its trainings, or once if it memorises."""
        return 1 if self.memorising.loads else self.lottery.trainings

    @pydantic.model_validator(mode="after")
    def _memorises(self) -> "Config":
        if self.memorising.loads:
            _require(
                self.training.steps is not None,
                "training.steps = null: memorising.loads needs it, as a step is on the whole set",
            )
            _require(
                self.lottery.rounds == 0,
                "lottery.rounds: must be 0 with memorising.loads, which prunes nothing",
            )
            _require(
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
        _require(
            rewind % every == 0,
            f"lottery.rewind_step = {rewind}: must be a multiple of "
            f"training.evaluate_every = {every}",
        )
        _require(
            chunk == "auto" or self.seeds % chunk == 0,
            f"training.chunk = {chunk}: must divide seeds = {self.seeds}",
        )
        return self


def _require(condition: bool, rule: str) -> None:
    if not condition:
        raise ValueError(rule)
