"""A population's networks as files by every codec wanted, and what they decode to."""

from capacity.coded.codecs import CODECS
from capacity.coded.search import Compressed, compressed_population, headline

__all__ = ["CODECS", "Compressed", "compressed_population", "headline"]
