"""What can be wrong with the weights that go in or the bytes that come back."""


def printable(text: str) -> str:
    """One line that no terminal takes for a command, as a file may name its tensors anything."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class OneSentence(ValueError):  # noqa: N818
    """An error for the user, in one line whatever is named in it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(printable(sentence))


class UnquantisableTensor(OneSentence):
    """Weights that no integer multiple of the step can stand for."""


class UnstorableTensor(OneSentence):
    """A tensor that the file format has no place for."""


class CorruptFile(OneSentence):
    """Bytes that are not a whole, undamaged file of a version that this package reads."""
