"""A search from its first trial, or from those on the disk, to its last."""

from collections.abc import Callable

from capacity import running
from capacity.board import Board
from capacity.experiment import Experiment
from capacity.running import Place
from capacity.searching.desk import SearchDesk
from capacity.searching.hunt import Hunt
from capacity.store import Store


def desk_of(experiment: Experiment, store: Store, say: Callable[[str], object]) -> SearchDesk:
    """A desk that knows what is on the disk; `say` is told how much."""
    search, done = experiment.search, len(store.finished())
    assert search is not None
    known = f", {done} of them on disk" if done else ""
    say(
        f"{experiment.name}: {search.trials} trials by {search.method}{known}, "
        f"results in {store.folder}"
    )
    board = Board(search.trials, done)
    return SearchDesk(store, board, search, Hunt(experiment, store, board.say))


def run(experiment: Experiment, desk: SearchDesk, place: Place) -> None:
    """Runs what the search proposes: one trial after the other here, or as many as Ray holds."""
    if place.local:
        while (candidate := desk.next()) is not None:
            running.here({candidate.trial: candidate.config}, desk, candidate.start)
    elif desk.left > 0:
        running.on_ray(experiment.trials, desk, place, desk)
