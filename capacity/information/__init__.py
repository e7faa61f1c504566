"""How many bits data and weights hold: entropies and description lengths, in bits.

`information.curvature` is imported by its own name: it needs JAX, which data do without.
"""

from capacity.information.compressors import compressed_sizes, compressors
from capacity.information.context import context_bits
from capacity.information.dataset import DatasetCard, dataset_card
from capacity.information.dependence import (
    pixel_information,
    pixel_measures,
    shuffled_information,
)
from capacity.information.differential import differential_entropy, negentropy
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
from capacity.information.float_fields import FloatFields, float_fields
from capacity.information.inputs import InputCard, input_card, input_measures, sample_measures
from capacity.information.labels import label_measures
from capacity.information.ledger import Ledger, ledger, memorised_bits, over_seeds
from capacity.information.lines import Line, line
from capacity.information.logistic import logistic_regression, usable_measures
from capacity.information.measure import Measure, Measures, Progress
from capacity.information.nulls import (
    Against,
    against,
    gaussian_like,
    plain_entropy,
    plain_step,
)
from capacity.information.pac_bayes import error_bound, kl_inverse, message_bits
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
from capacity.information.surplus import sample_complexity, surplus_description_length
from capacity.information.two_part import two_part_bits
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
    "Against",
    "Code",
    "DatasetCard",
    "Estimate",
    "FloatFields",
    "InputCard",
    "Ledger",
    "Line",
    "Measure",
    "Measures",
    "Progress",
    "Tempering",
    "TensorEntropy",
    "WeightEntropy",
    "against",
    "averaged",
    "block_code",
    "chao_shen_entropy",
    "compressed_sizes",
    "compressors",
    "conditional_v_entropy",
    "context_bits",
    "dataset_card",
    "differential_entropy",
    "dimension_measures",
    "entropy_standard_error",
    "error_bound",
    "final_bits",
    "first_epoch_code",
    "float_fields",
    "gaussian_like",
    "geometric_cuts",
    "grassberger_entropy",
    "input_card",
    "input_measures",
    "kl_inverse",
    "label_losses",
    "label_measures",
    "learned_weights",
    "ledger",
    "levina_bickel_dimension",
    "line",
    "logistic_regression",
    "marginal_losses",
    "memorised_bits",
    "message_bits",
    "miller_madow_entropy",
    "mixture_bits",
    "negentropy",
    "neighbour_distances",
    "neighbour_entropy",
    "over_seeds",
    "pixel_information",
    "pixel_measures",
    "plain_entropy",
    "plain_step",
    "plugin_entropy",
    "pointwise_v_information",
    "position_entropy",
    "sample_complexity",
    "sample_measures",
    "selection_bits",
    "shuffled_information",
    "surplus_description_length",
    "symbol_counts",
    "symbol_entropy",
    "two_part_bits",
    "twonn_dimension",
    "usable_measures",
    "v_information",
    "weight_entropy",
]
