"""Bytes of a header, read front to back, and the integers of variable length in them."""

from capacity.coding.errors import CorruptFile

_VARINT_BYTES = 5


def varint(value: int) -> bytes:
    """An integer from 0 to 2^35 - 1 as LEB128: seven bits a byte, lowest first, 128 for more."""
    if value >= 1 << 7 * _VARINT_BYTES:
        raise ValueError(
            f"{value} in a header: the format counts to {(1 << 7 * _VARINT_BYTES) - 1}"
        )
    digits = [value & 127]
    while value := value >> 7:
        digits[-1] |= 128
        digits.append(value & 127)
    return bytes(digits)


class ByteReader:
    """Reads bytes front to back; reading past the end is a CorruptFile."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = memoryview(data)
        self.position = 0

    def at_end(self) -> bool:
        """Whether everything has been read."""
        return self.position == len(self._data)

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        return bytes(self.view(length))

    def view(self, length: int) -> memoryview:
        """The next `length` bytes where they are, without a copy."""
        taken = self._data[self.position : self.position + length]
        if len(taken) < length:
            raise CorruptFile("the file ends too early")
        self.position += length
        return taken

    def rest(self) -> memoryview:
        """All that has not been read, where it is."""
        return self.view(len(self._data) - self.position)

    def varint(self) -> int:
        """The next LEB128 integer."""
        value = 0
        for place in range(_VARINT_BYTES):
            (digit,) = self.take(1)
            value |= (digit & 127) << 7 * place
            if digit < 128:
                return value
        raise CorruptFile("a number in the header is out of range")
