"""The ledger of a trial: its lines add up, are those of the tables, and obey the laws of codes."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from capacity import accounts, theory, training, trial
from capacity.accounts.rows import account, rule_capacities
from capacity.coding import decode
from capacity.config import Config
from capacity.data import load
from capacity.information import Code
from capacity.rounds import rounds
from capacity.subject import prepare
from capacity.training import stacked

SIZE = 120
TINY = {
    "data": {"train_size": SIZE, "validation_size": 200.0, "label_noise": 0.2},
    "model": {"width": 8.0, "depth": 1},
    "training": {"steps": 40, "evaluate_every": 10, "batch_size": 16, "learning_rate": 0.01},
    "pruning": {"rounds": 1, "rate": 0.5},
    "prequential": {"epochs": 10.0, "first": 16, "ratio": 2.0},
    "seeds": 2,
}


def config(**sections):
    merged = {k: (v | sections.pop(k, {})) if isinstance(v, dict) else v for k, v in TINY.items()}
    return Config.model_validate(merged | sections)


@pytest.fixture(scope="module")
def outcomes():
    return list(trial.run(config(), "tiny"))


@pytest.fixture(scope="module")
def ledger(outcomes):
    return [row for outcome in outcomes for row in outcome.rows["ledger"]]


@pytest.fixture(scope="module")
def subject():
    return prepare(config(), "tiny")


def test_a_row_for_each_network_whose_lines_add_up(outcomes, ledger):
    assert [(row.round, row.seed) for row in ledger] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    for row in ledger:
        assert row.uniform_bits == pytest.approx(SIZE * math.log2(10))
        # A fifth flipped among nine others: 1.355918 bits a label.
        assert row.noise_floor == pytest.approx(SIZE * 1.355918, abs=1e-3)
        assert row.fit_bits + row.weight_information == pytest.approx(
            row.prequential_bits, rel=1e-5
        )
        parts = row.generalising_bits + row.memorised_bits
        assert parts == pytest.approx(row.weight_information, rel=1e-5)
        assert row.two_part_bits == pytest.approx(row.coded_bits + row.coded_fit_bits)
        assert row.excess_bits == pytest.approx(row.prequential_bits - row.noise_floor)
        gain = 1 - row.prequential_bits / row.label_bits
        assert row.compression_gain == pytest.approx(gain)
        assert row.fill_threshold == pytest.approx(row.weight_information / row.threshold_bits)
        assert row.known_bits >= row.weight_information - 1e-3  # without what it knows less of
        assert row.measured_capacity is row.fill_measured is None
        assert row.note is None


def test_the_surplus_is_above_the_loss_that_the_network_reaches(outcomes, ledger):
    """Below the whole code, by at most that loss a label; so many labels are one of its cuts."""
    networks = [row for outcome in outcomes for row in outcome.rows["networks"]]
    for row, network in zip(ledger, networks, strict=True):
        least = row.prequential_bits - SIZE * network.validation_loss
        assert max(0.0, least) - 1e-3 <= row.surplus_bits <= row.prequential_bits
        assert row.sample_complexity in (None, 0, 16, 32, 64)


def test_the_code_is_that_of_the_seed_in_every_round(ledger):
    codes = {row.seed: row.prequential_bits for row in ledger if row.round == 0}
    assert codes[0] != codes[1]
    assert all(row.prequential_bits == codes[row.seed] for row in ledger)


def test_lines_are_those_of_the_other_tables_and_of_the_file(outcomes, ledger, subject):
    networks = [row for outcome in outcomes for row in outcome.rows["networks"]]
    for row, network in zip(ledger, networks, strict=True):
        assert row.fit_bits == pytest.approx(SIZE * network.train_loss)
        assert row.coded_bits == 8 * network.coded_size
        assert row.label_bits == network.label_bits
        file = outcomes[row.round].files[f"s{row.seed}-r{row.round}.cap"]
        decoded = stacked([decode(file)])
        loss = training.evaluate(subject.model, decoded, subject.train, chunk=1).loss[0]
        assert row.coded_fit_bits == pytest.approx(SIZE * loss, rel=1e-5)


def test_the_first_epoch_is_coded_by_every_network(outcomes, ledger):
    """120 labels are 7 batches of 16, and 8 labels coded uniformly."""
    for row in ledger:
        assert row.first_epoch_bits > 8 * math.log2(10)
    first = outcomes[0].rows["ledger"][0].first_epoch_bits
    assert first != outcomes[1].rows["ledger"][0].first_epoch_bits


def test_a_training_that_ends_within_its_first_epoch_leaves_the_rest_uniform():
    short = config(training={"steps": 2, "evaluate_every": 2}, prequential={"epochs": 0.0})
    (row, _), _ = (outcome.rows["ledger"] for outcome in trial.run(short, "short"))
    (curve, _) = next(trial.run(short, "short")).rows["curves"]
    expected = 32 * curve.train_loss + (SIZE - 32) * math.log2(10)
    assert row.first_epoch_bits == pytest.approx(expected, rel=1e-5)


def test_what_cannot_be_had_is_empty_and_said():
    off = config(prequential={"epochs": 0.0}, data={"label_noise": 0.0})
    row = next(trial.run(off, "off")).rows["ledger"][0]
    for name in ("prequential_bits", "weight_information", "generalising_error", "noise_floor"):
        assert getattr(row, name) is None
    assert row.storage_redundancy is row.excess_bits is row.compression_gain is None
    assert row.note == (
        "noise floor unknown: no noise was injected; prequential.epochs = 0: no code was made"
    )
    few = prepare(config(prequential={"first": 100}), "few")
    assert accounts.label_codes(few).note == "120 labels are no more than the first block of a code"


def test_a_diverged_network_has_a_row_of_what_needs_no_network():
    lost = config(training={"learning_rate": 1e38, "optimizer": "sgd"}, pruning={"rounds": 0})
    row = next(trial.run(lost, "lost")).rows["ledger"][0]
    assert row.fit_bits is row.coded_bits is row.two_part_bits is row.weight_information is None
    assert row.uniform_bits > 0
    # The learner diverged too: its code is uniform but for the price of its temperatures.
    assert row.prequential_bits == pytest.approx(row.uniform_bits, abs=10)
    assert "the loss became infinite or NaN" in row.note


def test_random_labels_have_no_structure():
    data = {"label_noise": 1.0, "label_noise_kind": "resampled", "train_size": 400}
    random = config(
        data=data, model={"width": 64.0}, training={"steps": 400}, pruning={"rounds": 0}
    )
    for row in next(trial.run(random, "random")).rows["ledger"]:
        assert row.prequential_bits >= row.uniform_bits - 10
        assert abs(row.generalising_bits) <= 3 * row.generalising_error


def test_constant_labels_cost_their_first_block_and_a_laplace_regret(subject):
    """16 labels of 10 classes uniformly; then at most log2 C(N + 9, 9) bits to find out."""
    data = subject.dataset
    train = data.train._replace(labels=np.zeros_like(data.train.labels))
    device = subject.train._replace(labels=jnp.zeros_like(subject.train.labels))
    same = subject._replace(dataset=data._replace(train=train), train=device)
    for code in accounts.label_codes(same).codes:
        assert code.blocks[0] == pytest.approx(16 * math.log2(10))
        assert code.total - code.blocks[0] <= math.log2(math.comb(SIZE + 9, 9))


def split(labels):
    class Split:
        pass

    found = Split()
    found.labels = np.asarray(labels, np.int32)
    return found


class Labels:
    """A subject of which an account reads the labels alone."""

    def __init__(self, train, validation, noisy_test):
        self.dataset = self
        self.train, self.validation = split(train), split(validation)
        self.noisy_test = split(noisy_test)


def test_a_network_that_knows_random_labels_by_heart_memorises_all_and_generalises_nothing():
    """60 labels of 4 classes, 2 bits each: sure and right where it was trained, sure elsewhere."""
    draw = np.random.default_rng(0)
    train, validation, test = (draw.integers(0, 4, n) for n in (60, 300, 3000))
    sure = 30.0 * np.eye(4)
    code = Code(np.full(60, 2.0), (60,), np.ones(1))
    elsewhere = [sure[draw.integers(0, 4, n)] for n in (300, 3000)]
    found = account(Labels(train, validation, test), code, sure[train], *elsewhere)
    assert found.ledger.fit == pytest.approx(0, abs=1e-6)
    assert found.ledger.weights.value == pytest.approx(120)
    # The temperature is learned from validation labels: over-confidence is no loss of structure.
    assert found.ledger.generalising.value == pytest.approx(0, abs=2)
    assert found.ledger.memorised.value == pytest.approx(120, abs=2)
    assert found.known == pytest.approx(120)


def test_clean_test_labels_would_count_noise_as_structure():
    """A network that knows the true law of labels of which a fifth is redrawn; 2 classes.

    By labels of that law its excess description length is that of its code, 0; by clean ones, it
    would be N (0.4690 - 0.1520) bits too much, where a tenth of the labels is wrong.
    """
    draw = np.random.default_rng(1)
    flipped = draw.random(8000) < 0.1
    law = np.tile(np.log([0.9, 0.1]), (8000, 1))
    labels = flipped.astype(int)
    bits = -np.log2(np.where(flipped, 0.1, 0.9))
    code = Code(bits[:2000], (2000,), np.ones(1))
    parts = labels[:2000], labels[2000:4000]
    noisy = account(Labels(*parts, labels[4000:]), code, law[:2000], law[:2000], law[:4000])
    clean = account(Labels(*parts, np.zeros(4000)), code, law[:2000], law[:2000], law[:4000])
    found, wrong = noisy.ledger.generalising, clean.ledger.generalising
    assert abs(found.value) < 3 * found.standard_error
    assert wrong.value > 3 * found.standard_error
    assert wrong.value == pytest.approx(2000 * (0.4690 - 0.1520), rel=0.1)


def test_the_noisy_test_split_has_the_law_of_the_training_labels_and_a_stream_of_its_own():
    options = {"name": "digits", "label_noise": 0.3, "seed": 3}
    noisy, clean = load(**options), load(**options | {"label_noise": 0.0})
    assert np.array_equal(noisy.test.labels, clean.test.labels)
    assert clean.noisy_test.labels is clean.test.labels
    changed = noisy.noisy_test.labels != noisy.test.labels
    # Five standard deviations of a binomial share of 360 labels.
    assert changed.mean() == pytest.approx(0.3, abs=5 * math.sqrt(0.21 / len(changed)))
    teacher = {"name": "teacher", "label_noise": 1.0, "size": 1000}
    made = load(**teacher, validation_size=0)
    assert (made.noisy_test.labels != made.test.labels).all()


def masked(subject, kept):
    """The masks of a network of the subject that keep what `kept` says, and all else."""
    params = training.initial(subject.model, training.member_keys([0], "initial"))
    weights = training.members(params)[0]
    mask = {n: np.ones(w.shape, bool) for n, w in weights.items() if n.endswith("kernel")}
    for name, count in kept.items():
        mask[name] = (np.arange(mask[name].size) < count).reshape(mask[name].shape)
    return mask


def test_capacities_of_the_weights_that_remain_by_hand(subject):
    """64-8-10: 520 and 90 parameters; of a dense softmax 9 of the 90 are free."""
    dense = rule_capacities(subject, masked(subject, {}))
    assert dense == theory.RuleCapacities(520 + 8, 520 + 8, 520 + 8, 2 * (610 - 9), 32 * 610)
    assert dense.threshold == 2 * theory.effective_parameters([520, 90], 10)
    # 100 of 512 inputs' weights, and 35 of 80: three whole rows of ten are left, and the biases.
    pruned = rule_capacities(
        subject, masked(subject, {"layers/0/kernel": 100, "output/kernel": 35})
    )
    assert pruned.previous == 108 + min(45, 8)
    assert pruned.threshold == 2 * (108 + 45 - 4)
    assert pruned.float32 == 32 * (108 + 45)


def test_the_learner_of_a_code_changes_no_network(outcomes):
    without = list(trial.run(config(prequential={"epochs": 0.0}), "tiny"))
    for name in ("networks", "layers", "curves"):
        assert [o.rows[name] for o in without] == [o.rows[name] for o in outcomes]


def test_a_shift_of_vectors_is_refused():
    vectors = {"name": "gaussian", "train_size": None, "validation_size": 0.1, "label_noise": 0.0}
    with pytest.raises(ValueError, match=r"prequential.shift = 1: these inputs are no images"):
        prepare(config(data=vectors, prequential={"shift": 1}), "vectors")


def test_progress_names_the_code(subject):
    told = []
    accounts.label_codes(subject, told.append)
    assert {now.control for now in told} == {"prequential"}
    assert told[-1].step == told[-1].steps
    assert told[-1].validation_loss is None
    assert jnp.isfinite(next(rounds(subject, None))[1].state.first_epoch).all()
