"""Tables (small), and their rows with the values they are found by (large: `account_id` first in every key)."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

from django.db import models

from standfast.components.accounts.api import Account
from standfast.components.tables.columns import NAME_MAX, Structure


class Store(models.Model):
    """Where a table's rows lie. Emptying a table gives it a new one at once; a job clears the one that has ended."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    ended_at = models.DateTimeField(null=True)


class Table(models.Model):
    """A structure, and what is counted of its rows. Whoever writes rows or the structure holds this row's lock."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE)
    store = models.ForeignKey(Store, on_delete=models.RESTRICT)
    name = models.CharField(max_length=NAME_MAX)
    columns = models.JSONField(help_text="See columns.Column.")
    next_column = models.IntegerField(default=1)
    next_auto = models.BigIntegerField(default=1, help_text="What a column that counts by itself gets next.")
    last_row = models.BigIntegerField(default=0, help_text="The number of the row that came last.")
    row_count = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "name"], name="one_table_name")]

    @cached_property
    def structure(self) -> Structure:
        return Structure.from_json(self.columns)


class Row(models.Model):
    """`data` holds typed values by the column's id, nulls left out. Numbers rise in the order of commits."""

    pk = models.CompositePrimaryKey("account_id", "store_id", "number")
    account_id = models.BigIntegerField()
    store_id = models.BigIntegerField()
    number = models.BigIntegerField()
    data = models.JSONField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()


class IndexEntry(models.Model):
    """A value of a column with a key, and the row that has it (see entries.entry_of)."""

    pk = models.CompositePrimaryKey("account_id", "store_id", "entry")
    account_id = models.BigIntegerField()
    store_id = models.BigIntegerField()
    entry = models.BinaryField(max_length=28)
    number = models.BigIntegerField()
