"""The search over codecs: what leads, what a file holds, and that every name has its codec."""

import typing

import numpy as np
import pytest

from capacity.coded import CODECS, Compressed, compressed_population, headline
from capacity.coded.search import File
from capacity.coding import decode, dequantised
from capacity.config import Config
from capacity.config.experiments import CodecName
from capacity.lottery import dense_mask
from capacity.subject import prepare
from capacity.training import initial, member_keys, members

STEPS = (2.0, 0.5, 0.125)
RATES = (1e-3, 1e-6)


@pytest.fixture(scope="module")
def population():
    settings = {
        "data": {"name": "digits", "train_size": 200},
        "model": {"width": 8.0},
        "coding": {
            "codecs": CODECS,
            "steps": STEPS,
            "rate_weights": RATES,
            "obs_rate_weights": RATES,
            "finetune_epochs": 1,
            "tolerance": 0.01,
            "effort": "fast",
        },
        "seeds": 2,
    }
    subject = prepare(Config.model_validate(settings), "trial")
    return subject, initial(subject.model, member_keys(range(2), "initial"))


def compressed(population, accuracies, diverged=(False, False)):
    subject, params = population
    return compressed_population(
        subject, members(params), dense_mask(params), np.array(accuracies), np.array(diverged)
    )


def candidate(size, accuracy, *, within):
    file = File(None, None, bytes(size), {}, 0.0, 0.0)
    return Compressed("uniform", file, within, 1.0, accuracy, 1.0, accuracy)


def test_a_configuration_names_every_codec():
    assert set(typing.get_args(CodecName)) == set(CODECS)


def test_the_smallest_file_within_the_tolerance_leads():
    large, small, poor = (
        candidate(9, 0.9, within=True),
        candidate(5, 0.8, within=True),
        candidate(1, 0.5, within=False),
    )
    assert headline([large, small, poor]) is small
    assert headline([poor]) is poor
    assert headline([]) is None


def test_where_any_network_will_do_the_coarsest_step_is_taken(population):
    found = compressed(population, [0.0, 0.0])
    for each in (each for member in found for each in member):
        assert each.within
        assert each.file.setting in (None, STEPS[0], RATES[0])


def test_where_none_will_do_the_finest_is_taken_and_said_so(population):
    found = compressed(population, [2.0, 2.0])
    for each in (each for member in found for each in member):
        assert not each.within
        assert each.file.setting in (None, STEPS[-1], RATES[-1])


def test_a_file_decodes_to_the_network_that_was_scored(population):
    for member in compressed(population, [0.0, 0.0]):
        for each in member:
            assert each.validation_loss > 0
            if each.file.leaves is not None:
                decoded = decode(each.file.content)
                for name, leaf in each.file.leaves.items():
                    assert np.array_equal(decoded[name], each.file.decoded[name])
                    assert np.array_equal(decoded[name], dequantised(leaf))


def test_a_diverged_member_has_no_files_and_hurts_no_other(population):
    whole = compressed(population, [0.0, 0.0])
    part = compressed(population, [0.0, 0.0], (True, False))
    assert part[0] == []
    assert [len(each.file.content) for each in part[1]] == [
        len(each.file.content) for each in whole[1]
    ]
    assert compressed(population, [0.0, 0.0], (True, True)) == [[], []]
