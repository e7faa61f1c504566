"""Everything written to results/<experiment>/, and how it is read back; the only writer of results.

    provenance.json    the resolved config and, for each run that added to it, versions and times
    config.yaml        the resolved config
    trials/<trial>/    rows as Parquet, settings.json and compressed files; whole or absent
    networks.csv, ..., curves.parquet    all finished trials: the tables of which there are rows
    trials.csv, COLUMNS.md    their settings, and what each column of the tables is

A trial is written beside its place and renamed into it, so a kill leaves a whole trial or none.
"""

from capacity.files import PARTIAL, write
from capacity.store.identity import same
from capacity.store.reading import Results, parsed_provenance, provenance, read, tables
from capacity.store.writing import Store
from capacity.tables import StoreError

__all__ = [
    "PARTIAL",
    "Results",
    "Store",
    "StoreError",
    "parsed_provenance",
    "provenance",
    "read",
    "same",
    "tables",
    "write",
]
