"""A trial that memorises: rows by hand, the same by Ray, and what it refuses."""

import math

import numpy as np
import pytest

from capacity import cost, memorising, report, store, sweep
from capacity.config import Config, idle
from capacity.memorising import measuring
from capacity.subject import TrialError
from capacity.theory import memorised_bits
from tests.test_sweep import ROOT

TINY = [
    "memorising.steps=30",
    "memorising.loads=[0.5,1.0,2.0]",
    "model.width=[3,4]",
    "model.depth=1",
    "data.dimension=5",
    "seeds=2",
    "name=tiny",
]
BOTH = [
    "model.width=3",
    "model.depth=1",
    "data.train_size=80",
    "data.label_noise=0.0",
    "training.steps=4",
    "training.evaluate_every=2",
    "training.batch_size=8",
    "pruning.rounds=1",
    "memorising.loads=[0.2,0.4]",
    "memorising.steps=20",
    "memorising.doubled=false",
    "seeds=2",
    "name=both",
]


def config(**sections):
    base = {
        "data": {"name": "gaussian", "dimension": 5, "class_count": 2},
        "model": {"width": 3.0, "depth": 1},
        "training": {"epochs": 0},
        "memorising": {"loads": (0.5, 1.0, 2.0), "steps": 20, "learning_rate": 0.05},
        "seeds": 2,
    }
    for name, section in sections.items():
        base[name] = base[name] | section if isinstance(section, dict) else section
    return Config.model_validate(base)


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
    assert not (finished / "networks.csv").exists()
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


DIGITS = {"name": "digits", "dimension": None, "class_count": None}


def test_gaussian_inputs_have_the_shape_and_the_classes_of_the_data():
    task = memorising.check(config(data=DIGITS))
    assert task.sizes[-1] == math.ceil(2 * (3 * 65 + 4 * 10) / math.log2(10))
    sets = memorising.training_sets(config(data=DIGITS), task)
    assert sets.inputs.shape == (2, task.sizes[-1], 8, 8, 1)
    assert set(np.unique(sets.labels)) == set(range(10))
    # 2 x 142 x 64 draws of N(0, 1), to five standard errors
    assert np.mean(sets.inputs) == pytest.approx(0, abs=5 / math.sqrt(sets.inputs.size))
    # Labels are drawn whatever those of the data are: noise in them changes nothing.
    noisy = config(data=DIGITS | {"label_noise": 0.5})
    assert np.array_equal(sets.labels, memorising.training_sets(noisy, task).labels)


def test_the_data_s_own_inputs_will_do():
    own = {"inputs": "data", "doubled": False}
    found = memorising.run(config(data=DIGITS, memorising=own), "images")
    assert (found.capacity.input_values, found.capacity.inputs) == (64, "data")
    assert found.capacity.converged is None
    sets = memorising.training_sets(
        config(data=DIGITS, memorising=own), memorising.check(config(data=DIGITS, memorising=own))
    )
    assert sets.inputs.dtype == np.uint8
    assert not np.array_equal(sets.inputs[0], sets.inputs[1])


def test_too_few_inputs_are_refused_before_anything_is_trained():
    many = {"inputs": "data", "loads": (4.0,)}
    with pytest.raises(TrialError, match="examples are wanted, digits has only"):
        memorising.check(config(data=DIGITS, model={"width": 300.0}, memorising=many))


def test_a_trial_that_does_both_has_its_capacity_in_its_ledger(tmp_path):
    arguments = [str(ROOT / "configs/digits.yaml"), *BOTH, "--results", str(tmp_path), "--local"]
    assert sweep.main(arguments) == 0
    results = store.read(tmp_path / "both")
    (capacity,) = results.capacities.capacity
    assert capacity > 0
    dense = results.ledger["round"] == 0
    assert results.ledger[dense].measured_capacity.to_numpy() == pytest.approx(capacity)
    # The masked network is another: what it could hold was not measured.
    assert results.ledger[~dense].measured_capacity.isna().all()
    fill = results.ledger[dense].weight_information / capacity
    assert results.ledger[dense].fill_measured.to_numpy() == pytest.approx(fill.to_numpy())
    assert len(results.networks) == 2 * 2
    page = (tmp_path / "both/report.html").read_text()
    for heading in ("Trials", "Ledger", "Capacity"):
        assert f"<h2>{heading}</h2>" in page


def test_a_seed_that_diverged_is_marked_and_in_no_mean():
    """A rate that is infinite in its square: the second step of Adam is NaN for every network."""
    lost = memorising.run(config(memorising={"learning_rate": 1e38}), "lost")
    assert all(row.diverged for row in lost.rows)
    assert all(row.memorised_bits is None and row.train_loss is None for row in lost.rows)
    assert lost.capacity.diverged == lost.capacity.seeds == 2
    assert lost.capacity.capacity is None
    assert lost.capacity.converged is None
    sound = memorising.run(config(), "sound").capacity
    assert sound.diverged == 0


def test_one_diverged_network_takes_its_seed_out_at_every_size(monkeypatch):
    def broken(*arguments):
        found = memory(*arguments)
        first = np.arange(len(found.loss)) == 0  # the smallest set of seed 0
        return found._replace(diverged=found.diverged | first)

    memory = measuring.memory
    whole = memorising.run(config(), "whole")
    monkeypatch.setattr(measuring, "memory", broken)
    found = memorising.run(config(), "broken")
    assert [row.diverged for row in found.rows[:6]] == [True] + 5 * [False]
    assert found.capacity.diverged == 1
    other = max(row.memorised_bits for row in whole.rows[3:6])  # seed 1, the steps of the config
    assert found.capacity.capacity == pytest.approx(other)
    assert found.capacity.capacity_low is None


def test_settings_without_effect_are_told(tmp_path, capsys):
    assert idle(config()) == []
    said = idle(config(data={"label_noise": 0.5, "label_noise_kind": "resampled"}))
    assert said == [
        "data.label_noise, data.label_noise_kind: without effect, as memorising.inputs = gaussian "
        "takes the shape alone"
    ]
    arguments = [str(ROOT / "configs/capacity.yaml"), "pruning.rounds=3", "--dry-run"]
    assert sweep.main([*arguments, "--results", str(tmp_path)]) == 0
    told = "pruning.rounds: without effect, as training.epochs or training.steps = 0 trains no"
    assert told in capsys.readouterr().out
    assert idle(Config.model_validate({"memorising": {"steps": 5}})) == [
        "memorising.steps: without effect, as memorising.loads is empty"
    ]


def test_settings_of_pruning_without_effect_are_told():
    def said(**pruning):
        return idle(Config.model_validate({"pruning": {"rounds": 1, **pruning}}))

    assert said(exchange=0.5, begin=0.1, finetune_rate=0.5, examples=7) == [
        "pruning.begin: without effect, as schedule iterative moves no mask",
        "pruning.exchange: without effect, as schedule iterative exchanges no weights",
        "pruning.finetune_rate: without effect, as rewind weights starts at the whole rate",
        "pruning.examples: without effect, as method magnitude looks at no examples",
    ]
    assert said(method="rigl", exchange=0.5, begin=0.1) == []
    assert said(rounds=0, least=2) == [
        "pruning.least: without effect, as pruning.rounds = 0 prunes nothing"
    ]


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"memorising": {"loads": ()}}, "nothing is left to do without memorising.loads"),
        ({"memorising": {"loads": (0.0,)}}, "greater than 0"),
        ({"memorising": {"steps": 0}}, "greater than 0"),
    ],
)
def test_settings_that_leave_nothing_to_do_are_refused(sections, words):
    with pytest.raises(ValueError, match=words):
        config(**sections)


def test_the_cost_counts_every_size_seed_and_budget():
    found = cost.estimate(config())
    assert found.networks == 2 * 3 * 2
    assert found.steps == 20 + 40
    once = cost.estimate(config(memorising={"doubled": False}))
    assert found.operations == pytest.approx(3 * once.operations)
