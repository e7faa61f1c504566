"""The hash of what arrays hold: of their types and shapes too, and never of what they once held."""

import hashlib

import numpy as np

from capacity.data import content

A, B = np.arange(6, dtype=np.uint8), np.ones(3, np.float32)


def test_the_hash_of_two_bytes_by_hand():
    told = b"uint8 (2,)\n\x01\x02"
    assert content(np.array([1, 2], np.uint8)) == hashlib.sha256(told).hexdigest()


def test_type_shape_values_and_order_count():
    others = [A.reshape(2, 3), A.astype(np.int8), A + 1, A[:5]]
    assert len({content(each) for each in [A, *others]}) == 5
    assert content(A, B) != content(B, A)
    assert content(A[::2]) == content(A[::2].copy())


def test_what_was_written_to_is_hashed_anew():
    array = A.copy()
    before = content(array)
    array[0] = 9
    changed = content(array)
    array.flags.writeable = False
    assert before != changed == content(array)
    array.flags.writeable = True
    array[0] = A[0]
    assert content(array) == before


def test_what_nobody_writes_to_is_read_once_and_forgotten_with_it(monkeypatch):
    array = A.copy()
    array.flags.writeable = False
    read = []
    monkeypatch.setattr(np, "ascontiguousarray", lambda a: read.append(len(a)) or a)
    assert content(array) == content(array) != content(array, B)
    assert read == [6, 3]
    key = id(array)
    del array
    from capacity.data.content import _KNOWN  # noqa: PLC0415

    assert key not in _KNOWN
