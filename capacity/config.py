"""The settings of one trial as one frozen, validated `Config`: keys, defaults, meanings."""

import re
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, lt=1)]
FIXED_DEPTH = ("lenet5", "conv2", "conv4", "conv6")


class Section(BaseModel):
    """Frozen; unknown keys, values of another type and infinite numbers are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Data(Section):
    """Which examples, how many of them, and what is done to them."""

    name: str = Field(
        default="digits", description="TFDS name, or an embedded set: digits, gaussian, teacher"
    )
    train_size: PositiveInt | None = Field(
        default=None, description="training examples; null takes all"
    )
    validation_size: float = Field(
        default=0.1,
        gt=0,
        description="held out of the training split: a share below 1, otherwise a count",
    )
    label_noise: Share = Field(
        default=0.0, description="share of training and validation labels redrawn"
    )
    label_noise_kind: Literal["flipped", "resampled"] = Field(
        default="flipped", description="redrawn among the other classes, or among all"
    )
    classes: tuple[NonNegativeInt, ...] | None = Field(
        default=None, description="labels to keep; null keeps all"
    )
    inputs: Literal["raw", "unit", "standardised"] = Field(
        default="unit", description="as stored, scaled into [0, 1], or to mean 0 and deviation 1"
    )
    seed: NonNegativeInt = Field(default=0, description="seed of the splits and of the label noise")
    size: PositiveInt | None = Field(
        default=None, description="training examples drawn (synthetic sets only)"
    )
    dimension: PositiveInt | None = Field(
        default=None, description="input dimension (synthetic sets only)"
    )
    class_count: PositiveInt | None = Field(
        default=None, description="classes (synthetic sets only)"
    )


class Model(Section):
    """The architecture."""

    family: Literal["mlp", "lenet5", "conv2", "conv4", "conv6", "vgg", "resnet"] = Field(
        default="mlp", description="family of architectures"
    )
    width: PositiveFloat = Field(
        default=64.0,
        description="units of the first hidden layer (mlp), or a multiplier of all widths",
    )
    depth: PositiveInt | None = Field(
        default=None, description="hidden layers (mlp, 2), or the size of a vgg (11) or resnet (20)"
    )
    taper: PositiveFloat = Field(
        default=1.0, le=1, description="mlp: width of a hidden layer over that of the one before it"
    )
    activation: Literal["relu", "tanh", "gelu", "silu", "sigmoid"] = Field(
        default="relu", description="non-linearity"
    )
    layer_norm: bool = Field(default=False, description="mlp: LayerNorm before each non-linearity")
    initialisation: Literal["glorot", "he", "lecun"] = Field(
        default="glorot", description="variance of the initial Gaussian kernels"
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
            self.family != "resnet" or self.depth is None or (self.depth > 2 and self.depth % 6 == 2),
            "depth of resnet is 6 n + 2: 8, 14, 20, ...",
        )
        return self


class Training(Section):
    """One network from its initial weights to its last step."""

    optimizer: Literal["sgd", "adam", "adamw"] = Field(default="adam", description="update rule")
    learning_rate: PositiveFloat = Field(default=1e-3, description="largest learning rate")
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(
        default=0.9, description="momentum of sgd"
    )
    weight_decay: float = Field(
        default=0.0, ge=0, description="decoupled decay of adamw, L2 penalty of sgd"
    )
    schedule: Literal["constant", "cosine", "linear"] = Field(
        default="constant",
        description="learning rate over the steps after warm-up; cosine and linear end at 0",
    )
    warmup_steps: NonNegativeInt = Field(default=0, description="steps of linear warm-up")
    clip_norm: PositiveFloat | None = Field(
        default=None, description="largest global norm of a gradient"
    )
    batch_size: PositiveInt = Field(default=60, description="examples per step")
    epochs: PositiveFloat = Field(
        default=10.0, description="passes over the training split, unless steps is given"
    )
    steps: PositiveInt | None = Field(
        default=None, description="optimiser steps; takes the place of epochs"
    )
    evaluate_every: PositiveInt = Field(
        default=100,
        description="steps between evaluations; steps are rounded up to a multiple of it",
    )
    keep: Literal["best", "last"] = Field(
        default="best",
        description="weights that are measured: of the smallest validation loss, or the last",
    )
    chunk: PositiveInt | Literal["auto"] = Field(
        default="auto",
        description="networks trained side by side; auto fits their state into the cache",
    )


class Lottery(Section):
    """Iterative magnitude pruning with rewinding (Frankle & Carbin, 2019)."""

    rounds: NonNegativeInt = Field(default=0, description="pruning rounds after the dense one")
    rate: Rate = Field(
        default=0.2, description="share of the remaining weights that a round removes"
    )
    output_rate: Rate | None = Field(
        default=None, description="the same for the output layer; null takes rate"
    )
    scope: Literal["layerwise", "global"] = Field(
        default="layerwise", description="where magnitudes compete"
    )
    rewind_step: NonNegativeInt = Field(
        default=0, description="step whose weights a round restarts from; 0 is the initialisation"
    )
    reinitialised: bool = Field(
        default=False,
        description="also train each round's mask from a fresh initialisation, as a control",
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

    steps: tuple[PositiveFloat, ...] = Field(
        default=(2.0, 1.414, 1.0, 0.707, 0.5, 0.354, 0.25, 0.125, 0.0625),
        min_length=1,
        description="steps of the uniform quantiser to try, in units of a tensor's surviving rms",
    )
    tolerance: Share = Field(
        default=0.001,
        description="validation accuracy that the smallest file may lose against the network",
    )


class Resources(Section):
    """What one trial occupies of the machine or cluster; it changes no result."""

    cpus: PositiveInt = Field(default=1, description="cores of one trial, each with one thread")
    gpus: float = Field(default=0.0, ge=0, description="devices of one trial, or a share of one")


class Config(Section):
    """One trial: a data set, an architecture and what is done with its seeds."""

    data: Data = Field(default_factory=Data)
    model: Model = Field(default_factory=Model)
    training: Training = Field(default_factory=Training)
    lottery: Lottery = Field(default_factory=Lottery)
    coding: Coding = Field(default_factory=Coding)
    resources: Resources = Field(default_factory=Resources)
    seeds: PositiveInt = Field(
        default=3, description="networks per trial, with the seeds 0, 1, ..."
    )

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


def keys() -> dict[str, tuple[str, Any, str]]:
    """Every key as (type, default, meaning), in the order of the file format."""
    found = {}
    for name, field in Config.model_fields.items():
        inner = sections().get(name)
        leaves = {name: field} if inner is None else inner.model_fields
        for key, leaf in leaves.items():
            full = name if inner is None else f"{name}.{key}"
            found[full] = (_type_name(leaf), leaf.default, leaf.description or "")
    return found


def sections() -> dict[str, type[Section]]:
    """The sections of a configuration by name."""
    fields = {name: field.annotation for name, field in Config.model_fields.items()}
    return {k: t for k, t in fields.items() if isinstance(t, type) and issubclass(t, Section)}


def flatten(config: Config) -> dict[str, Any]:
    """Every key of `config` with its value, as `{"data.name": "digits", ...}`."""
    flat = {}
    for name, value in config:
        inner = (
            {f"{name}.{key}": leaf for key, leaf in value}
            if isinstance(value, Section)
            else {name: value}
        )
        flat.update(inner)
    return flat


def _type_name(field: pydantic.fields.FieldInfo) -> str:
    text = str(field.rebuild_annotation())
    for pattern, plain in (
        (r"typing\.Annotated\[(\w+), .*?\)\](?=\]|$| \||,)", r"\1"),
        (r"typing\.Literal\[(.*?)\]", lambda m: "|".join(p.strip(" '") for p in m[1].split(","))),
        (r"<class '(\w+)'>", r"\1"),
        (r"tuple\[(\w+), \.\.\.\]", r"list of \1"),
        (r"\bNone\b", "null"),
        (r" \| ", "|"),
    ):
        text = re.sub(pattern, plain, text)
    return text


def _require(condition: bool, rule: str) -> None:
    if not condition:
        raise ValueError(rule)
