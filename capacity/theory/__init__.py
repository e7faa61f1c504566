"""What an architecture could hold, from its shape alone."""

from capacity.theory.memory import memory_equivalent_capacity

__all__ = ["memory_equivalent_capacity"]
