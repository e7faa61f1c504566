"""What an architecture could hold: rules, bounds and exact counts from its shape, and measured."""

from capacity.theory.cover import (
    counting_bits,
    dichotomies,
    separable_probability,
    stream_deviation,
    threshold_capacity,
)
from capacity.theory.logistic import LogisticLimit, logistic_limit
from capacity.theory.measured import Capacity, capacity_estimate, converged, memorised_bits
from capacity.theory.memory import memory_equivalent_capacity
from capacity.theory.parameters import (
    PRECISIONS,
    configuration_bits,
    effective_parameters,
    parameter_bits,
)
from capacity.theory.rules import RuleCapacities, rule_capacities
from capacity.theory.vc import VcOrder, vc_bound, vc_order

__all__ = [
    "PRECISIONS",
    "Capacity",
    "LogisticLimit",
    "RuleCapacities",
    "VcOrder",
    "capacity_estimate",
    "configuration_bits",
    "converged",
    "counting_bits",
    "dichotomies",
    "effective_parameters",
    "logistic_limit",
    "memorised_bits",
    "memory_equivalent_capacity",
    "parameter_bits",
    "rule_capacities",
    "separable_probability",
    "stream_deviation",
    "threshold_capacity",
    "vc_bound",
    "vc_order",
]
