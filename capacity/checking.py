"""What a user can mend, told before anything runs, and in one sentence."""

import sys
from collections.abc import Hashable
from importlib.util import find_spec

from capacity.config import Alike, Config
from capacity.experiment import ConfigError, Experiment


def check(experiment: Experiment, *, local: bool) -> None:
    """Refuses at once what a trial would refuse after the ones before it have run for hours."""
    from capacity import memorising, subject  # noqa: PLC0415

    if not local:
        _tools(experiment.base)
    for name, config in unlike(experiment).items():
        try:
            if config.training.on:
                subject.check(config)
            if config.memorising.on:
                memorising.check(config)
        except mistakes() as error:
            raise ConfigError(f"{name}: {error}") from None
    if experiment.search is not None:
        from capacity import searching  # noqa: PLC0415

        searching.check(experiment, local=local)


def unlike(experiment: Experiment) -> dict[str, Config]:
    """The trials that differ in more than the rates of their training: one that can run speaks
    for all others."""
    found, alike = {}, Alike()
    for name, config in experiment.trials.items():
        found.setdefault(_shape(config, alike), (name, config))
    return dict(found.values())


def _shape(config: Config, alike: Alike) -> Hashable:
    """Equal for trials of one experiment, whose equal sections are the same object."""
    aside = {"learning_rate": 1.0, "weight_decay": 0.0} if config.training.on else {}
    training = alike(config.training, **aside)
    return tuple(map(id, {**vars(config), "training": training}.values()))


def _tools(config: Config) -> None:
    if "mlflow" in config.tracking.tools and find_spec("mlflow") is None:
        raise ConfigError(
            "tracking.tools = mlflow: MLflow is not installed; `pip install -e '.[mlflow]'` does"
        )


def mistakes() -> tuple[type[Exception], ...]:
    """What a user can mend: told in a sentence, without a traceback."""
    kinds: list[type[Exception]] = [ConfigError]
    for module, names in {
        "capacity.store": ["StoreError"],
        "capacity.data.dataset": ["DataError"],
        "capacity.models.model": ["ModelError"],
        "capacity.subject": ["TrialError"],
        "capacity.cluster": ["ClusterError"],
    }.items():
        if module in sys.modules:
            kinds += [getattr(sys.modules[module], name) for name in names]
    return tuple(kinds)
