"""The whole line: a configuration to tables, files and figures, and every mistake to a sentence."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from capacity import checking, store, sweep
from capacity.coding import decode
from tests import watcher

ROOT = Path(__file__).parent.parent
COMMAND = [sys.executable, "-m", "capacity.sweep", "configs/digits.yaml"]
TINY = [
    "data.train_size=80",
    "data.validation_size=40.0",
    "training.steps=4",
    "training.evaluate_every=2",
    "training.batch_size=8",
    "pruning.rounds=1",
    "seeds=2",
]
SMALL = ["model.width=8", "data.label_noise=0.0", *TINY]
TWO_TRIALS = [
    *SMALL,
    "data.label_noise=[0.0,0.2]",
    "name=small",
    "pruning.controls=[reinitialised]",
]
NEEDS = {
    "digits": None,
    "mlp": "mnist",
    "lottery": "mnist",
    "cnn": "fashion_mnist",
    "capacity": None,
    "controls": None,
    "conv2": "fashion_mnist",
    "mnist": "mnist",
    "pruning": "mnist",
    "large-sparse": "mnist",
    "search": None,
}


def run(config, *overrides, results, flags=("--local",)):
    return sweep.main([str(config), *overrides, *flags, "--results", str(results)])


def resume(results):
    flags = ("--local", "--resume")
    return run(ROOT / "configs/digits.yaml", *TWO_TRIALS, results=results, flags=flags)


def prepared(name):
    return (Path(os.environ.get("TFDS_DATA_DIR", "")) / name).is_dir()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A small experiment of two trials, run once in this process."""
    results = tmp_path_factory.mktemp("results")
    assert run(ROOT / "configs/digits.yaml", *TWO_TRIALS, results=results) == 0
    return results / "small"


def test_every_config_is_a_document():
    for path in sorted((ROOT / "configs").glob("*.yaml")):
        head = path.read_text().split("\n\n")[0]
        lines = [line for line in path.read_text().splitlines() if line.startswith("#")]
        text = "\n".join(lines)
        assert "?" in text, f"{path.name} opens with no question"
        for part in ("python -m capacity.sweep", "Cost:", "Expect:"):
            assert part in text, f"{path.name} does not say: {part}"
        assert head.startswith("#")
        assert path.stem in NEEDS, f"{path.name} is not run by any test"


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_every_config_runs_at_tiny_size(name, tmp_path):
    """On its own data where TFDS_DATA_DIR has them; the architectures on digits otherwise."""
    overrides = [] if name == "capacity" else list(TINY)
    needed = NEEDS[name]
    if needed and not prepared(needed):
        pytest.skip(f"{needed} is not in TFDS_DATA_DIR")
    if name == "cnn":
        overrides += ["model.family=lenet5", "model.width=[0.1,0.2]"]
    if name == "mlp":
        overrides += ["model.width=12", "model.depth=[2,3]", "data.label_noise=[0.0,0.2]"]
    if name in ("mnist", "pruning", "large-sparse"):
        overrides += ["model.width=12", "pruning.update_every=1"]
    if name == "controls":
        overrides += ["model.width=8"]
    if name == "digits":
        overrides += ["model.width=[4,8]", "data.label_noise=0.1"]
    if name == "search":
        overrides += ["search.trials=3", "search.startup=2", "model.depth=[1,2]"]
    if name == "capacity":
        overrides += ["memorising.steps=20", "seeds=2", "model.width=4"]
    assert run(ROOT / f"configs/{name}.yaml", *overrides, results=tmp_path) == 0
    results = store.read(tmp_path / name)
    assert results.networks.empty == (name == "capacity")
    assert (results.networks.coded_size > 0).all()
    assert (results.networks.coded_test_accuracy >= 0).all()
    for figure in (tmp_path / name / "figures").glob("*.png"):
        assert figure.stat().st_size > 1000


def test_a_row_for_every_network_and_a_file_for_every_row(finished):
    networks = store.read(finished).networks
    # 2 noise levels x 2 seeds x (dense, ticket, control).
    assert len(networks) == 2 * 2 * 3
    assert networks.groupby(["trial", "seed"]).size().eq(3).all()
    for row in networks.itertuples():
        mark = "" if row.control == "ticket" else f"-{row.control}"
        file = finished / "trials" / row.trial / f"s{row.seed}-r{row.round}{mark}.cap"
        assert file.stat().st_size == row.coded_size
        decoded = decode(file.read_bytes())
        assert sum(w.size for w in decoded.values()) == row.parameters


def test_pruned_weights_are_zero_in_the_file_that_is_reported(finished):
    networks = store.read(finished).networks
    row = networks[(networks["round"] == 1) & (networks.control == "ticket")].iloc[0]
    file = finished / "trials" / row.trial / f"s{row.seed}-r1.cap"
    nonzero = sum(int(np.count_nonzero(w)) for w in decode(file.read_bytes()).values())
    assert nonzero <= row.remaining


def test_size_and_entropy_bound_each_other(finished):
    networks = store.read(finished).networks
    assert (networks.weight_bits <= 8 * networks.coded_size).all()
    layers = store.read(finished).layers
    sums = layers.groupby(["trial", "seed", "round", "control"]).coded_size.sum().to_numpy()
    assert (sums <= networks.sort_values(["trial", "seed", "round", "control"]).coded_size).all()


def test_measures_of_the_weights_agree_with_one_another(finished):
    networks, layers = store.read(finished).networks, store.read(finished).layers
    labels = networks.train_size * networks.coded_train_loss
    np.testing.assert_allclose(networks.two_part_bits, 8 * networks.coded_size + labels)
    assert (networks.message_bits > 8 * networks.coded_size).all()
    assert networks.error_bound.between(1 - networks.coded_train_accuracy, 1).all()
    # Four steps move weights by little: they are what they were drawn as, and Gaussian.
    kernels = layers[layers.tensor.str.endswith("kernel") & (layers["round"] == 0)]
    assert kernels.plain_entropy_over_initial.abs().max() < 0.2
    assert kernels.plain_entropy_over_gaussian.abs().max() < 0.2
    assert (networks.effective_parameters > 0).all()
    assert (networks.effective_parameters < networks.remaining).all()
    assert (8 * layers.coded_size > 0.8 * layers["size"] * layers.context_entropy).all()


def test_label_bits_and_noise_floor_by_hand(finished):
    networks = store.read(finished).networks
    noisy = networks[networks.label_noise == 0.2].iloc[0]
    # h_b(0.2) + 0.2 log2 9 = 1.355918 bits per example (information.md, 1.1); 80 examples.
    assert noisy.noise_floor == pytest.approx(80 * 1.355918, abs=1e-3)
    assert networks[networks.label_noise == 0].noise_floor.isna().all()
    assert (networks.label_bits <= 80 * np.log2(10)).all()


def test_the_same_config_gives_the_same_rows_with_figures_and_without(finished, tmp_path):
    options = [*TWO_TRIALS, "--no-report"]
    assert run(ROOT / "configs/digits.yaml", *options, results=tmp_path) == 0
    assert (finished / "report.html").exists()
    assert not (tmp_path / "small" / "report.html").exists()
    for table in ("networks.csv", "layers.csv", "curves.parquet"):
        assert (tmp_path / "small" / table).read_bytes() == (finished / table).read_bytes()


def test_resume_adds_only_what_is_missing(finished, tmp_path, capsys):
    copy = shutil.copytree(finished, tmp_path / "small")
    before = (copy / "networks.csv").read_bytes()
    gone = sorted((copy / "trials").glob("digits*"))[0]
    shutil.rmtree(gone)
    (copy / "trials.csv").unlink()
    assert resume(tmp_path) == 0
    assert "1 of them on disk" in capsys.readouterr().out
    assert (copy / "networks.csv").read_bytes() == before


def test_a_diverging_network_is_a_row_with_empty_measures(tmp_path):
    overrides = [*SMALL, "training.learning_rate=1e38", "training.optimizer=sgd", "name=lost"]
    assert run(ROOT / "configs/digits.yaml", *overrides, results=tmp_path) == 0
    networks = store.read(tmp_path / "lost").networks
    assert networks.diverged.all()
    assert networks.test_accuracy.isna().all()
    assert networks.coded_size.isna().all()


def test_dry_run_prints_trials_compilations_and_cost_and_writes_nothing(tmp_path, capsys):
    flags = ("--dry-run", "--local")
    assert run(ROOT / "configs/digits.yaml", results=tmp_path, flags=flags) == 0
    printed = capsys.readouterr().out
    assert "digits-mlp-w16-noise0.2" in printed
    # Three widths; label noise changes no shape. A code is one more network a seed, and a program.
    assert "6 trials, 192 trainings, 6 compilations" in printed
    assert "naming one of them takes 2.58 bits" in printed  # log2 6
    assert list(tmp_path.iterdir()) == []


def test_help_lists_every_key_with_type_default_and_meaning(capsys):
    with pytest.raises(SystemExit) as stop:
        sweep.main(["--help"])
    assert stop.value.code == 0
    printed = capsys.readouterr().out
    assert "training.optimizer (sgd|adam|adamw) [adam]" in printed
    assert "data.train_size (int|null) [null]" in printed


MISTAKES = {
    "misspelt key": (["training.epoch=3"], "did you mean 'training.epochs'?"),
    "wrong type": (["training.steps=many"], "training.steps = many: must be a valid integer"),
    "empty axis": (["model.width=[]"], "must be a list of at least one value"),
    "width 0": (["model.width=0"], "model.width = 0: must be greater than 0"),
    "one class": (["data.classes=[3]"], "class"),
    "batch above data": (["data.train_size=20"], "training.batch_size = 32"),
    "unknown data set": (["data.name=mnits"], "mnist"),
    "images too small": (["model.family=lenet5", "model.depth=null"], "too small"),
    "momentum that adam has not": (["training.momentum=0.9"], "momentum is not an option of adam"),
    "training on one class": (["data.train_size=1", "training.batch_size=1"], "all of one class"),
    "an axis of resources": (["resources.cpus=[1,2]"], "resources are those of all trials"),
    "an axis of tracking": (
        ["tracking.mlflow_uri=[a,b]"],
        "settings of tracking are those of all trials",
    ),
    "a storage path that is an axis": (
        ["storage_path=[a,b]"],
        "settings of storage_path are those of all trials",
    ),
    "no file system": (["storage_path=s4://bucket"], "no file system s4://; known are folders, "),
    "an empty storage path": (
        ["storage_path=''"],
        "storage_path = : string should have at least 1 character",
    ),
    "storage that nobody runs": (
        ["storage_path=s3://b/x?region=a&scheme=http&endpoint_override=127.0.0.1:9"],
        "s3://b/x/digits cannot be written (network connection: Failed to connect to 127.0.0.1:9",
    ),
    "storage below a file": (["storage_path=/dev/null/x"], "(Not a directory)"),
    "more examples than counters hold": (["training.steps=2000000000"], "2^31 examples"),
    "rewinding past the end": (["pruning.rewind_step=5000"], "training ends at step 1000"),
}


@pytest.mark.parametrize("mistake", sorted(MISTAKES))
def test_a_mistake_is_one_sentence_and_exit_code_2(mistake, tmp_path, capsys):
    overrides, words = MISTAKES[mistake]
    assert run(ROOT / "configs/digits.yaml", *overrides, results=tmp_path) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.strip().splitlines()) == 1
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_tool_that_is_not_installed_is_told_before_anything_starts(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(checking, "find_spec", lambda name: None)
    tools = "tracking.tools=[tensorboard,mlflow]"
    assert run(ROOT / "configs/digits.yaml", tools, results=tmp_path, flags=()) == 2
    assert capsys.readouterr().err == (
        "tracking.tools = mlflow: MLflow is not installed; `pip install -e '.[mlflow]'` does\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_another_experiment_is_left_alone(finished, capsys):
    before = {p: p.stat().st_mtime_ns for p in finished.rglob("*")}
    code = run(ROOT / "configs/digits.yaml", *SMALL, "name=small", results=finished.parent)
    assert code == 2
    assert "holds another experiment" in capsys.readouterr().err
    assert {p: p.stat().st_mtime_ns for p in finished.rglob("*")} == before


def test_no_yaml_and_no_file(tmp_path, capsys):
    bad = tmp_path / "bad.yaml"
    bad.write_text("data: [1, 2\n")
    assert run(bad, results=tmp_path) == 2
    assert run(tmp_path / "none.yaml", results=tmp_path) == 2
    said = capsys.readouterr().err
    assert "not a YAML file" in said
    assert "No such file" in said


def test_an_unreachable_cluster_is_refused_at_once(tmp_path):
    began = time.monotonic()
    ended = subprocess.run(
        [*COMMAND, *SMALL, "--address", "127.0.0.1:1", "--results", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 2
    assert "nothing answers there" in ended.stderr
    assert time.monotonic() - began < 60


def test_options_may_stand_before_overrides(tmp_path, capsys):
    flags = ["--dry-run", "--local", "--results", str(tmp_path), "training.steps=50"]
    assert sweep.main([str(ROOT / "configs/digits.yaml"), *flags]) == 0
    assert "50" in capsys.readouterr().out


def ray_processes():
    names = ("raylet", "gcs_server")
    found = []
    for status in Path("/proc").glob("[0-9]*/comm"):
        try:
            if status.read_text().strip() in names:
                found.append(status.parent.name)
        except OSError:
            continue
    return set(found)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """The same experiment on Ray, looked at after its first round."""
    results = tmp_path_factory.mktemp("watched")
    before = ray_processes()
    command = [*COMMAND, *TWO_TRIALS, "--results", str(results)]
    with watcher.paused(command, ROOT) as (process, dashboard):
        metrics = dashboard.settled_metrics()
        tasks = {task["name"]: task["state"] for task in dashboard.states("tasks")}
        page = re.search(r"nodeId=(\w+)&fileName=(\S+)", "".join(process.said))
        query = f"node_id={page[1]}&filename={page[2]}&lines=100"
        table = dashboard.text(f"/api/v0/logs/file?{query}")
        with pytest.raises(OSError, match=r"40[13]"):
            dashboard.get("/api/v0/nodes", token="1" * 64)
    assert process.returncode == 0, process.said
    left = ray_processes() - before
    return SimpleNamespace(
        folder=results / "small",
        said=process.said,
        metrics=metrics,
        tasks=tasks,
        table=table,
        left=left,
    )


@pytest.mark.ray
def test_ray_gives_the_rows_of_this_process_and_leaves_nothing_running(finished, watched):
    assert "dashboard: http://127.0.0.1:" in watched.said
    assert (watched.folder / "networks.csv").read_bytes() == (
        finished / "networks.csv"
    ).read_bytes()
    events = list((watched.folder / "ray").rglob("events.out.tfevents*"))
    assert len(events) == 2, "TensorBoard has a file per trial"
    assert not watched.left


@pytest.mark.ray
def test_prometheus_can_read_a_trial_while_it_runs(finished, watched):
    rows = store.read(finished).networks
    for name, trial, control in watched.metrics:
        if name != "ray_capacity_test_accuracy":
            continue
        of_trial = rows[(rows.trial == trial) & (rows.control == control)]
        means = of_trial.groupby("round")[["test_accuracy", "coded_size"]].mean()
        round_ = watched.metrics["ray_capacity_round", trial, control]
        assert watched.metrics[name, trial, control] == pytest.approx(means.test_accuracy[round_])
        size = watched.metrics["ray_capacity_coded_bytes", trial, control]
        assert size == pytest.approx(means.coded_size[round_])
        trained = watched.metrics["ray_capacity_networks_trained_total", trial, control]
        assert trained == 2 * (round_ + 1)  # of two seeds
        assert ("ray_capacity_steps_per_second", trial, "") in watched.metrics
    assert watched.metrics["ray_capacity_trials_running", "", ""] >= 1


@pytest.mark.ray
def test_the_dashboard_names_what_runs(watched):
    trials = {name: state for name, state in watched.tasks.items() if name.endswith(("0.0", "0.2"))}
    assert set(trials) == {"digits-mlp-noise0.0", "digits-mlp-noise0.2"}
    assert "RUNNING" in trials.values()
    assert any(" ticket round=0 density=1 " in name for name in watched.tasks)


@pytest.mark.ray
def test_the_logs_of_the_dashboard_have_a_live_table(watched):
    assert len(re.findall(r"digits-mlp-noise0\.[02] running", watched.table)) == 2
    assert " running ticket round=0 density=1 " in watched.table


@pytest.mark.ray
def test_a_log_says_how_far_the_sweep_is_and_what_is_best(watched):
    lines = watched.said.splitlines()
    (first, last) = [line for line in lines if " of 2 trials, " in line]
    assert re.search(r"  1 of 2 trials, [3-6] of 6 rounds, about \d+ s left; best so far ", first)
    assert re.search(
        r"  2 of 2 trials, 6 of 6 rounds; best so far digits-mlp-noise0\.[02] round \d.*: "
        r"validation accuracy \d+\.\d\d %, test \d+\.\d\d %, file 0\.\d\d kB$",
        last,
    )


@pytest.mark.parametrize("where", ["--local", pytest.param("ray", marks=pytest.mark.ray)])
def test_an_interrupt_leaves_finished_trials_and_resume_goes_on(finished, tmp_path, where):
    local = ["--local"] if where == "--local" else ["resources.cpus=2"]  # one trial at a time
    command = [*COMMAND, *TWO_TRIALS, *local, "--results", str(tmp_path)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    trials = tmp_path / "small/trials"
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and not list(trials.glob("digits*")):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=90)
    assert process.returncode in (0, 130), said  # 0 where the second trial was quicker
    assert list(trials.glob("digits*"))
    if process.returncode == 130:
        assert "--resume carries on" in said
    assert resume(tmp_path) == 0
    assert (tmp_path / "small/networks.csv").read_bytes() == (
        finished / "networks.csv"
    ).read_bytes()


def test_a_driver_killed_between_rounds_trains_none_again(finished, tmp_path):
    """SIGKILL once a first round is on the disk; the rest makes the same tables and files."""
    command = [*COMMAND, *TWO_TRIALS, "--local", "--results", str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    rounds = tmp_path / "small/trials/.rounds"
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and not list(rounds.glob("*/000000")):
        time.sleep(0.005)
    process.kill()
    process.communicate(timeout=60)
    kept = {path.parent.name for path in rounds.glob("*/000000")}
    assert kept
    again = subprocess.run(
        [*command, "--resume"], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
    )
    assert again.returncode == 0, again.stderr
    assert f"{len(kept)} begun" in again.stdout
    for trial in kept:
        assert f"{trial}, round 1" in again.stderr.replace("  ", ", ")
        assert f"{trial}, round 0" not in again.stderr.replace("  ", ", ")
    for table in ("networks.csv", "layers.csv", "ledger.csv", "curves.parquet"):
        assert (tmp_path / "small" / table).read_bytes() == (finished / table).read_bytes()


OFTEN = """
import sys; from capacity import sweep; from capacity.storage import mirror
mirror.EVERY_SECONDS = 0.02; sys.exit(sweep.main())
"""


def test_a_lost_machine_costs_no_finished_round(finished, tmp_path):
    """SIGKILL, and none of the driver's files: its storage path alone has what the rest needs.

    So small a sweep would be over between two looks at its folder: here they are many.
    """
    kept = tmp_path / "kept"
    command = [sys.executable, "-c", OFTEN, *COMMAND[3:], *TWO_TRIALS]
    command += ["--local", f"storage_path={kept}", "--resume", "--results"]
    process = subprocess.Popen(
        [*command, tmp_path / "lost"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 200
    while process.poll() is None and not list(kept.rglob("trials/**/settings.json")):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.communicate(timeout=60)
    done = {path.parts[-2] for path in kept.glob("small/trials/digits*/settings.json")}
    found = {path.parts[-3:-1] for path in kept.rglob("[0-9]*/settings.json")}
    rounds = {(trial, number) for trial, number in found if trial not in done}
    assert rounds or done
    (tmp_path / "lost").rename(tmp_path / "gone")
    again = subprocess.run(
        [*command, tmp_path / "found"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert again.returncode == 0, again.stderr
    assert f"fetched from {kept}/small: trials {len(done)}, rounds {len(rounds)}" in again.stdout
    for trial in {trial for trial, _ in rounds} | done:
        assert f"{trial}, round 0" not in again.stderr.replace("  ", ", ")
    for table in ("networks.csv", "layers.csv", "ledger.csv", "curves.parquet"):
        for folder in (tmp_path / "found", kept):
            assert (folder / "small" / table).read_bytes() == (finished / table).read_bytes()


def test_results_are_a_folder_of_this_machine(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(ROOT / "configs/digits.yaml", results="s3://bucket/x") == 2
    assert capsys.readouterr().err == (
        "--results s3://bucket/x: is a folder of this machine, where results are written first; "
        "storage_path=s3://bucket/x keeps them there, too\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_provenance_says_what_made_the_tables(finished):
    provenance = store.read(finished).provenance
    run_ = provenance["runs"][-1]
    assert run_["versions"]["jax"]
    assert run_["wall_seconds"] > 0
    assert run_["device"]
    resolved = yaml.safe_load((finished / "config.yaml").read_text())
    assert resolved["sweep"] == {"data.label_noise": [0.0, 0.2]}
    assert resolved["training.steps"] == 4
