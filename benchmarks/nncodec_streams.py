"""The peer's side of the benchmark: integers to NNCodec's streams and back.

Run by an interpreter that has NNCodec 2.1.3, numpy and nothing of this project:
python nncodec_streams.py TENSORS.npz prints a line of JSON for each of its settings.
"""

import json
import sys
import time
from itertools import product
from unittest.mock import MagicMock

import numpy as np

# What it needs of torch, torchvision and their like is only for loading data sets and networks.
sys.modules["nncodec.framework"] = MagicMock()
from nncodec import nnc  # noqa: E402 # pyright: ignore[reportMissingImports]


def main() -> None:
    with np.load(sys.argv[1]) as archive:
        tensors = {name: archive[name] for name in archive.files}
    for scan_order, row_skipping in product(range(5), (False, True)):
        began = time.process_time()
        stream = nnc.compress(
            tensors,
            bitstream_path=None,
            return_bitstream=True,
            scan_order=scan_order,
            row_skipping=row_skipping,
            use_dq=False,  # integers are coded as they are
        )
        middle = time.process_time()
        back = nnc.decompress(bytearray(stream))
        ended = time.process_time()
        for name, tensor in tensors.items():
            if not np.array_equal(back[name], tensor):
                sys.exit(f"{name}: NNCodec does not decode to what it was given")
        line = {
            "scan_order": scan_order,
            "row_skipping": row_skipping,
            "size": len(stream),
            "encode": middle - began,
            "decode": ended - middle,
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
