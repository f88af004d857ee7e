"""What is sold, and who bought it. All three tables are large: `account_id` is first in every key.

Amounts have eight figures before the point, as many as the reference product takes, and four after it.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Product(models.Model):
    """Something that is sold, under the shop's own `item_id`. Orders make those that are not known yet."""

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.BigIntegerField()
    item_id = models.CharField(max_length=255)
    description = models.CharField(max_length=255, blank=True, db_default="")
    category = models.CharField(max_length=255, blank=True, db_default="")
    brand = models.CharField(max_length=255, blank=True, db_default="")
    adcode = models.CharField(max_length=255, blank=True, db_default="")
    price = models.DecimalField(
        max_digits=12, decimal_places=4, null=True, help_text="Of one; null where nobody said it."
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account_id", "item_id"], name="commerce_product_item"),
        ]


class Order(models.Model):
    """A purchase, under the shop's own `original_order_id`: unique for its contact only where the shop asks for it.

    `grand_total` may hold more than its items, such as postage, or less, such as a discount. Of an erased person the order
    keeps its figures and loses the shop's number and the coupon.
    """

    pk = models.CompositePrimaryKey("account_id", "id")
    account_id = models.BigIntegerField()
    id = models.BigIntegerField()
    contact_id = models.BigIntegerField()
    original_order_id = models.CharField(max_length=255)
    order_date = models.DateTimeField()
    status = models.CharField(max_length=255)
    grand_total = models.DecimalField(max_digits=12, decimal_places=4)
    campaign_id = models.BigIntegerField(null=True, help_text="The campaign that the shop puts it down to.")
    send_id = models.BigIntegerField(null=True)
    coupon_code = models.CharField(max_length=255, blank=True, db_default="")
    source_name = models.CharField(max_length=255, blank=True, db_default="")
    source_type = models.CharField(max_length=255, blank=True, db_default="")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["account_id", "original_order_id", "contact_id"], name="commerce_order_original"),
            models.Index(fields=["account_id", "contact_id", "id"], name="commerce_order_contact"),
            models.Index(
                fields=["account_id", "campaign_id", "id"], name="commerce_order_campaign",
                condition=models.Q(campaign_id__isnull=False),
            ),
        ]  # fmt: skip


class OrderItem(models.Model):
    """A line of an order, in its place from 1. `price` is the extended price: of the whole quantity."""

    pk = models.CompositePrimaryKey("account_id", "order_id", "line")
    account_id = models.BigIntegerField()
    order_id = models.BigIntegerField()
    line = models.IntegerField()
    item_id = models.CharField(max_length=255)
    price = models.DecimalField(max_digits=12, decimal_places=4)
    quantity = models.DecimalField(max_digits=12, decimal_places=4)
    description = models.CharField(max_length=255, blank=True, db_default="")
    adcode = models.CharField(max_length=255, blank=True, db_default="")
    category = models.CharField(max_length=255, blank=True, db_default="")
