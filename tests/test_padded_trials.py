"""Trials of unlike widths that train as parts of one wider network."""

import io

import numpy as np
import pydantic
import pytest

from capacity import padding, subject, together, training, trial
from capacity.config import Config
from capacity.experiment import ConfigError, load
from capacity.packing import packs

SMALL = {
    "data": {"name": "digits", "train_size": 80, "validation_size": 40.0},
    "model": {"depth": 1},
    "training": {"steps": 4, "evaluate_every": 2, "batch_size": 8, "keep": "last"},
    "pruning": {"rounds": 1, "rate": 0.5},
    "curvature": {"examples": 0},
    "seeds": 2,
}


def config(width, pad=None, **sections):
    found = {name: {**own} if isinstance(own, dict) else own for name, own in SMALL.items()}
    for name, own in sections.items():
        found[name] = {**found.get(name, {}), **own}
    found["model"]["width"] = float(width)
    found["training"]["pad"] = pad
    return Config.model_validate(found)


def weights(outcomes):
    found = {}
    for outcome in outcomes:
        for name, content in outcome.files.items():
            if name.endswith(".npz"):
                with np.load(io.BytesIO(content)) as stored:
                    found[f"{outcome.control} {name}"] = {key: stored[key] for key in stored}
    return found


@pytest.fixture(scope="module")
def padded():
    """By width, the outcomes of trials that are padded to eight units, each alone."""
    controls = {"controls": ("reinitialised", "small-dense")}
    trials = {
        "six": config(6, 8.0, pruning=controls),
        "eight": config(8, 8.0, pruning=controls),
    }
    return trials, {name: list(trial.run(own, name)) for name, own in trials.items()}


def test_the_networks_are_those_without_padding(padded):
    """To float tolerance: weights, masks and the shapes of everything."""
    trials, found = padded
    plain = {"training": {"pad": None}}
    alone = config(6, pruning=trials["six"].pruning.model_dump(), **plain)
    expected = weights(trial.run(alone, "six"))
    got = weights(found["six"])
    assert got.keys() == expected.keys()
    for name, tensors in expected.items():
        assert got[name].keys() == tensors.keys()
        for key, tensor in tensors.items():
            np.testing.assert_allclose(got[name][key], tensor, atol=1e-5, err_msg=f"{name} {key}")


def test_unlike_widths_ride_one_population_bit_for_bit(padded):
    """No row depends on the pack: only on the width that the trial is padded to."""
    trials, alone = padded
    assert packs(trials) == [("six", "eight")]
    before, found = training.compilations(), {}
    for name, said in together.run(trials, lambda name, now: None, lambda name: None):
        found.setdefault(name, []).append(said)
    for name, outcomes in found.items():
        one, other = weights(outcomes), weights(alone[name])
        assert one.keys() == other.keys()
        for file, tensors in one.items():
            assert all((tensors[key] == other[file][key]).all() for key in tensors)
    # Of four members in place of two: dense, pruned, other and small networks of both widths.
    assert training.compilations() - before == 1


def test_widths_that_are_not_padded_have_programs_of_their_own():
    assert packs({"six": config(6), "eight": config(8)}) == [("six",), ("eight",)]
    assert packs({"six": config(6, 8.0), "ten": config(6, 10.0)}) == [("six",), ("ten",)]


def test_a_grid_is_padded_where_that_costs_less_than_compiling(monkeypatch):
    """Two hundred steps of eight examples are nothing beside five seconds."""
    grid = {str(width): config(width, "auto") for width in (4, 8, 16)}
    found = padding.resolved(grid)
    assert list(found) == list(grid)
    assert [own.training.pad for own in found.values()] == [16.0, 16.0, 16.0]
    monkeypatch.setattr(padding, "PROGRAM", 0.0)
    assert [own.training.pad for own in padding.resolved(grid).values()] == [None, None, None]


def test_a_width_far_below_is_not_padded_to_the_widest(monkeypatch):
    """64 inputs and 10 outputs: 74 products a unit."""
    grid = {str(width): config(width, "auto") for width in (4, 6, 40)}
    # Two more units, in three products a step of two trainings of two networks.
    monkeypatch.setattr(padding, "PROGRAM", 6.0 * 2 * (64 + 10) * 4 * 8 * 2 * 2)
    found = padding.resolved(grid)
    assert {name: own.training.pad for name, own in found.items()} == {
        "4": 6.0,
        "6": 6.0,
        "40": None,
    }
    monkeypatch.setattr(padding, "PROGRAM", padding.PROGRAM - 1)
    assert {own.training.pad for own in padding.resolved(grid).values()} == {None}


def test_every_trial_of_a_width_counts(monkeypatch):
    """In whatever order they come: two trainings of one, five of another."""
    monkeypatch.setattr(padding, "PROGRAM", 6.0 * 2 * 74 * 4 * 8 * 2 * 6)
    few, many = (config(4, "auto", pruning={"rounds": rounds}) for rounds in (1, 4))
    for trials in ({"few": few, "many": many}, {"many": many, "few": few}):
        grid = {**trials, "wide": config(6, "auto")}
        assert {own.training.pad for own in padding.resolved(grid).values()} == {None}
    assert {
        own.training.pad for own in padding.resolved({"few": few, "w": config(6, "auto")}).values()
    } == {6.0}


def test_only_trials_of_one_kind_are_padded_to_one_another():
    grid = {
        "a": config(4, "auto"),
        "b": config(8, "auto", training={"optimizer": "sgd"}),
        "c": config(8, "auto", saturation={"examples": 20}),  # another program
        "d": config(8, "auto", model={"layer_norm": True}),
        "e": config(4, "auto", model={"layer_norm": True}),
    }
    assert [own.training.pad for own in padding.resolved(grid).values()] == 5 * [None]


def test_settings_that_say_a_width_stay():
    grid = {"a": config(4, 8.0), "b": config(8)}
    assert padding.resolved(grid) == grid


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"model": {"widths": (6,)}}, "is not an option with model.widths"),
        ({"pruning": {"method": "rigl"}}, "schedule dynamic"),
    ],
)
def test_what_looks_at_all_units_is_refused(sections, said):
    with pytest.raises(pydantic.ValidationError, match=said):
        config(6, 8.0, **sections)


def test_a_width_below_its_own_or_of_half_a_unit_is_refused():
    with pytest.raises(pydantic.ValidationError, match=r"pad = 4: must be at least model\.width"):
        config(6, 4.0)
    with pytest.raises(pydantic.ValidationError, match=r"pad = 8\.5: width of an mlp is a whole"):
        config(6, 8.5)


def test_an_architecture_that_cannot_be_padded_is_refused():
    with pytest.raises(subject.TrialError, match="cannot be padded"):
        subject.check(config(6, 8.0, model={"layer_norm": True}))


def test_saturation_is_that_of_its_own_units():
    """Directions and units, before and behind the non-linearity, to float tolerance."""
    watched = {"saturation": {"examples": 40}, "model": {"depth": 2}}
    one, other = (list(trial.run(config(6, pad, **watched), "six")) for pad in (None, 11.0))
    assert len(one) == len(other) == 2
    for plain, padded in zip(one, other, strict=True):
        rows = [vars(row) for row in plain.rows["saturation"]]
        assert {row["width"] for row in rows} == {6, 10}
        for expected, row in zip(rows, padded.rows["saturation"], strict=True):
            found = vars(row)
            shares = {key for key, value in expected.items() if isinstance(value, float)}
            for key in expected.keys() - shares:
                assert found[key] == expected[key], key
            for key in shares:
                assert found[key] == pytest.approx(expected[key], rel=1e-3, abs=1e-5), key


def test_auto_is_for_grids(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("search: {trials: 3}\nsweep: {model.width: [4, 8]}\ntraining: {pad: auto}\n")
    with pytest.raises(ConfigError, match=r"training\.pad = auto: is for grids"):
        load(path)


def test_without_training_there_is_nothing_to_pad():
    off = {"training": {"steps": 0}, "memorising": {"loads": (1.0,)}}
    assert config(6, 8.0, **off).training.pad == 8.0
    grid = {"a": config(6, "auto", **off), "b": config(8, "auto", **off)}
    assert {own.training.pad for own in padding.resolved(grid).values()} == {None}
