"""Which weights to keep: scores to masks, an exact count at a time."""

from capacity.pruning.masks import (
    Mask,
    keep_largest,
    kept_count,
    magnitude,
    prune,
    prune_population,
)

__all__ = ["Mask", "keep_largest", "kept_count", "magnitude", "prune", "prune_population"]
