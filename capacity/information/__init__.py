"""How many bits data and weights hold: entropies and description lengths, in bits."""

from capacity.information.dataset import (
    COMPRESSORS,
    DatasetCard,
    InputCard,
    dataset_card,
    input_card,
)
from capacity.information.entropy import (
    miller_madow_entropy,
    plugin_entropy,
    symbol_counts,
    symbol_entropy,
)
from capacity.information.weights import TensorEntropy, WeightEntropy, weight_entropy

__all__ = [
    "COMPRESSORS",
    "DatasetCard",
    "InputCard",
    "TensorEntropy",
    "WeightEntropy",
    "dataset_card",
    "input_card",
    "miller_madow_entropy",
    "plugin_entropy",
    "symbol_counts",
    "symbol_entropy",
    "weight_entropy",
]
