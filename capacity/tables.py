"""Rows as bytes and back: the tables of an experiment in the dtypes of the schema."""

import csv
import functools
import io
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from capacity.rows import TABLES, Row
from capacity.rows.columns import Column, columns

Rows = Sequence[Row] | Mapping[str, Iterable] | pd.DataFrame  # rows, or columns by name
GROUP_ROWS = 1 << 17  # of a Parquet file, at least
ARROW = {int: pa.int64(), float: pa.float64(), bool: pa.bool_(), str: pa.string()}
TEXT = {pa.string(), pa.large_string()}  # pandas writes the large kind
CAST: dict[type, Callable] = {int: operator.index, float: float, bool: bool, str: str}
PARSE: dict[type, Callable] = {
    int: int,
    float: float,
    bool: {"True": True, "False": False}.__getitem__,
    str: str,
}


class StoreError(Exception):
    """A results folder that cannot be used or written, in one sentence for the user."""


@functools.cache
def schema(kind: str) -> pa.Schema:
    """The columns of a table as Arrow has them."""
    described = columns(TABLES[kind]).values()
    return pa.schema([pa.field(c.name, ARROW[c.type], c.nullable) for c in described])


@functools.cache
def empty(kind: str) -> pa.Table:
    """A table without rows."""
    return schema(kind).empty_table()


def table(kind: str, rows: Rows) -> pa.Table:
    """Rows, or columns by name, as an Arrow table sorted by what names a row."""
    described = columns(TABLES[kind])
    if isinstance(rows, pd.DataFrame):
        rows = {str(name): rows[name].tolist() for name in rows}
    if isinstance(rows, Mapping):
        given = {name: list(values) for name, values in rows.items()}
    else:
        given = {name: [getattr(row, name) for row in rows] for name in described}
    if odd := described.keys() ^ given.keys():
        raise TypeError(f"column '{min(odd)}' of {kind} is missing or not in the schema")
    arrays = [_array(kind, c, given[name]) for name, c in described.items()]
    return united(kind, [pa.Table.from_arrays(arrays, schema=schema(kind))])


def united(kind: str, tables: Sequence[pa.Table]) -> pa.Table:
    """All rows of some tables, sorted by what names a row."""
    described = columns(TABLES[kind])
    names = ("trial", "seed", "round", "control", "codec", "step", "steps", "train_size")
    keys = [key for key in names if key in described and not described[key].nullable]
    return pa.concat_tables(tables).sort_by([(key, "ascending") for key in keys]).combine_chunks()


def _array(kind: str, c: Column, values: list) -> pa.Array:
    cast = CAST[c.type]
    if not c.nullable and any(value is None for value in values):
        raise TypeError(f"column '{c.name}' of {kind} cannot be empty")
    return pa.array([None if v is None else cast(v) for v in values], ARROW[c.type])


def parquet_bytes(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def parquet_parts(out: BinaryIO, tables: Iterable[pa.Table]) -> None:
    """One Parquet file of tables of one schema; its groups of rows do not depend on their count."""
    waiting: list[pa.Table] = []
    writer = None
    for part in tables:
        waiting.append(part)
        writer = writer or pq.ParquetWriter(out, part.schema, compression="zstd")
        if sum(map(len, waiting)) >= GROUP_ROWS:
            writer.write_table(pa.concat_tables(waiting).combine_chunks())
            waiting = []
    if writer is not None:
        if waiting:
            writer.write_table(pa.concat_tables(waiting).combine_chunks())
        writer.close()


def csv_parts(out: BinaryIO, tables: Iterable[pa.Table]) -> None:
    """One text of comma-separated values of tables of one schema."""
    for position, part in enumerate(tables):
        if position == 0:
            out.write(csv_text([part.column_names]))
        out.write(csv_text(zip(*part.to_pydict().values(), strict=True)))


def csv_text(rows: Iterable[Sequence[Any]]) -> bytes:
    """Comma-separated values: empty for None, floats in the shortest digits that round-trip."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue().encode()


def parsed_parquet(path: Path, data: bytes, kind: str) -> pa.Table:
    try:
        table = pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"{path} is damaged: it is no readable Parquet file") from error
    if table.schema.equals(schema(kind)):  # Says of each column whether it may be empty, too.
        return table
    found = table.column_names
    _check_header(path, found, columns(TABLES[kind]))
    for field in schema(kind):
        if field.name not in found:
            table = table.append_column(field, pa.nulls(len(table), field.type))
    table = table.select(schema(kind).names)
    for field, wanted in zip(table.schema, schema(kind), strict=True):
        same = field.type == wanted.type or {field.type, wanted.type} <= TEXT
        if not same or (table[field.name].null_count and not wanted.nullable):
            found = "empty cells" if same else field.type
            raise StoreError(f"{path}: column '{field.name}' holds {found}, not only {wanted.type}")
    return table.cast(schema(kind))


def parsed_csv(path: Path, data: bytes, kind: str | None) -> pd.DataFrame:
    """A table as a frame; without a `kind` the columns' types are those that fit their cells."""
    if kind and (frame := _read_fast(path, data, kind)) is not None:
        return frame
    try:
        header, *lines = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    except (ValueError, csv.Error) as error:
        raise StoreError(f"{path} is damaged: it is no comma-separated text") from error
    for number, line in enumerate(lines, start=2):
        if len(line) != len(header):
            raise StoreError(
                f"{path} is damaged: line {number} has {len(line)} cells, not {len(header)}"
            )
    described = columns(TABLES[kind]) if kind else {}
    cells = {name: [line[i] for line in lines] for i, name in enumerate(header)}
    if not kind:
        if header[:1] != ["trial"] or len(cells) < len(header):
            raise StoreError(f"{path}: no column 'trial'; it is no table of this version")
        trial = pd.Series(cells.pop("trial"), dtype="str")
        settings = {name: _guessed(column) for name, column in cells.items()}
        return pd.DataFrame({"trial": trial, **settings})
    _check_header(path, header, described)
    empty = [""] * len(lines)
    return pd.DataFrame(
        {name: _parsed(path, c, cells.get(name, empty)) for name, c in described.items()}
    )


def _read_fast(path: Path, data: bytes, kind: str) -> pd.DataFrame | None:
    """The same by Arrow, in a hundredth of the time; None where it stumbles.

    What is wrong with a table, the other way says by its line.
    """
    described = columns(TABLES[kind])
    convert = pyarrow.csv.ConvertOptions(
        column_types={name: ARROW[c.type] for name, c in described.items()},
        null_values=[""],
        strings_can_be_null=False,
        true_values=["True"],
        false_values=["False"],
    )
    lines = pyarrow.csv.ParseOptions(newlines_in_values=b'"' in data, ignore_empty_lines=False)
    try:
        found = pyarrow.csv.read_csv(
            pa.BufferReader(data), parse_options=lines, convert_options=convert
        )
    except pa.ArrowException:
        return None
    _check_header(path, found.column_names, described)
    frame = {}
    for name, c in described.items():
        if name not in found.column_names:
            frame[name] = _series(c.type, c.nullable, [None] * len(found))
            continue
        column = found[name]
        if column.null_count and not c.nullable:
            return None
        integers = c.nullable and c.type is int
        mapped = {pa.int64(): pd.Int64Dtype()} if integers else {pa.bool_(): pd.BooleanDtype()}
        mapper = mapped.get if c.nullable else None
        series = column.to_pandas(types_mapper=mapper).rename(None)
        if c.type is str:
            series = series.astype("str")
            series = series.mask(series == "") if c.nullable else series
        frame[name] = series
    return pd.DataFrame(frame)


def _check_header(path: Path, found: list[str], wanted: Mapping[str, Column]) -> None:
    """A column that may be empty may be missing too: the table is of a version before it."""
    missing = [name for name, c in wanted.items() if name not in found and not c.nullable]
    if missing:
        raise StoreError(f"{path}: no column '{missing[0]}'; it is no table of this version")
    if unknown := [name for name in found if name not in wanted]:
        raise StoreError(f"{path}: unknown column '{unknown[0]}'; it is no table of this version")
    if len(found) != len(set(found)):
        raise StoreError(f"{path}: a column stands there twice")


def _parsed(path: Path, c: Column, cells: list[str]) -> pd.Series:
    values = []
    for number, cell in enumerate(cells, start=2):
        try:
            if cell == "" and not c.nullable and c.type is not str:
                raise ValueError
            values.append(None if cell == "" and c.nullable else PARSE[c.type](cell))
        except (ValueError, KeyError):
            raise StoreError(
                f"{path}: column '{c.name}', line {number}: '{cell}' is no {c.type.__name__}"
            ) from None
    return _series(c.type, c.nullable, values)


def _guessed(cells: list[str]) -> pd.Series:
    """Settings, which no schema knows: the first of int, float, bool and str that fits all."""
    nullable = "" in cells
    for kind in (int, float, bool, str):
        try:
            return _series(kind, nullable, [None if c == "" else PARSE[kind](c) for c in cells])
        except (ValueError, KeyError):
            continue
    raise AssertionError("every cell is a str")


def _series(kind: type, nullable: bool, values: list) -> pd.Series:
    dtype = {int: "Int64", bool: "boolean"}.get(kind) if nullable else {int: "int64"}.get(kind)
    return pd.Series(values, dtype=dtype or {float: "float64", bool: "bool", str: "str"}[kind])
