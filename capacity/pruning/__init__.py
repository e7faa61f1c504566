"""Which weights to keep: scores to masks, an exact count at a time.

scores, synflow: what a weight is worth. masks: the best of them. allocation: how many per layer.
schedules: how many when. structured: patterns and whole units. dynamic: masks that move while a
network trains. compaction, cost: the smaller network and what it saves. connectivity, critical:
how far networks are apart, and how sparse they can be.
"""

from capacity.pruning.allocation import competition, erk, refuse_emptied, uniform
from capacity.pruning.compaction import Compact, compacted, useful_units
from capacity.pruning.connectivity import Line, barrier, interpolated, line
from capacity.pruning.cost import Cost, Savings, cost, savings
from capacity.pruning.critical import FALLS, NEVER_FALLS, STARTS_BELOW, Critical, critical_sparsity
from capacity.pruning.dynamic import drop_fraction, exchanged, forgotten, rigl, sparse_evolution
from capacity.pruning.errors import PruningError
from capacity.pruning.masks import Mask, keep_largest, kept_count, prune
from capacity.pruning.schedules import (
    Gradual,
    gradual,
    iterative,
    kept_counts,
    kept_of,
    one_shot,
    sparsity_at,
)
from capacity.pruning.scores import (
    fisher_diagonal,
    gradient_weight,
    grasp,
    magnitude,
    moved,
    obd,
    random_scores,
    scored,
    snip,
)
from capacity.pruning.structured import (
    n_of_m,
    unit_activity,
    unit_firing,
    unit_freedom,
    unit_mask,
    unit_norms,
)
from capacity.pruning.synflow import synaptic_flow, synflow

__all__ = [
    "FALLS",
    "NEVER_FALLS",
    "STARTS_BELOW",
    "Compact",
    "Cost",
    "Critical",
    "Gradual",
    "Line",
    "Mask",
    "PruningError",
    "Savings",
    "barrier",
    "compacted",
    "competition",
    "cost",
    "critical_sparsity",
    "drop_fraction",
    "erk",
    "exchanged",
    "fisher_diagonal",
    "forgotten",
    "gradient_weight",
    "gradual",
    "grasp",
    "interpolated",
    "iterative",
    "keep_largest",
    "kept_count",
    "kept_counts",
    "kept_of",
    "line",
    "magnitude",
    "moved",
    "n_of_m",
    "obd",
    "one_shot",
    "prune",
    "random_scores",
    "refuse_emptied",
    "rigl",
    "savings",
    "scored",
    "snip",
    "sparse_evolution",
    "sparsity_at",
    "synaptic_flow",
    "synflow",
    "uniform",
    "unit_activity",
    "unit_firing",
    "unit_freedom",
    "unit_mask",
    "unit_norms",
    "useful_units",
]
