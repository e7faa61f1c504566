"""The measured capacity: random labels, more and more of them, and how many bits of them stay."""

from capacity.memorising.measuring import Memorised, run
from capacity.memorising.task import Task, budgets, check, training_sets

__all__ = ["Memorised", "Task", "budgets", "check", "run", "training_sets"]
