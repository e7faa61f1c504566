"""The account of a trial's networks in bits of their labels: the rows of the ledger."""

from capacity.accounts.codes import LabelCodes, label_codes
from capacity.accounts.rows import ledger_rows

__all__ = ["LabelCodes", "label_codes", "ledger_rows"]
