"""What can be wrong with the weights that go in or the bytes that come back."""


class UnquantisableTensor(ValueError):  # noqa: N818
    """Weights that no integer multiple of the step can stand for."""


class UnstorableTensor(ValueError):  # noqa: N818
    """A tensor that the file format has no place for."""


class CorruptFile(ValueError):  # noqa: N818
    """Bytes that are not a whole, undamaged file of a version that this package reads."""
