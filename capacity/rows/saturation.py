"""The saturation of layers: rows while they train, and columns of what is measured in the end."""

from dataclasses import dataclass

from capacity.rows.columns import Named, column

_SATURATION = "Richter et al. 2020, arXiv:2006.08679"


_USE = "of the layer whose kernel this is, at the evaluation whose weights are measured"


@dataclass(frozen=True, kw_only=True)
class LayerUse:
    """What a layer's outputs use of its width, in the rows of kernels; empty where none was seen.

    Those before the non-linearity are of products with the kernel.
    """

    saturation: float | None = column(
        "",
        r"k_\delta/d",
        f"share of directions, before the non-linearity, {_USE}",
        "measured",
        _SATURATION,
    )
    saturation_after: float | None = column(
        "", r"k^+_\delta/d", "the same of what the layer hands on", "measured", _SATURATION
    )
    effective_rank: float | None = column(
        "directions",
        r"\mathrm{erank}",
        f"before the non-linearity, {_USE}",
        "measured",
        "Roy & Vetterli 2007",
    )
    stable_rank: float | None = column(
        "directions",
        r"\mathrm{tr}\,C/\lambda_1",
        f"before the non-linearity, {_USE}",
        "measured",
        "Rudelson & Vershynin 2007",
    )
    participation_ratio: float | None = column(
        "directions",
        r"(\sum\lambda)^2/\sum\lambda^2",
        f"before the non-linearity, {_USE}",
        "measured",
    )
    dead: float | None = column("", "", f"share of units that are always 0, {_USE}", "measured")
    dormant: float | None = column(
        "",
        r"\tau",
        f"share of units that hardly matter, by saturation.tau, {_USE}",
        "measured",
        "Sokar et al. 2023, arXiv:2302.12902",
    )
    firing_entropy: float | None = column(
        "bits/unit", "H(f)", f"entropy of whether a unit fires, mean over units, {_USE}", "measured"
    )


@dataclass(frozen=True, kw_only=True)
class SaturationRow(Named):
    """What one layer's outputs use of its width, at one evaluation of one network.

    Over the first `saturation.examples` of the validation split. Columns of single units are empty
    before the non-linearity, and all of them where a weight became infinite or NaN.
    """

    layer: str = column("", "", "name of the layer, with slashes")
    place: str = column(
        "", "", "before (products with the kernel) or after (what the layer hands on)"
    )
    step: int = column("steps", "t", "optimiser steps done", "exact")
    width: int = column("units", "d", "units, or channels of a convolution", "exact")
    samples: int = column(
        "samples",
        "n",
        "outputs behind the directions, pooled where saturation.pooling pools",
        "exact",
    )
    enough: bool = column("", "", "n >= 2 d; else the figures tell more of the samples")
    saturation: float | None = column(
        "",
        r"k_\delta/d",
        "share of the width that explains saturation.delta of the variance",
        "measured",
        _SATURATION,
    )
    dimension: int | None = column(
        "directions", r"k_\delta", "that number of eigendirections", "measured", _SATURATION
    )
    effective_rank: float | None = column(
        "directions",
        r"\mathrm{erank}",
        "exp of the entropy of the normalised singular values, outputs centred",
        "measured",
        "Roy & Vetterli 2007",
    )
    stable_rank: float | None = column(
        "directions",
        r"\mathrm{tr}\,C/\lambda_1",
        "total variance over the largest eigenvalue",
        "measured",
        "Rudelson & Vershynin 2007",
    )
    participation_ratio: float | None = column(
        "directions",
        r"(\sum\lambda)^2/\sum\lambda^2",
        "squared sum of the eigenvalues over the sum of their squares",
        "measured",
    )
    dead: float | None = column("", "", "share of units that are 0 for every sample", "measured")
    dormant: float | None = column(
        "",
        r"\tau",
        "share of units whose mean |output| is at most saturation.tau of the layer's mean",
        "measured",
        "Sokar et al. 2023, arXiv:2302.12902",
    )
    extreme: float | None = column(
        "",
        "",
        "share of outputs within 1 % of the ends of a bounded non-linearity; else empty",
        "measured",
    )
    firing: float | None = column("", "", "share of (sample, unit) pairs that fire", "measured")
    firing_entropy: float | None = column(
        "bits/unit", "H(f)", "entropy of whether a unit fires, mean over units", "measured"
    )
