"""The settings of a trial: defaults, meanings, and what is refused."""

import re

import pydantic
import pytest

from capacity.config import Config, flatten, keys, sections


def test_every_key_has_a_meaning_a_type_and_a_valid_default():
    assert len(keys()) == len(flatten(Config()))
    for key, (kind, default, meaning) in keys().items():
        assert meaning, f"{key} has no description"
        assert kind, f"{key} has no type"
        value = flatten(Config())[key]
        assert default == (list(value) if isinstance(value, tuple) else value)


def test_types_are_in_the_words_of_a_file():
    """No Python in the help: `int|null`, not `Optional[int]`."""
    types = {key: kind for key, (kind, _, _) in keys().items()}
    assert types["data.name"] == "text"
    assert types["data.train_size"] == "int|null"
    assert types["training.optimizer"] == "sgd|adam|adamw"
    assert types["data.classes"] == "list of int|null"
    assert types["training.chunk"] == "int|auto"
    assert types["pruning.rewind"] == "weights|learning-rate|fine-tuning"
    for key, kind in types.items():
        assert re.fullmatch(r"(list of )?[a-z0-9-]+(\|[a-z0-9-]+)*", kind), (key, kind)


def test_flat_keys_are_the_sections_and_the_rest():
    for key in keys():
        section, dot, _ = key.partition(".")
        assert section in sections() or not dot


def test_a_config_is_frozen_and_hashable():
    assert hash(Config()) == hash(Config())
    with pytest.raises(pydantic.ValidationError):
        Config().seeds = 4


@pytest.mark.parametrize(
    "settings",
    [
        {"seeds": "3"},
        {"seeds": 3.0},
        {"seeds": True},
        {"training": {"learning_rate": float("inf")}},
        {"training": {"learning_rate": float("nan")}},
        {"training": {"epochs": float("inf")}},
        {"data": {"label_noise": -0.1}},
        {"pruning": {"rate": 0.0}},
        {"pruning": {"rate": 1.0}},
        {"model": {"taper": 1.5}},
        {"training": {"momentum": 0.9}},
        {"training": {"steps": 2**31}},
        {"data": {"seed": 2**40}},
        {"seeds": 10**6},
        {"resources": {"gpus": 1.5}},
        {"model": {"family": "resnet", "depth": 2}},
    ],
    ids=str,
)
def test_what_is_no_setting_is_refused(settings):
    with pytest.raises(pydantic.ValidationError):
        Config.model_validate(settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"training": {"optimizer": "sgd", "momentum": 0}},
        {"training": {"learning_rate": 1}},
        {"training": {"evaluate_every": 7}, "pruning": {"rewind_step": 21}},
        {"training": {"chunk": 2}, "seeds": 6},
        {"model": {"family": "vgg", "width": 0.5, "depth": 13}},
        {"model": {"family": "resnet", "width": 1.0, "depth": 8}},
        {"model": {"family": "lenet5", "width": 0.1}},
        {"data": {"classes": (0, 1), "label_noise": 1}},
    ],
    ids=str,
)
def test_what_is_a_setting_is_taken(settings):
    flat = flatten(Config.model_validate(settings))
    for section, values in settings.items():
        if section in sections():
            assert all(flat[f"{section}.{key}"] == value for key, value in values.items())
