"""Which trials of a sweep train as one population: those whose programs are the same."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

from capacity.config import Alike, Config

Pack = tuple[str, ...]
"""Trials by name, in the order of the sweep."""


def packs(trials: Mapping[str, Config], workers: int = 1) -> list[Pack]:
    """The fewest packs, in the order of their first trials, that give each worker one.

    How much of a pack a device holds at once is for the worker to say, which compiles it.

    Args:
      workers: that train at the same time; with fewer programs than workers, large packs are cut.
    """
    kinds: dict[Hashable, list[str]] = {}
    alike = Alike()
    for name, config in trials.items():
        kinds.setdefault(kind(name, config, alike), []).append(name)
    most = next(iter(trials.values())).resources.pack if trials else None
    pieces = [1 if most is None else math.ceil(len(names) / most) for names in kinds.values()]
    sizes = [len(names) for names in kinds.values()]
    while sum(pieces) < min(workers, len(trials)):
        # Axes mostly ascend: of equal numbers, those of the last program take longest.
        largest = max(range(len(pieces)), key=lambda i: (sizes[i] / pieces[i], i))
        pieces[largest] += 1
    found = [
        tuple(names[len(names) * i // count : len(names) * (i + 1) // count])
        for names, count in zip(kinds.values(), pieces, strict=True)
        for i in range(count)
    ]
    order = {name: position for position, name in enumerate(trials)}
    return sorted(found, key=lambda pack: order[pack[0]])


def kind(name: str, config: Config, alike: Alike) -> Hashable:
    """Equal for trials that compile to the same training and learn the same examples.

    What is left out are arguments of the program (rates, noise of labels, sizes of training sets
    whose steps are told) and what happens between trainings.
    """
    if not config.training.on:
        return name  # Memorising has a population of its own.
    training, data, pruning = config.training, config.data, config.pruning
    clean: dict[str, Any] = {"label_noise": 0.0, "label_noise_kind": "flipped"}
    size: dict[str, Any] = {} if training.steps is None else {"train_size": None}
    # Decay alone, of Adam, is another rule than none.
    decays = training.optimizer == "adam" and training.weight_decay > 0
    rates = {"learning_rate": 1.0, "weight_decay": float(decays), "warmup_steps": 0}
    moves = None
    if pruning.during:
        moves = (pruning.method, pruning.sharing, pruning.begin, pruning.end, pruning.update_every)
    parts = (
        alike(data, **clean, **size),
        alike(config.model, **({"width": 1.0} if training.pad else {})),
        alike(training, **rates),
        alike(config.saturation),
    )
    return *map(id, parts), pruning.rewind_step, moves, config.seeds
