"""The store: what is read is what was written, whatever order and whatever was killed."""

import dataclasses
import errno
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity import files, store
from capacity.rows import TABLES
from capacity.rows.columns import columns
from capacity.store import Store, StoreError
from tests.analysis.sample import KINDS, sample

CONFIG = {"training": {"epochs": 3, "batch_size": 60}, "sweep": {"model.width": [16, 32]}}
TABLE_FILES = (
    "networks.csv",
    "layers.csv",
    "codecs.csv",
    "ledger.csv",
    "curves.parquet",
    "trials.csv",
    "COLUMNS.md",
)


@pytest.fixture(scope="module")
def trials():
    return sample(widths=(16, 128), noises=(0.0, 0.05, 0.2), seeds=2, rounds=2, controls=True)


def fill(folder, trials, *, resume=False):
    kept = Store.open(folder, CONFIG, resume=resume)
    for name, (config, tables) in trials.items():
        kept.write_trial(name, config, **tables, files={"s0-r0.cap": b"\x00\xff"})
    return kept


def tables(folder):
    return {name: (folder / name).read_bytes() for name in TABLE_FILES}


def snapshot(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != ".lock"}


def equal(cell, value):
    return (pd.isna(cell) and (value is None or math.isnan(value))) or cell == value


def test_a_column_that_may_be_empty_may_be_of_a_later_version(tmp_path, trials):
    """It is read as empty, from both kinds of files."""
    fill(tmp_path / "x", trials).write_tables()
    networks, ledger = tmp_path / "x/networks.csv", tmp_path / "x/ledger.csv"
    for path, column in ((networks, "barrier"), (ledger, "note")):
        pd.read_csv(path, dtype=str).drop(columns=column).to_csv(path, index=False)
    found = store.read(tmp_path / "x")
    assert found.networks["barrier"].isna().all()
    assert found.ledger["note"].isna().all()
    assert len(found.networks) == len(pd.read_csv(networks))


def test_tables_hold_exactly_the_rows(tmp_path, trials):
    fill(tmp_path / "x", trials).write_tables()
    results = store.read(tmp_path / "x")
    for kind in KINDS:
        keys = [k for k in ("trial", "seed", "round", "control", "step", "tensor")]
        keys = [k for k in keys if k in columns(TABLES[kind])]
        rows = [dataclasses.asdict(row) for _, made in trials.values() for row in made[kind]]
        rows = {tuple(row[k] for k in keys): row for row in rows}
        frame = getattr(results, kind)
        assert list(frame.columns) == list(columns(TABLES[kind]))
        assert len(frame) == len(rows)
        for found in frame.to_dict("records"):
            wanted = rows[tuple(found[k] for k in keys)]
            assert all(equal(found[name], value) for name, value in wanted.items())


def test_frames_have_the_types_of_the_schema(tmp_path, trials):
    fill(tmp_path / "x", trials).write_tables()
    found = store.read(tmp_path / "x")
    for kind in TABLES:
        frame = getattr(found, kind)
        for name, c in columns(TABLES[kind]).items():
            integer = "Int64" if c.nullable else "int64"
            boolean = "boolean" if c.nullable else "bool"
            wanted = {int: integer, float: "float64", bool: boolean, str: "str"}[c.type]
            assert str(frame[name].dtype) == wanted, name


def test_settings_are_flat_and_keep_their_types(tmp_path, trials):
    fill(tmp_path / "x", trials).write_tables()
    frame = store.read(tmp_path / "x").trials
    assert list(frame["trial"]) == [
        f"digits-mlp-w{width}-d2-n{noise}" for width in (16, 128) for noise in ("0", "0.05", "0.2")
    ]
    assert list(frame["data.label_noise"]) == [0.0, 0.05, 0.2] * 2
    assert frame["model.hidden"][3] == "[128, 128]"
    assert frame["model.width"].dtype == "int64"
    assert frame["training.augment"].dtype == "bool"
    assert frame["training.weight_decay"].isna().all()


@settings(max_examples=15, deadline=None)
@given(st.floats(allow_nan=False), st.integers(0, 2**53), st.one_of(st.none(), st.floats()))
def test_any_number_survives(tmp_path_factory, width, parameters, loss):
    folder = tmp_path_factory.mktemp("numbers")
    name, (config, made) = next(iter(sample(seeds=1, rounds=1).items()))
    row = dataclasses.replace(
        made["networks"][0], width=width, parameters=parameters, test_loss=loss
    )
    kept = Store.open(folder, {}, resume=False)
    kept.write_trial(name, config, **made | {"networks": [row]}, files={})
    kept.write_tables()
    found = store.read(folder).networks.iloc[0]
    assert found["width"].hex() == width.hex()
    assert found["parameters"] == parameters
    assert equal(found["test_loss"], loss)


def test_numbers_are_written_as_python_writes_them(tmp_path, trials):
    fill(tmp_path / "x", trials).write_tables()
    header, first, *_ = (tmp_path / "x" / "networks.csv").read_text().split("\n")
    cells = dict(zip(header.split(","), first.split(","), strict=True))
    row = next(
        r for r in trials["digits-mlp-w16-d2-n0"][1]["networks"] if r.seed == 0 and r.round == 0
    )
    assert cells["test_loss"] == repr(row.test_loss)
    assert cells["parameters"] == "1482"
    assert cells["diverged"] == "False"


def test_tables_do_not_depend_on_the_order_of_completion(tmp_path, trials):
    fill(tmp_path / "a", trials).write_tables()
    backwards = {
        name: (config, {kind: rows[::-1] for kind, rows in made.items()})
        for name, (config, made) in reversed(trials.items())
    }
    for _, made in backwards.values():
        assert made["networks"][0].seed == 1
        made["layers"].sort(
            key=lambda row: row.tensor
        )  # within a network, tensors keep their order
    fill(tmp_path / "b", backwards).write_tables()
    assert tables(tmp_path / "a") == tables(tmp_path / "b")


def test_a_resumed_experiment_gives_the_tables_of_an_uninterrupted_one(tmp_path, trials):
    fill(tmp_path / "a", trials).write_tables()
    half = dict(list(trials.items())[:3])
    fill(tmp_path / "b", half)
    rest = {name: trial for name, trial in trials.items() if name not in half}
    resumed = fill(tmp_path / "b", rest, resume=True)
    assert resumed.finished() == set(trials)
    resumed.write_tables()
    resumed.finish(device="a CPU")
    assert tables(tmp_path / "a") == tables(tmp_path / "b")
    first, second = json.loads((tmp_path / "b" / "provenance.json").read_text())["runs"]
    assert first["finished"] is None
    assert second["finished"] >= second["started"] >= first["started"]
    assert second["wall_seconds"] >= 0
    assert second["device"] == "a CPU"
    assert second["versions"]["numpy"]


def test_columns_do_as_well_as_rows(tmp_path, trials):
    fill(tmp_path / "a", trials)
    kept = Store.open(tmp_path / "b", CONFIG, resume=False)
    for name, (config, made) in trials.items():
        frame = pd.DataFrame([dataclasses.asdict(row) for row in made["curves"]])
        kept.write_trial(name, config, **made | {"curves": frame}, files={})
    read = [(tmp_path / x / "trials" / name / "curves.parquet").read_bytes() for x in "ab"]
    assert read[0] == read[1]


@pytest.mark.parametrize("call", ["rename", "fsync"])
def test_a_crash_leaves_the_whole_trial_or_nothing(tmp_path, trials, monkeypatch, call):
    kept = fill(tmp_path / "x", dict(list(trials.items())[:1]))

    class Killed(BaseException):
        """Not an `Exception`, as a signal is none: nothing may tidy up."""

    def die(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(*((Path, "rename", die) if call == "rename" else (os, "fsync", die)))
        second = list(trials)[1]
        config, made = trials[second]
        with pytest.raises(Killed):
            kept.write_trial(second, config, **made, files={})
    assert any(p.name.startswith(store.PARTIAL) for p in (tmp_path / "x" / "trials").iterdir())
    again = Store.open(tmp_path / "x", CONFIG, resume=True)
    assert not any(p.name.startswith(store.PARTIAL) for p in (tmp_path / "x" / "trials").iterdir())
    assert again.finished() == {next(iter(trials))}
    again.write_tables()
    assert len(store.read(tmp_path / "x").trials) == 1


def test_a_full_disk_costs_one_sentence_and_no_finished_trial(tmp_path, trials, monkeypatch):
    kept = fill(tmp_path / "x", dict(list(trials.items())[:1]))
    kept.write_tables()
    before = snapshot(tmp_path / "x")

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    second = list(trials)[1]
    config, made = trials[second]
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(
            StoreError, match=r"cannot be written \(no space left on device\); what"
        ):
            kept.write_trial(second, config, **made, files={})
        with pytest.raises(StoreError, match=r"networks\.csv cannot be written"):
            kept.write_tables()
    assert snapshot(tmp_path / "x") == before


def test_nothing_is_written_over(tmp_path, trials):
    one = dict(list(trials.items())[:1])
    kept = fill(tmp_path / "x", one)
    name, (config, made) = next(iter(one.items()))
    before = snapshot(tmp_path / "x")
    with pytest.raises(StoreError, match="is there already, and nothing is written over"):
        kept.write_trial(name, config, **made, files={})
    with pytest.raises(StoreError, match="add --resume to carry on, or choose another name"):
        Store.open(tmp_path / "x", CONFIG, resume=False)
    other = {**CONFIG, "training": {"epochs": 5, "batch_size": 60}}
    message = r"holds another experiment \(training.epochs = 3 there, 5 here\): choose another name"
    with pytest.raises(StoreError, match=message):
        Store.open(tmp_path / "x", other, resume=True)
    assert snapshot(tmp_path / "x") == before


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"a": {"b": 1, "c": 2}}, r"\(a.c is not set there, 2 here\)"),
        ({"a": {}}, r"\(a is not set there, {} here\)"),
        ({}, r"\(a.b = 1 there, not set here\)"),
    ],
)
def test_the_differing_key_is_named(tmp_path, config, words):
    Store.open(tmp_path, {"a": {"b": 1}}, resume=False)
    with pytest.raises(StoreError, match=words):
        Store.open(tmp_path, config, resume=True)


def test_a_foreign_folder_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(StoreError, match=r"is not empty \('thesis.tex'\) and holds no results"):
        Store.open(tmp_path, CONFIG, resume=True)
    with pytest.raises(StoreError, match="is a file"):
        Store.open(tmp_path / "thesis.tex", CONFIG, resume=False)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]
    (tmp_path / "provenance.json").write_text("[1]")
    with pytest.raises(StoreError, match="damaged or not ours"):
        Store.open(tmp_path, CONFIG, resume=True)


def test_tables_without_their_trials_are_not_lost(tmp_path, trials):
    fill(tmp_path / "x", trials).write_tables()
    (tmp_path / "x" / "trials").rename(tmp_path / "elsewhere")  # as in a clone: git ignores them
    assert len(store.read(tmp_path / "x").trials) == len(trials)
    with pytest.raises(StoreError, match=r"tables but not the trials behind them \('digits"):
        Store.open(tmp_path / "x", CONFIG, resume=True)


@pytest.mark.skipif(files.fcntl is None, reason="no advisory locks here")
def test_two_processes_do_not_share_a_folder(tmp_path):
    kept = Store.open(tmp_path, CONFIG, resume=False)
    program = (
        "import sys; from capacity.store import Store, StoreError\n"
        f"try: Store.open({str(tmp_path)!r}, {CONFIG!r}, resume=True)\n"
        "except StoreError as error: sys.exit(str(error))"
    )
    command = [sys.executable, "-c", program]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.stderr.strip() == f"{tmp_path} is being written by another sweep"
    kept.finish()
    assert subprocess.run(command, check=False).returncode == 0


def test_names_and_rows_that_the_schema_does_not_allow_are_bugs(tmp_path, trials):
    kept = Store.open(tmp_path, CONFIG, resume=False)
    config, made = next(iter(trials.values()))
    tables_of = {**made, "files": {}}
    for name in ("../x", ".x", "a/b", "", "x" * 201):
        with pytest.raises(ValueError, match="cannot be the name of a file"):
            kept.write_trial(name, config, **tables_of)
    with pytest.raises(ValueError, match="one of the trial's own files"):
        kept.write_trial("x", config, **{**tables_of, "files": {"settings.json": b""}})
    lost = {name: [value] for name, value in dataclasses.asdict(made["networks"][0]).items()}
    lost["density"] = [None]
    with pytest.raises(TypeError, match="column 'density' of networks cannot be empty"):
        kept.write_trial("x", config, **{**tables_of, "networks": lost})
    with pytest.raises(TypeError, match="'curve' is no table of the schema"):
        kept.write_trial("x", config, **{**tables_of, "curve": []})
    with pytest.raises(TypeError, match="column 'control' of curves is missing"):
        kept.write_trial("x", config, **{**tables_of, "curves": {"trial": ["x"]}})
    assert kept.finished() == set()


def replaced(path, old, new):
    path.write_text(path.read_text().replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "damage", "words"),
    [
        ("networks.csv", lambda p: p.unlink(), "networks.csv is missing: carry on the sweep"),
        ("networks.csv", lambda p: p.write_bytes(b"\xff\xfe\x00"), "networks.csv is damaged"),
        ("networks.csv", lambda p: p.write_bytes(b""), "networks.csv is damaged"),
        ("networks.csv", lambda p: replaced(p, "seed", "sed"), "no column 'seed'"),
        ("networks.csv", lambda p: replaced(p, "seed,", "seed,seed,"), "damaged: line 2 has"),
        ("networks.csv", lambda p: p.write_bytes(p.read_bytes()[:-30]), "is damaged: line"),
        ("networks.csv", lambda p: replaced(p, "1482", "x"), "'parameters', line 2: 'x' is no int"),
        ("networks.csv", lambda p: replaced(p, "False", "0"), "'diverged', line 2: '0' is no bool"),
        ("networks.csv", lambda p: replaced(p, "1482", ""), "'parameters', line 2: '' is no int"),
        ("trials.csv", lambda p: replaced(p, "trial", "try"), "trials.csv: no column 'trial'"),
        ("curves.parquet", lambda p: p.write_bytes(p.read_bytes()[:-9]), "parquet is damaged"),
        (
            "curves.parquet",
            lambda p: pd.read_parquet(p).assign(seed=0.5).to_parquet(p, index=False),
            "curves.parquet: column 'seed' holds double",
        ),
        (
            "curves.parquet",
            lambda p: pd.read_parquet(p).assign(more=1).to_parquet(p, index=False),
            "curves.parquet: unknown column 'more'",
        ),
    ],
)
def test_a_damaged_table_is_named(tmp_path, trials, file, damage, words):
    fill(tmp_path / "x", dict(list(trials.items())[:1])).write_tables()
    damage(tmp_path / "x" / file)
    with pytest.raises(StoreError, match=words) as error:
        store.read(tmp_path / "x")
    assert "\n" not in str(error.value)


def test_an_experiment_without_trials_has_empty_tables(tmp_path):
    Store.open(tmp_path, CONFIG, resume=False).write_tables()
    results = store.read(tmp_path)
    assert all(getattr(results, kind).empty for kind in TABLES)
    assert not list(tmp_path.glob("n*.csv"))
    assert results.provenance["config"] == CONFIG


def test_an_experiment_has_a_file_for_each_table_that_has_rows(tmp_path, trials):
    """One trial of networks and one of a capacity alone are one experiment."""
    kept = fill(tmp_path / "x", dict(list(trials.items())[:1]))
    row = {"trial": "alone", "seed": 0, "steps": 5, "train_size": 3, "label_bits": 3.0}
    row |= {"diverged": True} | dict.fromkeys(("train_loss", "train_accuracy", "memorised_bits"))
    held = {name: [value] for name, value in row.items()}
    kept.write_trial("alone", CONFIG, files={}, memorised=held, networks=[])
    assert not (tmp_path / "x/trials/alone/networks.parquet").exists()
    kept.write_tables()
    results = store.read(tmp_path / "x")
    assert list(results.memorised["trial"]) == ["alone"]
    assert results.memorised["train_loss"].isna().all()
    assert not (tmp_path / "x" / "capacities.csv").exists()
    assert results.capacities.empty
    assert len(results.networks) > 0
    assert store.tables(results)[-3:] == ["memorised.csv", "trials.csv", "COLUMNS.md"]
