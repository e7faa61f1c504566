"""What the C library keeps of freed memory, given back."""

import ctypes

import psutil
import pytest

from capacity.cluster import heap

PIECE, PIECES = 64 * 1024, 3200  # 200 MB in pieces that are too small to be mapped


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="no GNU C library")
def test_gaps_go_back_to_the_system(monkeypatch):
    """Every second piece is freed: the heap cannot shrink from its end."""
    monkeypatch.setattr(heap, "SECONDS", 0.0)
    library = ctypes.CDLL(None)
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.free.argtypes = [ctypes.c_void_p]
    held, tidying = psutil.Process(), heap.Heap()
    pieces = [library.malloc(PIECE) for _ in range(PIECES)]
    for piece in pieces:
        ctypes.memset(piece, 1, PIECE)
    for piece in pieces[::2]:
        library.free(piece)
    before = held.memory_info().rss
    tidying.tidy()
    assert before - held.memory_info().rss > 0.4 * PIECE * PIECES
    for piece in pieces[1::2]:
        library.free(piece)


def test_it_is_done_now_and_then(monkeypatch):
    tidying, times = heap.Heap(), []
    monkeypatch.setattr(tidying, "_trim", times.append)
    tidying.tidy()
    assert times == []
    monkeypatch.setattr(heap, "SECONDS", 0.0)
    tidying.tidy()
    assert times == [0]


def test_another_library_has_nothing_to_do(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    monkeypatch.setattr(heap, "SECONDS", 0.0)
    heap.Heap().tidy()
