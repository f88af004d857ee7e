"""Whose delivery is uncertain, as long as it is."""

from django.db import migrations, models

VIEW = """
CREATE OR REPLACE VIEW tracking_response_v WITH (security_invoker = true) AS
  SELECT account_id, send_id, seq, contact_id, opened_at, machine_opened_at, clicked_at, machine_clicked_at,
         unsubscribed_at, complained_at, bounced_at, opens, clicks, uncertain_at
  FROM tracking_response;
"""


class Migration(migrations.Migration):
    dependencies = [("tracking", "0002_tenancy")]
    operations = [
        migrations.AddField("response", "uncertain_at", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "response",
            models.Index(
                fields=["account_id", "send_id", "seq"],
                name="tracking_response_uncertain",
                condition=models.Q(("uncertain_at__isnull", False)),
            ),
        ),
        migrations.RunSQL(VIEW, migrations.RunSQL.noop),
    ]
