"""What records the scalars of trials: chosen by the configuration; MLflow's runs, where it is."""

import os
from types import SimpleNamespace

import pytest

from capacity.cluster.tracking import callbacks
from capacity.config import Config, flatten


def trials(**tracking):
    return {"mlp-w8": Config.model_validate({"tracking": tracking, "model": {"width": 8}})}


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setenv("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.mark.parametrize(("tools", "off"), [(("tensorboard",), "0"), ((), "1")])
def test_tensorboard_is_the_default_and_can_be_left_out(tmp_path, tools, off):
    assert Config().tracking.tools == ("tensorboard",)
    assert callbacks(trials(tools=tools), {}, tmp_path, "small") == []
    assert os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] == off


def test_mlflow_has_a_run_per_trial_with_its_settings_and_scalars(tmp_path):
    mlflow = pytest.importorskip("mlflow")
    known = trials(tools=("tensorboard", "mlflow"))
    (runs,) = callbacks(known, {}, tmp_path / "ray", "small")

    class Trial(SimpleNamespace):
        __hash__ = object.__hash__

        def __str__(self):
            return self.config["trial"]

    trial = Trial(config={"trial": "mlp-w8"})
    runs.setup()
    runs.log_trial_start(trial)
    runs.log_trial_result(1, trial, {"test_accuracy": 0.5, "training_iteration": 1})
    runs.log_trial_end(trial)
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path / 'ray/mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("small").experiment_id])
    assert (run.info.run_name, run.info.status) == ("mlp-w8", "FINISHED")
    assert set(flatten(known["mlp-w8"])) <= set(run.data.params)
    assert run.data.params["model.width"] in ("8", "8.0")
    assert run.data.metrics["test_accuracy"] == 0.5
