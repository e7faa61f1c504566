"""The tables of the prequential benchmark: every code of a population, and files that hold them."""

import csv

import numpy as np
import pytest

from benchmarks.prequential_tables import TOGETHER, Said, account, codes, curve, written


def test_tables_hold_every_code_of_a_population(tmp_path):
    """Three networks that say nothing: 60 labels of 4 classes are 120 bits, and EDL is 0."""
    draw = np.random.default_rng(0)
    said = Said(np.zeros((3, 52, 4)), np.zeros((3, 60, 4)), np.zeros((3, 20, 4)))
    labels, test_labels = draw.integers(0, 4, 60), draw.integers(0, 4, 20)
    found = codes(said, labels, test_labels, (8, 20, 60))
    assert {name: len(seeds) for name, seeds in found.items()} == {
        "raw": 3,
        "tempered": 3,
        TOGETHER: 1,
    }
    for seeds in found.values():
        for each in seeds:
            assert each.code.total == pytest.approx(120)
            assert each.ledger.generalising.value == pytest.approx(0, abs=1e-9)
    written(tmp_path, {"Command": "none"}, [account(found), curve(found, 4)], found)
    with (tmp_path / "blocks.csv").open() as opened:
        rows = list(csv.DictReader(opened))
    assert [row["up to label"] for row in rows] == ["8", "20", "60"]
    assert rows[-1]["tempered so far"] == "120"
    assert rows[-1]["raw"] == "2.0000"
    with (tmp_path / "seeds.csv").open() as opened:
        assert len(list(csv.DictReader(opened))) == 7
    assert "Command: none" in (tmp_path / "prequential.md").read_text()
