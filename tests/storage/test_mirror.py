"""What is kept elsewhere is what is here, at every moment whole, and no trouble there harms it."""

import shutil
import threading
import time

import pytest

from capacity.storage import lease, mirror
from capacity.storage.lease import Lease
from capacity.storage.mirror import Mirror
from capacity.storage.place import Place
from capacity.storage.units import WHOLE, named
from capacity.store import Store, StoreError
from tests.analysis.sample import sample
from tests.storage.places import place_of

CONFIG = {"training": {"epochs": 3}}
SETTINGS = {"seeds": 2}
(TRIAL, (_, TABLES)), *_ = sample(widths=(16,), seeds=2, rounds=3).items()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(lease, "SETTLE_SECONDS", 0.0)


@pytest.fixture(params=["folder", "memory", "S3"])
def place(request, tmp_path):
    with place_of(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def store(tmp_path):
    return Store.open(tmp_path / "here/small", CONFIG, resume=False)


@pytest.fixture
def said():
    return []


@pytest.fixture
def mirrored(place, store, said, monkeypatch):
    """Sends when it is told to."""
    monkeypatch.setattr(mirror, "EVERY_SECONDS", 1e6)
    return Mirror(store.folder, place, Lease(place, said.append), {}, said.append)


def part(number):
    rows = {kind: [r for r in TABLES[kind] if r.round == number] for kind in ("networks", "layers")}
    return {kind: found for kind, found in rows.items() if found}


def keep(store, number, continuation=b"from here"):
    files = {f"s0-r{number}.cap": bytes([number])}
    kept = {"tables": part(number), "files": files, "continuation": continuation}
    store.rounds.keep(TRIAL, number, SETTINGS, **kept)


def finish(store):
    before = store.rounds.take(TRIAL, 2)
    store.write_trial(TRIAL, SETTINGS, files={"s0-r2.cap": b"\2"}, before=before, **part(2))


def wait_for(answer):
    deadline = time.monotonic() + 60
    while not answer():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def here(folder):
    found = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    hidden = {name for name in found if name.endswith(".lock") or name.startswith("ray/")}
    return {name: found[name].read_bytes() for name in found.keys() - hidden}


def there(place):
    return {name: place.get(name) for name in place.listed() if name != lease.FILE}


def test_every_step_of_a_trial_is_followed(place, store, mirrored, said):
    mirrored.send()
    assert there(place) == here(store.folder)
    for number in range(2):
        keep(store, number)
        mirrored.send()
        assert there(place) == here(store.folder)
    keep(store, 1, b"by a worker that took over")
    mirrored.send()
    assert there(place) == here(store.folder)
    finish(store)
    store.write_tables()
    (store.folder / "ray").mkdir()
    (store.folder / "ray/events").write_text("a log")
    assert mirrored.close()
    assert there(place) == here(store.folder)
    assert not [name for name in place.listed() if ".rounds" in name]
    assert said == []


def test_what_has_not_changed_is_not_sent_again(place, store, mirrored, monkeypatch):
    keep(store, 0)
    mirrored.send()
    sent = []
    monkeypatch.setattr(Place, "put", lambda self, name, data, *_: sent.append(name))
    mirrored.send()
    assert sent == []
    store.write_tables()
    mirrored.send()
    assert sorted(sent) == ["COLUMNS.md", "provenance.json", "trials.csv"]


def test_a_unit_is_whole_there_only_with_all_of_its_files(place, store, mirrored, monkeypatch):
    """Cut off at every put in turn: what counts as whole there is so, then and in the end."""
    keep(store, 0)
    keep(store, 1)
    finish(store)
    files = {p.name for p in (store.folder / "trials" / TRIAL).iterdir()}
    put = Place.put
    for allowed in range(len(files) + 4):
        left = [allowed]

        def cut_off(self, name, data, *_, left=left):
            left[0] -= 1
            if left[0] < 0:
                raise StoreError("small cannot be written (cut off)")
            put(self, name, data)

        with monkeypatch.context() as patch:
            patch.setattr(Place, "put", cut_off)
            try:
                mirrored.send()
            except StoreError:
                found = named(place.listed())
                assert all(found[unit] == files for unit in found if WHOLE in found[unit])
    mirrored.send()
    assert there(place) == here(store.folder)


def test_rounds_stay_until_their_trial_is_there(place, store, mirrored, monkeypatch):
    keep(store, 0)
    keep(store, 1)
    mirrored.send()
    finish(store)
    put = Place.put

    def full(self, name, data, *_):
        if name.startswith(f"trials/{TRIAL}"):
            raise StoreError("small cannot be written (no space left)")
        put(self, name, data)

    with monkeypatch.context() as patch:
        patch.setattr(Place, "put", full)
        with pytest.raises(StoreError):
            mirrored.send()
    units = named(place.listed())
    assert len([unit for unit in units if ".rounds" in unit and WHOLE in units[unit]]) == 2
    mirrored.send()
    assert there(place) == here(store.folder)


def test_rounds_come_in_order(place, store, mirrored, monkeypatch):
    for number in range(2):
        keep(store, number, None)
    came, put = [], Place.put

    def noted(self, name, data, *_):
        came.append(name)
        put(self, name, data)

    monkeypatch.setattr(Place, "put", noted)
    mirrored.send()
    rounds = [name.split("/")[3] for name in came if ".rounds" in name]
    assert rounds == sorted(rounds)
    assert set(rounds) == {"000000", "000001"}


def continued(place):
    """The rounds there of which a sweep could go on: whole ones up to the last continuation."""
    units = named(place.listed())
    whole = sorted(unit for unit in units if ".rounds" in unit and WHOLE in units[unit])
    assert [int(unit[-6:]) for unit in whole] == list(range(len(whole)))
    return max((int(u[-6:]) + 1 for u in whole if ".continuation.npz" in units[u]), default=0)


def test_a_round_that_is_written_meanwhile_costs_no_continuation(
    place, store, mirrored, monkeypatch
):
    """Before a put, then while the continuation is sent, which the next round takes away."""
    keep(store, 0)
    mirrored.send()
    keep(store, 1)
    put, left = Place.put, [5, 4, 3, 2]

    def meanwhile(self, name, data, *_):
        put(self, name, data)
        if name.startswith("trials/.rounds") and left:
            keep(store, left.pop())

    monkeypatch.setattr(Place, "put", meanwhile)
    before = 1
    for _ in range(4):
        mirrored.send()
        assert continued(place) >= before
        before = continued(place)
    assert continued(place) == 6
    assert there(place) == here(store.folder)


def test_what_is_lost_here_is_not_forgotten_there(place, store, mirrored):
    keep(store, 0)
    keep(store, 1)
    mirrored.send()
    before = there(place)
    shutil.rmtree(store.folder / "trials/.rounds")
    mirrored.send()
    assert there(place) == before
    shutil.rmtree(store.folder)
    with pytest.raises(StoreError, match=r"here/small/provenance.json is gone"):
        mirrored.send()
    assert there(place) == before


def test_of_an_earlier_writing_of_a_round_nothing_stays(place, store, monkeypatch):
    monkeypatch.setattr(mirror, "EVERY_SECONDS", 1e6)
    keep(store, 0)
    place.put(f"trials/.rounds/{TRIAL}/000000/s1-r0.cap", b"of another writing")
    Mirror(store.folder, place, Lease(place, print), place.listed(), print).send()
    assert there(place) == here(store.folder)


def test_trouble_is_told_once_and_its_end(store, tmp_path, said, monkeypatch):
    monkeypatch.setattr(mirror, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(mirror, "MOST_SECONDS", 0.01)
    with place_of("folder", tmp_path) as place:
        away, put, tried = threading.Event(), Place.put, []

        def put_unless_away(self, name, data, *_):
            if away.is_set():
                tried.append(name)
                raise StoreError("small cannot be written (no route to host)")
            put(self, name, data)

        monkeypatch.setattr(Place, "put", put_unless_away)
        away.set()
        kept = Mirror(store.folder, place, Lease(place, said.append), {}, said.append)
        wait_for(lambda: len(tried) >= 3)
        away.clear()
        wait_for(lambda: len(said) == 2)
        assert kept.close()
        assert said == [
            "small cannot be written (no route to host): results are safe in "
            f"{store.folder}, and are sent again",
            f"{place.address} is written again, all of it",
        ]
        assert there(place) == here(store.folder)


def test_what_is_not_there_in_the_end_is_told(place, store, mirrored, said, monkeypatch):
    def full(*_):
        raise StoreError("small cannot be written (no space left on device)")

    monkeypatch.setattr(Place, "put", full)
    monkeypatch.setattr(mirror.time, "sleep", lambda _: None)
    before = here(store.folder)
    assert not mirrored.close()
    assert said == [
        f"small cannot be written (no space left on device): some results are in {store.folder} "
        "alone; the same command with --resume sends them"
    ]
    assert here(store.folder) == before


def test_a_disk_that_hangs_is_not_waited_for(place, store, mirrored, said, monkeypatch):
    monkeypatch.setattr(mirror, "PATIENCE_SECONDS", 0.3)
    again = threading.Event()
    monkeypatch.setattr(Place, "put", lambda *_: again.wait())
    assert not mirrored.close()
    assert said == [
        f"{place.address} has not answered for 0 s: some results are in {store.folder} alone; "
        "the same command with --resume sends them"
    ]
    again.set()
    mirrored._thread.join(60)


def test_a_disk_that_is_slow_is_waited_for(place, store, mirrored, said, monkeypatch):
    """A part of a large file, or a delete, every 0.2 s."""
    for number in range(2):
        keep(store, number)
    mirrored.send()
    keep(store, 0)
    monkeypatch.setattr(mirror, "PATIENCE_SECONDS", 0.4)
    put, delete = Place.put, Place.delete

    def slow_put(self, name, data, step):
        for _ in range(5 if name == "COLUMNS.md" else 0):
            time.sleep(0.2)
            step()
        put(self, name, data, step)

    def slow_delete(self, name, *, folder=False):
        time.sleep(0.2)
        delete(self, name, folder=folder)

    monkeypatch.setattr(Place, "put", slow_put)
    monkeypatch.setattr(Place, "delete", slow_delete)
    store.write_tables()
    assert mirrored.close()
    assert there(place) == here(store.folder)
    assert said == []


def test_of_two_sweeps_the_first_keeps_a_place_until_it_is_dead(tmp_path, said, monkeypatch):
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(lease, "LEASE_SECONDS", 0.5)
    with place_of("folder", tmp_path) as place:
        first, second, third = (Lease(place, said.append) for _ in range(3))
        monkeypatch.setitem(first._own, "host", "a")
        first.take(None)
        with pytest.raises(
            StoreError, match=r"is being written by another sweep, process \d+ on a$"
        ):
            second.take(None)
        first._stop.set()  # as if its machine were lost
        first._thread.join()
        second.take(None)
        assert len(said) == 2
        assert "which did not say that it ended: waiting up to 0 s" in said[0]
        second.release()
        assert place.listed() == {}
        third.take(None)
        place.put(lease.FILE, b'{"host": "d", "process": 1, "id": "other"}')
        third._thread.join(5)
        assert third.lost == f"{place.address} is being written by another sweep, process 1 on d"
        third.release()
        assert list(place.listed()) == [lease.FILE]


def test_a_lease_that_another_took_and_gave_back_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.05)
    with place_of("folder", tmp_path) as place:
        first = Lease(place, print)
        first.take(None)
        place.delete(lease.FILE)
        first._thread.join(5)
        assert first.lost == f"{place.address} was taken by another sweep, which has ended"
        first.release()
        assert place.listed() == {}


def test_of_two_sweeps_that_begin_at_once_one_begins(tmp_path, monkeypatch):
    with place_of("folder", tmp_path) as place:
        first, second = Lease(place, print), Lease(place, print)
        monkeypatch.setattr(lease.time, "sleep", lambda _: second._beat())
        with pytest.raises(StoreError, match="is being written by another sweep"):
            first.take(None)


def test_nothing_is_written_after_another_took_the_place(place, store, mirrored, monkeypatch):
    keep(store, 0)
    mirrored.send()
    put = Place.put

    def taken(self, name, data, *_):
        put(self, name, data)
        mirrored._lease.lost = "small is being written by another sweep"

    monkeypatch.setattr(Place, "put", taken)
    monkeypatch.setattr(mirror, "SENDERS", 1)
    keep(store, 1)
    before = there(place)
    with pytest.raises(StoreError, match="another sweep"):
        mirrored.send()
    assert len(there(place)) == len(before) + 1


def test_what_was_taken_away_there_is_sent_again_in_the_end(place, store, mirrored):
    store.write_trial(TRIAL, SETTINGS, files={"s0-r0.cap": b"0"})
    store.write_tables()
    mirrored.send()
    place.delete(f"trials/{TRIAL}/s0-r0.cap")
    place.delete("trials.csv")
    assert mirrored.close()
    assert there(place) == here(store.folder)


def test_a_sentence_that_cannot_be_printed_harms_nothing(store, tmp_path, monkeypatch):
    monkeypatch.setattr(mirror, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(mirror, "MOST_SECONDS", 0.01)
    away, put, said = threading.Event(), Place.put, []

    def broken(sentence):
        said.append(sentence)
        raise BrokenPipeError

    def full(self, name, data, *_):
        if away.is_set():
            raise StoreError("small cannot be written (no space left on device)")
        put(self, name, data)

    with place_of("folder", tmp_path) as place:
        monkeypatch.setattr(Place, "put", full)
        for last in (True, False):
            away.set()
            kept = Mirror(store.folder, place, Lease(place, broken), {}, broken)
            wait_for(lambda: said)
            if last:
                away.clear()
            assert kept.close() == last
            said.clear()
