"""Rows of files that were made to be read a thousand times over."""

import pytest

from standfast.components.audience import csv_rows
from standfast.components.audience.csv_file import FileProblem, detect


def test_quotes_that_are_never_closed_are_read_again_only_so_often(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_rows, "REREAD_LINES_MAX", 5_000)
    path = tmp_path / "people.csv"
    path.write_text("email,name\n" + '"x","y\n' * 10_000)
    rows = csv_rows.CsvRows(path, detect(path), ",")
    refused = 0
    with pytest.raises(FileProblem, match="Too many quotes"):
        for row in rows:
            refused += isinstance(row, csv_rows.BadRow)
    assert refused < 10
    rows.close()
