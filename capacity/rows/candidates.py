"""Rows of a search: which trial was proposed when, and by what."""

from dataclasses import dataclass

from capacity.rows.columns import column


@dataclass(frozen=True, kw_only=True)
class CandidateRow:
    """One trial of a search, as it was proposed.

    A failed trial has no row, but a number that is left out; one that was stopped early has no row
    in other tables.
    """

    trial: str = column("", "", "readable identifier of the trial")
    number: int = column("", "", "how many trials were proposed before it")
    parent: str | None = column(
        "", "", "evolution: the trial that it is a mutation of; empty where it was drawn"
    )
    inherited: bool = column("", "", "whether it started from that trial's weights")
    point: str = column("", "", "what the search chose, as JSON")
    stopped: str | None = column(
        "", "", "where and by what it was ended for being worse than others; empty where it was not"
    )
