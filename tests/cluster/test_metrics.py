"""The pace of a trial, from what it reports; the rest is read off a running sweep."""

import time

from capacity.cluster.metrics import _Pace


def test_pace_is_steps_between_two_reports(monkeypatch):
    clock = iter([0.0, 2.0, 4.0, 5.0, 6.0, 8.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    pace = _Pace()
    assert pace.at(100) == 50
    assert pace.at(100) == 0
    assert pace.measured(400) == 300  # 300 of 400 since the last report
    assert pace.at(500) == 100
    assert pace.at(60) == 30  # another part of the trial, which counts from 0


def test_a_round_that_was_reported_to_its_end_adds_no_steps(monkeypatch):
    clock = iter([0.0, 1.0, 2.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    pace = _Pace()
    assert pace.at(10) == 10
    assert pace.measured(10) == 0
