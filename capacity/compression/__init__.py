"""A population's networks as files by every codec wanted, and what they decode to."""

from capacity.compression.codecs import CODECS
from capacity.compression.search import Compressed, compressed_population, headline

__all__ = ["CODECS", "Compressed", "compressed_population", "headline"]
