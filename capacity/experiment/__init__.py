"""A YAML file and `key=value` overrides as an `Experiment`: named trials of a grid or search."""

from capacity.experiment.loading import load
from capacity.experiment.mistakes import ConfigError
from capacity.experiment.trials import Experiment

__all__ = ["ConfigError", "Experiment", "load"]
