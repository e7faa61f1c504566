"""The ways to write a tensor's symbols; the number of each is part of the file format."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from capacity.coding import categorical, octaves


class Codec(NamedTuple):
    """A lossless code for the symbols of one tensor.

    Attributes:
      encode: n >= 1 int32 symbols to a payload; None where the codec does not apply.
      decode: a payload and n to the symbols. A payload that `encode` never writes gives either a
        CorruptFile or n symbols, in time and memory bounded by n and its length.
    """

    encode: Callable[[Int[np.ndarray, " n"]], bytes | None]
    decode: Callable[[bytes, int], Int[np.ndarray, " n"]]


CODECS: dict[int, Codec] = {
    1: Codec(categorical.encode, categorical.decode),
    2: Codec(octaves.encode, octaves.decode),
}


def shortest_payload(symbols: Int[np.ndarray, " n"]) -> tuple[int, bytes]:
    """The number of the codec that writes n >= 1 int32 symbols shortest, and its payload.

    The lowest number wins a tie. Every codec is tried: the length is never an estimate.
    """
    payloads = {number: codec.encode(symbols) for number, codec in CODECS.items()}
    fitting = {number: payload for number, payload in payloads.items() if payload is not None}
    return min(fitting.items(), key=lambda item: (len(item[1]), item[0]))
