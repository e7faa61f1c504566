"""Named streams of random numbers: a new consumer takes a new name and moves no other."""

import hashlib

import numpy as np


def stream(seed: int, name: str) -> np.random.Generator:
    """A generator that depends on `seed` and `name` alone, and is the same in every process."""
    words = np.frombuffer(hashlib.sha256(name.encode()).digest()[:16], dtype="<u4")
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=words.tolist()))
