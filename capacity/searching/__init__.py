"""A sweep whose trials are proposed as it goes, by what those before came to."""

from capacity.searching.desk import SearchDesk
from capacity.searching.hunt import Hunt
from capacity.searching.plan import check, plan
from capacity.searching.sweep import desk_of, run

__all__ = ["Hunt", "SearchDesk", "check", "desk_of", "plan", "run"]
