"""What is kept of a trial before it is done: in order, of the same settings, then one whole."""

import pytest

from capacity.store import Store, StoreError
from tests.analysis.sample import sample

CONFIG = {"training": {"epochs": 3}}
SETTINGS = {"seeds": 2}
(TRIAL, (_, TABLES)), *_ = sample(widths=(16,), seeds=2, rounds=3).items()


def part(number):
    """The rows of a round."""
    rows = {kind: [r for r in TABLES[kind] if r.round == number] for kind in ("networks", "layers")}
    return {kind: found for kind, found in rows.items() if found}


@pytest.fixture
def opened(tmp_path):
    return Store.open(tmp_path / "some", CONFIG, resume=True)


def keep(opened, number, continuation=None, settings=SETTINGS):
    opened.rounds.keep(
        TRIAL,
        number,
        settings,
        tables=part(number),
        files={f"s0-r{number}.cap": bytes([number])},
        continuation=continuation,
    )


def test_rounds_kept_one_by_one_are_the_trial_written_at_once(opened, tmp_path):
    for number in (0, 1):
        keep(opened, number, b"from here")
    before = opened.rounds.take(TRIAL, 2)
    opened.write_trial(TRIAL, SETTINGS, files={"s0-r2.cap": b"\2"}, before=before, **part(2))
    whole = Store.open(tmp_path / "whole", CONFIG, resume=False)
    tables = {kind: [r for n in range(3) for r in part(n)[kind]] for kind in part(0)}
    files = {f"s0-r{n}.cap": bytes([n]) for n in range(3)}
    whole.write_trial(TRIAL, SETTINGS, files=files, **tables)
    found, expected = (folder / "trials" / TRIAL for folder in (opened.folder, whole.folder))
    assert {p.name for p in found.iterdir()} == {p.name for p in expected.iterdir()}
    for path in expected.iterdir():
        assert (found / path.name).read_bytes() == path.read_bytes()
    assert list((opened.folder / "trials/.rounds").iterdir()) == []
    assert opened.finished() == {TRIAL}


def test_a_trial_goes_on_from_its_latest_continuation(opened):
    assert opened.rounds.latest(TRIAL, SETTINGS) is None
    keep(opened, 0, b"first")
    keep(opened, 1)
    assert opened.rounds.latest(TRIAL, SETTINGS) == b"first"
    assert opened.rounds.behind(TRIAL, SETTINGS) == 1
    keep(opened, 2, b"third")
    assert opened.rounds.behind(TRIAL, SETTINGS) == 3
    assert opened.rounds.latest(TRIAL, SETTINGS) == b"third"
    assert opened.finished() == set()


def test_other_settings_begin_anew(opened):
    keep(opened, 0, b"first")
    assert opened.rounds.latest(TRIAL, {"seeds": 3}) is None


def test_a_worker_that_took_over_tells_again_what_is_then_forgotten(opened):
    for number in (0, 1):
        keep(opened, number)
    keep(opened, 0)
    kept = opened.rounds.take(TRIAL, 1)
    assert kept.files == {"s0-r0.cap": b"\0"}
    assert len(kept.tables["networks"]) == len(part(0)["networks"])
    with pytest.raises(StoreError, match="misses a round"):
        opened.rounds.take(TRIAL, 2)


def test_a_round_that_was_being_written_is_none(opened):
    keep(opened, 0, b"first")
    partial = opened.folder / "trials/.rounds" / TRIAL / ".partial-000001"
    partial.mkdir()
    (partial / ".continuation.npz").write_bytes(b"half")
    assert opened.rounds.latest(TRIAL, SETTINGS) == b"first"
    keep(opened, 1, b"second")
    assert opened.rounds.latest(TRIAL, SETTINGS) == b"second"
