"""Figure: entropy of the weights against entropy of the labels that they were trained on."""

import pandas as pd
from matplotlib.figure import Figure

from capacity.analysis import bit_paths


def figure(networks: pd.DataFrame, trials: pd.DataFrame) -> Figure:
    """Bits of the quantised weights over bits of the labels, with a bar at the noise floor."""
    return bit_paths.figure(networks, trials, x="label_bits", y="weight_bits", level="noise_floor")
