"""Which trials of a grid train as parts of a wider network, so that they share its program."""

from collections.abc import Hashable, Mapping

from capacity import cost, subject
from capacity.config import Alike, Config
from capacity.packing import kind

PROGRAM = 5e11
"""Operations of a core in the time in which it compiles a program of training, about five seconds.

One number for all machines: which networks are padded decides the last digits of their rows.
"""


def resolved(trials: Mapping[str, Config]) -> Mapping[str, Config]:
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
        if config.paddable:
            widths = kinds.setdefault(kind(name, config, alike), {})
            widths.setdefault(config.model.width, []).append(name)
    for widths in kinds.values():
        wide = max(widths)
        for width in sorted(widths, reverse=True)[1:]:
            if _extra(trials[widths[width][0]], wide) * len(widths[width]) > PROGRAM:
                wide = width
                continue
            for name in (*widths[wide], *widths[width]):
                found[name] = _to(trials[name], wide)
    return found


def _extra(config: Config, wide: float) -> float:
    """Operations that padding adds to a trial; infinite where it cannot be."""
    own, wider = (_to(config, width) for width in (None, wide))
    try:
        return cost.estimate(wider).operations - cost.estimate(own).operations
    except subject.TrialError:
        return float("inf")


def _to(config: Config, width: float | None) -> Config:
    training = config.training.model_copy(update={"pad": width})
    return config.model_copy(update={"training": training})
