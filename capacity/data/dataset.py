"""The types of this room: a split, a data set as it is stored, a data set as it is trained on."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int32, Shaped


class DataError(ValueError):
    """A mistake in a data option or on the disk, told in one sentence that names the way out."""


class Split(NamedTuple):
    """Examples as stored; the first axis of both arrays is the example.

    Attributes:
      inputs: [n, ...] uint8 for images (height, width, channel), float32 for Gaussian inputs;
        may be a read-only memory map.
      labels: [n] in 0 ... class_count - 1.
    """

    inputs: Shaped[np.ndarray, "n ..."]
    labels: Int32[np.ndarray, " n"]


class Source(NamedTuple):
    """A data set before any option: what an embedded set or the TFDS reader returns.

    Attributes:
      train: every example that may be trained or validated on, in stored order.
      test: the test examples, in stored order.
      class_count: K.
      largest: largest possible input value (255 for uint8 images), or None for inputs that are
        drawn with mean 0 and variance 1 and need no scaling.
      labels_given_inputs: "deterministic" if a label is a known function of its input, "uniform"
        if it is drawn uniformly and independently of it, None where nobody knows.
    """

    train: Split
    test: Split
    class_count: int
    largest: float | None
    labels_given_inputs: str | None = None


class Dataset(NamedTuple):
    """A data set ready to train on; a network sees (x - offset) * scale.

    Attributes:
      name: as it was asked for.
      train, validation, test: disjoint. Label noise is in train and validation, never in test.
      noisy_test: the test inputs with labels through the noise of the training labels, drawn
        independently of it; `test` itself where there is none. What a network learned of noisy
        labels is measured on labels of their law: on clean ones, noise would count as structure.
      class_count: K, the number of classes, whether or not each one occurs in `train`.
      offset, scale: [] or [channel], float32; applied inside the compiled program, so that the
        stored uint8 images are all that is kept in memory.
      conditional_entropy: H(label | input) of one training example, in bits. Exact for synthetic
        sets. For a real set with label noise it is the entropy of the injected noise channel,
        H(noisy label | stored label): equal to H(noisy label | input) if the stored label is a
        function of the input and a lower bound on it otherwise. None for a real set without
        noise, where nobody knows it.
      noise: what conditional_entropy is the entropy of, or why nobody knows it, in words.
      fingerprint: 16 hexadecimal digits of the SHA-256 of the training inputs and (noisy) labels,
        as stored and in order. Offset and scale are not in it.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    noisy_test: Split
    class_count: int
    offset: Float32[np.ndarray, "..."]
    scale: Float32[np.ndarray, "..."]
    conditional_entropy: float | None
    noise: str
    fingerprint: str
