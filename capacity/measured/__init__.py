"""What was measured of a network, as its rows: the plug board.

A new measure is a function in its room, a column in `rows` and a line here: in `network` for
networks, tensors, evaluations and files, in `weights` for what the weights hold, in `saturation`
for the layers while they trained, in `pruning` for what a mask saves. What these cannot compute of
one network alone, `trained` does for the population, or `trial` hands it in.
"""

from capacity.measured.network import (
    Measured,
    Score,
    codec_rows,
    curve_rows,
    layer_rows,
    measured,
    network_row,
)
from capacity.measured.pruning import pruning_measures
from capacity.measured.saturation import saturation_rows, spectra
from capacity.measured.trained import trained

__all__ = [
    "Measured",
    "Score",
    "codec_rows",
    "curve_rows",
    "layer_rows",
    "measured",
    "network_row",
    "pruning_measures",
    "saturation_rows",
    "spectra",
    "trained",
]
