"""From initial weights to trained ones: one network as pure functions, a population as map."""

from capacity.training.network import Curve, Examples, Mask, Plan, Quality, State, masked
from capacity.training.optimizer import Rates, Rule
from capacity.training.population import (
    Progress,
    Snapshot,
    Weights,
    chunk_size,
    compilations,
    evaluate,
    initial,
    member_keys,
    members,
    stacked,
    train,
)

__all__ = [
    "Curve",
    "Examples",
    "Mask",
    "Plan",
    "Progress",
    "Quality",
    "Rates",
    "Rule",
    "Snapshot",
    "State",
    "Weights",
    "chunk_size",
    "compilations",
    "evaluate",
    "initial",
    "masked",
    "member_keys",
    "members",
    "stacked",
    "train",
]
