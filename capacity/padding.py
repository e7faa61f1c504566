"""Which trials of a grid train as parts of a wider network, so that they share its program."""

from collections.abc import Callable, Hashable, Iterable, Mapping

from capacity import data, training
from capacity.config import Alike, Config
from capacity.models import Model, build
from capacity.packing import kind
from capacity.subject import architecture, evaluations

PROGRAM = 5e11
"""Operations of a core in the time in which it compiles a program of training, about five seconds.

One number for all machines: which networks are padded decides the last digits of their rows.
"""
Trials = Mapping[str, Config]
Extra = Callable[[float, float], float]
"""Operations that padding the trials of one width to another takes; infinite if it cannot be."""


def resolved(trials: Trials) -> Trials:
    """All of them, with a width in place of `training.pad: auto`, or none.

    Of trials that differ in width only, and in what does not matter to a program, the widest takes
    up as many narrower ones as cost less than a program each; the next is the widest of the others.
    """
    alike, found = Alike(), dict(trials)
    kinds: dict[Hashable, dict[float, list[str]]] = {}
    for name, config in trials.items():
        if config.training.pad != "auto":
            continue
        found[name] = _to(config, None)
        if config.training.on and config.paddable:
            widths = kinds.setdefault(kind(name, config, alike), {})
            widths.setdefault(config.model.width, []).append(name)
    for widths in kinds.values():
        own = {width: [trials[name] for name in names] for width, names in widths.items()}
        for width, wide in _chosen(own, _extra(own)).items():
            found |= {name: _to(trials[name], wide) for name in widths[width]}
    return found


def _chosen(widths: Iterable[float], extra: Extra) -> dict[float, float]:
    """By width to which it is padded; the one that takes up others, to itself."""
    narrower = sorted(widths)
    wide, found = narrower.pop(), {}
    while narrower:
        width = narrower.pop()
        if extra(width, wide) <= PROGRAM:
            found |= {wide: wide, width: wide}
        else:
            wide = width
    return found


def _extra(widths: Mapping[float, list[Config]]) -> Extra:
    """Of trials of one kind."""
    config = next(iter(widths.values()))[0]
    dataset = data.load(**dict(config.data))
    steps = evaluations(config, len(dataset.train.labels)) * config.training.evaluate_every
    examples = steps * config.training.batch_size * config.seeds

    def network(width: float) -> Model:
        return build(architecture(config, dataset)._replace(width=width))

    def extra(width: float, wide: float) -> float:
        if training.padding(network(width), network(wide)) is None:
            return float("inf")
        more = training.products(network(wide)) - training.products(network(width))
        trainings = sum(config.pruning.trainings for config in widths[width])
        # Two operations each, in three products of every kernel a step.
        return 6.0 * more * examples * trainings

    return extra


def _to(config: Config, width: float | None) -> Config:
    changed = config.training.model_copy(update={"pad": width})
    return config.model_copy(update={"training": changed})
