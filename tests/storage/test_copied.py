"""A sweep goes on from its storage path alone, and never into another's."""

import contextlib
import json
import shutil
import subprocess
import sys

import pytest

from capacity import storage
from capacity.storage import address as addresses
from capacity.storage import lease
from capacity.storage.place import Place
from capacity.store import Store, StoreError, read
from tests.analysis.sample import sample
from tests.storage.places import s3

CONFIG = {"training": {"epochs": 3}, "sweep": {"model.width": [16, 32]}}
TRIALS = sample(widths=(16, 32), noises=(0.0,), seeds=2, rounds=2)
FIRST, SECOND = TRIALS


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(lease, "SETTLE_SECONDS", 0.0)


@pytest.fixture(params=["folder", "S3"])
def address(request, tmp_path):
    with contextlib.ExitStack() as stack:
        yield stack.enter_context(s3()) if request.param == "S3" else str(tmp_path / "kept")


@pytest.fixture
def said():
    return []


@pytest.fixture
def opened(address, said):
    @contextlib.contextmanager
    def opened(folder, *, config=CONFIG, resume=True):
        with storage.copied(address, folder, config, resume=resume, say=said.append) as copy:
            store = Store.open(folder, config, resume=resume)
            copy.begin()
            yield store
            store.write_tables()
            store.finish()
        assert not copy.missing

    return opened


def fill(store, *trials):
    for trial in trials:
        settings, tables = TRIALS[trial]
        store.write_trial(trial, settings, **tables, files={"s0-r0.cap": b"\x00\xff"})


def tables(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.[cp][sa][vr]*")}


def test_another_machine_goes_on_from_the_storage_path_alone(opened, address, said, tmp_path):
    with opened(tmp_path / "whole/other") as store:
        fill(store, FIRST, SECOND)
    with opened(tmp_path / "a/small") as store:
        fill(store, FIRST)
        kept = {"tables": {}, "files": {"s0-r0.cap": b"1"}, "continuation": b"from here"}
        store.rounds.keep(SECOND, 0, {}, **kept)
    shutil.rmtree(tmp_path / "a")
    with opened(tmp_path / "b/small") as store:
        assert store.finished() == {FIRST}
        assert store.rounds.latest(SECOND, {}) == b"from here"
        assert store.rounds.take(SECOND, 1).files == {"s0-r0.cap": b"1"}
        fill(store, SECOND)
    assert "small: trials 1, rounds 1" in " ".join(said)
    assert len(tables(tmp_path / "b/small")) == 6
    assert tables(tmp_path / "b/small") == tables(tmp_path / "whole/other")
    first, second = read(tmp_path / "b/small").provenance["runs"]
    assert first["finished"] is not None
    assert second["started"] >= first["started"]
    with opened(tmp_path / "c/small") as store:
        assert store.finished() == {FIRST, SECOND}
    assert tables(tmp_path / "c/small") == tables(tmp_path / "b/small")


def test_a_round_counts_after_those_before_it(opened, address, tmp_path):
    kept = {"tables": {}, "files": {}, "continuation": None}
    with opened(tmp_path / "a/small") as store:
        for number in range(4):
            store.rounds.keep(SECOND, number, {}, **kept | {"continuation": b"%d" % number})
    addresses.at(address, "small").delete(f"trials/.rounds/{SECOND}/000001/settings.json")
    shutil.copytree(tmp_path / "a/small", tmp_path / "c/small")
    shutil.rmtree(tmp_path / "c/small/trials/.rounds" / SECOND / "000002")
    shutil.rmtree(tmp_path / "c/small/trials/.rounds" / SECOND / "000003")
    with storage.copied(address, tmp_path / "b/small", CONFIG, resume=True, say=print):
        places = (tmp_path / "b/small/trials/.rounds" / SECOND).iterdir()
        assert [place.name for place in places] == ["000000"]
    with opened(tmp_path / "c/small") as store:
        assert store.rounds.latest(SECOND, {}) == b"3"
        store.rounds.take(SECOND, 4)


def test_what_either_side_lacks_comes_from_the_other(opened, tmp_path):
    with opened(tmp_path / "a/small") as store:
        fill(store, FIRST)
    alone = Store.open(tmp_path / "b/small", CONFIG, resume=False)
    fill(alone, SECOND)
    alone.finish()
    with opened(tmp_path / "b/small") as store:
        assert store.finished() == {FIRST, SECOND}
    with opened(tmp_path / "a/small") as store:
        assert store.finished() == {FIRST, SECOND}
    assert tables(tmp_path / "a/small") == tables(tmp_path / "b/small")
    provenance = json.loads((tmp_path / "a/small/provenance.json").read_text())
    begun = [run["started"] for run in provenance["runs"]]
    assert begun == sorted(begun)


def test_two_experiments_do_not_mix(opened, address, tmp_path):
    with opened(tmp_path / "a/small") as store:
        fill(store, FIRST)
    other = {**CONFIG, "training": {"epochs": 5}}
    with (
        pytest.raises(StoreError, match=r"small holds another experiment \(training.epochs = 3 th"),
        opened(tmp_path / "b/small", config=other),
    ):
        pass
    with (
        pytest.raises(StoreError, match=r"small holds results of this experiment already: add --r"),
        opened(tmp_path / "b/small", resume=False),
    ):
        pass
    assert not (tmp_path / "b").exists()
    Store.open(tmp_path / "c/small", other, resume=False).finish()
    before = (tmp_path / "c/small/provenance.json").read_bytes()
    with (
        pytest.raises(StoreError, match=r"small holds another experiment \(training.epochs = 5 th"),
        opened(tmp_path / "c/small"),
    ):
        pass
    assert (tmp_path / "c/small/provenance.json").read_bytes() == before
    with opened(tmp_path / "d/small") as store:  # nothing of these is left in the way
        assert store.finished() == {FIRST}


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("thesis.tex", b"mine", r"is not empty \('thesis.tex'\) and holds no results of ours"),
        ("provenance.json", b"[1]", "small/provenance.json is damaged or not ours"),
        ("provenance.json", b'{"config": {}, "runs": [3]}', "is damaged or not ours"),
    ],
)
def test_what_is_not_ours_is_left_alone(opened, address, tmp_path, name, data, words):
    place = addresses.at(address, "small")
    place.put(name, data)
    with pytest.raises(StoreError, match=words), opened(tmp_path / "a/small"):
        pass
    assert {name: place.get(name) for name in place.listed()} == {name: data}


def test_a_file_that_is_cut_off_while_it_is_fetched_is_no_result(opened, tmp_path, monkeypatch):
    with opened(tmp_path / "a/small") as store:
        fill(store, FIRST)
    get = Place.get

    def cut_off(self, name):
        data = get(self, name)
        return data[:-1] if name.endswith(".cap") else data

    monkeypatch.setattr(Place, "get", cut_off)
    with (
        pytest.raises(StoreError, match=r"s0-r0\.cap is cut off: remove the file and resume"),
        opened(tmp_path / "b/small"),
    ):
        pass
    assert not list((tmp_path / "b/small/trials").glob("[!.]*"))
    monkeypatch.undo()
    with opened(tmp_path / "b/small") as store:
        assert store.finished() == {FIRST}


def test_a_live_sweep_of_the_same_folder_is_left_alone(opened, address, tmp_path):
    with opened(tmp_path / "a/small") as store:
        fill(store, FIRST)
    folder = tmp_path / "b/small"
    live = (
        "import sys; from capacity.store import Store; "
        f"store = Store.open({str(folder)!r}, {CONFIG!r}, resume=True); "
        "print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", live]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        before = (folder / "provenance.json").read_bytes()
        with (
            pytest.raises(StoreError, match=r"b/small is being written by another sweep$"),
            opened(folder),
        ):
            pass
        assert (folder / "provenance.json").read_bytes() == before
        assert not list((folder / "trials").glob("[!.]*"))
        process.stdin.close()


def test_fetched_provenance_does_not_hide_the_tables_here(opened, address, tmp_path):
    with opened(tmp_path / "early/small"):
        pass
    alone = Store.open(tmp_path / "b/small", CONFIG, resume=False)
    fill(alone, FIRST)
    alone.write_tables()
    alone.finish()
    before = read(tmp_path / "b/small").networks
    assert len(before) > 0
    with storage.copied(address, tmp_path / "b/small", CONFIG, resume=True, say=print):
        assert read(tmp_path / "b/small").networks.equals(before)


def test_without_a_path_nothing_happens(tmp_path, said):
    with storage.copied(None, tmp_path / "a", CONFIG, resume=False, say=said.append) as copy:
        copy.begin()
    assert (copy.missing, said, list(tmp_path.iterdir())) == (False, [], [])
