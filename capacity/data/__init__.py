"""Named data sets as arrays: three disjoint splits, a known label noise, a content hash."""

from capacity.data.card import card, measures
from capacity.data.content import content
from capacity.data.dataset import DataError, Dataset, Split
from capacity.data.load import forget, load
from capacity.data.noise import channel_entropy

__all__ = [
    "DataError",
    "Dataset",
    "Split",
    "card",
    "channel_entropy",
    "content",
    "forget",
    "load",
    "measures",
]
