"""The cache: built once, whoever asks, and never believed when it is damaged."""

import subprocess
import sys

import numpy as np
import pytest

from capacity.data import DataError
from capacity.data.cache import cached

ARRAYS = {"inputs": np.arange(4096, dtype=np.uint8), "labels": np.arange(7, dtype=np.int32)}
WORKER = """
import sys, time
from pathlib import Path
import numpy as np
from capacity.data.cache import cached

def build():
    with open(sys.argv[2], "a") as log:
        log.write("built\\n")
    time.sleep(0.5)
    return {"inputs": np.arange(1000), "count": np.asarray(10)}

arrays = cached(Path(sys.argv[1]), build)
assert arrays["inputs"].sum() == 499500 and arrays["count"] == 10
"""


def _never():
    pytest.fail("built twice")


def test_what_is_read_is_what_was_built(tmp_path):
    cached(tmp_path, lambda: ARRAYS)
    again = cached(tmp_path, _never)
    assert again.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert isinstance(again[name], np.memmap)
        assert again[name].dtype == array.dtype
        np.testing.assert_array_equal(again[name], array)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".inputs")]


@pytest.mark.parametrize("name", ["inputs.npy", "labels.npy", "index.json"])
@pytest.mark.parametrize("damage", ["truncated", "emptied", "gone", "flipped"])
def test_a_damaged_file_is_built_again(tmp_path, name, damage):
    cached(tmp_path, lambda: ARRAYS)
    path = tmp_path / name
    content = path.read_bytes()
    flipped = bytes([*content[:-2], content[-2] ^ 1, content[-1]])
    if damage == "gone":
        path.unlink()
    else:
        changed = {"truncated": content[:-1], "emptied": b"", "flipped": flipped}
        path.write_bytes(changed[damage])
    built = []
    arrays = cached(tmp_path, lambda: built.append(1) or ARRAYS)
    assert built == [1]
    np.testing.assert_array_equal(arrays["inputs"], ARRAYS["inputs"])
    assert path.read_bytes() == content


def test_a_map_that_is_open_survives_a_rebuild(tmp_path):
    before = cached(tmp_path, lambda: ARRAYS)
    (tmp_path / "index.json").unlink()
    cached(tmp_path, lambda: {name: array * 0 for name, array in ARRAYS.items()})
    np.testing.assert_array_equal(before["inputs"], ARRAYS["inputs"])


def test_an_interrupted_build_leaves_nothing_to_believe(tmp_path):
    class Cut(BaseException):
        pass

    def cut():
        raise Cut

    with pytest.raises(Cut):
        cached(tmp_path, cut)
    np.testing.assert_array_equal(cached(tmp_path, lambda: ARRAYS)["labels"], ARRAYS["labels"])


def test_of_three_processes_one_builds_and_all_read(tmp_path):
    log = tmp_path / "log"
    command = [sys.executable, "-c", WORKER, str(tmp_path / "entry"), str(log)]
    workers = [subprocess.Popen(command) for _ in range(3)]
    assert [worker.wait(timeout=60) for worker in workers] == [0, 0, 0]
    assert log.read_text() == "built\n"


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"file/entry: the decoded data set cannot be kept here .*"):
        cached(tmp_path / "file" / "entry", lambda: ARRAYS)
