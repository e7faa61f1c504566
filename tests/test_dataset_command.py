"""The command that prints the card of a data set, and what it keeps."""

import csv

import numpy as np
import pytest

from capacity import data, dataset
from capacity.information import line, plugin_entropy


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CAPACITY_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_card_of_the_digits(tmp_path, capsys):
    assert dataset.main(["digits", "label_noise=0.2", "--out", str(tmp_path)]) == 0
    printed, errors = capsys.readouterr()
    assert not errors  # the bar is for a terminal
    for words in ("digits: 1437 x 8 x 8 x 1 uint8", "N log K", "upper bound", "TwoNN"):
        assert words in printed
    rows = {row["measure"]: row for row in csv.DictReader((tmp_path / "digits.csv").open())}
    labels = data.load("digits", label_noise=0.2, validation_size=0).train.labels
    assert float(rows["label_entropy"]["value"]) == plugin_entropy(np.bincount(labels))
    floor = rows["noise_floor"]
    assert float(floor["value"]) == pytest.approx(1437 * 1.3559, abs=0.1)
    assert floor["note"] == "a share of 0.2 of the labels flipped to another class"
    page = (tmp_path / "digits.md").read_text()
    assert "By `python -m capacity.dataset digits label_noise=0.2`." in page
    assert page.count("\n| ") == len(rows) + 2 * page.count("\n## ")


@pytest.mark.parametrize("name", ["gaussian", "teacher"])
def test_real_valued_sets_say_what_they_cannot_have(name, capsys):
    assert dataset.main([name, "size=100", "dimension=3"]) == 0
    assert "real-valued inputs" in " ".join(capsys.readouterr().out.split())


def test_what_can_be_measured_of_one_example_is(capsys):
    assert dataset.main(["digits", "train_size=1"]) == 0
    found = data.measures(data.load("digits", train_size=1, validation_size=0))
    assert found["input_bits"].value
    for name in ("label_entropy", "position_entropy", "twonn_dimension", "v_information"):
        assert found[name].value is None
        assert found[name].note


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["digits", "label_nois=0.2"], "data.label_nois: is no option of a data set, did you mean"),
        (["digits", "zzz=1"], "data.zzz: is no option of a data set; they are train_size, "),
        (["digits", "label_noise=2"], "data.label_noise = 2: must be a number from 0 to 1"),
        (["digits", "0.2"], "0.2: must be key=value, as label_noise=0.2"),
        (["digits", "classes=["], "data.classes = [: is no YAML value"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(arguments, message, capsys):
    assert dataset.main(arguments) == 2
    printed, errors = capsys.readouterr()
    assert not printed
    assert errors.startswith(message)
    assert errors.count("\n") == 1


def test_a_wrong_name_is_one_sentence_and_exit_code_2(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    assert dataset.main(["mnits"]) == 2
    assert capsys.readouterr().err.endswith("did you mean 'mnist'?\n")


def test_no_name_is_a_mistake_too(capsys):
    with pytest.raises(SystemExit) as exit_:
        dataset.main([])
    assert exit_.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_every_measure_has_a_line():
    for name in data.measures(data.load("digits", validation_size=0)):
        assert line(name).doc
        assert line(name).kind in {"exact", "upper bound", "lower bound", "estimate"}


def test_a_second_card_computes_nothing_and_another_noise_only_what_depends_on_it(monkeypatch):
    plain = data.load("digits", validation_size=0)
    noisy = data.load("digits", validation_size=0, label_noise=0.2)
    told = []
    first = data.measures(plain, lambda what, share: told.append(what))
    assert {"xz -9e", "nearest neighbours", "pixels and labels", "logistic regression"} <= set(told)
    told.clear()
    assert data.measures(plain, lambda what, share: told.append(what)) == first
    assert told == []
    other = data.measures(noisy, lambda what, share: told.append(what))
    assert {"pixels and labels", "logistic regression"} <= set(told)
    assert not {"xz -9e", "nearest neighbours"} & set(told)
    assert other["pixel_information"] != first["pixel_information"]
    assert other["twonn_dimension"] == first["twonn_dimension"]


def test_a_damaged_file_is_computed_again(cache):
    digits = data.load("digits", validation_size=0)
    first = data.measures(digits)
    for path in (cache / "cards").glob("*.json"):
        path.write_text(path.read_text()[: len(path.read_text()) // 2])
    assert data.measures(digits) == first


def test_without_a_place_to_keep_it_the_card_is_the_same(monkeypatch, tmp_path):
    digits = data.load("digits", validation_size=0, train_size=100)
    kept = data.measures(digits)
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("CAPACITY_CACHE_DIR", str(blocked))
    assert data.measures(digits) == kept
    assert data.card(digits).input_bits == kept["input_bits"].value
