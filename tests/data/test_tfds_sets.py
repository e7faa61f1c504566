"""TFDS sets: read once, decoded once, and a plain sentence where one cannot be had."""

import importlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from capacity.data import DataError, archive, load, prepare

HISTOGRAM = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]  # of MNIST's labels


def test_a_set_is_read_with_all_that_it_says_of_itself(paper_set):
    data = load("mnist")
    assert data.train.inputs.shape == (54, 28, 28, 1)
    assert data.train.inputs.dtype == np.uint8
    assert data.train.labels.dtype == np.int32
    assert [len(split.labels) for split in (data.train, data.validation, data.test)] == [54, 6, 60]
    assert data.class_count == 10
    assert data.scale == np.float32(1 / 255)
    assert data.conditional_entropy is None


def test_a_second_load_maps_the_cache_and_decodes_nothing(paper_set, monkeypatch):
    first = load("mnist")
    monkeypatch.setattr(archive, "_decoded", lambda *_: pytest.fail("decoded twice"))
    second = load("mnist")
    assert isinstance(second.test.inputs, np.memmap)
    assert not second.test.inputs.flags.writeable
    assert second.fingerprint == first.fingerprint
    np.testing.assert_array_equal(second.test.inputs, first.test.inputs)


def test_another_preparation_of_a_set_is_decoded_again(paper_set):
    load("mnist")
    (paper_set / "mnist" / "3.0.1" / "label.labels.txt").write_text("0\n1\n")
    load("mnist")
    entries = paper_set.parent / "cache" / "data" / "mnist" / "3.0.1"
    assert len(list(entries.iterdir())) == 2


def test_the_newest_prepared_version_is_read_unless_one_is_named(paper_set, metadata):
    metadata(paper_set / "mnist" / "3.0.10")
    (paper_set / "mnist" / "3.1.0.incompleteABC").mkdir()
    newest = archive._prepared_folder("mnist", paper_set)
    named = archive._prepared_folder("mnist:3.0.1", paper_set)
    assert (newest, named) == (paper_set / "mnist/3.0.10", paper_set / "mnist/3.0.1")
    assert archive._prepared_folder("mnist:2.0.0", paper_set) is None
    assert archive._prepared_folder("../mnist", paper_set) is None


def test_the_default_configuration_is_found_without_tfds(tmp_path, metadata):
    metadata(tmp_path / "emnist" / "letters" / "3.1.0")
    metadata(tmp_path / "emnist" / "byclass" / "3.1.0")
    (tmp_path / "emnist" / ".config").mkdir()
    config = tmp_path / "emnist" / ".config" / "metadata.json"
    config.write_text('{"default_config_name": "byclass"}')
    assert archive._prepared_folder("emnist", tmp_path) == tmp_path / "emnist/byclass/3.1.0"
    named = archive._prepared_folder("emnist/letters", tmp_path)
    assert named == tmp_path / "emnist/letters/3.1.0"


def test_a_set_without_a_test_split_is_tested_on_its_validation_split(paper_data_dir, metadata):
    metadata(paper_data_dir / "mnist" / "3.0.1", splits=("train", "validation"))
    assert len(load("mnist").test.labels) == 60


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"splits": ("train",)}, r"has the splits \['train'\] where 'train' and 'test'"),
        ({"shape": ("-1", "-1", "3")}, r"of shape \(None, None, 3\) where 8-bit values of"),
        ({"classes": 9}, r"some labels of its split 'train' are not in 0 \.\.\. 8"),
    ],
)
def test_a_set_of_another_make_is_refused(paper_data_dir, metadata, written, message):
    metadata(paper_data_dir / "mnist" / "3.0.1", **written)
    with pytest.raises(DataError, match=message):
        load("mnist")


def test_an_unreadable_description_is_named(paper_set):
    (paper_set / "mnist" / "3.0.1" / "features.json").write_text("{")
    with pytest.raises(
        DataError, match=r"mnist/3.0.1 says of itself cannot be read .*, so prepare"
    ):
        load("mnist")


def test_a_format_without_random_access_is_named(tmp_path, metadata, monkeypatch):
    metadata(tmp_path / "mnist" / "3.0.1", file_format="tfrecord")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(
        DataError, match=r"a format without random access, so prepare it in another"
    ):
        load("mnist", cache_dir=tmp_path / "cache")


def test_records_that_cannot_be_read_are_named(tmp_path, metadata, monkeypatch):
    folder = tmp_path / "tfds" / "mnist" / "3.0.1"
    metadata(folder)
    for split in ("train", "test"):
        (folder / f"mnist-{split}.array_record-00000-of-00001").write_bytes(b"damaged" * 9999)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    with pytest.raises(DataError, match=r"the train records in .* cannot be read .*prepare the"):
        load("mnist", cache_dir=tmp_path)


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """An empty TFDS_DATA_DIR on a machine whose connections are all refused."""

    def refused(*_, **__):
        raise OSError("no network")

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "empty"))
    monkeypatch.setattr(socket, "create_connection", refused)
    return tmp_path


def test_out_of_reach_is_said_at_once(empty):
    start = time.monotonic()
    with pytest.raises(DataError) as error:
        load("cifar10", cache_dir=empty)
    assert time.monotonic() - start < 5
    assert str(error.value) == (
        f"data.name = 'cifar10': not prepared in {empty / 'empty'} and www.cs.toronto.edu does not "
        "answer, so point TFDS_DATA_DIR at a folder that holds it as array_record, prepare it once "
        "where there is a network, or use 'digits', 'gaussian' or 'teacher', which need no download"
    )


def test_a_name_server_that_is_silent_holds_nobody_up(empty, monkeypatch):
    def silent(*_, **__):
        time.sleep(30)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", silent)
    monkeypatch.setattr(prepare, "PATIENCE", 0.1)
    start = time.monotonic()
    assert not prepare._reachable({"one.invalid"})
    assert not prepare._reachable({"one.invalid", "two.invalid"})
    assert time.monotonic() - start < 2


def test_a_host_that_answers_is_reachable_and_a_proxy_is_asked_in_its_stead(monkeypatch):
    for variable in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not prepare._reachable({"host.invalid"})
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.getsockname()[1]}")
        assert prepare._reachable({"host.invalid"})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnits", r"data.name = 'mnits': is no embedded set, .*, did you mean 'mnist'\?$"),
        ("digit", r", did you mean 'digits'\?$"),
        ("../mnist", r"data.name = '../mnist': is no embedded set, no TFDS set and not prepared"),
        ("qqqqqq", r"so use 'digits', 'gaussian' or 'teacher', which need no download$"),
        ("mnist:9.9.9", r"data.name = 'mnist:9.9.9': Dataset mnist cannot be loaded at version"),
        ("emnist/nothing", r"data.name = 'emnist/nothing': BuilderConfig nothing not found"),
        ("imdb_reviews", r"has the features \['label', 'text'\] where an 'image' and a class"),
    ],
)
def test_a_name_that_is_none_is_refused(empty, name, message):
    with pytest.raises(DataError, match=message):
        load(name, cache_dir=empty)


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (
            ModuleNotFoundError("No module named 'tensorflow'"),
            "needs TensorFlow once .*and reading",
        ),
        (
            RuntimeError("checksum differs\nand more"),
            "could not be prepared in .*: checksum differs",
        ),
    ],
)
def test_a_preparation_that_fails_says_why(empty, monkeypatch, failure, message):
    tfds = importlib.import_module("tensorflow_datasets")

    def fail(*_, **__):
        try:
            raise failure
        except Exception as cause:
            raise RuntimeError(str(cause)) from cause

    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fail)
    monkeypatch.setattr(prepare, "_reachable", lambda _: True)
    with pytest.raises(DataError, match=message):
        load("mnist", cache_dir=empty)


def test_a_bucket_is_not_a_folder(monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", "gs://bucket/sets")
    with pytest.raises(DataError, match="TFDS_DATA_DIR = gs://bucket/sets: must be a folder"):
        load("mnist")


def _needs(name):
    folder = Path(os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")).expanduser()
    if archive._prepared_folder(name, folder) is None:
        pytest.skip(f"{name} is not prepared under TFDS_DATA_DIR ({folder})")


@pytest.fixture(scope="module")
def mnist_cache(tmp_path_factory):
    """A cache with the real MNIST in it."""
    _needs("mnist")
    folder = tmp_path_factory.mktemp("cache")
    load("mnist", cache_dir=folder)
    return folder


def test_mnist_is_mnist(mnist_cache):
    data = load("mnist", inputs="standardised", cache_dir=mnist_cache)
    labels = np.concatenate([data.train.labels, data.validation.labels])
    assert np.bincount(labels).tolist() == HISTOGRAM
    assert len(data.test.labels) == 10000
    # the mean 0.1307 and deviation 0.3081 that are commonly quoted are those of all 60000
    np.testing.assert_allclose(data.offset / 255, 0.1307, atol=5e-4)
    np.testing.assert_allclose(1 / (255 * data.scale), 0.3081, atol=5e-4)


def test_mnist_is_refused_more_examples_than_it_has(mnist_cache):
    with pytest.raises(DataError) as error:
        load("mnist", train_size=90000, cache_dir=mnist_cache)
    assert str(error.value) == (
        "data.train_size = 90000: mnist has only 54000 training examples after 6000 for validation"
    )


def test_a_cached_set_loads_without_the_import_of_tfds(mnist_cache):
    program = (
        "import sys; from capacity.data import load; load('mnist', cache_dir=sys.argv[1]);"
        "assert not {'tensorflow_datasets', 'sklearn', 'jax'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, str(mnist_cache)], check=True, timeout=60)
