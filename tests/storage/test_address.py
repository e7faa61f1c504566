"""An address that cannot be one, or where nothing answers, is a sentence within seconds."""

import socket
import time

import pytest

from capacity.storage import address
from capacity.storage.address import at, reached
from capacity.store import StoreError
from tests.storage.places import s3

REFUSED = "region=us-east-1&scheme=http&endpoint_override=127.0.0.1:9"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("s4://bucket", "s4://bucket: no file system s4://; known are folders, file://, s3://"),
        ("https://bucket.example.org", "no file system https://; known are"),
        ("s3:bucket/x", "s3:bucket/x: must be s3://, then the rest"),
        ("s3://", "must be s3://bucket/folder"),
        ("s3:///x", "must be s3://bucket/folder"),
        ("s3://b/x?region=x&regoin=y", "no option 'regoin'; known are region, scheme"),
        ("file://host/x", "Unsupported hostname in non-Windows local URI"),
        ("abfs://c@x?client_secret=SECRET", "abfs://...@x: no file system abfs://"),
        ("s3://me:SECRET@b/x", "s3://...@b/x: a secret does not belong in a configuration"),
        ("S3://me:SECRET@b/x", "S3://...@b/x: a secret does not belong in a configuration"),
        ("s3://me:SE/CRET?SECRET@b/x", "s3://...@b/x: a secret does not belong in a"),
        ("s3:/me:SECRET@b", "s3:/...@b: a secret does not belong in a configuration"),
        ("me:SECRET@b", "me:...@b: no file system me://"),
        ("gs://me:SECRET@b/x", "gs://...@b/x: a secret does not belong in a configuration"),
        ("gs://b/x?project=SECRET", "gs://b/x: "),
        ("s3://b/x?secret_key=SECRET", "s3://b/x: no option 'secret_key'; known are region"),
        ("s3://[SECRET@b/x", "s3://...@b/x: a secret does not belong in a configuration"),
    ],
)
def test_what_is_no_address(written, words, tmp_path):
    with pytest.raises(StoreError) as error:
        reached(written, tmp_path / "small")
    assert words in str(error.value)
    assert str(error.value).startswith("storage_path = ")
    assert "CRET" not in str(error.value).replace("AWS_SECRET", "")
    assert "\n" not in str(error.value)


def test_a_folder_is_one_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for written, folder in {
        "there": tmp_path / "there",
        str(tmp_path / "a:b"): tmp_path / "a:b",
        "~/x": tmp_path / "home/x",
        f"file://{tmp_path}/y/": tmp_path / "y",
    }.items():
        place = at(written, "small")
        assert place.folder == folder / "small"
        assert place.address.endswith(f"{folder.name}/small")


def test_a_host_that_refuses_is_told_within_seconds(tmp_path):
    began = time.monotonic()
    for scheme in (
        f"s3://b/x?{REFUSED}",
        "gs://anonymous@b/x?scheme=http&endpoint_override=127.0.0.1:9&retry_limit_seconds=1",
    ):
        with pytest.raises(
            StoreError, match=r"^\w\w://.*b/x/small cannot be written \(.*: mend"
        ) as e:
            reached(scheme, tmp_path / "small")
        assert "endpoint_override" not in str(e.value)
    assert time.monotonic() - began < 15


def test_a_host_that_says_nothing_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(address, "PROBE_SECONDS", 0.5)
    monkeypatch.setattr(address, "PROBING", address.Patience(1, 1.0, 1))
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        where = REFUSED.replace(":9", f":{mute.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(StoreError, match="nothing answers there within 0 s"):
            reached(f"s3://b/x?{where}", tmp_path / "small")
        assert time.monotonic() - began < 5


def test_a_bucket_that_is_not_there(tmp_path):
    with (
        s3() as found,
        pytest.raises(StoreError, match=r"small cannot be written \(no such bucket: "),
    ):
        reached(found.replace("s3://bucket", "s3://bukcet"), tmp_path / "small")


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(
        StoreError, match=r"file/x/small cannot be written \(Not a directory\): mend"
    ):
        reached(str(tmp_path / "file/x"), tmp_path / "small")


def test_the_results_are_not_kept_in_themselves(tmp_path):
    for written in (tmp_path, tmp_path / "small", f"file://{tmp_path}"):
        with pytest.raises(StoreError, match="is there itself: choose another place"):
            reached(str(written), tmp_path / "small")
    assert list(tmp_path.iterdir()) == []
