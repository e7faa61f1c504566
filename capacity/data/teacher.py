"""Gaussian inputs labelled by a fixed random network: H(label | input) is known, and learnable."""

import numpy as np
from jaxtyping import Float32, Int32

from capacity.data.dataset import Source, Split
from capacity.data.gaussian import TEST_SIZE, gaussian_inputs
from capacity.data.streams import stream

WIDTH = 64  # hidden units of the teacher: few enough to be learnt from thousands of examples
ROWS = 8192  # labelled at a time, to bound the memory in float64


def teacher(seed: int, *, size: int = 2048, dimension: int = 20, class_count: int = 10) -> Source:
    """Inputs from N(0, I); the label is the argmax of a random two-layer ReLU network.

    The network depends on `dimension` and `class_count` alone, so that another seed is another
    sample of the same problem. Its output rows have one length and its logits mean 0, which keeps
    the classes similar in size: the largest has about 3 times the examples of the smallest in 20
    dimensions and 1.5 times in 100.

    Args:
      seed: draws the inputs.
      size: examples in the training split, those for validation included.
      dimension: of an input.
      class_count: K >= 2.
    """

    def split(name: str, examples: int) -> Split:
        inputs = gaussian_inputs(seed, name, examples, dimension)
        return Split(inputs, _teacher_labels(inputs, class_count))

    return Source(
        train=split("train", size),
        test=split("test", TEST_SIZE),
        class_count=class_count,
        largest=None,
        labels_given_inputs="deterministic",
    )


def _teacher_labels(
    inputs: Float32[np.ndarray, "n dimension"], class_count: int
) -> Int32[np.ndarray, " n"]:
    draw = stream(0, "teacher, weights")
    hidden = draw.standard_normal((inputs.shape[1], WIDTH))
    output = draw.standard_normal((WIDTH, class_count))
    output /= np.linalg.norm(output, axis=0)
    mean = np.linalg.norm(hidden, axis=0) / np.sqrt(2 * np.pi)  # E relu(w x) for x ~ N(0, I)
    labels = np.empty(len(inputs), np.int32)
    for start in range(0, len(inputs), ROWS):
        rows = inputs[start : start + ROWS].astype(np.float64)
        labels[start : start + ROWS] = ((np.maximum(rows @ hidden, 0) - mean) @ output).argmax(1)
    return labels
