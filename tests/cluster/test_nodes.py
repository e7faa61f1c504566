"""A cluster of several nodes on this machine, one of which is lost in the middle of a sweep."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ray.cluster_utils import Cluster

pytestmark = pytest.mark.ray

ROOT = Path(__file__).parents[2]
SWEEP = [
    *(sys.executable, "-m", "capacity.sweep", "configs/digits.yaml"),
    "data.train_size=80",
    "data.validation_size=40.0",
    "training.batch_size=8",
    "training.steps=400",
    "training.evaluate_every=100",
    "pruning.rounds=4",
    "coding.effort=fast",
    "curvature.examples=0",
    "prequential.epochs=0",
    "model.width=8",
    "data.label_noise=[0.0,0.1,0.2]",
    "seeds=2",
    "name=lost",
]
TABLES = ("networks.csv", "layers.csv", "ledger.csv", "curves.parquet")


def run(*more, **options):
    return subprocess.Popen(
        [*SWEEP, *map(str, more)], cwd=ROOT, stderr=subprocess.PIPE, text=True, **options
    )


@pytest.fixture
def cluster():
    """A head without cores and two nodes of one core each, as raylets of their own."""
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        lost, kept = (nodes.add_node(num_cpus=1) for _ in range(2))
        yield nodes, lost, kept
    finally:
        nodes.shutdown()


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Tables of the same sweep in one process."""
    folder = tmp_path_factory.mktemp("alone")
    local = run("--local", "--results", folder)
    _, said = local.communicate(timeout=300)
    assert local.returncode == 0, said
    return {table: (folder / "lost" / table).read_bytes() for table in TABLES}


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_lost_node_costs_no_row_and_no_finished_round(cluster, alone, tmp_path):
    """Its trial goes on where it was, on the other node; all rows are those of one process."""
    nodes, lost, _ = cluster
    driver = run("--address", nodes.address, "--results", tmp_path / "nodes", env=os.environ)
    rounds = tmp_path / "nodes/lost/trials/.rounds"
    deadline = time.monotonic() + 300
    # Until a trial on each node has rounds behind it.
    while len(list(rounds.glob("*/000001"))) < 2 and time.monotonic() < deadline:
        assert driver.poll() is None, driver.communicate()[1]
        time.sleep(0.01)
    nodes.remove_node(lost, allow_graceful=False)
    _, said = driver.communicate(timeout=400)
    assert driver.returncode == 0, said
    for table in TABLES:
        assert (tmp_path / "nodes/lost" / table).read_bytes() == alone[table]
    for trial in ("noise0.0", "noise0.1", "noise0.2"):
        for number in range(5):
            told = [line for line in said.splitlines() if f"{trial}  round {number}," in line]
            assert len(told) == 1, said


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_driver_killed_three_times_leaves_a_sweep_to_resume(cluster, alone, tmp_path):
    """SIGKILL at three moments; no round that was on the disk by then is trained again."""
    nodes, *_ = cluster
    draw, told = random.Random(0), []
    trials = tmp_path / "lost/trials"
    for _ in range(3):
        before = kept(trials)
        driver = run("--address", nodes.address, "--resume", "--results", tmp_path)
        wanted = len(before) + draw.randint(1, 4)
        deadline = time.monotonic() + 200
        while len(kept(trials)) < wanted and time.monotonic() < deadline and driver.poll() is None:
            time.sleep(0.01)
        time.sleep(draw.random())
        driver.kill()
        _, said = driver.communicate(timeout=60)
        told.append((before, said))
    before = kept(trials)
    driver = run("--address", nodes.address, "--resume", "--results", tmp_path)
    _, said = driver.communicate(timeout=400)
    assert driver.returncode == 0, said
    for table in TABLES:
        assert (tmp_path / "lost" / table).read_bytes() == alone[table]
    for done, lines in [*told, (before, said)]:
        for trial, number in done:
            assert f"{trial}  round {number}," not in lines


def kept(trials):
    """Rounds on the disk: (trial, round)."""
    rounds = {(p.parent.name, int(p.name)) for p in (trials / ".rounds").glob("*/[0-9]*")}
    whole = {p.name for p in trials.glob("[!.]*")} if trials.is_dir() else set()
    return rounds | {(trial, number) for trial in whole for number in range(5)}
