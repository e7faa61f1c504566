"""Before a search runs: whether it can, and what it will cost."""

import math
from collections.abc import Mapping

from capacity import cost
from capacity.config import Search
from capacity.cost import Estimate
from capacity.experiment import ConfigError, Experiment
from capacity.headway import duration
from capacity.search import SpaceError
from capacity.searching.hunt import space


def check(experiment: Experiment, *, local: bool) -> None:
    """Refuses what is no space, and what only the other place can do.

    Raises:
      ConfigError: in one sentence.
    """
    search = experiment.search
    assert search is not None
    if local and search.asha is not None:
        raise ConfigError("search.asha: trials are stopped early on Ray alone: without --local")
    if not local and search.inherit:
        raise ConfigError("search.inherit: parents' weights are at hand with --local alone")
    try:
        space(experiment.space)
    except SpaceError as error:
        raise ConfigError(f"sweep.{error}") from None


def plan(search: Search, ends: Mapping[str, Estimate]) -> str:
    """What the trials of a search cost, in words; `ends` are those at the ends of all axes."""
    seconds = sorted(cost.total({name: each}).seconds for name, each in ends.items())
    few, most = (duration(search.trials * each) for each in (seconds[0], seconds[-1]))
    return (
        f"\nonly the {'two trials' if len(ends) > 1 else 'trial'} at the ends of all axes "
        f"{'are' if len(ends) > 1 else 'is'} estimated, as the others are proposed as the search "
        f"goes: {search.trials} by {search.method}, if all cost as one of these, take {few} to "
        f"{most} on one core or device like this one, and a compilation each\n"
        f"naming one of {search.trials} takes {math.log2(search.trials):.2f} bits: "
        "the price of choosing the best"
    )
