"""From initial weights to trained ones: one network as pure functions, a population as map."""

from capacity.training.chunks import chunk_size, mapped
from capacity.training.curvature import (
    curvature,
    empirical_fisher,
    empirical_fishers,
    gauss_newton_product,
)
from capacity.training.examples import Examples, Quality, example_losses, pick
from capacity.training.finetune import Finetuned, finetune
from capacity.training.growing import Recipe
from capacity.training.memorising import Memory, memorise
from capacity.training.moving import Moves, Sparse
from capacity.training.narrow import Trained, pays, products, trained_units
from capacity.training.network import Curve, Mask, Plan, State
from capacity.training.optimizer import Rates, Rule
from capacity.training.padding import Padding, padded, padding, unpadded
from capacity.training.population import (
    Progress,
    Seen,
    Snapshot,
    Weights,
    compilations,
    evaluate,
    initial,
    member_keys,
    members,
    stacked,
    train,
)
from capacity.training.prequential import Asked, Budget, ask, logits, stage_steps
from capacity.training.quantising import FinetunePlan, Quantising, RateCurve
from capacity.training.step import masked
from capacity.training.together import Request, groups, train_together
from capacity.training.watching import (
    Watch,
    Watched,
    all_reports,
    part_of,
    saturation_now,
    watched,
)

__all__ = [
    "Asked",
    "Budget",
    "Curve",
    "Examples",
    "FinetunePlan",
    "Finetuned",
    "Mask",
    "Memory",
    "Moves",
    "Padding",
    "Plan",
    "Progress",
    "Quality",
    "Quantising",
    "RateCurve",
    "Rates",
    "Recipe",
    "Request",
    "Rule",
    "Seen",
    "Snapshot",
    "Sparse",
    "State",
    "Trained",
    "Watch",
    "Watched",
    "Weights",
    "all_reports",
    "ask",
    "chunk_size",
    "compilations",
    "curvature",
    "empirical_fisher",
    "empirical_fishers",
    "evaluate",
    "example_losses",
    "finetune",
    "gauss_newton_product",
    "groups",
    "initial",
    "logits",
    "mapped",
    "masked",
    "member_keys",
    "members",
    "memorise",
    "padded",
    "padding",
    "part_of",
    "pays",
    "pick",
    "products",
    "saturation_now",
    "stacked",
    "stage_steps",
    "train",
    "train_together",
    "trained_units",
    "unpadded",
    "watched",
]
