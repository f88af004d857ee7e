"""What an import left as it was, and indexes for finding people by the beginning of a name."""

from django.db import migrations, models

SEARCH = """
CREATE INDEX audience_contact_last ON audience_contact (account_id, lower(last_name) text_pattern_ops) WHERE last_name <> '';
CREATE INDEX audience_contact_first ON audience_contact (account_id, lower(first_name) text_pattern_ops) WHERE first_name <> '';
"""
UNSEARCH = "DROP INDEX audience_contact_last, audience_contact_first"


class Migration(migrations.Migration):
    dependencies = [("audience", "0002_tenancy")]
    operations = [
        *(
            migrations.AddField("import", name, models.BigIntegerField(default=0, help_text=text))
            for name, text in [
                ("unchanged_count", "Known people in whom nothing changed."),
                ("left_out_count", "Rows that the options leave out."),
                ("kept_unsubscribed_count", "People who unsubscribed earlier and stay so."),
                ("do_not_mail_count", "People who are on do-not-mail and stay there."),
                ("rejects_bytes", "Length of the rejects file at the last commit."),
            ]
        ),
        migrations.RunSQL(SEARCH, UNSEARCH),
    ]
