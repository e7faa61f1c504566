"""The rows of a trial that memorises: what each network held, what its architecture can hold."""

from dataclasses import dataclass

from capacity.rows.columns import column


@dataclass(frozen=True, kw_only=True)
class MemorisedRow:
    """One network trained on random labels: an architecture, a seed, a training-set size."""

    trial: str = column("", "", "readable identifier of the trial: architecture and data setting")
    seed: int = column("", "", "seed of the inputs, the labels and the initialisation")
    steps: int = column("steps", "T", "optimiser steps, each on the whole set", "exact")
    train_size: int = column("examples", "N", "training examples", "exact")
    label_bits: float = column("bits", r"N\log_2 K", "bits of the random labels", "exact")
    diverged: bool = column(
        "", "", "its loss became infinite or NaN at some step; the measures are then empty"
    )
    train_loss: float | None = column(
        "bits",
        r"L_\mathrm{min}",
        "least mean -log2 p(label) over the set before a step",
        "measured",
    )
    train_accuracy: float | None = column(
        "", r"a_\mathrm{train}", "share right at that step", "measured"
    )
    memorised_bits: float | None = column(
        "bits",
        r"N\log_2 K - \mathrm{NLL}",
        "bits of the labels that the network holds",
        "measured",
        source="Morris et al. 2025, arXiv:2505.24832",
    )


@dataclass(frozen=True, kw_only=True)
class CapacityRow:
    """What one architecture could hold, by every rule, and what it was measured to hold."""

    trial: str = column("", "", "readable identifier of the trial: architecture and data setting")
    dataset: str = column("", "", "name of the data set whose shape and classes are taken")
    inputs: str = column("", "", "gaussian draws of that shape, or data: its own inputs")
    family: str = column("", "", "model family")
    width: float = column("", "w", "units per hidden layer (mlp) or width multiplier (others)")
    depth: int = column("layers", "d", "hidden layers with weights", "exact")
    class_count: int = column("classes", "K", "number of classes", "exact")
    input_values: int = column("values", "I", "values of one input", "exact")

    parameters: int = column("weights", "P", "weights, biases included", "exact")
    effective_parameters: int = column(
        "weights", r"P_\mathrm{eff}", "those that a softmax can tell apart", "exact"
    )
    float32_bits: int = column("bits", "32 P", "the weights stored in float32", "upper bound")
    bfloat16_bits: int = column("bits", "16 P", "the weights stored in bfloat16", "upper bound")
    int8_bits: int = column("bits", "8 P", "the weights stored in int8", "upper bound")
    memory_capacity: int = column(
        "bits",
        r"C_\mathrm{MEC}",
        "memory-equivalent capacity, previous-layer reading",
        "estimate",
        source="Friedland et al. 2018, arXiv:1810.02328",
    )
    memory_capacity_running: int = column(
        "bits",
        r"C_\mathrm{MEC}'",
        "memory-equivalent capacity, running minimum",
        "estimate",
        source="Friedland et al. 2018, arXiv:1810.02328",
    )
    memory_capacity_input: int = column(
        "bits",
        r"C_\mathrm{MEC}''",
        "memory-equivalent capacity, running minimum from the input width on (TFMeter)",
        "estimate",
        source="Friedland et al. 2018, arXiv:1810.02328",
    )
    threshold_bits: int = column(
        "bits",
        r"2 P_\mathrm{eff}",
        "2 per effective weight, as of one threshold unit",
        "estimate",
        source="Cover 1965",
    )
    vc_lower_order: float = column(
        "labels",
        r"W L\log_2(W/L)",
        "order, without its constant, of a VC dimension",
        "estimate",
        source="Bartlett et al. 2019, JMLR 20(63)",
    )
    vc_upper_order: float = column(
        "labels",
        r"W L\log_2 W",
        "order, without its constant, of a VC bound",
        "estimate",
        source="Bartlett et al. 2019, JMLR 20(63)",
    )
    vc_bound: int | None = column(
        "labels",
        r"\overline{d}_\mathrm{VC}",
        "VC dimension; empty unless ReLU mlp of two classes",
        "upper bound",
        source="Bartlett et al. 2019, theorem 7",
    )

    seeds: int = column("networks", "S", "seeds at every training-set size", "exact")
    diverged: int = column(
        "networks",
        "",
        "seeds of which a network diverged at some size: they are left out of every mean",
        "exact",
    )
    steps: int = column("steps", "T", "optimiser steps, each on the whole set", "exact")
    capacity: float | None = column(
        "bits",
        "C",
        "memorised bits: the largest, over sizes, of the seeds' mean; empty if all diverged",
        "measured",
        source="Morris et al. 2025, arXiv:2505.24832",
    )
    capacity_low: float | None = column(
        "bits", "C_-", "lower end of its 95 % interval over seeds; empty for one", "estimate"
    )
    capacity_high: float | None = column(
        "bits", "C_+", "upper end of its 95 % interval over seeds; empty for one", "estimate"
    )
    bits_per_parameter: float | None = column(
        "bits/weight", r"\kappa", "capacity over P", "measured"
    )
    bits_per_effective: float | None = column(
        "bits/weight", r"\kappa_\mathrm{eff}", "capacity over effective weights", "measured"
    )
    knee_size: int | None = column(
        "examples", "N^*", "training examples where it stands", "measured"
    )
    at_edge: bool | None = column("", "", "that is the largest size: the knee may lie beyond")
    doubled_capacity: float | None = column(
        "bits", "C_{2T}", "the same with twice the steps; empty if not measured", "measured"
    )
    converged: bool | None = column("", "", "twice the steps change it by less than 2 %")
