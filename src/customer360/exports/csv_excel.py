"""The columns of a segment's list of members, for a spreadsheet."""

from __future__ import annotations

from dataclasses import replace

from customer360.exports import plain_csv
from customer360.spreadsheet import safe_text

FORMAT = replace(
    plain_csv.FORMAT,
    name="csv_excel",
    title="Spreadsheet",
    help="The columns of the list of members, for Excel, LibreOffice and Google Sheets: no cell is a formula",
    mark=True,
    safe=safe_text,
)
