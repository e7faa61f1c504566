"""The settings of what is done besides: saturation, files, a code of the labels, random labels."""

from typing import Annotated, Literal

from pydantic import Field

from capacity.config.networks import Updates
from capacity.config.section import (
    Count,
    Epochs,
    Positive,
    Section,
    Share,
    Size,
    Step,
    key,
)

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


class Saturation(Section):
    """What evaluations tell of the layers while they train (Richter et al., 2020)."""

    examples: Annotated[int, Field(ge=0, le=2**31 - 1)] = key(
        0,
        "validation examples that every evaluation looks at, at most; twice as many as a layer is "
        "wide are enough; 0 for no look",
    )
    delta: Annotated[float, Field(gt=0, le=1)] = key(
        0.99, "share of the variance that a layer's directions are counted for"
    )
    tau: Share = key(0.025, "share of a layer's mean output up to which a unit is dormant")
    pooling: Literal["positions", "mean", "max", "median"] = key(
        "positions", "what a sample of a convolution is: every position, or a number per channel"
    )


class Coding(Section):
    """How the trained weights are written to a file."""

    codecs: tuple[CodecName, ...] = key(
        ("uniform",), "quantisers and baselines to measure; the smallest file leads", min_length=1
    )
    effort: Literal["fast", "max"] = key(
        "max", "codes that are tried for a tensor: max also learns correlations, slower"
    )
    steps: tuple[Step, ...] = key(
        (2.0, 1.414, 1.0, 0.707, 0.5, 0.354, 0.25, 0.125, 0.0625),
        "steps of a quantiser to try, in units of a tensor's surviving rms",
        min_length=1,
    )
    rate_weights: tuple[Positive, ...] = key(
        (1e-4, 3e-5, 1e-5, 3e-6, 1e-6),
        "fine-tuned: nats of loss that a bit is worth, to try as one population",
        min_length=1,
    )
    obs_rate_weights: tuple[Positive, ...] = key(
        (3e-6, 1e-6, 6e-7, 3e-7, 1.5e-7, 7e-8, 3e-8, 1e-8),
        "obs: nats of divergence that a bit is worth, the dearest within the tolerance is taken",
        min_length=1,
    )
    calibration: Count = key(20_000, "obs: training examples that it looks at, at most")
    shift: Annotated[int, Field(ge=0, le=1000)] = key(
        0, "obs, fine-tuned: pixels by which images are moved at most; 0 for other inputs"
    )
    finetune_epochs: Count = key(24, "fine-tuned: passes over the training split")
    tolerance: Share = key(
        0.001, "validation accuracy that the smallest file may lose against the network"
    )


class Curvature(Section):
    """The effective number of parameters, from the Gauss-Newton matrix of the training loss."""

    examples: Annotated[int, Field(ge=0, le=2**31 - 1)] = key(
        1000, "training examples that stand for all, at most; fewer find fewer; 0 measures none"
    )
    probes: Annotated[int, Field(ge=2, le=10_000)] = key(
        2, "random vectors; the standard error falls with their root"
    )
    steps: Count = key(
        32,
        "products with each; too few find too much. So many vectors of a network's size are held",
    )
    prior_precision: Positive | None = key(
        None, "of the Gaussian prior, per squared weight; null takes that of the largest evidence"
    )


class Prequential(Section):
    """A block code of the training labels by dense networks that learn them, block after block."""

    epochs: Epochs = key(
        0.0,
        "passes over all labels that a full run of the coding network makes; 0 makes no code, and "
        "no account of the information in the weights",
    )
    first: Count = key(32, "labels of the first block, which is coded uniformly")
    ratio: Annotated[float, Field(gt=1, le=1e3)] = key(
        1.189, "of the end of a block to that of the one before it"
    )
    power: Annotated[float, Field(ge=0, le=10)] = key(
        0.7, "a network that has seen the share t of the labels gets t^power of a full run's steps"
    )
    batch_size: Count | None = key(None, "labels per step; null takes training.batch_size")
    shift: Annotated[int, Field(ge=0, le=1000)] = key(
        0, "pixels by which images are moved at most in training; 0 for other inputs"
    )

    @property
    def on(self) -> bool:
        """Whether there is a code."""
        return self.epochs > 0


class Memorising(Updates):
    """How many random labels the architecture can hold: its measured capacity."""

    learning_rate: Positive = key(2e-2, "largest learning rate")
    schedule: Literal["constant", "cosine", "linear"] = key(
        "cosine", "learning rate over the steps after warm-up; cosine and linear end at 0"
    )
    loads: tuple[Size, ...] = key(
        (),
        "sizes of training sets of random labels, in bits of labels per weight, each set trained "
        "on as a whole; empty measures no capacity",
    )
    inputs: Literal["gaussian", "data"] = key(
        "gaussian", "drawn anew for each seed in the shape of the data's, or the data's own"
    )
    steps: Count = key(10_000, "optimiser steps, each on a whole set")
    doubled: bool = key(True, "measure again with twice the steps, to tell whether they suffice")

    @property
    def on(self) -> bool:
        """Whether any capacity is measured."""
        return bool(self.loads)
