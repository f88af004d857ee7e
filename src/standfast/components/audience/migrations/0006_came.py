"""When people came, for the dashboard's month: a block-range index costs an import next to nothing, as people come in order."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("audience", "0005_writer")]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX audience_contact_came ON audience_contact USING brin (account_id, created_at) "
            "WITH (pages_per_range = 32, autosummarize = on)",
            "DROP INDEX audience_contact_came",
        ),
    ]
