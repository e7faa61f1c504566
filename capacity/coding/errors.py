"""What can be wrong with the weights that go in or the bytes that come back."""


class UnquantisableTensor(ValueError):  # noqa: N818
    """Weights that no integer multiple of the step can stand for."""


class CorruptFile(ValueError):  # noqa: N818
    """Bytes that are not a whole, undamaged file of a version that this package reads."""
