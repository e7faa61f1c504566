"""The settings of a trial: defaults, meanings, and what is refused."""

import re

import pydantic
import pytest

from capacity.config import Alike, Config, flatten, keys, sections


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


def test_sections_that_are_valid_make_a_trial():
    """As if each were looked through once more."""
    given = {"training": {"epochs": 0.0}, "memorising": {"loads": (1.0,)}, "seeds": 2}
    whole = Config.model_validate(given)
    made = Config.of(vars(whole))
    assert made == whole
    assert made.training is whole.training


def test_valid_sections_that_do_not_agree_are_refused_in_the_same_words():
    sections = vars(Config()) | {"seeds": 3}
    sections["training"] = sections["training"].model_copy(update={"chunk": 2})
    refused = []
    for make in (Config.of, Config.model_validate):
        with pytest.raises(pydantic.ValidationError, match="must divide seeds = 3") as caught:
            make(sections)
        refused.append(str(caught.value))
    assert refused[0] == refused[1]


def test_equal_parts_are_one_object():
    """Also behind what is put aside; what differs otherwise is another."""
    alike = Alike()
    slow, fast, plain = (
        Config.model_validate({"training": {"learning_rate": rate, "optimizer": rule}}).training
        for rate, rule in ((1e-3, "adam"), (1e-2, "adam"), (1e-3, "sgd"))
    )
    assert alike(slow) is not alike(fast)
    assert alike(slow, learning_rate=1.0) is alike(fast, learning_rate=1.0)
    assert alike(slow, learning_rate=1.0) is not alike(plain, learning_rate=1.0)
    assert alike(slow.model_copy()) is alike(slow)
    assert alike(Config().model) is not alike(Config().data)
