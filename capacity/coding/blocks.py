"""Long arrays a block at a time, so that what is made on the way stays small."""

from collections.abc import Iterator

BLOCK = 2**20  # elements: far more than a call costs, far less than a tensor that fills a memory


def blocks(size: int) -> Iterator[slice]:
    """Slices that cover range(size) in order."""
    return (slice(start, min(start + BLOCK, size)) for start in range(0, size, BLOCK))
