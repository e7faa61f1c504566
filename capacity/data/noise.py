"""Label noise of a known rate, and the entropy, in bits, of the channel that it is."""

import math

import numpy as np
from jaxtyping import Int32

from capacity.data.options import check_choice, check_share
from capacity.data.streams import stream

KINDS = ("flipped", "resampled")


def noisy_labels(
    labels: Int32[np.ndarray, " n"],
    class_count: int,
    rate: float | int,
    kind: str,
    seed: int,
    of: str = "",
) -> Int32[np.ndarray, " n"]:
    """`labels` with each one replaced, independently and with probability `rate`.

    The same seed draws the same uniform number and the same new label for every example whatever
    the rate is, so that the labels replaced at rate 0.1 are among those replaced at 0.2.

    Args:
      labels: [n] in 0 ... class_count - 1.
      class_count: K >= 2.
      rate: in [0, 1].
      kind: "flipped" draws the new label uniformly from the K - 1 other classes, "resampled"
        uniformly from all K classes (a replaced label may then stay what it was).
      seed: of the named streams "label noise, which" and "label noise, label".
      of: whose labels they are; others have streams of their own, independent of these.

    Raises:
      DataError: if `rate` is not in [0, 1] or `kind` is unknown.
    """
    _check(rate, kind)
    if rate == 0:
        return labels
    name = f"label noise, {of}" if of else "label noise"
    replaced = stream(seed, f"{name}, which").random(len(labels)) < rate
    draw = stream(seed, f"{name}, label")
    if kind == "flipped":
        drawn = (labels + draw.integers(1, class_count, len(labels))) % class_count
    else:
        drawn = draw.integers(0, class_count, len(labels))
    return np.where(replaced, drawn, labels).astype(np.int32)


def channel_entropy(rate: float | int, class_count: int, kind: str) -> float:
    """H(noisy label | clean label), in bits, of the channel behind `noisy_labels`.

    A label stays with probability 1 - w and becomes each of the K - 1 others with w / (K - 1), so
    that H = h(w) + w log2(K - 1), where h is the binary entropy; w is `rate` for "flipped" labels
    and `rate` (K - 1) / K for "resampled" ones. With K = 10 and a rate of 0.2 these are 1.3559 and
    1.2507 bits: the two conventions are both common and are not the same noise.

    Raises:
      DataError: if `rate` is not in [0, 1] or `kind` is unknown.
    """
    _check(rate, kind)
    wrong = rate if kind == "flipped" else rate * (class_count - 1) / class_count
    binary = -sum(p * math.log2(p) for p in (wrong, 1 - wrong) if p > 0)
    return binary + wrong * math.log2(class_count - 1)


def _check(rate: float | int, kind: str) -> None:
    check_share("label_noise", rate)
    check_choice("label_noise_kind", kind, KINDS)
