"""A search as it runs: what is told, what is resumed, what a child inherits, what is reported."""

import dataclasses
import itertools
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from capacity import report, searching, store, sweep
from capacity.analysis import search_progress, searched
from capacity.config import HIGHER, OBJECTIVES
from capacity.experiment import load
from capacity.rows import NetworkRow
from capacity.rows.columns import columns

CONFIG = """
training: {steps: 4, evaluate_every: 2, batch_size: 8}
data: {train_size: 80, validation_size: 40.0}
curvature: {examples: 0}
coding: {effort: fast}
seeds: 2
search: {method: evolution, trials: 6, startup: 2, population: 4, tournament: 4, inherit: true}
sweep:
  model.depth: [1, 2]
  model.widths: {low: 2, high: 4, integer: true, each: model.depth}
"""


def run(folder, *overrides, flags=()):
    config = folder.parent / "s.yaml"
    config.write_text(CONFIG)
    results = ("--results", str(folder))
    return sweep.main([str(config), *overrides, "name=s", "--local", *results, *flags])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Six trials of a search by evolution, whose children inherit."""
    results = tmp_path_factory.mktemp("search") / "results"
    assert run(results) == 0
    return results / "s"


def test_every_objective_is_a_column_and_none_is_of_the_test_split():
    for name in OBJECTIVES:
        assert columns(NetworkRow)[name].type in (int, float)
    assert set(HIGHER) < set(OBJECTIVES)


def test_a_row_for_every_trial_with_its_number_parent_and_point(finished):
    results = store.read(finished)
    rows = results.candidates.sort_values("number")
    assert rows["number"].tolist() == list(range(6))
    assert rows["parent"].isna().tolist()[:2] == [True, True]
    assert rows["parent"].notna().sum() >= 3
    assert set(rows["parent"].dropna()) <= set(rows["trial"])
    for row in rows.itertuples():
        point = json.loads(str(row.point))
        assert point["model.depth"] == len(point) - 1
        assert row.trial.endswith("_".join(str(v) for k, v in point.items() if "/" in k))
    assert (rows["inherited"].astype(bool) == rows["parent"].notna()).all()


def test_the_price_of_the_choice_is_in_the_ledger(finished):
    """log2 of six trials, whichever is chosen."""
    assert store.read(finished).ledger["search_bits"].unique() == pytest.approx([np.log2(6)])
    assert "search bits" in (finished / "ledger.tex").read_text()


def test_a_resumed_search_has_the_rows_of_one_that_was_not_interrupted(finished, tmp_path, capsys):
    copy = shutil.copytree(finished, tmp_path / "results/s")
    before = {t: (copy / f"{t}.csv").read_bytes() for t in ("networks", "candidates", "ledger")}
    rows = store.read(copy).candidates
    for trial in rows.loc[rows["number"] >= 3, "trial"]:
        shutil.rmtree(copy / "trials" / trial)
    (copy / "trials.csv").unlink()
    capsys.readouterr()
    assert run(tmp_path / "results", flags=("--resume",)) == 0
    said = capsys.readouterr()
    assert "6 trials by evolution, 3 of them on disk" in said.out
    assert said.err.count("test accuracy") == 3, "what was on the disk is not trained again"
    assert {t: (copy / f"{t}.csv").read_bytes() for t in before} == before


def test_a_finished_search_trains_nothing_again(finished, tmp_path, capsys):
    shutil.copytree(finished, tmp_path / "results/s")
    assert run(tmp_path / "results", flags=("--resume",)) == 0
    assert "test accuracy" not in capsys.readouterr().err


def test_a_child_starts_as_accurate_as_its_parent_was(tmp_path):
    """A training of two steps at a rate of 1e-30 shows what a network starts from."""
    lists = [
        "model.depth=[1,2]",
        "model.widths={low: 2, high: 12, integer: true, each: model.depth}",
    ]
    assert run(tmp_path / "r", "training.learning_rate=1e-30", "search.trials=6", *lists) == 0
    results = store.read(tmp_path / "r/s")
    networks = results.networks.set_index(["trial", "seed"])
    grown = 0
    for row in results.candidates.itertuples():
        if not isinstance(row.parent, str):
            continue
        for seed in range(2):
            child, parent = networks.loc[(row.trial, seed)], networks.loc[(row.parent, seed)]
            if child.parameters > parent.parameters and child.depth >= parent.depth:
                grown += 1
                assert child.validation_loss == pytest.approx(parent.validation_loss, rel=1e-5)
    assert grown


def test_a_small_space_ends_the_search_early(tmp_path, capsys):
    overrides = ["model.depth=[1]", "model.widths={values: [2, 3], each: model.depth}"]
    assert run(tmp_path / "r", *overrides) == 0
    assert "4 trials fewer: every point of the space was tried" in capsys.readouterr().err


def test_a_trial_that_fails_is_told_and_the_search_goes_on(tmp_path, capsys):
    """Batches of 400 are more than there are examples."""
    config = tmp_path / "s.yaml"
    config.write_text(
        CONFIG.replace(", startup: 2, population: 4, tournament: 4, inherit: true", "")
    )
    text = config.read_text().split("sweep:")[0] + "sweep: {training.batch_size: [8, 400, 16]}\n"
    config.write_text(text)
    arguments = [str(config), "search.method=random", "search.trials=3", "name=s", "--local"]
    assert sweep.main([*arguments, "--results", str(tmp_path / "r")]) == 1
    assert "failed: TrialError: training.batch_size = 400" in capsys.readouterr().err
    assert len(store.read(tmp_path / "r/s").candidates) == 2


def interrupted(folder, *overrides, at):
    """The same search, stopped by hand where the trial `at` would be written: of it a round is."""
    written = store.Store.write_trial
    with pytest.MonkeyPatch.context() as patched:
        count = itertools.count()

        def write(self, *args, **kwargs):
            if next(count) == at:
                raise KeyboardInterrupt
            written(self, *args, **kwargs)

        patched.setattr(store.Store, "write_trial", write)
        assert run(folder, *overrides) == 130


def test_a_search_goes_on_behind_the_last_round_of_a_trial(tmp_path, capsys):
    """Of a child that inherits: its start, its number and its price are as they would have been."""
    assert run(tmp_path / "whole", "pruning.rounds=1") == 0
    interrupted(tmp_path / "parts", "pruning.rounds=1", at=4)
    (begun,) = [path.name for path in (tmp_path / "parts/s/trials/.rounds").iterdir()]
    capsys.readouterr()
    assert run(tmp_path / "parts", "pruning.rounds=1", flags=("--resume",)) == 0
    said = capsys.readouterr().err.replace("  ", ", ")
    assert f"{begun}, round 1" in said
    assert f"{begun}, round 0" not in said
    whole, parts = tmp_path / "whole/s", tmp_path / "parts/s"
    for table in ("networks.csv", "candidates.csv", "ledger.csv", "curves.parquet"):
        assert (parts / table).read_bytes() == (whole / table).read_bytes()
    rows = store.read(parts).candidates.set_index("trial")
    assert rows.loc[begun, "inherited"]


def desk(folder):
    (folder / "s.yaml").write_text(CONFIG)
    experiment = load(folder / "s.yaml")
    kept = store.Store.open(folder / "s", {"search": experiment.search.model_dump()}, resume=True)
    return searching.desk_of(experiment, kept, lambda text: None), kept


def test_a_round_of_a_trial_that_started_otherwise_is_no_round_of_this(tmp_path):
    found, kept = desk(tmp_path)
    trial = found.next().trial
    options = {"tables": {}, "files": {}, "continuation": b"weights"}
    kept.rounds.keep(trial, 0, found._deciding(trial), **options)
    assert found.continuation(trial) == b"weights"
    found._rows[trial] = dataclasses.replace(found._rows[trial], parent="other", inherited=True)
    assert found.continuation(trial) is None


def test_a_trial_that_was_stopped_early_is_recorded_and_not_proposed_again(tmp_path):
    found, kept = desk(tmp_path)
    trial = found.next().trial
    found.stopped(trial, "at step 3 of 9")
    assert not found.unfinished
    assert not (tmp_path / "s/trials/.rounds" / trial).exists()
    kept.write_tables()
    kept.finish()
    rows = store.read(tmp_path / "s").candidates
    assert rows[["trial", "number"]].values.tolist() == [[trial, 0]]
    assert rows["stopped"].item().startswith("at step 3 of 9 by ")
    assert report.draw(tmp_path / "s", say=lambda text: None), "a page, though no network is there"
    again, _ = desk(tmp_path)
    assert again.left == 5
    assert again.next().trial != trial


def test_a_dry_run_says_that_it_estimates_the_ends_alone(tmp_path, capsys):
    assert run(tmp_path / "r", flags=("--dry-run",)) == 0
    said = capsys.readouterr().out
    assert "only the two trials at the ends of all axes are estimated" in said
    assert "6 by evolution, if all cost as one of these, take " in said
    assert "naming one of 6 takes 2.58 bits" in said  # log2 6
    assert not (tmp_path / "r").exists()


def networks(table):
    """Of (trial, round, control, seed, accuracy, size, diverged)."""
    names = ["trial", "round", "control", "seed", "validation_accuracy", "coded_size", "diverged"]
    return pd.DataFrame(table, columns=names)


def test_means_are_of_the_last_tickets_and_a_diverged_seed_fails_the_trial():
    rows = networks(
        [
            ("a", 0, "ticket", 0, 0.1, 900, False),
            ("a", 1, "ticket", 0, 0.8, 100, False),
            ("a", 1, "ticket", 1, 0.6, 300, False),
            ("a", 1, "reinitialised", 0, 0.0, 999, False),
            ("b", 0, "ticket", 0, 0.9, 500, False),
            ("b", 0, "ticket", 1, 0.9, 500, True),
        ]
    )
    found = searched.values(rows, ["validation_accuracy", "coded_size"])
    assert found.loc["a"].tolist() == pytest.approx([0.7, 200])
    assert found.loc["b"].isna().all()
    assert searched.costs(found)[0] == pytest.approx([-0.7, 200])


@pytest.mark.parametrize(
    "objectives", [["validation_accuracy"], ["validation_accuracy", "coded_size"]]
)
def test_the_best_or_the_front_is_told_and_drawn(objectives):
    rows = networks(
        [
            ("small", 0, "ticket", 0, 0.7, 100, False),
            ("large", 0, "ticket", 0, 0.9, 400, False),
            ("worse", 0, "ticket", 0, 0.6, 500, False),
        ]
    )
    candidates = pd.DataFrame(
        {"trial": ["large", "small", "worse"], "number": [2, 0, 1], "parent": [None] * 3}
    )
    found = searched.searched(candidates, rows, objectives)
    assert found["trial"].tolist() == ["small", "worse", "large"]
    front = ["large"] if len(objectives) == 1 else ["small", "large"]
    assert found.loc[found["front"], "trial"].tolist() == front
    said = searched.text(found, objectives, 8)
    assert said.splitlines()[2].split() == [
        "large",
        "2",
        "0.9000",
        *["400"] * (len(objectives) - 1),
    ]
    assert "naming one of 8 trials: 3.00 bits" in said
    # From (0.6, 500): the small one has 0.1 x 400, the large one 0.3 x 100, both 0.1 x 100.
    assert ("hypervolume up to the worst of each column 60" in said) == (len(objectives) == 2)
    figure = search_progress.figure(candidates, rows, objectives)
    assert len(figure.axes) == len(objectives)
