"""How many bits data and weights hold: entropies and description lengths, in bits."""

from capacity.information.compressors import compressed_sizes, compressors
from capacity.information.dataset import DatasetCard, dataset_card
from capacity.information.dependence import (
    pixel_information,
    pixel_measures,
    shuffled_information,
)
from capacity.information.dimension import (
    dimension_measures,
    levina_bickel_dimension,
    neighbour_distances,
    twonn_dimension,
)
from capacity.information.entropy import (
    chao_shen_entropy,
    entropy_standard_error,
    grassberger_entropy,
    miller_madow_entropy,
    plugin_entropy,
    symbol_counts,
    symbol_entropy,
)
from capacity.information.estimate import Estimate
from capacity.information.inputs import InputCard, input_card, input_measures, sample_measures
from capacity.information.labels import label_measures
from capacity.information.ledger import Ledger, ledger, memorised_bits, over_seeds
from capacity.information.lines import Line, line
from capacity.information.logistic import logistic_regression, usable_measures
from capacity.information.measure import Measure, Measures, Progress
from capacity.information.pixels import neighbour_entropy, position_entropy
from capacity.information.prequential import (
    RAW,
    Code,
    Tempering,
    averaged,
    block_code,
    final_bits,
    first_epoch_code,
    geometric_cuts,
    learned_weights,
    mixture_bits,
    selection_bits,
)
from capacity.information.usable import (
    conditional_v_entropy,
    label_losses,
    marginal_losses,
    pointwise_v_information,
    v_information,
)
from capacity.information.weights import TensorEntropy, WeightEntropy, weight_entropy

__all__ = [
    "RAW",
    "Code",
    "DatasetCard",
    "Estimate",
    "InputCard",
    "Ledger",
    "Line",
    "Measure",
    "Measures",
    "Progress",
    "Tempering",
    "TensorEntropy",
    "WeightEntropy",
    "averaged",
    "block_code",
    "chao_shen_entropy",
    "compressed_sizes",
    "compressors",
    "conditional_v_entropy",
    "dataset_card",
    "dimension_measures",
    "entropy_standard_error",
    "final_bits",
    "first_epoch_code",
    "geometric_cuts",
    "grassberger_entropy",
    "input_card",
    "input_measures",
    "label_losses",
    "label_measures",
    "learned_weights",
    "ledger",
    "levina_bickel_dimension",
    "line",
    "logistic_regression",
    "marginal_losses",
    "memorised_bits",
    "miller_madow_entropy",
    "mixture_bits",
    "neighbour_distances",
    "neighbour_entropy",
    "over_seeds",
    "pixel_information",
    "pixel_measures",
    "plugin_entropy",
    "pointwise_v_information",
    "position_entropy",
    "sample_measures",
    "selection_bits",
    "shuffled_information",
    "symbol_counts",
    "symbol_entropy",
    "twonn_dimension",
    "usable_measures",
    "v_information",
    "weight_entropy",
]
