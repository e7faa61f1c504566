"""What a TFDS set must be made of to be one of labelled images of one size."""

from typing import Any

import numpy as np

from capacity.data.dataset import DataError


def check_labelled(name: str, features: Any) -> None:
    """Raises DataError unless the TFDS `features` have an "image" and a class "label"."""
    names = sorted(features) if hasattr(features, "keys") else []
    if not {"image", "label"} <= set(names) or not hasattr(features["label"], "num_classes"):
        raise DataError(
            f"data.name = {name!r}: has the features {names} where an 'image' and a class 'label' "
            "are needed, so choose a set of labelled images"
        )


def image_and_label(name: str, features: Any) -> tuple[tuple[int, ...], np.dtype, int]:
    """(image shape, image dtype, class count), or DataError if that is not fixed or not known."""
    check_labelled(name, features)
    shape, dtype = features["image"].shape, np.dtype(features["image"].np_dtype)
    if None in shape or dtype != np.uint8:
        raise DataError(
            f"data.name = {name!r}: has {dtype} images of shape {shape} where 8-bit "
            "values of one size are needed, so choose another set or prepare a resized one"
        )
    return shape, dtype, features["label"].num_classes
