"""Memory-equivalent capacity: how many bits a feed-forward network could hold, by four rules."""

from collections.abc import Sequence
from itertools import accumulate

READINGS = ("previous", "running", "input")


def memory_equivalent_capacity(
    parameters: Sequence[int],
    outputs: Sequence[int],
    *,
    reading: str = "previous",
    inputs: int | None = None,
) -> int:
    """Bits that a chain of layers could hold, by the rules of Friedland et al. (2018).

    (1) A unit outputs at most one bit. (2) It holds as many bits as it has parameters, the bias
    included. (3) Units side by side add up. (4) A layer that depends on another holds no more
    bits than reach it. Hence, with P_l parameters and O_l outputs of layer l,

      MEC = P_1 + sum over l >= 2 of min(P_l, limit_l).

    A rule of thumb, not a bound: a deep ReLU network can shatter more points than this (the VC
    dimension grows with parameters times depth; Bartlett et al., 2019).

    Args:
      parameters: parameters of each layer, bias included, input side first.
      outputs: values that each layer passes on (units; height * width * channels for a
        convolution), in the same order. The last one limits nothing.
      reading: what reaches layer l. "previous", as the paper has it: limit_l = O_{l-1}.
        "running": limit_l = min(O_1, ..., O_{l-1}), since no layer can pass on more bits than
        reached it (data processing). "input", as the TFMeter tool of the same group computes it:
        limit_l = min(I, O_1, ..., O_{l-1}) with I input values, so that an input value counts
        like a unit, as one bit. "input" <= "running" <= "previous".
      inputs: values of one example (height * width * channels for images); for "input" alone.

    Raises:
      ValueError: no layers, unequal lengths, a negative count, an unknown reading, or the reading
        "input" without `inputs`.

    Source: Friedland, Metere and Krell, "A practical approach to sizing neural networks",
      arXiv:1810.02328.
    """
    _check(parameters, outputs, reading)
    reaching = list(outputs[:-1])
    if reading == "input":
        if inputs is None:
            raise ValueError("inputs = None: the reading 'input' needs the values of one example")
        reaching = [min(inputs, limit) for limit in reaching]
    if reading != "previous":
        reaching = list(accumulate(reaching, min))
    dependent = zip(parameters[1:], reaching, strict=True)
    return int(parameters[0] + sum(min(held, limit) for held, limit in dependent))


def _check(parameters: Sequence[int], outputs: Sequence[int], reading: str) -> None:
    if reading not in READINGS:
        raise ValueError(f"reading = {reading!r}: must be one of {', '.join(READINGS)}")
    if not parameters:
        raise ValueError("parameters = []: a network needs at least one layer")
    if len(parameters) != len(outputs):
        raise ValueError(
            f"{len(parameters)} layers of parameters but {len(outputs)} of outputs: "
            "give one number of each per layer"
        )
    if min(*parameters, *outputs) < 0:
        raise ValueError("parameters and outputs count things: every entry must be 0 or more")
