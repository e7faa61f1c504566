"""Codecs 4 and 5: adaptive codes of decisions whose contexts are what is around a symbol.

codec: stripes, walks and payloads. model: what is expected of a symbol. symbol: its decisions.
mixing: one decision. prediction: from columns and rows, by their correlation. logistic: tables.
"""

from capacity.coding.context.codec import CORRELATED, FAST, decode, encode

__all__ = ["CORRELATED", "FAST", "decode", "encode"]
