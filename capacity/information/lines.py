"""What every measure of a data set is: its group, symbol, unit, kind and meaning, declared once."""

from typing import NamedTuple


class Line(NamedTuple):
    """What a reader of a card needs to know of one measure; the kinds are those of `columns`."""

    group: str
    symbol: str
    unit: str
    kind: str
    doc: str


LINES = {
    "examples": Line("labels", "N", "examples", "exact", "training examples"),
    "classes": Line("labels", "K", "classes", "exact", "number of classes"),
    "uniform_label_bits": Line("labels", "N log K", "bits", "exact", "labels, uniform code"),
    "label_entropy": Line("labels", "H(Y)", "bits", "estimate", "entropy of a label, plug-in"),
    "label_entropy_miller_madow": Line("labels", "H(Y)", "bits", "estimate", "by Miller-Madow"),
    "label_entropy_chao_shen": Line("labels", "H(Y)", "bits", "estimate", "by Chao-Shen"),
    "label_entropy_grassberger": Line("labels", "H(Y)", "bits", "estimate", "by Grassberger"),
    "label_bits": Line("labels", "N H(Y)", "bits", "estimate", "entropy of all labels, plug-in"),
    "conditional_entropy": Line(
        "labels", "H(Y|X)", "bits", "exact", "noise of a label, by its law"
    ),
    "noise_floor": Line("labels", "N H(Y|X)", "bits", "exact", "noise floor, by the noise's law"),
    "pixel_entropy": Line("inputs", "H(X_i)", "bits/pixel", "estimate", "entropy of a pixel"),
    "position_entropy": Line("inputs", "H(X_i|i)", "bits/pixel", "estimate", "given its position"),
    "neighbour_entropy": Line(
        "inputs", "H(X_i|X_left)", "bits/pixel", "estimate", "given its left neighbour"
    ),
    "input_bits": Line("inputs", "L(X)", "bits", "upper bound", "all inputs, best compressor"),
    "input_bits_per_pixel": Line("inputs", "L(X)/pixels", "bits/pixel", "upper bound", "the same"),
    "points": Line("dimension", "m", "points", "exact", "distinct points"),
    "duplicates": Line("dimension", "", "points", "exact", "duplicates left out"),
    "twonn_dimension": Line("dimension", "d", "", "estimate", "TwoNN"),
    "levina_bickel_dimension": Line("dimension", "d_k", "", "estimate", "Levina-Bickel, pooled"),
    "pixel_information": Line(
        "dependence", "max I(X_i;Y)", "bits", "estimate", "pixel and label, largest"
    ),
    "shuffled_information": Line("dependence", "", "bits", "estimate", "the same, labels shuffled"),
    "marginal_v_entropy": Line(
        "dependence", "H_V(Y|0)", "bits", "upper bound", "held-out loss without inputs"
    ),
    "conditional_v_entropy": Line(
        "dependence", "H_V(Y|X)", "bits", "upper bound", "held-out loss, logistic regression"
    ),
    "v_information": Line(
        "dependence", "I_V(X;Y)", "bits", "estimate", "V-information of that family"
    ),
}


def line(name: str) -> Line:
    """The line of a measure by its name, as `twonn_dimension`, `levina_bickel_dimension/5`.

    A size has no line of its own: `all/xz -9e` is one of all inputs, `first 2674/PNG` of some.
    """
    stem, _, which = name.partition("/")
    if stem in LINES:
        return LINES[stem]._replace(doc=f"{LINES[stem].doc}, k = {which}") if which else LINES[stem]
    return Line(f"compressors, {stem} inputs", "", "bits/pixel", "upper bound", which)
