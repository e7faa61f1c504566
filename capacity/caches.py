"""Where things are kept between runs; imports nothing that reads the environment when it loads."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Where decoded data, cards of data sets and compiled programs are kept between runs."""
    return Path(os.environ.get("CAPACITY_CACHE_DIR") or "~/.cache/capacity").expanduser()
