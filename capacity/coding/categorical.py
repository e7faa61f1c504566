"""Codec 1: every symbol under the tensor's own histogram, which goes first.

Within a few bytes and the table of the tensor's zero-order entropy; blind to the order of the
weights. A single distinct value costs its table alone.
"""

import numpy as np
from jaxtyping import Int

from capacity.coding.errors import CorruptFile
from capacity.coding.range_coder import decoded_indices, encoded_indices
from capacity.coding.table import decoded_table, encoded_table, table_of


def encode(symbols: Int[np.ndarray, " n"]) -> bytes | None:
    """The payload of n >= 1 int32 symbols; None where their span is beyond a table."""
    exact = table_of(symbols)
    if exact is None:
        return None
    head, table = encoded_table(exact)
    present = table.counts > 0
    if np.count_nonzero(present) == 1:
        return head
    index = np.cumsum(present) - 1  # of each level, among those that occur
    return head + encoded_indices(index[symbols - table.first], table.counts[present])


def decode(payload: bytes, n: int) -> Int[np.ndarray, " n"]:
    """The n >= 1 symbols behind a payload, as int32."""
    table, body = decoded_table(payload)
    levels = (table.first + np.flatnonzero(table.counts)).astype(np.int32)
    if len(levels) == 1:
        if body:
            raise CorruptFile(f"{len(body)} bytes follow the table of a tensor of one value")
        return np.full(n, levels[0])
    return levels[decoded_indices(body, table.counts[table.counts > 0], n)]
