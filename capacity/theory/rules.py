"""What a network could hold by every rule that needs no training, side by side."""

from collections.abc import Sequence
from typing import NamedTuple

from capacity.theory.cover import threshold_capacity
from capacity.theory.memory import memory_equivalent_capacity
from capacity.theory.parameters import parameter_bits


class RuleCapacities(NamedTuple):
    """Bits by each rule; rules of thumb but for the last, which is an upper bound.

    Attributes:
      previous, running, input: the readings of the memory-equivalent capacity.
      threshold: 2 bits per effective parameter, as of one threshold unit (Cover, 1965).
      float32: the parameters as they are stored.
    """

    previous: int
    running: int
    input: int
    threshold: int
    float32: int


def rule_capacities(
    parameters: Sequence[int], outputs: Sequence[int], inputs: int, effective: int
) -> RuleCapacities:
    """The capacities of a chain of layers by every rule.

    Args:
      parameters: of each layer, bias included, input side first; of a pruned network those left.
      outputs: values that each layer passes on, in the same order.
      inputs: values of one example.
      effective: parameters that a softmax can tell apart.
    """

    def held(reading: str) -> int:
        return memory_equivalent_capacity(parameters, outputs, reading=reading, inputs=inputs)

    return RuleCapacities(
        previous=held("previous"),
        running=held("running"),
        input=held("input"),
        threshold=threshold_capacity(effective),
        float32=parameter_bits(sum(parameters))["float32"],
    )
