"""Products, orders and their items."""

from django.db import migrations, models

from standfast.platform.tenancy import TenantTable

IDS = """
CREATE SEQUENCE commerce_product_id;
ALTER TABLE commerce_product ALTER id SET DEFAULT nextval('commerce_product_id');
CREATE SEQUENCE commerce_order_id;
"""
UNIDS = "DROP SEQUENCE commerce_product_id CASCADE; DROP SEQUENCE commerce_order_id"


class Migration(migrations.Migration):
    initial = True

    dependencies = [("platform", "0001_event_log")]

    operations = [
        migrations.CreateModel(
            name="OrderItem",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "order_id", "line", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("order_id", models.BigIntegerField()),
                ("line", models.IntegerField()),
                ("item_id", models.CharField(max_length=255)),
                ("price", models.DecimalField(decimal_places=4, max_digits=12)),
                ("quantity", models.DecimalField(decimal_places=4, max_digits=12)),
                ("description", models.CharField(blank=True, db_default="", max_length=255)),
                ("adcode", models.CharField(blank=True, db_default="", max_length=255)),
                ("category", models.CharField(blank=True, db_default="", max_length=255)),
            ],
        ),
        migrations.CreateModel(
            name="Order",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("id", models.BigIntegerField()),
                ("contact_id", models.BigIntegerField()),
                ("original_order_id", models.CharField(max_length=255)),
                ("order_date", models.DateTimeField()),
                ("status", models.CharField(max_length=255)),
                ("grand_total", models.DecimalField(decimal_places=4, max_digits=12)),
                (
                    "campaign_id",
                    models.BigIntegerField(help_text="The campaign that the shop puts it down to.", null=True),
                ),
                ("send_id", models.BigIntegerField(null=True)),
                ("coupon_code", models.CharField(blank=True, db_default="", max_length=255)),
                ("source_name", models.CharField(blank=True, db_default="", max_length=255)),
                ("source_type", models.CharField(blank=True, db_default="", max_length=255)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["account_id", "original_order_id", "contact_id"], name="commerce_order_original"
                    ),
                    models.Index(fields=["account_id", "contact_id", "id"], name="commerce_order_contact"),
                    models.Index(
                        condition=models.Q(("campaign_id__isnull", False)),
                        fields=["account_id", "campaign_id", "id"],
                        name="commerce_order_campaign",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Product",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("account_id", models.BigIntegerField()),
                ("id", models.BigIntegerField()),
                ("item_id", models.CharField(max_length=255)),
                ("description", models.CharField(blank=True, db_default="", max_length=255)),
                ("category", models.CharField(blank=True, db_default="", max_length=255)),
                ("brand", models.CharField(blank=True, db_default="", max_length=255)),
                ("adcode", models.CharField(blank=True, db_default="", max_length=255)),
                (
                    "price",
                    models.DecimalField(
                        decimal_places=4, help_text="Of one; null where nobody said it.", max_digits=12, null=True
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account_id", "item_id"), name="commerce_product_item")
                ],
            },
        ),
        migrations.RunSQL(IDS, UNIDS),
        TenantTable("commerce_product"),
        TenantTable("commerce_order"),
        TenantTable("commerce_orderitem"),
    ]
