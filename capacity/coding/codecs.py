"""The ways to write a tensor's symbols; the number of each is part of the file format."""

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Int

from capacity.coding import categorical, context, octaves, parametric

Effort = Literal["fast", "max"]


class Codec(NamedTuple):
    """A lossless code for the symbols of one tensor.

    Attributes:
      name: one word, for people.
      encode: one or more int32 symbols in the tensor's shape to a payload; None where the codec
        does not apply.
      decode: a payload and the shape to the symbols. A payload that `encode` never writes gives
        either a CorruptFile or symbols, in time and memory bounded by their number and its length.
    """

    name: str
    encode: Callable[[Int[np.ndarray, "*shape"]], bytes | None]
    decode: Callable[[bytes | memoryview, tuple[int, ...]], Int[np.ndarray, "*shape"]]


CODECS: dict[int, Codec] = {
    1: Codec("categorical", categorical.encode, categorical.decode),
    2: Codec("octaves", octaves.encode, octaves.decode),
    3: Codec("parametric", parametric.encode, parametric.decode),
    4: Codec(
        "context",
        partial(context.encode, partners=context.FAST),
        partial(context.decode, partners=context.FAST),
    ),
    5: Codec(
        "correlation",
        partial(context.encode, partners=context.CORRELATED),
        partial(context.decode, partners=context.CORRELATED),
    ),
}
# Which of them an effort tries.
EFFORT: dict[str, tuple[int, ...]] = {
    "fast": (1, 2, 3, 4),
    "max": (1, 2, 3, 4, 5),
}


def shortest_payload(
    symbols: Int[np.ndarray, "*shape"], effort: Effort = "fast"
) -> tuple[int, bytes]:
    """The number of the codec that writes one or more int32 symbols shortest, and its payload.

    The lowest number wins a tie. Every codec of the effort is tried: the length is never an
    estimate.
    """
    payloads = {number: CODECS[number].encode(symbols) for number in EFFORT[effort]}
    fitting = {number: payload for number, payload in payloads.items() if payload is not None}
    return min(fitting.items(), key=lambda item: (len(item[1]), item[0]))
