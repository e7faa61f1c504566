"""The settings of networks: the data, the architecture, the training."""

from typing import Annotated, Literal

import pydantic
from pydantic import Field, NonNegativeInt

from capacity.config.section import (
    Count,
    Depth,
    Epochs,
    Positive,
    Section,
    Seed,
    Share,
    Size,
    key,
    require,
)

FIXED_DEPTH = ("lenet5", "conv2", "conv4", "conv6")


class Data(Section):
    """Which examples, how many of them, and what is done to them."""

    name: str = key("digits", "TFDS name, or an embedded set: digits, gaussian, teacher")
    train_size: Count | None = key(None, "training examples; null takes all")
    validation_size: float = key(
        0.1, "held out of the training split: a share below 1, otherwise a count", gt=0
    )
    label_noise: Share = key(0.0, "share of training and validation labels redrawn")
    label_noise_kind: Literal["flipped", "resampled"] = key(
        "flipped", "redrawn among the other classes, or among all"
    )
    classes: tuple[NonNegativeInt, ...] | None = key(None, "labels to keep; null keeps all")
    inputs: Literal["raw", "unit", "standardised"] = key(
        "unit", "as stored, scaled into [0, 1], or to mean 0 and deviation 1"
    )
    seed: Seed = key(0, "seed of the splits and of the label noise")
    size: Count | None = key(None, "training examples drawn (synthetic sets only)")
    dimension: Count | None = key(None, "input dimension (synthetic sets only)")
    class_count: Count | None = key(None, "classes (synthetic sets only)")


class Model(Section):
    """The architecture."""

    family: Literal["mlp", "lenet5", "conv2", "conv4", "conv6", "vgg", "resnet"] = key(
        "mlp", "family of architectures"
    )
    width: Size = key(64.0, "units of the first hidden layer (mlp), or a multiplier of all widths")
    depth: Depth | None = key(
        None, "hidden layers (mlp, 2), or the size of a vgg (11) or resnet (20)"
    )
    taper: Annotated[float, Field(gt=0, le=1)] = key(
        1.0, "mlp: width of a hidden layer over that of the one before it"
    )
    widths: Annotated[tuple[Count, ...], Field(min_length=1, max_length=1000)] | None = key(
        None, "mlp: units of each hidden layer, in place of width and taper"
    )
    activation: Literal["relu", "tanh", "gelu", "silu", "sigmoid"] = key("relu", "non-linearity")
    layer_norm: bool = key(False, "mlp: LayerNorm before each non-linearity")
    initialisation: Literal["glorot", "he", "lecun", "pytorch"] = key(
        "glorot", "variance of the initial Gaussian kernels"
    )

    @property
    def first_width(self) -> float:
        """The units of the first hidden layer, or the multiplier of all widths."""
        return float(self.widths[0]) if self.widths else self.width

    @pydantic.model_validator(mode="after")
    def _family_options(self) -> "Model":
        require(
            self.family == "mlp" or not self.layer_norm,
            f"layer_norm is not an option of {self.family}",
        )
        require(self.family == "mlp" or self.taper == 1, f"taper is not an option of {self.family}")
        require(
            self.family == "mlp" or not self.widths, f"widths is not an option of {self.family}"
        )
        require(not self.widths or self.taper == 1, "taper is not an option beside widths")
        require(
            self.widths is None or self.depth in (None, len(self.widths)),
            f"depth = {self.depth}: there are {len(self.widths or ())} widths",
        )
        require(
            self.depth is None or self.family not in FIXED_DEPTH,
            f"the depth of {self.family} is fixed",
        )
        require(
            self.family != "mlp" or self.width == int(self.width),
            "width of an mlp is a whole number of units",
        )
        require(
            self.family != "vgg" or self.depth in (None, 11, 13, 16, 19),
            "depth of vgg is 11, 13, 16 or 19",
        )
        require(
            self.family != "resnet"
            or self.depth is None
            or (self.depth > 2 and self.depth % 6 == 2),
            "depth of resnet is 6 n + 2: 8, 14, 20, ...",
        )
        return self


class Updates(Section):
    """How weights are updated, whatever they are trained on."""

    optimizer: Literal["sgd", "adam", "adamw"] = key("adam", "update rule")
    learning_rate: Positive = key(1e-3, "largest learning rate")
    momentum: Annotated[float, Field(ge=0, lt=1)] | None = key(
        None, "momentum of sgd; null takes 0.9"
    )
    weight_decay: Share = key(0.0, "decoupled decay of adamw, L2 penalty of sgd and adam")
    schedule: Literal["constant", "cosine", "linear"] = key(
        "constant", "learning rate over the steps after warm-up; cosine and linear end at 0"
    )
    warmup_steps: Annotated[int, Field(ge=0, le=2**31 - 1)] = key(0, "steps of linear warm-up")
    clip_norm: Positive | None = key(None, "largest global norm of a gradient")

    @pydantic.model_validator(mode="after")
    def _rule_options(self) -> "Updates":
        require(
            self.optimizer == "sgd" or self.momentum is None,
            f"momentum is not an option of {self.optimizer}",
        )
        return self


class Training(Updates):
    """One network from its initial weights to its last step."""

    batch_size: Count = key(60, "examples per step")
    epochs: Epochs = key(
        10.0, "passes over the training split, unless steps is given; 0 trains no network"
    )
    steps: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = key(
        None, "optimiser steps; takes the place of epochs; 0 trains no network"
    )
    evaluate_every: Count = key(
        100, "steps between evaluations; steps are rounded up to a multiple of it"
    )
    keep: Literal["best", "last"] = key(
        "best", "weights that are measured: of the smallest validation loss, or the last"
    )
    chunk: Count | Literal["auto"] = key(
        "auto", "networks trained side by side; auto fits their state into the cache"
    )
    pad: Size | Literal["auto"] | None = key(
        None,
        "model.width of a wider network as a part of which this one trains, so that unlike widths "
        "share a program; auto: in a grid, of the next where that costs less than compiling",
    )

    @property
    def on(self) -> bool:
        """Whether any network is trained."""
        return (self.epochs if self.steps is None else self.steps) > 0
