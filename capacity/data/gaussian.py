"""Gaussian inputs with random labels: all there is to learn is to memorise."""

import numpy as np
from jaxtyping import Float32

from capacity.data.dataset import Source, Split
from capacity.data.streams import stream

TEST_SIZE = 1000  # fixed, so that the test examples are the same whatever the training size


def gaussian(seed: int, *, size: int = 2048, dimension: int = 20, class_count: int = 10) -> Source:
    """Inputs from N(0, I), labels uniform over the classes and independent of the inputs.

    H(label | input) is log2(class_count) bits. A larger `size` begins with the smaller one.

    Args:
      seed: draws inputs and labels.
      size: examples in the training split, those for validation included.
      dimension: of an input.
      class_count: K >= 2.
    """

    def split(name: str, examples: int) -> Split:
        inputs = gaussian_inputs(seed, name, examples, dimension)
        labels = stream(seed, f"gaussian, {name} labels").integers(0, class_count, examples)
        return Split(inputs, labels.astype(np.int32))

    return Source(
        train=split("train", size),
        test=split("test", TEST_SIZE),
        class_count=class_count,
        largest=None,
        labels_given_inputs="uniform",
    )


def gaussian_inputs(
    seed: int, name: str, size: int, dimension: int
) -> Float32[np.ndarray, "size dimension"]:
    """[size, dimension] draws from N(0, I), those of the split called `name`."""
    draw = stream(seed, f"gaussian, {name} inputs")
    return draw.standard_normal((size, dimension), dtype=np.float32)
