"""What can be wrong with what a person asks of pruning."""


class PruningError(ValueError):
    """A sparsity, schedule, allocation or pattern that cannot be had, in one sentence."""
