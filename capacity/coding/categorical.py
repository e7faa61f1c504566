"""Codec 1: every symbol under the tensor's own histogram, which goes first.

Within a few bytes and the table of the tensor's zero-order entropy; blind to the order of the
weights. A single distinct value costs its table alone.
"""

import math

import numpy as np
from jaxtyping import Int

from capacity.coding.blocks import blocks
from capacity.coding.errors import CorruptFile
from capacity.coding.range_coder import decoded_indices, encoded_indices
from capacity.coding.table import decoded_table, encoded_table, table_of


def encode(symbols: Int[np.ndarray, "*shape"]) -> bytes | None:
    """The payload of one or more symbols; None where their span is beyond a table."""
    flat = symbols.ravel()
    exact = table_of(flat)
    if exact is None:
        return None
    head, table = encoded_table(exact)
    present = table.counts > 0
    if np.count_nonzero(present) == 1:
        return head
    index = (np.cumsum(present) - 1).astype(np.uint16)  # of each level, among those that occur
    indices = np.empty(flat.size, np.uint16)
    for part in blocks(flat.size):
        indices[part] = index[flat[part].astype(np.int64) - table.first]
    return head + encoded_indices(indices, table.counts[present])


def decode(payload: bytes | memoryview, shape: tuple[int, ...]) -> Int[np.ndarray, "*shape"]:
    """The one or more symbols behind a payload, as int32."""
    table, body = decoded_table(payload)
    levels = (table.first + np.flatnonzero(table.counts)).astype(np.int32)
    if len(levels) == 1:
        if body:
            raise CorruptFile(f"{len(body)} bytes follow the table of a tensor of one value")
        return np.full(shape, levels[0])
    symbols = decoded_indices(body, table.counts[table.counts > 0], math.prod(shape))
    for part in blocks(symbols.size):
        symbols[part] = levels[symbols[part]]
    return symbols.reshape(shape)
