"""A worker's packs, one after the other, without Ray: what is left of them, and suspects alone."""

from typing import ClassVar

import pytest
import ray

from capacity.cluster.shifts import Shift
from capacity.cluster.worker import PopulationTrial
from capacity.config import Config

SETTINGS = Config()


class Instant:
    """Trials that fail at once, in place of a thread; `broken` ones take all others with them."""

    packs: ClassVar[list] = []
    broken: ClassVar[set] = set()

    def __init__(self, trials, continuations):
        self.left = dict(continuations)
        if trials:
            self.packs.append(list(trials))

    @property
    def done(self):
        return not self.left

    def next(self, seconds):
        if self.broken & self.left.keys():
            raise RuntimeError("no more threads")
        name = next(iter(self.left))
        del self.left[name]
        return name, ValueError("no")

    def stop(self):
        pass


class Shelf:
    def __init__(self, ended=(), suspects=()):
        self.ended, self.suspects = set(ended), set(suspects)
        self.ran = []

    def runs(self, shift, trials):
        assert shift == "a+4"
        self.ran.append(trials)

    def take(self, trials):
        left = {name: None for name in trials if name not in self.ended}
        return left, self.suspects & left.keys()


class Worker(PopulationTrial):
    background = Instant


@pytest.fixture
def reports(monkeypatch):
    """What a worker says of a shift of the packs abc and de, as (trials, text, last word)."""

    def of(shelf, broken=()):
        monkeypatch.setattr(Instant, "packs", [])
        monkeypatch.setattr(Instant, "broken", set(broken))
        monkeypatch.setattr(ray, "get", lambda shift: shift)
        worker = Worker.__new__(Worker)
        shift = Shift("a+4", [dict.fromkeys("abc", SETTINGS), dict.fromkeys("de", SETTINGS)])
        worker._shifts, worker._shelf, worker._trials = {"a+4": shift}, shelf, None
        worker._begin({"trial": "a+4"})
        found, done = [], False
        while not done:
            result = worker.step()
            done = result["done"]
            if "parcel" in result:
                found.append(tuple(result["parcel"].take()))
        return found

    return of


def test_every_trial_of_every_pack_has_its_say(reports):
    assert [said[0] for said in reports(Shelf())] == [("a",), ("b",), ("c",), ("d",), ("e",)]
    assert Instant.packs == [["a", "b", "c"], ["d", "e"]]


def test_what_has_ended_does_not_run_again(reports):
    assert [said[0] for said in reports(Shelf(ended="abd"))] == [("c",), ("e",)]
    assert reports(Shelf(ended="abcde")) == []


def test_what_a_worker_died_on_runs_alone(reports):
    shelf = Shelf(ended="a", suspects="bc")
    reports(shelf)
    assert shelf.ran == [["b"], ["c"], ["d", "e"], []]
    assert Instant.packs == [["b"], ["c"], ["d", "e"]]
    reports(Shelf(suspects="b"))
    assert Instant.packs == [["a", "c"], ["b"], ["d", "e"]]


def test_what_ends_a_pack_ends_no_other(reports):
    assert reports(Shelf(), broken="b") == [
        (("a", "b", "c"), "RuntimeError: no more threads", True),
        (("d",), "ValueError: no", True),
        (("e",), "ValueError: no", True),
    ]
