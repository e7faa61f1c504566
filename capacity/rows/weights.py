"""Columns of what the trained weights hold: of each tensor, and of the network."""

from dataclasses import dataclass

from capacity.rows.columns import column

_VALUES = "of the unpruned weights rounded to 1/4 of their standard deviation in their tensor"
_INITIAL = "how far that lies above the one of the same weights before training"
_PRUNED = (
    "how far that lies above the one of the largest of more Gaussian weights, of which magnitude "
    "pruning has left the same share, of the same mean and deviation"
)
_GAUSSIAN = "how far that lies above the one of Gaussian weights of the same mean and deviation"


@dataclass(frozen=True, kw_only=True)
class Entropies:
    """Entropies of unpruned weights beside their nulls; of a network, means over its weights.

    Empty where a tensor has fewer than two unpruned weights or all are equal; a network's mean
    leaves such tensors out.
    """

    plain_entropy: float | None = column(
        "bits/weight", r"H_{\sigma/4}", f"zero-order entropy {_VALUES}", "estimate"
    )
    plain_entropy_over_initial: float | None = column(
        "bits/weight",
        r"\Delta_0 H_{\sigma/4}",
        f"{_INITIAL}, at the same step; of biases, which start at 0, all",
        "estimate",
    )
    plain_entropy_over_gaussian: float | None = column(
        "bits/weight", r"\Delta_\mathcal{N} H_{\sigma/4}", _GAUSSIAN, "estimate"
    )
    plain_entropy_over_pruned: float | None = column(
        "bits/weight", r"\Delta_p H_{\sigma/4}", _PRUNED, "estimate"
    )
    exponent_entropy: float | None = column(
        "bits/weight", "H(e)", "of the exponents of the unpruned float32 weights", "estimate"
    )
    exponent_entropy_over_initial: float | None = column(
        "bits/weight", r"\Delta_0 H(e)", _INITIAL, "estimate"
    )
    exponent_entropy_over_gaussian: float | None = column(
        "bits/weight", r"\Delta_\mathcal{N} H(e)", _GAUSSIAN, "estimate"
    )
    exponent_entropy_over_pruned: float | None = column(
        "bits/weight", r"\Delta_p H(e)", _PRUNED, "estimate"
    )
    context_entropy: float | None = column(
        "bits/weight",
        r"H(W\,|\,C)",
        "the integers in the file, pruned ones included, by an adaptive code that knows their "
        "neighbours, rows and columns; empty where the file holds no integers",
        "upper bound",
    )


@dataclass(frozen=True, kw_only=True)
class LayerMeasures(Entropies):
    """What one tensor's weights hold."""

    sign_entropy: float | None = column(
        "bits/weight", r"H(\pm)", "of the signs of the unpruned weights", "estimate"
    )
    sign_entropy_over_initial: float | None = column(
        "bits/weight", r"\Delta_0 H(\pm)", _INITIAL, "estimate"
    )
    sign_entropy_over_gaussian: float | None = column(
        "bits/weight", r"\Delta_\mathcal{N} H(\pm)", _GAUSSIAN, "estimate"
    )
    sign_entropy_over_pruned: float | None = column(
        "bits/weight", r"\Delta_p H(\pm)", _PRUNED, "estimate"
    )
    mantissa_entropy: float | None = column(
        "bits/weight",
        "H(f)",
        "of each of the 23 mantissa bits of the unpruned float32 weights, summed",
        "estimate",
    )
    mantissa_entropy_over_initial: float | None = column(
        "bits/weight", r"\Delta_0 H(f)", _INITIAL, "estimate"
    )
    mantissa_entropy_over_gaussian: float | None = column(
        "bits/weight", r"\Delta_\mathcal{N} H(f)", _GAUSSIAN, "estimate"
    )
    mantissa_entropy_over_pruned: float | None = column(
        "bits/weight", r"\Delta_p H(f)", _PRUNED, "estimate"
    )
    differential_entropy: float | None = column(
        "bits/weight",
        "h(W)",
        "differential entropy of the unpruned weights, by their spacings; may be negative; empty "
        "below eight weights or where many are equal",
        "estimate",
    )
    negentropy: float | None = column(
        "bits/weight",
        "J(W)",
        "by how much that is below the same estimate of Gaussian weights of the same deviation",
        "estimate",
    )

    movement: float | None = column(
        "",
        r"\|w - w_0\| / \|w_0\|",
        "distance of the unpruned weights from their initial values, over the norm of these; empty "
        "where all start at 0",
        "measured",
    )
    negligible_share: float | None = column(
        "",
        "",
        "share of the unpruned weights whose removal alone, to second order, adds less than a bit "
        "to the code of all training labels under the network, by the empirical Fisher diagonal at "
        "curvature.examples; empty without any",
        "estimate",
        source="LeCun et al. 1990",
    )


@dataclass(frozen=True, kw_only=True)
class NetworkMeasures(Entropies):
    """What a network's weights hold, and what its file says of labels and errors."""

    effective_parameters: float | None = column(
        "weights",
        r"N_\mathrm{eff}",
        r"tr G (G + a I)^-1 of the Gauss-Newton matrix G of the summed training loss, over "
        "curvature.examples of the examples; empty without any",
        "estimate",
    )
    effective_parameters_error: float | None = column(
        "weights", r"\Delta N_\mathrm{eff}", "its standard error over the random probes", "estimate"
    )
    prior_precision: float | None = column(
        "nats/weight²",
        "a",
        "curvature.prior_precision, or that of the largest evidence: effective_parameters over the "
        "sum of the squared weights",
        "estimate",
    )
    coded_train_loss: float | None = column(
        "bits",
        r"\hat L_\mathrm{train}",
        "mean -log2 p(label) of the decoded network, training split",
        "measured",
    )
    coded_train_accuracy: float | None = column(
        "",
        r"\hat a_\mathrm{train}",
        "share right of the decoded network, training split",
        "measured",
    )
    two_part_bits: float | None = column(
        "bits",
        r"L_2",
        "compressed file and training labels under the decoded network: 8 coded_size + train_size "
        "coded_train_loss",
        "upper bound",
    )
    message_bits: float | None = column(
        "bits",
        r"\ell",
        "the file, its length and the choice among coding.codecs as a prefix-free message",
        "upper bound",
    )
    error_bound: float | None = column(
        "",
        r"\epsilon_{.95}",
        "share wrong of the decoded network on fresh examples, label noise included, with "
        "probability 0.95 for all seeds and rounds of the trial at once: kl-inverse, prior "
        "2^-message_bits",
        "upper bound",
    )
