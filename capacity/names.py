"""Names with numbers in them, in the order that a person expects."""

import re


def natural(name: str) -> tuple[list, str]:
    """A sorting key that puts w16 before w128, n0.05 before n0.2 and layers/2 before layers/10."""
    parts = re.split(r"(\d+(?:\.\d+)?)", name)
    return [float(part) if i % 2 else part for i, part in enumerate(parts)], name
