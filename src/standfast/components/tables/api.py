"""The face of tables."""

from standfast.components.tables.columns import Column, ColumnDraft, DataType, Key, Structure, TableInvalid
from standfast.components.tables.deleting import delete_rows
from standfast.components.tables.models import Table
from standfast.components.tables.reading import FoundRow, NotFindable, Page, page_of, page_with
from standfast.components.tables.structure import change_table, create_table, delete_table, empty_table
from standfast.components.tables.writing import RowsRefused, Written, write_rows

__all__ = [
    "Column",
    "ColumnDraft",
    "DataType",
    "FoundRow",
    "Key",
    "NotFindable",
    "Page",
    "RowsRefused",
    "Structure",
    "Table",
    "TableInvalid",
    "Written",
    "change_table",
    "create_table",
    "delete_rows",
    "delete_table",
    "empty_table",
    "page_of",
    "page_with",
    "write_rows",
]
