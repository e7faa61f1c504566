"""Bit strings: universal codes for integers, written to and read from bytes."""

from capacity.coding.errors import CorruptFile

GAMMA_LIMIT = 33  # significant bits of the largest gamma code that is read


def gamma(value: int) -> str:
    """Elias gamma code of an integer >= 1: as many zeros as bits follow the leading one.

    2 floor(log2 value) + 1 bits (Elias, 1975): 1 -> '1', 2 -> '010', 5 -> '00101'.
    """
    return "0" * (value.bit_length() - 1) + f"{value:b}"


def zigzag(value: int) -> int:
    """A signed integer as one >= 1, small magnitudes first: 0, -1, 1, -2, 2 -> 1, 2, 3, 4, 5."""
    return 2 * value + 1 if value >= 0 else -2 * value


def packed(bits: str) -> bytes:
    """Bits as bytes, most significant bit first, the last byte filled up with zeros."""
    length = -(-len(bits) // 8)
    return int(bits.ljust(8 * length, "0") or "0", 2).to_bytes(length, "big")


class BitReader:
    """Reads what `packed` wrote, front to back; reading past the end is a CorruptFile."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = data
        self._at = 0

    def number(self, width: int) -> int:
        """The next `width` bits as an unsigned integer; 0 for a width of 0."""
        end = self._at + width
        if end > 8 * len(self._data):
            raise CorruptFile("a table of symbol counts ends too early")
        first, behind = self._at // 8, -(-end // 8)
        window = int.from_bytes(self._data[first:behind], "big") >> (8 * behind - end)
        self._at = end
        return window & ((1 << width) - 1)

    def gamma(self) -> int:
        """The next Elias gamma code; more than GAMMA_LIMIT significant bits are refused."""
        first, offset = divmod(self._at, 8)
        chunk = self._data[first : first + 9]  # holds the longest code, wherever it begins
        left = 8 * len(chunk) - offset
        window = int.from_bytes(chunk, "big") & ((1 << left) - 1)
        zeros = left - window.bit_length()
        if zeros >= GAMMA_LIMIT:
            raise CorruptFile("a table of symbol counts holds a number that is out of range")
        width = 2 * zeros + 1
        if width > left:
            raise CorruptFile("a table of symbol counts ends too early")
        self._at += width
        return window >> (left - width)

    def zigzag(self) -> int:
        """The next signed integer, as gamma(zigzag(value))."""
        code = self.gamma()
        return code // 2 if code % 2 else -(code // 2)

    def bytes_read(self) -> int:
        """Whole bytes taken so far, the started one included."""
        return -(-self._at // 8)
