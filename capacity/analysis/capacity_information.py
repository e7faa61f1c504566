"""Figure: information in files and labels against what the architecture could hold."""

import pandas as pd
from matplotlib.figure import Figure

from capacity.analysis import bit_paths, style


def figure(networks: pd.DataFrame, trials: pd.DataFrame) -> Figure:
    """Bits of the compressed file over the memory capacity, with a bar at the label bits."""
    return bit_paths.figure(
        networks,
        trials,
        x="memory_capacity",
        y="coded_size",
        level="label_bits",
        per_unit=8,
        y_label=style.axis_label("coded_size", per_unit=8, unit="bits"),
    )
