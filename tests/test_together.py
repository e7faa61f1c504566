"""Trials that train together are the trials that train alone."""

import io
import threading

import numpy as np
import pytest

from capacity import device, together, training, trial
from capacity.config import Config
from capacity.subject import TrialError
from capacity.training import together as requests

SMALL = {
    "data": {"name": "digits", "train_size": 80, "validation_size": 40.0},
    "model": {"width": 8.0, "depth": 1},
    "training": {"steps": 4, "evaluate_every": 2, "batch_size": 8},
    "pruning": {"rounds": 1, "rate": 0.5},
    "curvature": {"examples": 0},
    "seeds": 2,
}
SECONDS = ("encode_seconds", "decode_seconds")


def config(**sections):
    """The small trial with some settings of its sections replaced."""
    changed = {name: {**SMALL[name], **own} for name, own in sections.items()}
    return Config.model_validate({**SMALL, **changed})


def unlike():
    """Trials of one program that differ in every argument it has, and in what is between."""
    return {
        "plain": config(),
        "noise": config(data={"label_noise": 0.5}),
        "rate": config(training={"learning_rate": 0.02}),
        "fewer": config(data={"train_size": 48}),
        "other": config(pruning={"rate": 0.25, "controls": ("reinitialised", "small-dense")}),
        "diverges": config(training={"learning_rate": 1e30}),
    }


def ran(trials, continuations=None):
    found = {}
    starts = continuations or {}
    for name, said in together.run(trials, lambda name, now: None, starts.get):
        found.setdefault(name, []).append(said)
    return found


def rows(outcome):
    """Every row but how long it took."""
    return {
        kind: [{k: v for k, v in vars(row).items() if k not in SECONDS} for row in found]
        for kind, found in outcome.rows.items()
    }


def files(outcome):
    """Weights, masks and compressed files by name; an .npz archive holds dates."""
    found = {}
    for name, content in outcome.files.items():
        found[name] = content
        if name.endswith(".npz"):
            with np.load(io.BytesIO(content)) as stored:
                found[name] = {key: stored[key].tobytes() for key in stored}
    return found


def same(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert (a.behind, a.round, a.control) == (b.behind, b.round, b.control)
        assert repr(rows(a)) == repr(rows(b))  # as text, in which NaN is NaN
        assert files(a) == files(b)


@pytest.fixture(scope="module")
def alone():
    return {name: list(trial.run(own, name)) for name, own in unlike().items()}


def test_rows_and_files_are_those_of_each_alone(alone):
    """Six trials of two networks, and one program for the twelve of them."""
    before = training.compilations()
    found = ran(unlike())
    assert list(found) == list(alone)
    for name, outcomes in found.items():
        same(outcomes, alone[name])
    assert any(row.diverged for row in found["diverges"][0].rows["networks"])
    # The dense rounds, the pruned ones and those of one trial's controls, of which one is smaller.
    assert training.compilations() - before <= 3


def test_a_trial_goes_on_beside_others_that_begin(alone):
    """Where it stood after its dense round; the others are a round behind it from then on."""
    start = {"plain": alone["plain"][0].continuation}
    found = ran({name: unlike()[name] for name in ("plain", "noise")}, start)
    same(found["plain"], alone["plain"][1:])
    same(found["noise"], alone["noise"])


@pytest.mark.parametrize(
    "pruning", [{"schedule": "gradual", "update_every": 1}, {"method": "rigl", "update_every": 1}]
)
def test_masks_that_move_have_counts_of_their_own(pruning):
    trials = {str(rate): config(pruning={**pruning, "rate": rate}) for rate in (0.25, 0.5)}
    found = ran(trials)
    for name, own in trials.items():
        same(found[name], list(trial.run(own, name)))


def test_populations_of_unlike_sizes_are_one():
    """The members of a trial begin where those of the one before it end."""
    trials = {str(seeds): config().model_copy(update={"seeds": seeds}) for seeds in (1, 3, 2)}
    before = training.compilations()
    found = ran(trials)
    assert training.compilations() - before <= 2  # dense and pruned
    for name, own in trials.items():
        same(found[name], list(trial.run(own, name)))


def test_a_trial_that_fails_leaves_the_others(alone):
    trials = {"wrong": config(training={"batch_size": 81}), "plain": unlike()["plain"]}
    found = ran(trials)
    assert isinstance(found["wrong"][0], TrialError)
    same(found["plain"], alone["plain"])


def test_a_population_larger_than_the_memory_is_divided(alone, monkeypatch):
    """Of one byte, the account is put aside in the end, and each is trained member by member."""
    monkeypatch.setattr(device, "memory", lambda: 1)
    trials = {name: unlike()[name] for name in ("plain", "noise", "rate")}
    for name, outcomes in ran(trials).items():
        same(outcomes, alone[name])


def test_a_device_out_of_memory_fails_only_what_does_not_fit_alone(alone, monkeypatch):
    """A device for four networks, and for no training set of more than 50 examples."""
    whole, tried = requests.train, []

    def train(*arguments, **options):
        tried.append(len(arguments[7]))
        if len(arguments[7]) > 4 or arguments[3].labels.shape[1] > 50:
            raise MemoryError("RESOURCE_EXHAUSTED: out of memory")
        return whole(*arguments, **options)

    monkeypatch.setattr(requests, "train", train)
    smaller = config(data={"train_size": 48, "label_noise": 0.5})
    found = ran({"plain": unlike()["plain"], "noise": smaller, "fewer": unlike()["fewer"]})
    assert isinstance(found["plain"][0], MemoryError)
    same(found["fewer"], alone["fewer"])
    same(found["noise"], list(trial.run(smaller, "noise")))
    assert tried[:2] == [6, 2]  # halved; then the first alone, member by member


def test_whoever_stops_listening_ends_all_threads():
    before = threading.active_count()
    outcomes = together.run(unlike(), lambda name, now: None, lambda name: None)
    next(outcomes)
    assert threading.active_count() > before
    outcomes.close()
    assert threading.active_count() == before


class Stop(BaseException):
    pass


@pytest.mark.parametrize("prequential", [{}, {"epochs": 1}], ids=["training", "between"])
def test_what_ends_a_program_ends_all(prequential):
    """Raised in the training of all, and in the thread of a trial that codes its labels."""

    def stop(name, now):
        raise Stop

    before = threading.active_count()
    own = Config.model_validate({**SMALL, "prequential": prequential})
    trials = {"a": own, "b": config(training={"learning_rate": 0.02})}
    with pytest.raises(Stop):
        list(together.run(trials, stop, lambda name: None))
    assert threading.active_count() == before
