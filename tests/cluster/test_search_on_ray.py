"""A search on Ray: trials are proposed as others end, told of, resumed, and stopped early."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from capacity import store, sweep

pytestmark = pytest.mark.ray

ROOT = Path(__file__).parents[2]
CONFIG = """
training: {steps: 4, evaluate_every: 2, batch_size: 8}
data: {train_size: 80, validation_size: 40.0}
curvature: {examples: 0}
coding: {effort: fast}
seeds: 2
search: {method: tpe, trials: 4, startup: 2, at_once: 1}
sweep:
  model.width: [2, 3]
  training.learning_rate: {low: 1.0e-3, high: 1.0e-1, log: true}
"""


def on_ray(folder, *overrides):
    command = [sys.executable, "-m", "capacity.sweep", str(folder / "s.yaml"), *overrides]
    return subprocess.run(
        [*command, "--results", str(folder)],
        cwd=ROOT,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def test_one_trial_at_a_time_gives_the_rows_of_this_process(tmp_path):
    (tmp_path / "s.yaml").write_text(CONFIG)
    ended = on_ray(tmp_path, "name=ray")
    assert ended.returncode == 0, ended.stderr
    arguments = [str(tmp_path / "s.yaml"), "name=here", "--local", "--results", str(tmp_path)]
    assert sweep.main(arguments) == 0
    for table in ("candidates", "networks", "ledger"):
        ray, here = (tmp_path / name / f"{table}.csv" for name in ("ray", "here"))
        assert ray.read_bytes() == here.read_bytes()
    assert sorted(store.read(tmp_path / "ray").candidates["number"]) == [0, 1, 2, 3]


def test_a_search_that_began_in_this_process_goes_on_on_ray(tmp_path, monkeypatch):
    """Behind the round that its third trial had on the disk, with the rows of one in one go."""
    (tmp_path / "s.yaml").write_text(CONFIG)
    rounds = "pruning.rounds=1"
    arguments = [str(tmp_path / "s.yaml"), rounds, "--local", "--results", str(tmp_path)]
    assert sweep.main([*arguments, "name=whole"]) == 0
    written, count = store.Store.write_trial, itertools.count()

    def write(self, *args, **kwargs):
        if next(count) == 2:
            raise KeyboardInterrupt
        written(self, *args, **kwargs)

    monkeypatch.setattr(store.Store, "write_trial", write)
    assert sweep.main([*arguments, "name=parts"]) == 130
    (begun,) = [path.name for path in (tmp_path / "parts/trials/.rounds").iterdir()]
    ended = on_ray(tmp_path, rounds, "name=parts", "--resume")
    assert ended.returncode == 0, ended.stderr
    assert f"{begun}  round 1" in ended.stderr
    assert f"{begun}  round 0" not in ended.stderr
    for table in ("candidates", "networks", "ledger"):
        whole, parts = (tmp_path / name / f"{table}.csv" for name in ("whole", "parts"))
        assert whole.read_bytes() == parts.read_bytes()


@pytest.mark.long
def test_a_trial_that_is_worse_at_a_rung_is_stopped(tmp_path):
    """Trials of fifteen seconds each; the better half of those at a rung go on."""
    text = CONFIG.replace("tpe, trials: 4, startup: 2", "random, trials: 4")
    (tmp_path / "s.yaml").write_text(text)
    long = ["training.steps=1000000", "training.evaluate_every=5000"]
    early = ["search.asha=validation_loss", "search.asha_steps=10000", "search.asha_factor=2"]
    ended = on_ray(tmp_path, *long, *early)
    assert ended.returncode == 0, ended.stderr
    assert " stopped early at step " in ended.stderr
    assert "Unhandled" not in ended.stderr
    kept = store.read(tmp_path / "s")
    assert len(kept.candidates) == 4
    stopped = kept.candidates.dropna(subset=["stopped"])
    assert len(stopped) == ended.stderr.count(" stopped early at step ")
    assert stopped["stopped"].str.fullmatch(r"at step \d+ of 1000000 by validation_loss").all()
    assert not set(stopped["trial"]) & set(kept.networks["trial"])
    assert f"{len(stopped)} were stopped early" in ended.stdout


def test_what_only_one_place_can_do_is_refused_in_the_other(tmp_path, capsys):
    (tmp_path / "s.yaml").write_text(CONFIG)
    place = ["--results", str(tmp_path / "r")]
    arguments = [str(tmp_path / "s.yaml"), "search.asha=validation_loss", "--local", *place]
    assert sweep.main(arguments) == 2
    assert "search.asha: trials are stopped early on Ray alone" in capsys.readouterr().err
    (tmp_path / "s.yaml").write_text(
        CONFIG.replace("tpe, trials: 4, startup: 2", "evolution, inherit: true")
    )
    assert sweep.main([str(tmp_path / "s.yaml"), *place]) == 2
    assert "search.inherit: parents' weights are at hand" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ("{asha_steps: 5}", "search: asha_steps says nothing without asha"),
        ("{asha: x, asha_factor: 1}", "search.asha_factor = 1: must be greater than or equal to 2"),
        ("{asha: x, asha_best: low}", "search.asha_best = low: must be 'lowest' or 'highest'"),
    ],
)
def test_a_mistake_about_asha_is_one_sentence(search, said, tmp_path, capsys):
    (tmp_path / "s.yaml").write_text(f"search: {search}\nsweep: {{model.width: [2, 3]}}")
    assert sweep.main([str(tmp_path / "s.yaml"), "--results", str(tmp_path / "r")]) == 2
    assert capsys.readouterr().err.strip().endswith(said)
