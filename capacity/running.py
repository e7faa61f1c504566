"""Trials run, in this process or on Ray, and what they report laid on a desk."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from capacity import device
from capacity.config import Config
from capacity.packing import packs

if TYPE_CHECKING:
    from capacity.cluster import Asked
    from capacity.desk import Desk


class Place(NamedTuple):
    """Where trials run.

    Attributes:
      local: in this process, without Ray.
      address: of a Ray cluster to join; None starts one.
      folder: of the experiment.
      variables: of the environment of workers.
    """

    local: bool
    address: str | None
    folder: Path
    variables: Mapping[str, str]


def run(trials: Mapping[str, Config], desk: "Desk", place: Place) -> None:
    """Runs them all."""
    if place.local:
        here(trials, desk)
    elif trials:
        on_ray(trials, desk, place)


def here(
    trials: Mapping[str, Config], desk: "Desk", start: Mapping[str, Any] | None = None
) -> None:
    """Runs them in this process, pack after pack, from weights to `start` from if given."""
    from capacity import together  # noqa: PLC0415

    for pack in packs(trials):
        members = {name: trials[name] for name in pack}
        for name, said in together.run(members, desk.progress, desk.continuation, start):
            if not isinstance(said, Exception):
                desk.outcome(name, said)
            elif isinstance(said, ArithmeticError | ValueError | RuntimeError | MemoryError):
                desk.failed(name, f"{type(said).__name__}: {said}")
            else:
                raise said
        device.make_room()


def on_ray(
    trials: Mapping[str, Config], desk: "Desk", place: Place, asked: "Asked | None" = None
) -> None:
    """Runs as many at once as Ray holds; in place of `trials`, those that `asked` proposes."""
    if place.address is None:
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # Listen on loopback only.
    from capacity import cluster, data  # noqa: PLC0415

    data.forget()  # The workers have their own.
    resources = next(iter(trials.values())).resources
    with cluster.connected(place.address, resources, place.variables) as dashboard:
        if dashboard.directions:
            desk.board.say(f"dashboard: {dashboard.directions}")
            desk.board.say(f"live table: {dashboard.table}")
        cluster.run(
            trials,
            dashboard,
            place.folder / "ray",
            place.folder.name,
            progress=desk.progress,
            outcome=desk.outcome,
            failed=desk.failed,
            continuation=desk.continuation,
            asked=asked,
        )
