"""A trial that memorises: rows by hand, the same by Ray, and what it refuses."""

import math

import numpy as np
import pytest

from capacity import cost, memorising, report, store, sweep
from capacity.config import Config
from capacity.data import DataError
from capacity.subject import TrialError
from capacity.theory import memorised_bits
from tests.test_sweep import ROOT

TINY = [
    "training.steps=30",
    "training.evaluate_every=10",
    "memorising.loads=[0.5,1.0,2.0]",
    "model.width=[3,4]",
    "model.depth=1",
    "data.dimension=5",
    "seeds=2",
    "name=tiny",
]


def tree(**sections):
    base = {
        "data": {"name": "gaussian", "dimension": 5, "class_count": 2},
        "model": {"width": 3.0, "depth": 1},
        "training": {"steps": 20, "learning_rate": 0.05},
        "memorising": {"loads": (0.5, 1.0, 2.0)},
        "seeds": 2,
    }
    for name, section in sections.items():
        base[name] = base[name] | section if isinstance(section, dict) else section
    return base


def config(**sections):
    return Config.model_validate(tree(**sections))


def run(results, *flags):
    arguments = [str(ROOT / "configs/capacity.yaml"), *TINY, *flags, "--results", str(results)]
    return sweep.main(arguments)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    assert run(results, "--local") == 0
    return results / "tiny"


def test_every_size_seed_and_budget_is_a_row_that_adds_up(finished):
    results = store.read(finished)
    rows = results.memorised
    # 2 widths x 2 seeds x 3 sizes x (30 and 60 steps)
    assert len(rows) == 2 * 2 * 3 * 2
    assert results.networks.empty
    assert not rows.duplicated(["trial", "seed", "steps", "train_size"]).any()
    loss = rows.train_loss.to_numpy()
    assert rows.memorised_bits.to_numpy() == pytest.approx(
        memorised_bits(rows.train_size.to_numpy(), 2, loss)
    )
    assert (rows.memorised_bits <= rows.label_bits).all()


def test_the_architecture_by_hand(finished):
    # 5-3-2: 18 and 8 parameters, 4 of one logit; half a bit, one and two per weight of 26
    row = store.read(finished).capacities.set_index("trial").loc["gaussian-mlp-w3"]
    assert (row.parameters, row.effective_parameters) == (26, 22)
    assert (row.float32_bits, row.bfloat16_bits, row.int8_bits) == (832, 416, 208)
    assert row.memory_capacity == row.memory_capacity_running == 18 + 3
    assert row.memory_capacity_input == 18 + 3
    assert row.threshold_bits == 44
    assert row.vc_lower_order == pytest.approx(26 * 2 * math.log2(13))
    assert row.vc_upper_order == pytest.approx(26 * 2 * math.log2(26))
    assert row.vc_bound > 26
    sizes = store.read(finished).memorised.query("trial == 'gaussian-mlp-w3'").train_size
    assert sorted(set(sizes)) == [13, 26, 52]


def test_capacity_is_the_peak_of_the_means_and_twice_the_steps_are_the_check(finished):
    results = store.read(finished)
    for row in results.capacities.itertuples():
        rows = results.memorised[results.memorised.trial == row.trial]
        peaks = {
            steps: part.groupby("train_size").memorised_bits.mean()
            for steps, part in rows.groupby("steps")
        }
        assert row.capacity == pytest.approx(peaks[30].max())
        assert row.knee_size == peaks[30].idxmax()
        assert row.doubled_capacity == pytest.approx(peaks[60].max())
        assert row.converged == (abs(row.doubled_capacity - row.capacity) < 0.02 * row.capacity)
        assert row.capacity_low <= row.capacity <= row.capacity_high


def test_the_report_is_redrawn_from_the_tables(finished, tmp_path):
    assert report.main([str(finished), "--out", str(tmp_path)]) == 0
    for kind in ("pdf", "png"):
        name = f"figures/memorised-bits.{kind}"
        assert (tmp_path / name).read_bytes() == (finished / name).read_bytes()
    page = (finished / "report.html").read_text()
    assert "Twice the steps" in page
    assert 'href="capacities.csv"' in page


@pytest.mark.long
def test_ray_gives_the_rows_of_this_process(finished, tmp_path):
    assert run(tmp_path) == 0
    for table in ("memorised.csv", "capacities.csv"):
        assert (tmp_path / "tiny" / table).read_bytes() == (finished / table).read_bytes()


def test_a_resumed_sweep_has_nothing_to_do(finished):
    before = (finished / "capacities.csv").read_bytes()
    assert run(finished.parent, "--local", "--resume") == 0
    assert (finished / "capacities.csv").read_bytes() == before


def test_seeds_have_data_of_their_own_and_sizes_share_them():
    task = memorising.check(config())
    sets = memorising.training_sets(config(), task)
    assert sets.inputs.shape == (2, 52, 5)
    assert not np.array_equal(sets.labels[0], sets.labels[1])
    again = memorising.training_sets(config(seeds=3), task)
    assert np.array_equal(sets.inputs, again.inputs[:2])


def test_images_with_labels_all_redrawn_will_do():
    noise = {"label_noise": 1.0, "label_noise_kind": "resampled"}
    data = {"name": "digits", "dimension": None, "class_count": None}
    found = memorising.run(config(data=data | noise, memorising={"doubled": False}), "images")
    assert found.capacity.input_values == 64
    assert found.capacity.converged is None
    with pytest.raises(TrialError, match="the labels of digits are not random; take"):
        memorising.check(config(data=data))


def test_too_few_examples_are_refused_before_anything_is_trained():
    noise = {"label_noise": 1.0, "label_noise_kind": "resampled"}
    data = {"name": "digits", "dimension": None, "class_count": None} | noise
    with pytest.raises((TrialError, DataError), match="examples are wanted, digits has only"):
        memorising.check(config(data=data, model={"width": 300.0}, memorising={"loads": (4.0,)}))


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"training": {"steps": None}}, "memorising.loads needs it"),
        ({"lottery": {"rounds": 1}}, "must be 0 with memorising.loads"),
        ({"data": {"train_size": 10}}, "must be null with memorising.loads"),
        ({"memorising": {"loads": (0.0,)}}, "greater than 0"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(sections, words):
    base = tree()
    for name, section in sections.items():
        base[name] = base.get(name, {}) | section
    with pytest.raises(ValueError, match=words):
        Config.model_validate(base)


def test_the_cost_counts_every_size_seed_and_budget():
    found = cost.estimate(config())
    assert found.networks == 2 * 3 * 2
    assert found.steps == 20 + 40
    once = cost.estimate(config(memorising={"doubled": False}))
    assert found.operations == pytest.approx(3 * once.operations)
