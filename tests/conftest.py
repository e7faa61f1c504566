"""Every test runs as the program does, but stricter: with its threads and its compile cache.

Annotations are checked as the code runs, arrays of different types or ranks do not mix silently,
and the user's cache is out of reach.
"""

import os
import sys
import tempfile

import pytest
from jaxtyping import install_import_hook

_cache = tempfile.TemporaryDirectory(prefix="capacity-tests-")
os.environ |= {
    "CAPACITY_CACHE_DIR": _cache.name,
    # Numba's own does not see that a function changed in the module next door.
    "NUMBA_CACHE_DIR": _cache.name,
    "JAX_NUMPY_DTYPE_PROMOTION": "strict",
    "JAX_NUMPY_RANK_PROMOTION": "raise",
}

from capacity.device import environment, make_room  # noqa: E402 - the cache is in the environment now

os.environ |= environment()

# JAX reads its variables when it is imported, which the hook does, so the hook comes last, and what
# was imported without it is imported anew.
for name in [name for name in sys.modules if name.partition(".")[0] == "capacity"]:
    del sys.modules[name]
# The rooms of arrays; `coding` is not among them, as a check per coded bit takes minutes in all.
ROOMS = (
    "data",
    "models",
    "training",
    "criteria",
    "lottery",
    "information",
    "theory",
    "saturation",
    "pruning",
    "search",
)
install_import_hook([f"capacity.{room}" for room in ROOMS], "beartype.beartype")


@pytest.fixture(autouse=True, scope="module")
def _room():
    """The whole suite compiles more programs than one process can hold."""
    yield
    make_room(share=0.25)
