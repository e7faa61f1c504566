"""The names of a file's tensors, each told by its difference from those before it."""

import re
from collections.abc import Iterator

from capacity.coding.byte_reader import ByteReader, varint
from capacity.coding.errors import CorruptFile, UnstorableTensor

NAME_LIMIT = 1024  # bytes: shared parts must not make a small header a large one
_RUNS = 4  # runs of digits in a name that may be the one that counts
_DIGITS = re.compile(rb"[0-9]+")


class NameWriter:
    """Names to bytes, in the order of the file."""

    def __init__(self) -> None:
        self._previous = b""
        self._written = 0
        self._expected: dict[bytes, tuple[int, int]] = {}  # successor: its origin and the run

    def encoded(self, name: str) -> bytes:
        """The next name: `layers/1/bias` is one byte after `layers/0/bias`."""
        try:
            whole = name.encode()
        except UnicodeEncodeError as error:
            raise UnstorableTensor(f"{name!a}: a name that is no valid Unicode") from error
        if len(whole) > NAME_LIMIT:
            raise UnstorableTensor(
                f"{name[:40]}...: a name of {len(whole)} bytes: at most {NAME_LIMIT}"
            )
        if whole in self._expected:
            origin, run = self._expected[whole]
            piece = varint(2 * (_RUNS * (self._written - 1 - origin) + run) + 1)
        else:
            shared = _shared(self._previous, whole)
            piece = varint(2 * shared) + varint(len(whole) - shared) + whole[shared:]
        for run, successor in enumerate(_successors(whole)):
            self._expected[successor] = (self._written, run)
        self._previous = whole
        self._written += 1
        return piece


class NameReader:
    """The inverse of NameWriter."""

    def __init__(self) -> None:
        self._names: list[bytes] = []

    def decoded(self, reader: ByteReader) -> str:
        """The next name, from where `reader` is."""
        reference, successive = divmod(reader.varint(), 2)
        if successive:
            back, run = divmod(reference, _RUNS)
            if back >= len(self._names):
                raise CorruptFile("a tensor's name refers to one before the first")
            successors = list(_successors(self._names[-1 - back]))
            if run >= len(successors):
                raise CorruptFile("a tensor's name refers to a number that is not there")
            whole = successors[run]
        else:
            previous = self._names[-1] if self._names else b""
            if reference > len(previous):
                raise CorruptFile("a tensor's name refers to more of the name before than there is")
            whole = previous[:reference] + reader.take(reader.varint())
        self._names.append(whole)
        return text(whole)


def text(name: bytes) -> str:
    """A name as text, if it is one and not too long."""
    if len(name) > NAME_LIMIT:
        raise CorruptFile(f"a tensor's name has {len(name)} bytes: at most {NAME_LIMIT}")
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise CorruptFile("a tensor's name is not UTF-8") from error


def _successors(name: bytes) -> Iterator[bytes]:
    """The name with each of its first runs of digits counted up by one."""
    for _, run in zip(range(_RUNS), _DIGITS.finditer(name), strict=False):
        yield name[: run.start()] + b"%d" % (int(run[0]) + 1) + name[run.end() :]


def _shared(first: bytes, second: bytes) -> int:
    """How many bytes two names have in common at the front."""
    pairs = zip(first, second, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(first), len(second)))
