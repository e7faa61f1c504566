"""A trial that memorises: random labels, more and more of them, and how many bits of them stay."""

from capacity.memorising.measuring import CONTROL, Memorised, run
from capacity.memorising.task import Task, budgets, check, training_sets

__all__ = ["CONTROL", "Memorised", "Task", "budgets", "check", "run", "training_sets"]
