"""A leaf of a hundred million weights: four times its size in memory beyond the input, no more."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import json, resource, sys
import numpy as np
from capacity.coding import decode, dequantised, encode, uniform

def peak():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

weights = np.empty((100_000, 1000), np.float32)
generator = np.random.default_rng(0)
for rows in np.split(weights, 100):
    rows[:] = generator.standard_normal(rows.shape, np.float32)
step = float(sys.argv[1])
given = peak()
leaf = uniform(weights, step) if step else weights
data = encode({"w": leaf})
encoding = peak() - given
decoded = decode(data)["w"]
decoding = peak() - given
checked = all(
    np.array_equal(decoded[rows], dequantised(leaf._replace(symbols=leaf.symbols[rows])))
    if step else np.array_equal(decoded[rows], weights[rows])
    for rows in (slice(i, i + 1000) for i in range(0, 100_000, 1000))
)
print(json.dumps([encoding, decoding, checked, len(data)]))
"""


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("step", [0.0, 0.5, 1e-5])
def test_a_hundred_million_weights(step):
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(step)],
        capture_output=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    encoding, decoding, checked, size = json.loads(run.stdout)
    assert checked
    assert size < 4e8
    assert encoding <= 4 * 4e8
    assert decoding <= 4 * 4e8
