"""Rows of networks: each one, its tensors, its evaluations, its files."""

from dataclasses import dataclass

from capacity.rows.columns import Named, column
from capacity.rows.pruning import PruningMeasures
from capacity.rows.saturation import LayerUse
from capacity.rows.weights import LayerMeasures, NetworkMeasures


@dataclass(frozen=True, kw_only=True)
class _Network(Named):
    """Its trial, its losses and its file."""

    dataset: str = column("", "", "name of the data set")
    train_size: int = column("examples", "N", "training examples", "exact")
    class_count: int = column("classes", "K", "number of classes", "exact")
    label_noise: float = column(
        "", r"\eta", "share of training labels redrawn, see data.label_noise"
    )
    family: str = column("", "", "model family")
    width: float = column("", "w", "units per hidden layer (mlp) or width multiplier (others)")
    depth: int = column("layers", "d", "hidden layers with weights", "exact")

    parameters: int = column(
        "weights", "P", "weights of the dense architecture, biases included", "exact"
    )
    remaining: int = column("weights", r"\|m\|_0", "weights not pruned, biases included", "exact")
    density: float = column("", "s", "share of the prunable weights that remain", "exact")
    memory_capacity: int = column(
        "bits",
        r"C_\mathrm{MEC}",
        "memory-equivalent capacity, previous-layer reading",
        "estimate",
        source="Friedland et al. 2018, arXiv:1810.02328",
    )

    steps: int = column("steps", "T", "optimiser steps of this round", "exact")
    best_step: int = column("steps", "t^*", "step of the smallest validation loss", "measured")
    diverged: bool = column("", "", "the loss became infinite or NaN; the measures are then empty")
    train_loss: float | None = column(
        "bits", r"L_\mathrm{train}", "mean -log2 p(label) over the training split", "measured"
    )
    validation_loss: float | None = column(
        "bits", r"L_\mathrm{val}", "mean -log2 p(label) over the validation split", "measured"
    )
    test_loss: float | None = column(
        "bits", r"L_\mathrm{test}", "mean -log2 p(label) over the test split", "measured"
    )
    train_accuracy: float | None = column(
        "", r"a_\mathrm{train}", "share right, training split", "measured"
    )
    validation_accuracy: float | None = column(
        "", r"a_\mathrm{val}", "share right, validation split", "measured"
    )
    test_accuracy: float | None = column(
        "", r"a_\mathrm{test}", "share right, test split", "measured"
    )

    label_entropy: float = column(
        "bits", "H(Y)", "plug-in entropy of a training label", "estimate", source="Shannon 1948"
    )
    label_bits: float = column(
        "bits", r"N\,H(Y)", "entropy of all training labels", "estimate", source="Shannon 1948"
    )
    noise_floor: float | None = column(
        "bits", r"N\,H(Y|X)", "bits of label noise that we injected; empty where unknown", "exact"
    )
    pixel_entropy: float | None = column(
        "bits/pixel",
        "H(X_1)",
        "marginal entropy of one input value; empty for real-valued inputs",
        "estimate",
    )
    input_bits: float | None = column(
        "bits", r"L_z(X)", "training inputs under the best lossless compressor", "upper bound"
    )
    compressor: str | None = column("", "", "name of that compressor")

    codec: str | None = column("", "", "the codec of the smallest file within coding.tolerance")
    quantisation_step: float | None = column(
        "", r"\Delta/\sigma", "its step in units of a tensor's surviving rms, or its rate weight"
    )
    weight_entropy: float | None = column(
        "bits/weight",
        "H(W)",
        "zero-order entropy of the quantised weights, mean over all weights",
        "estimate",
        source="Shannon 1948",
    )
    weight_bits: float | None = column(
        "bits",
        r"n\,H(W)",
        "zero-order entropy of all quantised weights, per tensor, summed",
        "estimate",
    )
    pooled_entropy: float | None = column(
        "bits/weight",
        r"\bar H(W)",
        "zero-order entropy of all quantised weights under one histogram",
        "estimate",
    )
    side_information: float | None = column(
        "bits", "H_0", "tables and steps that a decoder needs besides the symbols", "upper bound"
    )
    coded_size: int | None = column(
        "bytes", "|f|", "length of the compressed file, header included", "exact"
    )
    coded_validation_accuracy: float | None = column(
        "",
        r"\hat a_\mathrm{val}",
        "share right of the decoded network, validation split",
        "measured",
    )
    coded_test_loss: float | None = column(
        "bits",
        r"\hat L_\mathrm{test}",
        "mean -log2 p(label) of the decoded network, test split",
        "measured",
    )
    coded_test_accuracy: float | None = column(
        "", r"\hat a_\mathrm{test}", "share right of the decoded network, test split", "measured"
    )


@dataclass(frozen=True, kw_only=True)
class NetworkRow(NetworkMeasures, PruningMeasures, _Network):
    """One trained network: a trial's member with one seed in one pruning round."""


@dataclass(frozen=True, kw_only=True)
class _Layer(Named):
    """Its shape and its share of the file."""

    tensor: str = column("", "", "name of the tensor, with slashes")
    shape: str = column("", "", "shape of the tensor, as 784x300")
    size: int = column("weights", "n", "number of entries", "exact")
    remaining: int = column("weights", r"\|m\|_0", "entries not pruned", "exact")
    density: float = column("", "s", "share of entries not pruned", "exact")
    rms: float | None = column(
        "", r"\sigma", "root mean square of the entries not pruned", "measured"
    )
    quantisation_step: float | None = column(
        "", r"\Delta", "step of the quantiser; empty with a codebook", "exact"
    )
    weight_entropy: float | None = column(
        "bits/weight", "H(W)", "zero-order entropy of the quantised entries", "estimate"
    )
    side_information: float | None = column(
        "bits", "H_0", "table and step of the tensor", "upper bound"
    )
    coded_size: int | None = column(
        "bytes", "|f|", "header entry and payload of the tensor in the compressed file", "exact"
    )


@dataclass(frozen=True, kw_only=True)
class LayerRow(LayerUse, LayerMeasures, _Layer):
    """One parameter tensor of one trained network."""


@dataclass(frozen=True, kw_only=True)
class CurveRow(Named):
    """One evaluation of one network while it trained."""

    step: int = column("steps", "t", "optimiser steps done", "exact")
    train_loss: float = column(
        "bits", r"L_\mathrm{train}", "mean over the batches since the last", "measured"
    )
    train_accuracy: float = column(
        "", r"a_\mathrm{train}", "mean over the batches since the last", "measured"
    )
    validation_loss: float = column(
        "bits", r"L_\mathrm{val}", "over the validation split", "measured"
    )
    validation_accuracy: float = column(
        "", r"a_\mathrm{val}", "over the validation split", "measured"
    )


@dataclass(frozen=True, kw_only=True)
class CodecRow(Named):
    """One trained network under one codec: what its file costs and what it decodes to."""

    codec: str = column("", "", "quantiser, or baseline on the float weights")
    setting: float | None = column(
        "",
        "",
        "step in units of a tensor's surviving rms, or rate weight, chosen on the validation split",
    )
    coded_size: int = column(
        "bytes", "|f|", "length of the file; baselines write no names and shapes", "exact"
    )
    within_tolerance: bool = column(
        "", "", "validation accuracy of the decoded network is within coding.tolerance"
    )
    validation_loss: float = column(
        "bits", r"\hat L_\mathrm{val}", "of the decoded network, validation split", "measured"
    )
    validation_accuracy: float = column(
        "", r"\hat a_\mathrm{val}", "of the decoded network, validation split", "measured"
    )
    test_loss: float = column(
        "bits", r"\hat L_\mathrm{test}", "of the decoded network, test split", "measured"
    )
    test_accuracy: float = column(
        "", r"\hat a_\mathrm{test}", "of the decoded network, test split", "measured"
    )
    encode_seconds: float = column(
        "s", "", "to order the units and encode; no two runs agree", "measured"
    )
    decode_seconds: float = column("s", "", "to decode; no two runs agree", "measured")
