"""The schema: one declaration per column, and the reference that is generated from it."""

import dataclasses
from pathlib import Path

import pytest

from capacity.rows import TABLES, CurveRow, reference
from capacity.rows.columns import columns


def test_every_column_says_what_it_is():
    for row in TABLES.values():
        for column in columns(row).values():
            assert column.doc, column.name
            assert column.type in (int, float, bool, str), column.name


def test_a_quantity_has_a_unit_or_is_a_share_and_says_its_kind():
    for row in TABLES.values():
        for column in columns(row).values():
            if column.unit.startswith(("bits", "bytes")):
                assert column.kind, f"{column.name}: a figure in {column.unit} without its kind"


def test_the_reference_says_where_a_quantity_is_defined():
    source = columns(TABLES["ledger"])["weight_information"].source
    assert source == "Blier & Ollivier 2018, section 3.4"
    assert f"| {source} |" in reference()


def test_a_forgotten_column_is_a_type_error_that_names_it():
    names = [field.name for field in dataclasses.fields(CurveRow)]
    with pytest.raises(TypeError, match="validation_accuracy"):
        CurveRow(**dict.fromkeys(names[:-1], 0))


def test_the_committed_column_reference_is_current():
    committed = Path(__file__).parent.parent / "results/COLUMNS.md"
    assert committed.read_text() == reference(), "run `make columns`"
