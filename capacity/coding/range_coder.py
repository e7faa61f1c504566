"""Range coding under one fixed distribution, ended at the shortest string of whole bytes."""

import numpy as np
from constriction import stream  # pyright: ignore[reportAttributeAccessIssue]
from jaxtyping import Int

from capacity.coding.blocks import blocks
from capacity.coding.errors import CorruptFile

_WORD = np.dtype(">u4")  # most significant byte first: the order in which the coder decides
_TAIL = 4  # words before the last two


def encoded_indices(indices: Int[np.ndarray, " n"], counts: Int[np.ndarray, " levels"]) -> bytes:
    """Indices into `counts`, under the probabilities counts / sum(counts).

    The length is their information rounded up to whole bytes. The coder's own arithmetic adds up
    to log2(1 + 2^-8) = 0.0056 bits per symbol in the worst case and 0.00013 on average (it keeps
    the interval above 2^32 and cuts it into 2^24 parts), and 1.5 levels 2^-24 bits.

    Args:
      indices: [n >= 1] each below `levels`.
      counts: [levels >= 2] all > 0.
    """
    encoder = stream.queue.RangeEncoder()
    model = _model(counts)
    for part in blocks(len(indices)):
        encoder.encode(indices[part].astype(np.int32), model)
    return shortest(encoder)


def decoded_indices(
    data: bytes | memoryview, counts: Int[np.ndarray, " levels"], n: int
) -> Int[np.ndarray, " n"]:
    """The n indices that `encoded_indices` wrote under the same counts, as int32."""
    decoder, model = stream.queue.RangeDecoder(words_of(data)), _model(counts)
    indices = np.empty(n, np.int32)
    try:
        for part in blocks(n):
            indices[part] = decoder.decode(model, part.stop - part.start)
    except AssertionError as error:
        raise CorruptFile("a payload does not belong to the symbol counts before it") from error
    return indices


def shortest(encoder: stream.queue.RangeEncoder) -> bytes:
    """What a range encoder has written, ended as early as can be."""
    written, (lower, width) = encoder.pos()
    return cut_short(encoder.get_compressed(), written, lower, width)


def cut_short(words: Int[np.ndarray, " words"], written: int, lower: int, width: int) -> bytes:
    """The fewest bytes that, followed by zeros, lie in the final interval of a range encoder.

    An interval at least 2^k wide holds a multiple of 2^k, so that the last k bits need not be
    written.

    Args:
      words: uint32, any that lie in the interval, followed by zeros.
      written: words before the last two.
      lower, width: of the interval, in units of the last bit of written + 2 words; of its lower end
        the last 64 bits, as `words` tell the others.
    """
    kept = -(-(65 - width.bit_length()) // 8)  # bytes of the last two words
    dropped = 64 - 8 * kept
    for head in (max(written - _TAIL, 0), 0):  # a carry may, once in 2^128, run beyond the tail
        size = _WORD.itemsize * (written + 2 - head)
        choice = int.from_bytes(words[head:].astype(_WORD).tobytes().ljust(size, b"\0"), "big")
        start = choice - (choice - lower) % 2**64
        number = (start + (1 << dropped) - 1) >> dropped
        if 0 <= number < 1 << 8 * (size - 8 + kept):
            break
    tail = number.to_bytes(size - 8 + kept, "big")
    return b"".join([words[:head].astype(_WORD).data, tail])


def words_of(data: bytes | memoryview) -> Int[np.ndarray, " words"]:
    """The words that a decoder reads, as uint32: `data` filled up with zeros."""
    words = np.zeros(-(-len(data) // _WORD.itemsize), np.uint32)
    words.view(np.uint8)[: len(data)] = np.frombuffer(data, np.uint8)
    return words if _WORD.isnative else words.byteswap(inplace=True)


def _model(counts: Int[np.ndarray, " levels"]) -> stream.model.Categorical:
    """The coder's fixed-point distribution: identical counts give it bit for bit."""
    return stream.model.Categorical(counts.astype(np.float64), perfect=False)
