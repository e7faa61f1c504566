"""Columns of what pruning saves, and of how far apart a network and its sibling are."""

from dataclasses import dataclass

from capacity.rows.columns import column

_BLALOCK = "Blalock et al. 2020, arXiv:2003.03033"


@dataclass(frozen=True, kw_only=True)
class PruningMeasures:
    """What the mask saves, whatever it was made by."""

    compression: float = column(
        "", r"P / \|m\|_0", "weights of the dense architecture over those that remain", "exact",
        source=_BLALOCK,
    )  # fmt: skip
    multiply_adds: int = column(
        "multiply-adds", "M", "of kernels, for one example, dense architecture", "exact"
    )
    speed_up: float | None = column(
        "",
        r"M / M_{\|m\|_0}",
        "in theory: multiply-adds of the dense architecture over those of unpruned weights, which "
        "a mask alone does not save; empty where none is left",
        "exact",
        source=_BLALOCK,
    )
    compact_parameters: int = column(
        "weights",
        "P_c",
        "of the dense network without units whose inputs or outputs are all pruned; it computes "
        "the same, zeros within it included",
        "exact",
    )
    compact_multiply_adds: int = column(
        "multiply-adds", "M_c", "of kernels of that network, for one example", "exact"
    )
    barrier: float | None = column(
        "",
        r"\Delta a",
        "of siblings: largest test error on the straight line of weights to the network of the "
        "other order of data, less the mean of both ends; below 0.02 training is called stable",
        "measured",
        source="Frankle et al. 2020, arXiv:1912.05671",
    )
