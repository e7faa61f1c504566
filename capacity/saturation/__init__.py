"""How much of a layer its outputs use: directions, units, and both while a network trains.

moments: streaming covariance. eigenproblem: its spectrum. directions: what of it is used. units:
single ones. sketch: the covariance of wide layers. tracking: all of them in a training loop.
optimiser: the same by optax.
"""

from capacity.saturation.directions import (
    effective_rank,
    intrinsic_dimension,
    layer_saturation,
    participation_ratio,
    stable_rank,
)
from capacity.saturation.eigenproblem import Tridiagonal, eigenvalues, tridiagonal
from capacity.saturation.moments import (
    Moments,
    batch_moments,
    covariance,
    merged,
    no_moments,
    spectrum,
)
from capacity.saturation.optimiser import TrackedState, tracked
from capacity.saturation.sketch import Leading, Sketch, leading, no_sketch, sketched
from capacity.saturation.tracking import (
    Activations,
    Condensed,
    Pooling,
    Report,
    Tracker,
    condensed,
    layer_samples,
    report,
    reported,
    start,
    track,
)
from capacity.saturation.units import (
    RANGES,
    Units,
    batch_units,
    both_units,
    dead_share,
    dormant_share,
    extreme_share,
    firing_entropy,
    firing_share,
    no_units,
)

__all__ = [
    "RANGES",
    "Activations",
    "Condensed",
    "Leading",
    "Moments",
    "Pooling",
    "Report",
    "Sketch",
    "TrackedState",
    "Tracker",
    "Tridiagonal",
    "Units",
    "batch_moments",
    "batch_units",
    "both_units",
    "condensed",
    "covariance",
    "dead_share",
    "dormant_share",
    "effective_rank",
    "eigenvalues",
    "extreme_share",
    "firing_entropy",
    "firing_share",
    "intrinsic_dimension",
    "layer_samples",
    "layer_saturation",
    "leading",
    "merged",
    "no_moments",
    "no_sketch",
    "no_units",
    "participation_ratio",
    "report",
    "reported",
    "sketched",
    "spectrum",
    "stable_rank",
    "start",
    "track",
    "tracked",
    "tridiagonal",
]
