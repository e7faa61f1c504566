"""scikit-learn's 8 x 8 digits: 1797 real images that need neither a download nor a disk."""

import numpy as np

from capacity.data.dataset import Source, Split
from capacity.data.streams import stream

TEST_SIZE = 360  # a fifth of the 1797; the set has no split of its own
LARGEST = 16.0  # every pixel counts the ink in a 4 x 4 block (Alpaydin and Kaynak, UCI, 1998)


def digits(seed: int) -> Source:
    """The digits as uint8 images [n, 8, 8, 1] in 0 ... 16, 1437 to train on and 360 to test.

    The split is drawn once and for all: `seed` is of no account.
    """
    from sklearn.datasets import load_digits  # noqa: PLC0415 - takes a second

    del seed
    pixels, classes = load_digits(return_X_y=True)
    order = stream(0, "digits, split").permutation(len(pixels))
    images = np.asarray(pixels, np.uint8).reshape(-1, 8, 8, 1)[order]
    labels = np.asarray(classes, np.int32)[order]
    return Source(
        train=Split(images[TEST_SIZE:], labels[TEST_SIZE:]),
        test=Split(images[:TEST_SIZE], labels[:TEST_SIZE]),
        class_count=10,
        largest=LARGEST,
    )
