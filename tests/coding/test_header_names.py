"""Names told by their difference: bytes by hand, then round trips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.coding import CorruptFile
from capacity.coding.byte_reader import ByteReader
from capacity.coding.names import NameReader, NameWriter

parts = st.sampled_from(["a", "b", "/", "9", "10", "0", "007", "é", "٣"])
names = st.lists(st.lists(parts, max_size=8).map("".join), max_size=20)


def written(names):
    writer = NameWriter()
    return [writer.encoded(name) for name in names]


def read(data):
    reader, names = ByteReader(data), NameReader()
    result = []
    while not reader.at_end():
        result.append(names.decoded(reader))
    return result


@given(names)
def test_names_come_back(names):
    assert read(b"".join(written(names))) == names


def test_bytes_by_hand():
    layers = ["w/8/b", "w/8/k", "w/9/b", "w/9/k", "w/10/b", "w/10/k"]
    # no shared bytes, five more; four shared, one more; then always: the name two before, its first
    # number up by one: 2 (4 (2 - 1) + 0) + 1
    assert written(layers) == [b"\x00\x05w/8/b", b"\x08\x01k", b"\x09", b"\x09", b"\x09", b"\x09"]
    # the second number of the name before: 2 (4 (1 - 1) + 1) + 1
    assert written(["b1.c1", "b1.c2"])[1] == b"\x03"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x02\x00", "more of the name before than there is"),
        (b"\x01", "refers to one before the first"),
        (b"\x00\x01a\x01", "a number that is not there"),
        (b"\x00\x021a\x03", "a number that is not there"),
        (b"\x00\x01\xff", "not UTF-8"),
        (b"\x00\x81\x08" + b"a" * 1025, "1025 bytes: at most 1024"),
        (b"\x00\x80\x08" + b"9" * 1024 + b"\x01", "1025 bytes: at most 1024"),
        (b"\x00\x05a", "ends too early"),
    ],
)
def test_what_no_writer_writes_is_corrupt(data, message):
    with pytest.raises(CorruptFile, match=message):
        read(data)
