"""A few thousand mutated files; `python -m benchmarks.fuzz` has a hundred thousand."""

import numpy as np
import pytest

from benchmarks.fuzz import DAMAGE, MUTATIONS, SLOW, files, fuzzed


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutated_file_is_refused_or_is_the_same_weights(mutation):
    generator = np.random.default_rng(1)
    outcomes = fuzzed(files(generator), MUTATIONS[mutation], 500, generator)
    assert not outcomes.failed
    assert outcomes.slowest < SLOW
    assert outcomes.refused + outcomes.same + outcomes.other == 500
    if mutation in DAMAGE:  # no checksum was forged
        assert outcomes.other == 0
