"""Settings that say nothing, since what they are of is switched off: told, so that none is lost."""

from collections.abc import Iterator

from capacity.config.pruning import HABITS
from capacity.config.schema import Config
from capacity.config.section import Section

_OF_NETWORKS = ("training", "pruning", "saturation", "coding", "curvature", "prequential")


def idle(config: Config) -> list[str]:
    """A sentence for each part that is off although keys of it are not at their defaults."""
    said = []
    if not config.training.on:
        of = ("epochs", "steps")
        keys = [k for k in _changed(config, _OF_NETWORKS) if k.rpartition(".")[2] not in of]
        said.append(_sentence(keys, "training.epochs or training.steps = 0 trains no network"))
        if config.memorising.inputs != "data":
            drawn = ("data.train_size", "data.label_noise", "data.label_noise_kind", "data.inputs")
            keys = [key for key in _changed(config, ("data",)) if key in drawn]
            said.append(_sentence(keys, "memorising.inputs = gaussian takes the shape alone"))
    elif not config.prequential.on:
        said.append(_sentence(_changed(config, ("prequential",)), "prequential.epochs = 0"))
    if config.training.on:
        said += _of_pruning(config)
    if config.training.on and not config.saturation.examples:
        said.append(_sentence(_changed(config, ("saturation",)), "saturation.examples = 0"))
    if not config.memorising.on:
        said.append(_sentence(_changed(config, ("memorising",)), "memorising.loads is empty"))
    return list(filter(None, said))


def _of_pruning(config: Config) -> Iterator[str]:
    settings, changed = config.pruning, set(_changed(config, ("pruning",)))

    def told(names: tuple[str, ...], reason: str) -> str:
        return _sentence([key for name in names if (key := f"pruning.{name}") in changed], reason)

    if settings.rounds == 0:
        yield _sentence(sorted(changed), "pruning.rounds = 0 prunes nothing")
        return
    if settings.timing not in ("gradual", "dynamic"):
        yield told(("begin", "end", "update_every"), f"schedule {settings.timing} moves no mask")
    if settings.timing != "dynamic":
        yield told(("exchange",), f"schedule {settings.timing} exchanges no weights")
    if settings.rewind != "fine-tuning":
        yield told(("finetune_rate",), f"rewind {settings.rewind} starts at the whole rate")
    if not HABITS[settings.method].examples:
        yield told(("examples",), f"method {settings.method} looks at no examples")
    if settings.pattern is not None:
        yield told(("rate", "least"), f"pattern {settings.pattern} says what stays")


_USUAL = Config()


def _changed(config: Config, sections: tuple[str, ...]) -> list[str]:
    return [key for name in sections for key in _differences(name, getattr(config, name))]


def _differences(name: str, section: Section) -> Iterator[str]:
    usual = getattr(_USUAL, name)
    return (f"{name}.{key}" for key, value in section if value != getattr(usual, key))


def _sentence(keys: list[str], reason: str) -> str:
    return f"{', '.join(keys)}: without effect, as {reason}" if keys else ""
