"""A trial that takes its worker with it, each time, on a real Ray."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.ray

ROOT = Path(__file__).parents[2]
NOISE = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
KILLER = "noise0.4"  # the first of the second pack: one worker takes four trials each time
SWEEP = [
    *(sys.executable, "-m", "capacity.sweep", "configs/digits.yaml"),
    "data.train_size=80",
    "data.validation_size=40.0",
    "training.batch_size=8",
    "training.steps=40",
    "training.evaluate_every=20",
    "pruning.rounds=1",
    "coding.effort=fast",
    "curvature.examples=0",
    "prequential.epochs=0",
    "model.width=8",
    "seeds=2",
    f"resources.cpus={os.cpu_count()}",
    "name=killer",
]
# Python runs this before anything else, in the driver and in the workers that it starts.
CUSTOM = f"""
import importlib.util, os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name != "capacity.trial":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module
        def exec_module(module):
            load(module)
            run = module.run
            def killing(config, trial, *rest):
                if trial.endswith({KILLER!r}):
                    os.kill(os.getpid(), signal.SIGKILL)
                return run(config, trial, *rest)
            module.run = killing
        spec.loader.exec_module = exec_module
        return spec

sys.meta_path.insert(0, Finder())
"""


@pytest.mark.long
@pytest.mark.timeout(600)
def test_what_kills_its_worker_is_found_and_ended_alone(tmp_path):
    """Its pack goes on without it, and all other rows are those of one process."""
    (tmp_path / "sitecustomize.py").write_text(CUSTOM)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    noise = f"data.label_noise={NOISE}"
    ray = subprocess.run(
        [*SWEEP, noise, "--results", str(tmp_path / "ray")],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.PIPE, text=True,
        timeout=400, check=False,
    )  # fmt: skip
    told = [line for line in ray.stderr.splitlines() if KILLER in line and "worker died" in line]
    assert len(told) == 1, ray.stderr
    assert "its worker died, and 3 that took over" in told[0]
    assert ray.returncode == 1, ray.stderr
    others = [rate for rate in NOISE if f"noise{rate}" != KILLER]
    subprocess.run(
        [*SWEEP, f"data.label_noise={others}", "--local", "--results", str(tmp_path / "local")],
        cwd=ROOT, stderr=subprocess.PIPE, timeout=300, check=True,
    )  # fmt: skip
    tables = [tmp_path / place / "killer" / "networks.csv" for place in ("ray", "local")]
    assert tables[0].read_bytes() == tables[1].read_bytes()
