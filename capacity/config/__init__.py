"""The settings of one trial as one frozen, validated `Config`; its keys flat and explained."""

from capacity.config.alike import Alike
from capacity.config.flat import dotted, flatten, nested
from capacity.config.idle import idle
from capacity.config.networks import Updates
from capacity.config.reference import keys, reference, search_keys, sections
from capacity.config.schema import ELSEWHERE, Config, Resources
from capacity.config.search import HIGHER, OBJECTIVES, Axis, Search, SearchFile
from capacity.config.section import Section

__all__ = [
    "ELSEWHERE",
    "HIGHER",
    "OBJECTIVES",
    "Alike",
    "Axis",
    "Config",
    "Resources",
    "Search",
    "SearchFile",
    "Section",
    "Updates",
    "dotted",
    "flatten",
    "idle",
    "keys",
    "nested",
    "reference",
    "search_keys",
    "sections",
]
