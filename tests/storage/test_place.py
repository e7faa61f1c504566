"""A place gives back what it was given, whatever it is on, and shows whole files alone."""

import datetime

import pytest

from capacity.storage.place import PART_BYTES, Place, reason
from capacity.store import StoreError
from tests.storage.places import KINDS, place_of


@pytest.fixture(params=KINDS)
def place(request, tmp_path):
    with place_of(request.param, tmp_path) as found:
        yield found


def test_what_is_put_is_listed_and_given_back(place):
    assert place.listed() == {}
    assert place.get("networks.csv") is None
    assert place.changed("networks.csv") is None
    held = {"networks.csv": b"a,b\n", "trials/.rounds/x/000000/s0.npz": bytes(range(256)) * 999}
    held |= {"large": bytes(PART_BYTES + 1), "empty.gz": b"", "packed.gz": b"no archive"}
    for name, data in held.items():
        place.put(name, b"before")
        place.put(name, data)
    assert place.listed() == {name: len(data) for name, data in held.items()}
    assert {name: place.get(name) for name in held} == held


def test_what_is_deleted_is_gone_and_may_be_deleted_again(place):
    for name in ("trials/x/a", "trials/x/b/c", "trials/y/a"):
        place.put(name, b"1")
    for _ in range(2):
        place.delete("trials/y/a")
        place.delete("trials/x", folder=True)
    assert place.listed() == {}


def test_a_probe_tells_the_time_there_and_leaves_nothing(place):
    now = place.probe()
    if now is not None:
        here = datetime.datetime.now(datetime.UTC)
        assert abs((here - now).total_seconds()) < 60
    assert place.listed() == {}


def test_a_put_that_fails_leaves_what_was_there(place, monkeypatch):
    place.put("config.yaml", b"before")

    def full(*_):
        raise OSError(28, "No space left on device")

    if place.folder is not None:
        monkeypatch.setattr("os.fsync", full)
    else:
        monkeypatch.setattr(Place, "_write", full)
    with pytest.raises(StoreError, match=r"small cannot be written \(No space left on device\)$"):
        place.put("config.yaml", b"after")
    monkeypatch.undo()
    assert place.get("config.yaml") == b"before"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            "When uploading object with key 'a' in bucket 'b': AWS Error NETWORK_CONNECTION during "
            "PutObject operation: curlCode: 7, Could not connect to server; Details: Failed to "
            "connect to 127.0.0.1:9 after 0 ms: Could not connect to server",
            "network connection: Failed to connect to 127.0.0.1:9 after 0 ms: Could not connect to "
            "server",
        ),
        (
            "When ...: AWS Error NO_SUCH_BUCKET during PutObject operation: The specified bucket "
            "does not exist (Request ID: X4A)",
            "no such bucket: The specified bucket does not exist",
        ),
        (
            "google::cloud::Status(UNAVAILABLE: Retry policy exhausted error_info={reason=, ...})",
            "UNAVAILABLE: Retry policy exhausted",
        ),
        ("several\n  lines.", "several lines"),
    ],
)
def test_what_stores_say_is_one_line(said, words):
    assert reason(OSError(said)) == words
