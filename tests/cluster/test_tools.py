"""What records the scalars of trials: chosen by the configuration; MLflow's runs, where it is."""

import math

import pytest

from capacity.cluster.tracking import Tracking
from capacity.config import Config, flatten


def config(**tracking):
    return Config.model_validate({"tracking": tracking, "model": {"width": 8}})


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def recorded(settings, folder):
    """Two trials, of which one fails, the other begins twice, and one scalar is no number."""
    tracking = Tracking(settings, folder, "small")
    for trial in ("mlp-w8", "mlp-w9", "mlp-w8"):
        tracking.begin(trial, settings)
    tracking.scalars("mlp-w8", {"round": 0, "test_accuracy": 0.25, "coded_size": math.nan})
    tracking.scalars("mlp-w8", {"round": 1, "test_accuracy": 0.5})
    tracking.end("mlp-w9", failed=True)
    tracking.end("mlp-w8")
    tracking.end("mlp-w8")  # its last word, once more


@pytest.mark.parametrize(("tools", "files"), [(("tensorboard",), 1), ((), 0)])
def test_tensorboard_is_the_default_and_can_be_left_out(tmp_path, tools, files):
    assert Config().tracking.tools == ("tensorboard",)
    recorded(config(tools=tools), tmp_path)
    assert len(list(tmp_path.glob("mlp-w*/events.out.tfevents*"))) == files


def test_mlflow_has_a_run_per_trial_with_its_settings_and_scalars(tmp_path):
    mlflow = pytest.importorskip("mlflow")
    settings = config(tools=("mlflow",))
    recorded(settings, tmp_path / "ray")
    recorded(settings, tmp_path / "ray")  # a sweep that goes on: the same experiment
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path / 'ray/mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("small").experiment_id])
    assert sorted((run.info.run_name, run.info.status) for run in runs) == [
        ("mlp-w8", "FINISHED"),
        ("mlp-w9", "FAILED"),
    ]
    run = next(run for run in runs if run.info.run_name == "mlp-w8")
    assert set(flatten(settings)) <= set(run.data.params)
    assert run.data.params["model.width"] in ("8", "8.0")
    assert run.data.metrics == {"round": 1, "test_accuracy": 0.5}
    history = client.get_metric_history(run.info.run_id, "test_accuracy")
    assert [(point.step, point.value) for point in history] == 2 * [(1, 0.25), (2, 0.5)]


class Away:
    """A tool whose server is not there."""

    def begin(self, trial, config):
        raise ConnectionError("nobody answers")


def test_a_tool_that_cannot_record_costs_a_sentence(tmp_path, monkeypatch):
    said = []
    tracking = Tracking(config(tools=()), tmp_path, "small", said.append)
    monkeypatch.setattr(tracking, "_tools", [Away()])
    for trial in ("mlp-w8", "mlp-w9"):
        tracking.begin(trial, config())
        tracking.scalars(trial, {"round": 0})
    tracking.close()
    assert said == ["Away records no more: nobody answers"]
