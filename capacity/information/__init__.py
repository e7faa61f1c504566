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
from capacity.information.ledger import Estimate, Ledger, ledger, memorised_bits, over_seeds
from capacity.information.prequential import (
    RAW,
    Code,
    Tempering,
    averaged,
    block_code,
    final_bits,
    first_epoch_code,
    geometric_cuts,
    mixture_bits,
    selection_bits,
)
from capacity.information.weights import TensorEntropy, WeightEntropy, weight_entropy

__all__ = [
    "COMPRESSORS",
    "RAW",
    "Code",
    "DatasetCard",
    "Estimate",
    "InputCard",
    "Ledger",
    "Tempering",
    "TensorEntropy",
    "WeightEntropy",
    "averaged",
    "block_code",
    "dataset_card",
    "final_bits",
    "first_epoch_code",
    "geometric_cuts",
    "input_card",
    "ledger",
    "memorised_bits",
    "miller_madow_entropy",
    "mixture_bits",
    "over_seeds",
    "plugin_entropy",
    "selection_bits",
    "symbol_counts",
    "symbol_entropy",
    "weight_entropy",
]
